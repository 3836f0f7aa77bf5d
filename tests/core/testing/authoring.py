"""A distribution of an author's, installed beside itself and worked with as the author would."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import energia

_OFFLINE = ("--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")


def installed(project: Path, folder: Path) -> Path:
    """Install a copy of *project* into *folder*, and return where its modules are."""
    shutil.copytree(project, folder / "built", ignore=shutil.ignore_patterns(".*", "*.egg-info"))
    site = folder / "site"
    into = ("--target", site, folder / "built")
    run(folder, site, "-m", "pip", "install", "--quiet", *_OFFLINE, *into)
    return site


def run(project: Path, site: Path, *arguments: object, **environ: str) -> str:
    """Run Python in *project*, and return what it prints; it must work."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=project,
        # Hypothesis has a profile for CI: how long an example takes on a machine that is shared
        # says nothing of the law.
        env={**os.environ, "PYTHONPATH": str(site), "CI": "true", **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def mypy(project: Path, site: Path, cache: Path) -> str:
    """Check the types of *project* by its own configuration."""
    # A checkout is not in site-packages, where mypy would find it by itself.
    source = Path(energia.__file__).parents[1]
    paths = {} if source.name == "site-packages" else {"MYPYPATH": str(source)}
    return run(project, site, "-m", "mypy", "--cache-dir", cache, **paths)


def ruff(*arguments: str, project: Path) -> None:
    """Check the style of *project* by its own configuration; ruff must find nothing."""
    run(project, project, "-m", "ruff", *arguments, "--no-cache")
