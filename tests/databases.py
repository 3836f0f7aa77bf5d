"""Databases for tests, made ahead: each test gets a fresh clone, which no other test ever sees.

One thread clones the template while tests run, so that a test rarely waits for its database, and
drops what tests have used.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count

import psycopg2

from energia.db.embedded import ADMIN, ROLE, Embedded

#: What a server of tests need not do: databases that last as long as a test survive no power cut.
#: Killing the server loses nothing.
_VOLATILE = ("fsync = off", "full_page_writes = off")


def administer(server: Embedded, *statements: str) -> None:
    """Run statements on *server* as its administrator, each in a transaction of its own."""
    with closing(psycopg2.connect(server.dsn(ADMIN, ADMIN))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


def make_volatile(server: Embedded) -> None:
    """Let *server* leave it to the kernel when files reach the disk; cloning is far faster then."""
    administer(server, *(f"alter system set {setting}" for setting in _VOLATILE))
    administer(server, "select pg_reload_conf()")


class Databases:
    """Clones of one template database of a server."""

    def __init__(self, server: Embedded, template: str, *, ahead: int) -> None:
        """Clone *template*, to which nobody may be connected; *ahead* databases wait for tests."""
        self._server = server
        self._template = template
        self._ahead = ahead
        self._numbers = count(1)
        self._made: deque[Future[str]] = deque()
        self._dropped: list[Future[None]] = []
        # One thread: clones of a template are made one after the other anyway.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="databases")

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Give the URL of a database that nobody has used, which an ordinary role owns."""
        while len(self._made) <= self._ahead:
            self._made.append(self._thread.submit(self._create))
        name = self._made.popleft().result()
        try:
            yield self._server.dsn(database=name)
        finally:
            self._drop_later(name)

    def close(self) -> None:
        """Drop what no test has asked for, and wait; raises what went wrong in the thread."""
        for made in self._made:
            self._drop_later(made.result())
        self._made.clear()
        self._thread.shutdown()
        for dropped in self._dropped:
            dropped.result()

    def _create(self) -> str:
        name = f"{self._template}_{next(self._numbers)}"
        # Copying files takes half of the time that writing pages to the log does (`wal_log`).
        copy = f"create database {name} template {self._template} owner {ROLE} strategy file_copy"
        administer(self._server, copy)
        return name

    def _drop_later(self, name: str) -> None:
        drop = f"drop database {name} with (force)"
        self._dropped.append(self._thread.submit(administer, self._server, drop))
