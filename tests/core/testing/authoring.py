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
    run(folder, site, "pip", "install", "--quiet", *_OFFLINE, "--target", site, folder / "built")
    return site


def run(project: Path, site: Path, module: str, *arguments: object, **environ: str) -> str:
    """Run a Python module in *project*, and return what it prints; it must work."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(site), **environ},
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
    return run(project, site, "mypy", "--cache-dir", cache, **paths)


def ruff(*arguments: str, project: Path) -> subprocess.CompletedProcess[str] | None:
    """Run ruff in *project*; None where there is none."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    program = shutil.which("ruff", path=path)
    if program is None:
        return None
    command = [program, *arguments, "--no-cache"]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
