"""One connection: aiopg's, with what loses answers in it replaced."""

import asyncio
import json
import os
import re
import select
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import aiopg.connection
import psycopg2
import psycopg2.extensions
from psycopg2 import errorcodes

from energia import errors
from energia.db.address import place, resolved
from energia.db.queries import Prepared
from energia.errors import (
    DatabaseAway,
    DatabaseError,
    DatabaseFull,
    EnergiaError,
    Invalid,
    StatementTimeout,
)
from energia.redact import redacted

if TYPE_CHECKING:
    import weakref


#: SQLSTATE -> what it means to a client; the classes of the codes are below.
_BY_CODE: dict[str, type[errors.EnergiaError]] = {
    errorcodes.QUERY_CANCELED: errors.StatementTimeout,
    errorcodes.LOCK_NOT_AVAILABLE: errors.LockTimeout,
    errorcodes.DEADLOCK_DETECTED: errors.Deadlock,
    errorcodes.UNIQUE_VIOLATION: errors.UniqueViolation,
    errorcodes.FOREIGN_KEY_VIOLATION: errors.ForeignKeyViolation,
    # A fail-over left us on a standby.
    errorcodes.READ_ONLY_SQL_TRANSACTION: errors.DatabaseAway,
    errorcodes.DISK_FULL: errors.DatabaseFull,
}
#: The same for statements about whole databases, on a connection that works.
_OF_DATABASES: dict[str, type[errors.DatabaseError]] = {
    errorcodes.DUPLICATE_DATABASE: errors.DatabaseExists,
    errorcodes.INVALID_CATALOG_NAME: errors.NoSuchDatabase,
    errorcodes.OBJECT_IN_USE: errors.DatabaseInUse,
    errorcodes.INSUFFICIENT_PRIVILEGE: errors.NotPermitted,
}
#: What a server says of a prepared statement that it does not have any more, or that would give
#: rows of another type since a migration.
_STALE: Final = frozenset({errorcodes.INVALID_SQL_STATEMENT_NAME, errorcodes.FEATURE_NOT_SUPPORTED})
#: Connection lost, resources exhausted, server stopping or starting.
_AWAY = ("08", "53", "57P")


def translated(error: psycopg2.Error, *, away: bool) -> errors.EnergiaError:
    """Return the error to raise for one of the driver.

    Args:
        error: What the driver raised. A lost connection has no SQLSTATE there, not even when the
            server said why it closed it.
        away: The connection is closed or was never made.

    """
    code = error.pgcode or ""
    if code in _BY_CODE:
        return _BY_CODE[code](said(error))
    if away or code.startswith(_AWAY):
        return errors.DatabaseAway(said(error))
    return _OF_DATABASES.get(code, errors.DatabaseError)(said(error))


#: How servers, libpq and PgBouncer say that they let nobody in like this, and what mends it. A
#: connection that was never made has no SQLSTATE for the driver: a server that speaks another
#: language is waited for.
_REFUSALS: Final = {
    r'database ".*" does not exist|no such database': "create it, with this role as its owner",
    r'role ".*" does not exist|no such user': "create the role, or name another one",
    r"(password|SASL) authentication failed": "another password, or there is no such role",
    r"no password supplied": "the URL has no password",
    r"is not permitted to log in": "alter role ... login, or name another one",
    r"no pg_hba\.conf entry": "the server's pg_hba.conf says who may come from where",
    r"permission denied for database": "grant connect on the database to the role",
    r"server does not support SSL": "let it have a certificate, or do without by sslmode",
    r"root certificate file .* does not exist": "sslrootcert names the file",
    r"invalid \w+ value": "",
}


def unconnected(reason: str, parameters: Mapping[str, str]) -> errors.DatabaseAway:
    """Return the error to raise for a connection that was not made, which names its place."""
    where = f"{reason} ({place(parameters)})"
    for pattern, remedy in _REFUSALS.items():
        if re.search(pattern, reason):
            return errors.DatabaseRefused(f"{where}: {remedy}" if remedy else where)
    return errors.DatabaseAway(where)


def said(error: psycopg2.Error) -> str:
    """Return what the server or the driver said, without the values of rows and without secrets."""
    if error.diag.message_primary:
        return redacted(error.diag.message_primary)
    # The driver breaks long sentences.
    sentences = re.sub(r"\n\t(?=[a-z])", " ", str(error))
    lines = [" ".join(line.split()) for line in sentences.splitlines() if line.strip()]
    return redacted(". ".join(line.rstrip(".") for line in lines))


Parameters = Sequence[object] | Mapping[str, object]


class Result(NamedTuple):
    """What a statement gave.

    Attributes:
        affected: How many rows it touched or gave.
        rows: Its rows; None for a statement that gives none.
        described: What the driver says of their columns: the name of each comes first.

    """

    affected: int
    rows: list[tuple[object, ...]] | None
    described: Sequence[Sequence[Any]] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(each[0] for each in self.described or ())


