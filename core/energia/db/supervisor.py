"""Keeps one embedded PostgreSQL server running for as long as somebody uses it.

Run as a program of its own, on the standard library alone, in a session of its own: neither Ctrl-C
nor `kill -9` of the service ends it. Locks of the kernel show what is alive, never a pid
in a file; a lock is gone when the last process that inherited it is:

* `users.lock`: shared by each user of the server. We wait to get it alone, then stop the server.
* `supervisor.lock`: ours, inherited from the one who started us.
* `server.lock`: inherited by the server and all of its processes (and by `initdb`).
"""

import ctypes
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import IO, TypedDict

#: Seconds between the death of a server and the start of the next one.
_PAUSE = 0.2
#: Seconds that a server gets to end its sessions.
_STOP_LIMIT = 30.0
_PR_SET_PDEATHSIG = 1


class Task(TypedDict):
    """What to supervise.

    Attributes:
        data: The folder of everything.
        programs: The folder of `initdb` and `postgres`.
        account: User and group to run them as; null to stay who we are.
        admin: The role that only sets up.
        role: The service's own role, an ordinary one, and the name of its database.
        lock: The descriptor of the inherited lock.

    """

    data: str
    programs: str
    account: tuple[int, int] | None
    admin: str
    role: str
    lock: int


class Supervisor:
    """One server: set up at its first start, revived when it dies, stopped at the end."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._programs = Path(task["programs"])
        self._data = Path(task["data"])
        self._cluster = self._data / "cluster"
        self._sockets = self._data / "run"
        self._libc = ctypes.CDLL(None) if sys.platform == "linux" else None
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server, after the last one has gone; make its files first if there are none."""
        self._await_predecessor()
        if not self._cluster.exists():
            self._make_cluster()
        self._check_version()
        for stale in (self._cluster / "postmaster.pid", *self._sockets.glob(".s.*")):
            stale.unlink(missing_ok=True)  # the pid in it may be anybody's by now
        settings = {
            "listen_addresses": "",
            "port": "5432",
            "unix_socket_directories": self._sockets,
            "unix_socket_permissions": "0700",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._process = self._spawn("postgres", "-D", str(self._cluster), *options)

    def wait(self) -> None:
        """Wait until the server ends by itself; one that was killed is started again."""
        while self._process is not None:
            self._process.wait()
            if not (self._cluster / "postmaster.pid").exists():
                sys.exit(f"the server ended with {self._process.returncode}")
            time.sleep(_PAUSE)
            self.start()

    def stop(self) -> None:
        """Stop the server: open transactions are rolled back."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()

    def _await_predecessor(self) -> None:
        """Wait until no process of an earlier server is left, and end one without a supervisor."""
        if self._lock is not None:
            self._lock.close()  # the dead server's children still hold it
        self._lock = (self._data / "server.lock").open("a")
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            if self._answers():
                with suppress(OSError, ValueError, IndexError):
                    pid = (self._cluster / "postmaster.pid").read_text().split()[0]
                    os.kill(int(pid), signal.SIGINT)
            time.sleep(0.05)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self._sockets / ".s.PGSQL.5432")) == 0

    def _make_cluster(self) -> None:
        """Make the database files elsewhere and rename them: there are never half of them."""
        for left in self._data.glob("cluster.new*"):
            shutil.rmtree(left)
        new = self._data / "cluster.new"
        new.mkdir(mode=0o700)
        if self._task["account"]:
            os.chown(new, *self._task["account"])
        locale = ["--locale=C"]
        if self._version() >= 17:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        admin, role = self._task["admin"], self._task["role"]
        self._run("initdb", "-D", str(new), "-U", admin, "-A", "trust", "-E", "UTF8", *locale)
        self._run(
            *("postgres", "--single", "-D", str(new), "-c", "exit_on_error=on", "postgres"),
            text=f"create role {role} login\ncreate database {role} owner {role}\n",
        )
        new.rename(self._cluster)

    def _check_version(self) -> None:
        data = (self._cluster / "PG_VERSION").read_text().strip()
        if data != str(self._version()):
            sys.exit(
                f"the files in {self._cluster} are of PostgreSQL {data}, "
                f"the programs of PostgreSQL {self._version()}"
            )

    def _version(self) -> int:
        command = (self._programs / "postgres", "--version")
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return int(said.split()[2].partition(".")[0])

    def _run(self, *command: str, text: str = "") -> None:
        process = self._spawn(*command, stdin=subprocess.PIPE)
        process.communicate(text.encode())
        if process.returncode:
            sys.exit(f"{command[0]} failed with {process.returncode}")

    def _spawn(
        self, program: str, *arguments: str, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """Start a program that holds the server's lock and, on Linux, does not outlive us."""
        assert self._lock is not None
        user, group = self._task["account"] or (None, None)
        return subprocess.Popen(
            [self._programs / program, *arguments],
            stdin=stdin,
            cwd="/",
            pass_fds=[self._lock.fileno()],
            preexec_fn=self._end_with_parent,  # noqa: PLW1509 - no lock is shared
            user=user,
            group=group,
            extra_groups=None if user is None else [],
            umask=0o077,
        )

    def _end_with_parent(self) -> None:
        if self._libc is not None:
            self._libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def main() -> None:
    """Supervise the server that the argument describes, in the background."""
    if os.fork():
        os._exit(0)  # whoever started us is not our parent, and has nobody to bury
    task: Task = json.loads(sys.argv[1])
    supervisor = Supervisor(task)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with Path(task["data"], "users.lock").open("a") as users:
        Thread(target=_end_without_users, args=[users], daemon=True).start()
        try:
            supervisor.start()
            supervisor.wait()
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            supervisor.stop()
            os.close(task["lock"])  # before `users`: who gets that must find us gone


def _end_without_users(users: IO[str]) -> None:
    try:
        fcntl.flock(users, fcntl.LOCK_EX)
    except ValueError:  # closed: the server could not start, and the reason is the last thing said
        return
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
