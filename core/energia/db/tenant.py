"""The database as one organization sees it."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from copy import copy
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Protocol, TypeVar

import attrs
import structlog

from energia.db.connection import Connection, Parameters, Result
from energia.db.copies import Copies
from energia.db.queries import Prepared
from energia.db.shards import Shards, of_one_shard, tells_time
from energia.db.undertaking import transaction_begins, transaction_commits
from energia.errors import (
    DatabaseAway,
    DatabaseError,
    Deadlock,
    EnergiaError,
    Forbidden,
    NotPermitted,
)
from energia.time import Int64

T = TypeVar("T")
#: The parameters of a statement about many channels that are arrays side by side.
Columns = Mapping[str, Sequence[object]]
#: A statement, and its parameters by their names.
_Message = tuple[str, Mapping[str, object]]
log = structlog.get_logger(__name__)

#: How often something is tried that others have stood in the way of.
TRIES: Final = 3
_PREFIX: Final = re.compile(r"(?:begin[^;]*; )?select set_config\([^;]*; ")
_VERB: Final = re.compile(r"\s*([A-Za-z]+)")
#: Stands for every organization: what asks so goes over all of them on purpose.
EVERY: Final = 0
#: What stands for itself in a quoted text, whatever the settings and the parameters of a message.
_NOT_PLAIN: Final = re.compile(r"[^A-Za-z0-9 _.:@/+=-]")
#: So much of what names a caller is kept.
_LONGEST: Final = 200


class Queries(Protocol):
    """Runs statements: what a repository function takes, inside and outside a transaction.

    Parameters are positional (`%s`), or one mapping (`%(name)s`). With parameters, a literal `%`
    in the SQL is written `%%`; without any, it stays `%`.

    Rows arrive typed: text, int, Decimal, bool, date, datetime (UTC), lists for arrays; `json` and
    `jsonb` parsed, with Decimals.
    """

    async def fetch(self, row: Callable[..., T], sql: str, *parameters: object) -> list[T]:
        """Return `row(*columns)` for each row of the (last) statement."""
        ...

    async def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return each row of the (last) statement, of which nothing is made: they are many."""
        ...

    async def records(self, sql: str, *parameters: object) -> list[dict[str, Any]]:
        """Return each row of the (last) statement by the names of its columns."""
        ...

    async def execute(self, sql: str, *parameters: object) -> int:
        """Run a statement and return how many rows it affected."""
        ...

    async def execute_last(self, sql: str, *parameters: object) -> None:
        """Run a statement in one message with the commit, or before what is sent next.

        What it raises, the end of the transaction raises.
        """
        ...

    @property
    def shards(self) -> Shards:
        """Where the rows of channels are."""
        ...

    @property
    def copies(self) -> Copies | None:
        """What is at hand of what was read; None where something may have been written."""
        ...

    async def fetch_of_shard(
        self,
        row: Callable[..., T],
        sql: str,
        channels: Sequence[int] | Int64,
        parameters: Mapping[str, object],
    ) -> list[T]:
        """Return the rows of a statement about *channels*, which are all in one shard."""
        ...

    async def execute_of_shard(
        self, sql: str, channels: Sequence[int] | Int64, parameters: Mapping[str, object]
    ) -> int:
        """Run a statement about *channels*, which are all in one shard; see `execute`."""
        ...

    async def fetch_by_channel(
        self,
        row: Callable[..., T],
        sql: str,
        columns: Columns,
        others: Mapping[str, object] | None = None,
    ) -> list[T]:
        """Return the rows of a statement about any channels; see `Tenant.fetch_by_channel`."""
        ...

    async def execute_by_channel(
        self,
        sql: str,
        columns: Columns,
        others: Mapping[str, object] | None = None,
    ) -> None:
        """Run a statement that gives no rows; see `fetch_by_channel`."""
        ...


class Connections(Protocol):
    """Where connections come from: a pool."""

    @property
    def shards(self) -> Shards:
        """Where the rows of channels are."""
        ...

    @property
    def copies(self) -> Copies:
        """Copies of rows of the database."""
        ...

    @property
    def limit(self) -> float:
        """Seconds after which a connection that gives no answer is closed."""
        ...

    async def take(self) -> Connection:
        """Return a connection that is alive; raises `DatabaseAway`."""
        ...

    def give(self, connection: Connection) -> None:
        """Give a connection back."""
        ...


