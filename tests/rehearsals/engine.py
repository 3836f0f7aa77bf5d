"""A Docker engine, and containers of the image in it, as tight as a platform may run them."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

from tests.rehearsals import REPOSITORY

#: The options of a container that may do no more than it must.
HARDENED: Final = (
    "--read-only",
    "--tmpfs=/tmp:rw,noexec,nosuid,size=16m",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--memory=512m",
)


def docker(*arguments: str) -> str:
    """Run a command of the engine and return what it prints."""
    done = subprocess.run(["docker", *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def build(image: str, folder: Path = REPOSITORY) -> float:
    """Build the image from the Dockerfile of a folder; return the seconds that it took."""
    base = os.environ.get("PYTHON_IMAGE")
    more = ["--build-arg", f"PYTHON_IMAGE={base}"] if base else []
    begun = time.monotonic()
    docker("build", "--quiet", "--network=host", *more, "--tag", image, str(folder))
    return time.monotonic() - begun


def layers_above(image: str, base: str) -> float:
    """Return the size of what *image* adds to *base*, in MB."""
    sizes = [int(docker("image", "inspect", "--format={{.Size}}", one)) for one in (image, base)]
    return (sizes[0] - sizes[1]) / 1e6


@attrs.frozen
class Container:
    """A container of the image, on the network of the machine.

    Attributes:
        name: What the engine calls it.
        url: Where it listens.

    """

    name: str
    url: str

    @property
    def health(self) -> str:
        """What its health check says: `starting`, `healthy` or `unhealthy`."""
        return docker("inspect", "--format={{.State.Health.Status}}", self.name)

    def healthy(self, seconds: float) -> float:
        """Wait for the engine's word that it is healthy; return the seconds since now.

        Exits with the end of its log if that does not come in time.
        """
        begun = time.monotonic()
        while (passed := time.monotonic() - begun) < seconds:
            if self.health == "healthy":
                return passed
            time.sleep(0.1)
        self.show_log()
        raise SystemExit(f"{self.name} is {self.health} after {seconds:.0f} s")

    def show_log(self) -> None:
        """Print the end of its log."""
        subprocess.run(["docker", "logs", "--tail=100", self.name], check=False)

    def stop(self, grace: int) -> tuple[float, int]:
        """Stop it as Coolify does; return the seconds that it took, and the exit code."""
        begun = time.monotonic()
        docker("stop", f"--time={grace}", self.name)
        code = docker("inspect", "--format={{.State.ExitCode}}", self.name)
        return time.monotonic() - begun, int(code)

    def remove(self) -> None:
        """Remove it, running or not."""
        docker("rm", "--force", self.name)


def run(image: str, port: int, environ: dict[str, str], *options: str) -> Container:
    """Start a hardened container that listens on *port* of the loopback."""
    given = {"HOST": "127.0.0.1", "PORT": str(port), **environ}
    variables = [f"--env={key}={value}" for key, value in given.items()]
    arguments = ["--detach", "--network=host", *HARDENED, *options, *variables, image]
    return Container(docker("run", *arguments), f"http://127.0.0.1:{port}")


@contextmanager
def running(image: str, port: int, environ: dict[str, str], *options: str) -> Iterator[Container]:
    """Run a container until the block is left."""
    container = run(image, port, environ, *options)
    try:
        yield container
    except BaseException:
        container.show_log()
        raise
    finally:
        container.remove()
