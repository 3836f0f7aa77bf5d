"""One connection for work that is not a request's: migrations, and what concerns whole databases.

It is the driver's own, in autocommit, in a thread: such work is long, rare, and needs statements
that no transaction may hold (`create database`, `create index concurrently`).
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import cached_property
from threading import Event
from typing import Any, TypeVar

import attrs
import psycopg2
from psycopg2.extensions import connection, make_dsn
from psycopg2.sql import SQL, Composable, Identifier, Literal

from energia.db.address import MARKER, for_pooler, parsed
from energia.db.address import options as options_of
from energia.db.connection import said, translated, unconnected
from energia.errors import DatabaseAway, DatabaseError, EnergiaError

T = TypeVar("T")


@attrs.frozen
class Name:
    """The name of something in a database, which a statement quotes as an identifier."""

    text: str


#: Seconds between two looks at a lock that somebody else holds.
_POLL = 0.1
#: Begins a transaction that holds a lock, if nobody else does.
_TAKE = """begin; set local idle_in_transaction_session_timeout = 0;
select pg_try_advisory_xact_lock(%s)"""


class Session:
    """A connection of the thread that works, which another one may interrupt."""

    def __init__(
        self, raw: connection, cancelled: Event, another: "Callable[[], connection]"
    ) -> None:
        """Work on *raw* until *cancelled* is set; *another* opens one more connection."""
        self.raw = raw
        self._cancelled = cancelled
        self._another = another

    @cached_property
    def kept(self) -> bool:
        """Whether the server keeps what the session is set to, and its locks.

        It does not behind a connection pooler, where each transaction has a server of its own.
        """
        return self.fetch("select current_setting(%s, true)", MARKER) == [("on",)]

    @property
    def lost(self) -> bool:
        """Whether the connection is closed, so that no other statement can follow."""
        return bool(self.raw.closed)

    def fetch(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows.

        Raises:
            DatabaseError: The server refuses it.
            DatabaseAway: The connection is lost, or the work is interrupted.

        """
        with self._errors():
            return self.send(sql, *parameters)

    def command(self, sql: str, *parts: Name | str | int) -> None:
        """Run a statement that takes no parameters, such as `create database {}`.

        Args:
            sql: The statement; each `{}` stands for a part.
            parts: Names, which are quoted as identifiers, and values, which are literals.

        Raises:
            DatabaseError: The server refuses it.
            DatabaseAway: The connection is lost, or the work is interrupted.

        """
        quoted = (Identifier(x.text) if isinstance(x, Name) else Literal(x) for x in parts)
        with self._errors():
            self.send(SQL(sql).format(*quoted))

    def send(self, sql: str | Composable, *parameters: object) -> list[tuple[Any, ...]]:
        """Do what `fetch` does, and let the driver's errors through.

        They show the line of a file that fails, which migrations report; nothing outside of
        `energia.db` asks for them.
        """
        self.pause(0)
        with self.raw.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except psycopg2.Error as error:
            raise translated(error, away=self.lost) from error

    def cancel(self) -> None:
        """Interrupt the statement that runs, from another thread."""
        with suppress(psycopg2.Error):  # it may have ended meanwhile
            self.raw.cancel()

    def pause(self, seconds: float) -> None:
        """Wait; raises `DatabaseAway` when the work is interrupted meanwhile."""
        if self._cancelled.wait(seconds):
            raise DatabaseAway("interrupted")

    @contextmanager
    def turn(self, lock: int, limit: float, otherwise: EnergiaError) -> Iterator[None]:
        """Hold an advisory lock of this database.

        Polled: who waits for it in a statement would hold up `create index concurrently`.

        Args:
            lock: The number of the lock.
            limit: Seconds to wait for it.
            otherwise: What to raise after that.

        """
        if not self.kept:
            with self._turn_of_transaction(lock, limit, otherwise):
                yield
            return
        until = time.monotonic() + limit
        while self.fetch("select pg_try_advisory_lock(%s)", lock) != [(True,)]:
            if time.monotonic() >= until:
                raise otherwise
            self.pause(_POLL)
        try:
            yield
        finally:
            with suppress(DatabaseError, DatabaseAway):  # or it ends with the connection
                self.fetch("select pg_advisory_unlock(%s)", lock)

    @contextmanager
    def _turn_of_transaction(
        self, lock: int, limit: float, otherwise: EnergiaError
    ) -> Iterator[None]:
        """Hold the lock with a transaction of another connection: a pooler keeps that together.

        It has no snapshot, so that `create index concurrently` does not wait for it. Who waits has
        no transaction: the pooler has few connections, and the one that has the turn needs two.
        """
        until = time.monotonic() + limit
        with closing(self._another()) as raw:
            holder = Session(raw, self._cancelled, self._another)
            while holder.fetch(_TAKE, lock) != [(True,)]:
                holder.fetch("rollback")
                if time.monotonic() >= until:
                    raise otherwise
                self.pause(_POLL)
            yield
            with suppress(DatabaseError, DatabaseAway):
                holder.fetch("rollback")


async def in_thread(dsn: str, work: Callable[[Session], T], options: Mapping[str, str]) -> T:
    """Run blocking work on a connection; a cancelled task interrupts its statement.

    Args:
        dsn: A libpq URL or connection string.
        work: Gets the session.
        options: Settings of the server for this session, such as `lock_timeout`.

    Raises:
        DatabaseAway: There is no connection, or it was lost.
        EnergiaError: Whatever else the database refused: see `energia.db.connection.translated`.

    """
    given = parsed(dsn)
    given["options"] = options_of(options, before=given.get("options", ""))
    given.setdefault("connect_timeout", "10")
    given.setdefault("application_name", "energia")
    sessions: list[Session] = []
    cancelled = Event()

    def run() -> T:
        with closing(_connection(given, dsn)) as raw:
            session = Session(raw, cancelled, lambda: _connection(given, dsn))
            sessions.append(session)
            try:
                return work(session)
            except psycopg2.Error as error:
                raise translated(error, away=bool(raw.closed)) from error

    task = asyncio.ensure_future(asyncio.to_thread(run))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        cancelled.set()
        while not task.done():  # again and again: a statement may begin just now
            for session in sessions:
                await asyncio.to_thread(session.cancel)
            await asyncio.wait([task], timeout=0.1)
        await asyncio.gather(task, return_exceptions=True)
        raise


def _connection(parameters: Mapping[str, str], dsn: str) -> connection:
    """Connect, in autocommit; once more without options where a pooler refuses them."""
    try:
        raw = psycopg2.connect(make_dsn(**parameters))
    except psycopg2.Error as error:
        fewer = for_pooler(parameters, dsn, str(error))
        if fewer is None or "options" not in parameters:
            raise unconnected(said(error), parameters) from error
        return _connection(fewer, dsn)
    raw.autocommit = True
    return raw
