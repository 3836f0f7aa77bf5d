"""The image, hardened: it starts, turns healthy by its own check, answers, and stops cleanly.

python -m tests.rehearsals.ci.smoke energia:ci

Needs Linux and a Docker engine; PostgreSQL comes from the wheel. All listens on 127.0.0.1.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.request import urlopen

from tests.e2e.service import free_port
from tests.rehearsals.postgres import postgres

#: As tight as a platform may run it.
HARDENED: Final = (
    "--read-only",
    "--tmpfs=/tmp:rw,noexec,nosuid,size=16m",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--memory=512m",
)
#: Seconds until it must be healthy, and until it must have stopped.
_LIMIT: Final = 60
_GRACE: Final = 30


def docker(*arguments: str) -> str:
    """Run a command of the engine and return what it prints."""
    done = subprocess.run(["docker", *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def smoke(image: str) -> None:
    """Start *image* hardened, look at it, and stop it; exits with what is wrong."""
    with postgres() as url, _container(image, url, free_port()) as (name, port):
        seconds = _healthy(name)
        print(f"healthy after {seconds:.1f} s")
        for path in ("/health/live", "/health/ready", "/health", "/openapi.json"):
            with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                print(f"{path}: {answer.status}, {len(answer.read())} bytes")
        _stopped(name)


@contextmanager
def _container(image: str, url: str, port: int) -> Iterator[tuple[str, int]]:
    given = {"DATABASE_URL": url, "HOST": "127.0.0.1", "PORT": str(port)}
    variables = [f"--env={key}={value}" for key, value in given.items()]
    name = docker("run", "--detach", "--network=host", *HARDENED, *variables, image)
    try:
        yield name, port
    except BaseException:
        subprocess.run(["docker", "logs", "--tail=100", name], check=False)
        raise
    finally:
        docker("rm", "--force", name)


def _healthy(name: str) -> float:
    """Wait for the engine's word that it is healthy; return the seconds."""
    started = time.monotonic()
    while (passed := time.monotonic() - started) < _LIMIT:
        status = docker("inspect", "--format={{.State.Status}} {{.State.Health.Status}}", name)
        if status == "running healthy":
            return passed
        if status != "running starting":
            break
        time.sleep(0.2)
    raise SystemExit(docker("inspect", "--format={{json .State}}", name))


def _stopped(name: str) -> None:
    started = time.monotonic()
    docker("stop", f"--time={_GRACE}", name)
    code = docker("inspect", "--format={{.State.ExitCode}}", name)
    print(f"stopped after {time.monotonic() - started:.1f} s with exit code {code}")
    if code != "0":
        raise SystemExit(f"exit code {code}")


if __name__ == "__main__":
    smoke(*sys.argv[1:])
