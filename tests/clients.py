"""The environment of the clients: what makes them and checks them, apart from ours."""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.imports import ROOT

#: The clients, and the tours with those that generators make.
CLIENTS: Final = ROOT / "clients"
_LOCK: Final = ROOT / "requirements/clients.lock"
_FOLDER: Final = ROOT / "build/clients"


def interpreter() -> Path:
    """Return the Python of the environment, which is made once for each lock and Python."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    digest = hashlib.sha256(_LOCK.read_bytes() + sys.prefix.encode()).hexdigest()[:12]
    home = _FOLDER / f"{version}-{digest}"
    python, done = home / "bin/python", home / "done"
    _FOLDER.mkdir(parents=True, exist_ok=True)
    # Several workers of pytest ask for it at once.
    with (_FOLDER / "making").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            run(sys.executable, "-m", "venv", "--clear", str(home))
            pip = ("pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check")
            run(str(python), "-m", *pip, "--require-hashes", "--no-deps", "-r", str(_LOCK))
            done.touch()
    return python


def run(
    *command: str, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> str:
    """Run a program that must succeed, and return what it prints.

    Of our environment it has the PATH alone, where it is given one of its own.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment and {"PATH": os.environ["PATH"], **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