@attrs.frozen
class Limits:
    """The only sites and meters that a caller sees: the row policies hold it to them.

    Attributes:
        caller: The id of the caller, whose own imports it sees.
        sites: The ids of the sites; None for all.
        meters: The ids of the meters; None for all.

    """

    caller: str
    sites: frozenset[str] | None = None
    meters: frozenset[str] | None = None

    @property
    def setting(self) -> str:
        """What `energia_limits()` reads: digits and letters alone, whatever the ids have."""
        both = {"sites": self.sites, "meters": self.meters}
        ids = {name: sorted(given) for name, given in both.items() if given is not None}
        return json.dumps({"caller": self.caller, **ids}).encode().hex()


class _Runner:
    """Both calls, over one that runs a message."""

    _pool: Connections
    #: Whether row policies hold a caller to its limits.
    _limited = False
    #: Whether something may have been written that nobody else sees yet.
    _writes = False

    async def _sent(self, sql: str, parameters: Parameters | None) -> Result:
        """Run a message; what limits forbid is the caller's to know, not a failure."""
        try:
            return await self._run(sql, parameters)
        except NotPermitted:
            if self._limited:
                raise Forbidden("the caller is limited to other sites or meters") from None
            raise

    async def _run(self, sql: str, parameters: Parameters | None) -> Result:
        raise NotImplementedError

    @property
    def shards(self) -> Shards:
        """Where the rows of channels are."""
        return self._pool.shards

    @property
    def copies(self) -> Copies | None:
        """What is at hand of what was read; None where something may have been written."""
        # The nodes of a cluster number their transactions each for itself.
        return None if self._writes or self.shards else self._pool.copies

    async def fetch(self, row: Callable[..., T], sql: str, *parameters: object) -> list[T]:
        """Return `row(*columns)` for each row of the (last) statement."""
        return [row(*columns) for columns in await self.rows(sql, *parameters)]

    async def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return each row of the (last) statement, of which nothing is made: they are many."""
        rows = (await self._sent(sql, _parameters(parameters))).rows
        if rows is None:
            raise DatabaseError("the statement gives no rows")
        return rows

    async def records(self, sql: str, *parameters: object) -> list[dict[str, Any]]:
        """Return each row of the (last) statement by the names of its columns."""
        result = await self._sent(sql, _parameters(parameters))
        return [dict(zip(result.columns, row, strict=True)) for row in result.rows or ()]

    async def execute(self, sql: str, *parameters: object) -> int:
        """Run a statement and return how many rows it affected."""
        return (await self._sent(sql, _parameters(parameters))).affected

    async def execute_last(self, sql: str, *parameters: object) -> None:
        """Run a statement: its commit is in the same message."""
        await self.execute(sql, *parameters)

    async def fetch_of_shard(
        self,
        row: Callable[..., T],
        sql: str,
        channels: Sequence[int] | Int64,
        parameters: Mapping[str, object],
    ) -> list[T]:
        """Return the rows of a statement about *channels*, which are all in one shard."""
        if not self.shards:
            return await self.fetch(row, sql, parameters)
        return await self.fetch(row, *await self._routed(sql, channels, parameters))

    async def execute_of_shard(
        self, sql: str, channels: Sequence[int] | Int64, parameters: Mapping[str, object]
    ) -> int:
        """Run a statement about *channels*, which are all in one shard; see `execute`."""
        if not self.shards:
            return await self.execute(sql, parameters)
        return await self.execute(*await self._routed(sql, channels, parameters))

    async def fetch_by_channel(
        self,
        row: Callable[..., T],
        sql: str,
        columns: Columns,
        others: Mapping[str, object] | None = None,
    ) -> list[T]:
        """Return the rows of a statement about any channels.

        On one server it is sent once; in a cluster, once for each shard that the channels are in.

        Args:
            row: Makes something of the columns of a row.
            sql: Joins each table of readings by `channel_id = asked.channel`.
            columns: Arrays side by side, of which `channels` has the key of each channel. One more
                has their numbers, from 1: `numbers`.
            others: The other parameters.

        """
        return [
            one
            async for message in self._messages(sql, columns, others or {})
            for one in await self.fetch(row, *message)
        ]

    async def execute_by_channel(
        self,
        sql: str,
        columns: Columns,
        others: Mapping[str, object] | None = None,
    ) -> None:
        """Run a statement that gives no rows; see `fetch_by_channel`."""
        async for message in self._messages(sql, columns, others or {}):
            await self.execute(*message)

    async def _messages(
        self, sql: str, columns: Columns, others: Mapping[str, object]
    ) -> AsyncIterator[_Message]:
        """Yield what is sent of a statement about any channels."""
        channels: Any = columns["channels"]
        whole = {**columns, "numbers": list(range(1, len(channels) + 1))}
        parts = self.shards.parts(channels) if self.shards else []
        if not parts:
            yield sql, {**whole, **others}
            return
        for each in parts:
            part = {name: [column[index] for index in each] for name, column in whole.items()}
            yield await self._routed(sql, part["channels"], {**part, **others})

    async def _routed(
        self, sql: str, channels: Sequence[Any] | Int64, parameters: Mapping[str, object]
    ) -> _Message:
        """Return a statement about channels of one shard, and its parameters."""
        # Without a channel it goes to some shard: to none, Citus would plan another statement.
        more: dict[str, object] = {"shard": sorted({int(channel) for channel in channels}) or [0]}
        if tells_time(sql):
            (more["clock"],) = await self.fetch(_instant, "select clock_timestamp()")
        return of_one_shard(sql), {**parameters, **more}


def _instant(instant: datetime) -> datetime:
    return instant


class Tenant(_Runner):
    """The database as one organization sees it.

    Each call is one message and one transaction of its own: the organization that the row policies
    read, and who asks, which the audit log keeps, are set in the same message, for that transaction
    only; so is whatever else the connection needs (`Connection.also`). A deadlock undoes a call: it
    is sent again.

    With `EVERY` for the organization the policies let all rows pass. It is for work that goes over
    all organizations on purpose; what asks for the organization of a row that is made
    (`current_setting('energia.organization')::int`) fails then.

    Attributes:
        organization: The key of the organization.
        caller: The id of who asks: a token's, `command:<user>`, or `system`.
        name: What a person calls who asks.
        limits: The only sites and meters that it sees.

    """

    def __init__(  # noqa: PLR0913 - what a message says of who asks
        self,
        pool: Connections,
        organization: int,
        caller: str = "system",
        limits: Limits | None = None,
        *,
        name: str = "",
        request: str = "",
    ) -> None:
        """See the database as *organization* does.

        Args:
            pool: Where connections come from.
            organization: The key of the organization.
            caller: The id of who asks.
            limits: The only sites and meters that it sees.
            name: What a person calls who asks.
            request: The id of the request.

        """
        self._pool = pool
        self.organization = organization
        self.caller, self.name, self.limits = caller, name, limits
        self._limited = limits is not None
        self._setting = _settings(organization, caller, name)
        self._setting += f", set_config('energia.request', {_quoted(request)}, true)"
        if limits is not None:
            self._setting += f", set_config('energia.limits', '{limits.setting}', true)"

    def by(self, pool: Connections) -> "Tenant":
        """Return the same view of another server, such as a replica, by the connections to it."""
        other = copy(self)
        other._pool = pool
        return other

    def transaction(self) -> AbstractAsyncContextManager[Queries]:
        """Return a transaction: committed at the exit, rolled back if an error leaves the block.

        The connection is taken with the first statement, whose message also begins the
        transaction. One task at a time may use it.
        """
        return _transaction(self._pool, f"begin; {self._setting}", self._limited)

    @asynccontextmanager
    async def whole(self) -> AsyncIterator["Tenant"]:
        """Give the same view of the database in one transaction: all that is done by it, or none.

        The connection is taken with the first statement, and one task at a time may use it.
        """
        async with _transaction(self._pool, f"begin; {self._setting}", self._limited) as queries:
            whole = _Whole(self, queries)
            yield whole
        for tell in whole.news:
            tell()

    @property
    def is_whole(self) -> bool:
        """Whether all that is done by it is one transaction: one task at a time may use it."""
        return False

    def committed(self, tell: Callable[[], None]) -> None:
        """Let others hear of what a transaction has stored, once it is: now, or with the whole."""
        tell()

    def snapshot(self) -> AbstractAsyncContextManager[Queries]:
        """Return a transaction that only reads, and sees one state of the database throughout.

        What is read with several statements fits together, whatever is written meanwhile.
        """
        begin = "begin isolation level repeatable read, read only"
        return _transaction(self._pool, f"{begin}; {self._setting}", self._limited, writes=False)

    async def _run(self, sql: str, parameters: Parameters | None) -> Result:
        return await persistent(lambda: self._once(sql, parameters))

    async def _once(self, sql: str, parameters: Parameters | None) -> Result:
        connection = await self._pool.take()
        try:
            settings, limit = f"{self._setting}{connection.also}", self._pool.limit
            if isinstance(sql, Prepared):
                return await connection.run_prepared(settings, sql, parameters, limit)
            return await connection.run(f"{settings}; {sql}", parameters, limit)
        finally:
            self._pool.give(connection)


@asynccontextmanager
async def _transaction(
    pool: Connections, begin: str, limited: bool, *, writes: bool = True
) -> AsyncIterator["_Transaction"]:
    transaction = _Transaction(pool, begin, limited, writes=writes)
    try:
        yield transaction
        await transaction.commit()
    except Exception:
        await transaction.rollback()
        raise
    finally:
        transaction.end()  # cancelled: the connection is closed, and the server rolls back


class _Transaction(_Runner):
    """The statements of one transaction."""

    def __init__(self, pool: Connections, begin: str, limited: bool, *, writes: bool) -> None:
        self._pool = pool
        self._limited = limited
        self._writes = writes
        self._begin = begin
        self._connection: Connection | None = None
        self._last: tuple[str, tuple[object, ...]] | None = None
        self._ended = False

    async def _run(self, sql: str, parameters: Parameters | None) -> Result:
        if self._ended:
            raise RuntimeError("the transaction is over")
        await self.send_last()
        if self._connection is None:
            return await self._first(sql, parameters)
        return await self._connection.run(sql, parameters, self._pool.limit)

    async def execute_last(self, sql: str, *parameters: object) -> None:
        """Run a statement in one message with the commit, or before what is sent next."""
        await self.send_last()
        self._last = sql, parameters

    async def send_last(self, then: str = "") -> None:
        """Send what was to be the last statement, if there is one, and *then* another."""
        if self._last is not None:
            (sql, parameters), self._last = self._last, None
            await self.execute(f"{sql}; {then}" if then else sql, *parameters)
        elif then:
            await self.execute(then)

    async def _first(self, sql: str, parameters: Parameters | None) -> Result:
        """Send the first message, again if an old connection turns out dead: nothing was done."""
        transaction_begins()
        self._connection = connection = await self._pool.take()
        try:
            return await self._begun(connection, sql, parameters)
        except DatabaseAway as away:
            if type(away) is not DatabaseAway or not (connection.closed and connection.since):
                raise
        self._pool.give(connection)
        self._connection = None
        self._connection = connection = await self._pool.take()
        return await self._begun(connection, sql, parameters)

    async def _begun(
        self, connection: Connection, sql: str, parameters: Parameters | None
    ) -> Result:
        message = f"{self._begin}{connection.also}; {sql}"
        return await connection.run(message, parameters, self._pool.limit)

    async def commit(self) -> None:
        """Commit; refuse to if a statement failed, where the server would silently roll back."""
        if self._connection is None:
            await self.send_last()
        if self._connection is None:
            return
        if self._connection.closed:
            place = self._connection.place
            raise DatabaseAway(f"the connection is lost: nothing is stored ({place})")
        if not self._connection.committable:
            raise DatabaseError("a statement of the transaction failed: nothing is stored")
        transaction_commits()
        await self.send_last("commit")

    async def rollback(self) -> None:
        """Roll back; a connection that cannot is closed, which does it as well."""
        self._last = None
        if self._connection is None or self._connection.closed or self._connection.idle:
            return
        with suppress(EnergiaError):
            await self._connection.run("rollback", None, self._pool.limit)

    def end(self) -> None:
        """Give the connection back."""
        self._ended = True
        if self._connection is not None:
            self._pool.give(self._connection)
            self._connection = None


class _Whole(Tenant):
    """The database within one transaction: others that it is asked for are parts of this one.

    Attributes:
        news: What others hear of after the commit.

    """

    def __init__(self, of: Tenant, transaction: _Transaction) -> None:
        vars(self).update(vars(of))
        self._writes = True
        self._transaction = transaction
        self._parts = 0
        self.news: list[Callable[[], None]] = []

    async def _run(self, sql: str, parameters: Parameters | None) -> Result:
        return await self._transaction._run(sql, parameters)

    @asynccontextmanager
    async def whole(self) -> AsyncIterator[Tenant]:
        """Give itself: it is one transaction."""
        yield self

    @property
    def is_whole(self) -> bool:
        """That it is."""
        return True

    def committed(self, tell: Callable[[], None]) -> None:
        """Let others hear of it with all else, after the commit."""
        self.news.append(tell)

    def transaction(self) -> AbstractAsyncContextManager[Queries]:
        """Return a part of the transaction: undone alone if an error leaves the block."""
        return self._part()

    @asynccontextmanager
    async def _part(self) -> AsyncIterator[Queries]:
        self._parts += 1
        part = f"part_{self._parts}"
        await self._transaction.execute(f"savepoint {part}")
        try:
            yield self._transaction
            await self._transaction.send_last()
        except Exception:
            with suppress(EnergiaError):
                await self._transaction.execute(f"rollback to savepoint {part}")
            raise

    def snapshot(self) -> AbstractAsyncContextManager[Queries]:
        """Refuse: a transaction that writes sees what others commit meanwhile."""
        raise RuntimeError("a transaction that writes is no snapshot")


@lru_cache(maxsize=1024)
def _settings(organization: int, caller: str, name: str) -> str:
    """Return the beginning of each message of a caller.

    Formatted, not passed: the statement's own parameters may have names or positions.
    """
    key = f"{organization:d}" if organization != EVERY else "*"
    return (
        f"select set_config('energia.organization', '{key}', true)"
        f", set_config('energia.caller', {_quoted(caller)}, true)"
        f", set_config('energia.caller_name', {_quoted(name)}, true)"
    )


def _quoted(text: str) -> str:
    """Return *text* as a literal of SQL that has no `%`, quote, backslash or `;` of its own.

    A message may be formatted once more with parameters, or not, and metrics look for its first
    statement: so all but the plainest characters are escapes.
    """
    return f"E'{_NOT_PLAIN.sub(_escape, text[:_LONGEST])}'"


def _escape(character: re.Match[str]) -> str:
    code = ord(character[0])
    if code == 0 or 0xD800 <= code <= 0xDFFF:  # PostgreSQL has no text with these
        code = 0xFFFD
    return f"\\U{code:08X}"


async def persistent(work: Callable[[], Awaitable[T]], undone: type[EnergiaError] = Deadlock) -> T:
    """Return what *work* gives, which is tried again where others stood in its way.

    Args:
        work: One or more transactions that may be done again.
        undone: How *work* says that nothing of it was done; it is raised after `TRIES`.

    """
    for _ in range(TRIES - 1):
        try:
            return await work()
        except undone as error:
            log.info("tried_again", code=error.code, detail=error.detail)
    return await work()


def statement_of(message: str) -> str:
    """Return the statement in a message, without what says before it who asks."""
    prefix = _PREFIX.match(message)
    return message[prefix.end() :] if prefix else message


def verb_of(message: str) -> str:
    """Return the word with which the statement in a message begins, without copying any of it."""
    prefix = _PREFIX.match(message)
    found = _VERB.match(message, prefix.end() if prefix else 0)
    return found[1] if found else ""


def _parameters(given: tuple[object, ...]) -> Parameters | None:
    match given:
        case ():
            return None
        case (dict() | Mapping() as named,):  # to ask for a mapping takes longer
            return dict(named)
        case _:
            return given