#: Surrounds the answer to a message, and gives the same answer: it times it, or counts messages.
StatementTimer = Callable[[str, Awaitable[Result]], Awaitable[Result]]


#: Made once: `json.loads` would make one for each value.
_DECODER: Final = json.JSONDecoder(parse_float=Decimal)


def _exact(text: str | bytes | None, _cursor: object) -> object:
    if isinstance(text, bytes):
        text = text.decode()
    return None if text is None else _DECODER.decode(text)


#: `json` and `jsonb` columns: numbers with a fraction are Decimals, as everywhere.
_JSON = psycopg2.extensions.new_type((114, 3802), "JSON", _exact)


class Connection(aiopg.connection.Connection):
    """A connection whose statements fail with errors, and only with errors.

    aiopg turns a cancelled *statement* (`statement_timeout`, `pg_cancel_backend`) into the
    cancellation of the *task*, so that a client would get no answer at all; it looks at a broken
    connection with `select`, which refuses descriptors above 1023; and of a server with several
    addresses it never gets to the second one.
    """

    #: When it was last given back, on the loop's clock; 0 for a new one.
    since: float = 0.0
    #: What every message sets besides the organization: more `set_config(...)` after a comma.
    also: str = ""
    #: Where its database is.
    place: str = ""
    #: What surrounds the answer to each message; the last one is the outermost.
    timers: Sequence[StatementTimer] = ()
    #: The names of the statements that the server has prepared for it; None where it keeps none.
    prepared: set[str] | None = None
    _made: bool = False

    async def _poll(self, waiter: "asyncio.Future[None]", timeout: float) -> None:  # noqa: ASYNC109
        self._ready(self._weakref)
        late = self._loop.call_later(timeout, _expire, waiter)
        try:
            await waiter
        except (asyncio.CancelledError, TimeoutError):
            self._close()  # half a result may be on the wire
            raise
        finally:
            late.cancel()
            self._waiter = None

    @staticmethod
    def _ready(weak_self: "weakref.ref[aiopg.connection.Connection]") -> None:
        self = weak_self()
        if isinstance(self, Connection) and not self._made:
            self._make()
            return
        descriptor = None if self is None else self._fileno
        try:
            aiopg.connection.Connection._ready(weak_self)
        except ValueError as error:
            fault = error.__context__
            if not (isinstance(self, Connection) and isinstance(fault, psycopg2.Error)):
                raise
            self._fail(fault)
        if isinstance(self, Connection):
            self._settle(descriptor)

    def _make(self) -> None:
        """Go on connecting, where libpq goes from address to address: each has its own socket."""
        self._unwatch()
        waiter = self._waiter
        try:
            state = self.raw.poll()
        except psycopg2.Error as error:
            if waiter is not None and not waiter.done():
                waiter.set_exception(error)
            return
        self._watch(writing=state == psycopg2.extensions.POLL_WRITE)
        self._made = state == psycopg2.extensions.POLL_OK
        if self._made and waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _watch(self, *, writing: bool) -> None:
        """Listen on the socket that libpq has now."""
        self._fileno, self._writing = self.raw.fileno(), writing
        self._loop.add_reader(self._fileno, self._ready, self._weakref)
        if writing:
            self._loop.add_writer(self._fileno, self._ready, self._weakref)

    def _unwatch(self) -> None:
        """Listen no more, before libpq may close the socket."""
        if self._fileno is not None:
            self._loop.remove_reader(self._fileno)
            self._loop.remove_writer(self._fileno)
        self._fileno, self._writing = None, False

    def _settle(self, descriptor: int | None) -> None:
        """Do what aiopg leaves out where a connection breaks."""
        if self._fileno is None:
            # aiopg has given up a descriptor that libpq closed, but for its writer: uvloop would
            # refuse the next connection that gets the number.
            if descriptor is not None:
                with suppress(OSError):
                    self._loop.remove_writer(descriptor)
        elif self._waiter is not None and not self._waiter.done() and _is_broken(self._fileno):
            # uvloop tells of a broken descriptor once, and watches it no more: what is left to
            # read, the end above all, is looked for without being told.
            self._loop.call_soon(self._ready, self._weakref)

    def _fail(self, error: psycopg2.Error) -> None:
        """Do what aiopg does on an error, for a descriptor that `select` refuses."""
        if self._fileno is not None and _is_closed(self._fileno):
            self._loop.remove_reader(self._fileno)
            self._fileno = None
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)

    @property
    def dead(self) -> bool:
        """Whether an idle connection was closed by the other side.

        An idle server has nothing to say: readable means that it said good-bye.
        """
        if self.closed:
            return True
        watch = select.poll()
        watch.register(self.raw.fileno(), select.POLLIN)
        return bool(watch.poll(0))

    @property
    def idle(self) -> bool:
        """Whether it is alive and in no transaction."""
        return not self.closed and (
            self.raw.get_transaction_status() == psycopg2.extensions.TRANSACTION_STATUS_IDLE
        )

    @property
    def committable(self) -> bool:
        """Whether it is in a transaction of which no statement failed."""
        return not self.closed and (
            self.raw.get_transaction_status() == psycopg2.extensions.TRANSACTION_STATUS_INTRANS
        )

    async def run(
        self, message: str, parameters: Parameters | None, limit: float, sent: str | None = None
    ) -> Result:
        """Send one message and return what its last statement gave.

        Args:
            message: One or more statements.
            parameters: For `%s` or `%(name)s`; with None, a `%` is a `%`.
            limit: Seconds after which the connection is closed, when even the server's own time
                limit did not bring an answer.
            sent: What is sent for it, if that is another text: timers hear of *message*.

        Raises:
            DatabaseAway: The connection is lost.
            StatementTimeout: The server gave up, or did not answer in time.
            LockTimeout: The server gave waiting for a lock up.
            Deadlock: It waited for others that waited for it.
            Invalid: A text that PostgreSQL cannot keep (a NUL, half a surrogate pair).
            DatabaseError: Anything else that the server refused.

        """
        answer: Awaitable[Result] = self._answer(sent or message, parameters, limit)
        for timer in self.timers:
            answer = timer(message, answer)
        return await answer

    async def run_prepared(
        self, settings: str, statement: Prepared, parameters: Parameters | None, limit: float
    ) -> Result:
        """Run a statement after *settings*, in one message; it is prepared the first time.

        Where the server keeps nothing it is sent as it is. Raises as `run`.
        """
        message = f"{settings}; {statement}"
        if self.prepared is None:
            return await self.run(message, parameters, limit)
        if statement.name not in self.prepared:
            # By itself: whether the statement fails or not, it is known to be prepared.
            await self._answer(statement.definition, None, limit)
            self.prepared.add(statement.name)
        try:
            return await self.run(message, parameters, limit, f"{settings}; {statement.call}")
        except DatabaseError as error:
            if getattr(error.__cause__, "pgcode", None) not in _STALE:
                raise
        # Nothing of the message was done.
        self.prepared = None
        return await self.run(message, parameters, limit)

    async def _answer(self, message: str, parameters: Parameters | None, limit: float) -> Result:
        try:
            # The driver's cursor: aiopg's around it is five objects and as many coroutines.
            with self.raw.cursor() as cursor:
                waiter = self._create_waiter("run")
                self._send(cursor, message, parameters)
                await self._poll(waiter, limit)
                described = cursor.description
                return Result(cursor.rowcount, cursor.fetchall() if described else None, described)
        except psycopg2.Error as error:
            raise self._translated(error) from error
        except TimeoutError as error:
            raise StatementTimeout(f"no answer within {limit:g} s") from error

    def _send(self, cursor: Any, message: str, parameters: Parameters | None) -> None:
        try:
            cursor.execute(message, parameters)
        except ValueError as error:
            self._waiter = None
            raise Invalid("a text holds a character that cannot be stored") from error
        except BaseException:
            self._waiter = None
            raise

    def _translated(self, error: psycopg2.Error) -> EnergiaError:
        meant = translated(error, away=bool(self.closed))
        if type(meant) is DatabaseAway:
            self._close()  # a server that stops, or became a standby
            return DatabaseAway(f"{meant.detail} ({self.place})")
        if isinstance(meant, DatabaseFull):
            return DatabaseFull(f"{meant.detail} ({self.place})")
        return meant


