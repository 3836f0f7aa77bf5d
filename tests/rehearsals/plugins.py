"""Images with plugins of one's own, built in both ways that docs/how-to/image.md tells.

    python -m tests.rehearsals.plugins

The plugin is that of `examples/`, as a wheel that is on no index. Prints how long each build took;
exit code 1 if an image does not have the plugin, or may write where it is.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.rehearsals import REPOSITORY
from tests.rehearsals.engine import HARDENED, build, docker
from tests.rehearsals.image import BASE

PLUGIN: Final = "tariff-peak-shaving"
IMAGE: Final = "energia:rehearsal"
#: The Dockerfile of the guide.
GUIDE: Final = (REPOSITORY / "docs/how-to/image.md").read_text(encoding="utf-8")
TWO_STAGES: Final = re.findall(r"```dockerfile\n(FROM .*?)```", GUIDE, re.DOTALL)[0]
INSIDE: Final = f"""
import json, os
from importlib import import_module
from importlib.metadata import entry_points
(one,) = (one for one in entry_points(group="energia") if one.name == "{PLUGIN}")
where = import_module(one.module).__file__
print(json.dumps({{"user": os.getuid(), "writable": os.access(os.path.dirname(where), os.W_OK)}}))
"""


def lock(folder: Path) -> None:
    """Write `requirements/plugins.lock` and the wheel of the example, which it names."""
    requirements = folder / "requirements"
    requirements.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as copy:  # what a build leaves is not left in ours
        shutil.copytree(REPOSITORY / "examples/energia-peak-shaving", copy, dirs_exist_ok=True)
        command = [
            *(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"),
            *("--quiet", "--wheel-dir", str(requirements), copy),
        ]
        subprocess.run(command, check=True)
    (wheel,) = requirements.glob("*.whl")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    line = f"./requirements/{wheel.name} --hash=sha256:{digest}\n"
    (requirements / "plugins.lock").write_text(line)


def fork(folder: Path) -> Path:
    """Return a copy of the last commit, with the lock."""
    archive = subprocess.run(
        ["git", "archive", "HEAD"], cwd=REPOSITORY, check=True, capture_output=True
    ).stdout
    subprocess.run(["tar", "--extract", "--directory", str(folder)], input=archive, check=True)
    lock(folder)
    return folder


def upon(folder: Path) -> Path:
    """Return a folder with the guide's Dockerfile upon our image, and the lock."""
    text = TWO_STAGES.replace("python:3.12-slim-bookworm", BASE)
    (folder / "Dockerfile").write_text(text.replace("FROM energia\n", f"FROM {IMAGE}\n"))
    lock(folder)
    return folder


def faults(image: str) -> list[str]:
    """Return what is wrong with an image that is to have the plugin."""
    arguments = ("--rm", "--network=none", *HARDENED)
    listed = json.loads(docker("run", *arguments, image, "plugins", "list", "--json"))
    state = {plugin["name"]: plugin["state"] for plugin in listed}.get(PLUGIN, "missing")
    inside = json.loads(docker("run", *arguments, "--entrypoint=python", image, "-c", INSIDE))
    wrong = {
        f"{image}: the plugin is {state}": state != "loaded",
        f"{image}: it runs as {inside['user']}": inside["user"] != 10001,
        f"{image}: it may write to its plugins": inside["writable"],
    }
    return [message for message, is_so in wrong.items() if is_so]


def rehearse() -> list[str]:
    """Build both images, print the seconds, and return what is wrong."""
    wrong = []
    build(IMAGE)
    for made in (fork, upon):
        folder = Path(tempfile.mkdtemp(prefix="energia-plugins-"))
        try:
            seconds = build(f"{IMAGE}-{made.__name__}", made(folder))
        finally:
            shutil.rmtree(folder)
        print(f"{made.__name__}: built in {seconds:.0f} s")
        wrong += faults(f"{IMAGE}-{made.__name__}")
    return wrong


if __name__ == "__main__":
    sys.exit("; ".join(rehearse()) or 0)
