"""A streaming replica of an embedded server, with the programs that it is made of."""

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import attrs
import psycopg2

from energia.db.embedded import ADMIN, ROLE, Account, Embedded, installed, runnable


@attrs.define
class Standby:
    """A replica that follows a server until it is stopped.

    Attributes:
        folder: Where its files are, and its socket.
        programs: The folder of the programs.
        account: Who it runs as, where root makes it; None for ourselves.

    """

    folder: Path
    programs: Path
    account: Account | None
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """The URL of the service's database there."""
        return self._url(ROLE, ROLE)

    def run(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a program as whoever the files belong to."""
        account = self.account
        return subprocess.Popen(
            [self.programs / program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            user=None if account is None else account.user,
            group=None if account is None else account.group,
            extra_groups=None if account is None else [],
        )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": self.folder,
            "hot_standby_feedback": "on",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._process = self.run("postgres", "-D", str(self.folder / "cluster"), *options)
        until = time.monotonic() + 60
        while True:
            try:
                self.ask("select 1")
            except psycopg2.OperationalError:
                assert time.monotonic() < until
                assert self._process.poll() is None
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """Stop it: its connections break."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()

    def ask(self, sql: str) -> Any:
        """Return what a statement of its administrator gives."""
        with closing(psycopg2.connect(self._url(ADMIN, ADMIN))) as raw:
            raw.autocommit = True
            with raw.cursor() as cursor:
                cursor.execute(sql)
                (row,) = cursor.fetchall()
                return row[0]

    @contextmanager
    def held_up(self) -> Iterator[None]:
        """Let it replay nothing while the block lasts."""
        self.ask("select pg_wal_replay_pause()")
        while self.ask("select pg_get_wal_replay_pause_state()") != "paused":
            time.sleep(0.005)
        try:
            yield
        finally:
            self.ask("select pg_wal_replay_resume()")

    def _url(self, role: str, database: str) -> str:
        return f"postgresql://{role}@/{database}?host={quote(str(self.folder), safe='')}&port=5432"


@contextmanager
def following(server: Embedded, folder: Path) -> Iterator[Standby]:
    """Give a replica of *server* with its files in *folder*, until the block ends."""
    owner = (server.folder / "cluster").stat()
    account = None
    if os.geteuid() == 0:
        account = Account(pwd.getpwuid(owner.st_uid).pw_name, owner.st_uid, owner.st_gid)
    folder.mkdir(mode=0o700)
    os.chown(folder, owner.st_uid, owner.st_gid)
    programs = installed() if account is None else runnable(server.folder, account)
    standby = Standby(folder, programs, account)
    source = ("-h", str(server.folder / "run"), "-p", "5432", "-U", ADMIN)
    copy = ("-D", str(folder / "cluster"), "-X", "stream", "-c", "fast", "--no-sync", "-R")
    assert standby.run("pg_basebackup", *source, *copy).wait() == 0
    standby.start()
    try:
        yield standby
    finally:
        standby.stop()