def _expire(waiter: "asyncio.Future[None]") -> None:
    """End a wait for an answer."""
    if not waiter.done():
        waiter.set_exception(TimeoutError())


async def connect(parameters: Mapping[str, str], limit: float) -> Connection:
    """Open a connection.

    Args:
        parameters: What libpq needs, by its names.
        limit: Seconds after which to give up.

    Raises:
        DatabaseAway: There is no server, or it does not let us in; the message names its place.

    """
    try:
        async with asyncio.timeout(limit):
            dsn = psycopg2.extensions.make_dsn(**await resolved(parameters))
            connection = Connection(
                dsn, limit, enable_json=False, enable_hstore=False, enable_uuid=False
            )
            await connection._connect()
    except psycopg2.Error as error:
        raise unconnected(said(error), parameters) from error
    except TimeoutError as error:
        raise unconnected(f"no connection within {limit:g} s", parameters) from error
    except DatabaseAway as error:
        raise unconnected(error.detail, parameters) from error
    connection.place = place(parameters)
    psycopg2.extensions.register_type(_JSON, connection.raw)
    return connection


def _is_closed(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return True
    return False


def _is_broken(descriptor: int) -> bool:
    """Tell whether the other side is gone, or an error is to be read."""
    watch = select.poll()
    watch.register(descriptor, 0)  # nothing is asked for but what is always told
    return bool(watch.poll(0))
