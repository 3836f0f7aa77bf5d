"""The connections of a service: few, shared, and never handed out dead."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any

import attrs
import psycopg2

from energia.db.address import for_pooler, limits, session
from energia.db.connection import Connection, StatementTimer, connect, said
from energia.db.copies import Copies
from energia.db.role import Bearing, bearing
from energia.db.shards import Shards
from energia.db.tenant import EVERY, Limits, Queries, Tenant
from energia.errors import DatabaseAway, PoolExhausted
from energia.settings import Database

__all__ = ["Limits", "Pool", "PoolStats", "Queries", "Tenant"]

#: Surrounds a wait for a slot: it times it, or counts waits.
WaitTimer = Callable[[Awaitable[None]], Awaitable[None]]

#: Seconds that the server gets, beyond its own time limit, to say that the time is over.
_GRACE = 5.0
#: Seconds after which a connection that nobody needed is closed.
_IDLE_LIMIT = 300.0
#: Once it has freed 2 MB in one piece, a process of the server keeps up to 4 MB for its next
#: statement, where its C library is glibc (`mallopt`, M_MMAP_THRESHOLD). Else it gives back nearly
#: all after each, and is given it anew, every page cleared: for a year of blocks that takes as long
#: as to find them.
_ROOM = "select octet_length(repeat(repeat(' ', 2048), 1024))"


@attrs.define
class PoolStats:
    """Figures of a pool; read them, the pool writes them.

    Attributes:
        limit: How many connections there may be.
        used: Slots taken: connections in use, or being opened.
        idle: Open connections that nobody uses.
        waiting: Tasks that wait for a slot.
        waits: How often a slot was asked for.
        timeouts: How often no slot came free in time.
        connects: How many connections were opened.
        failures: How many could not be opened.
        wait_timers: What surrounds each wait for a slot; the last one is the outermost.
        statement_timers: What surrounds the answer to each message that is sent.

    """

    limit: int
    used: int = 0
    idle: int = 0
    waiting: int = 0
    waits: int = 0
    timeouts: int = 0
    connects: int = 0
    failures: int = 0
    wait_timers: list[WaitTimer] = attrs.Factory(list)
    statement_timers: list[StatementTimer] = attrs.Factory(list)

    @property
    def size(self) -> int:
        """How many connections are open or being opened."""
        return self.used + self.idle


class Pool:
    """At most `pool_size` connections to one database.

    The last one given back is the first one reused, so that those that are too many grow old and
    are closed. No lock is held while connecting.
    """

    def __init__(self, dsn: str, settings: Database) -> None:
        """Prepare a pool; nothing is opened until it is needed.

        Args:
            dsn: A libpq URL or connection string.
            settings: The size and the time limits.

        Raises:
            ConfigurationError: The URL does not parse.

        """
        self._dsn = dsn
        self._parameters = session(dsn, settings)
        self._settings = settings
        self._idle: deque[Connection] = deque()
        self._slots = asyncio.Semaphore(settings.pool_size)
        self._closed = False
        self.stats = PoolStats(limit=settings.pool_size)
        #: How the server took the newest connection.
        self.bearing = Bearing()
        #: Copies of rows that were read.
        self.copies = Copies(settings.cache_bytes)
        #: Seconds after which a connection that gives no answer is closed.
        self.limit = settings.statement_timeout + _GRACE

    @property
    def shards(self) -> Shards:
        """Where the rows of channels are, as the newest connection found it."""
        return self.bearing.shards

    def tenant(
        self,
        organization: int = 1,
        caller: str = "system",
        limits: Limits | None = None,
        *,
        name: str = "",
        request: str = "",
    ) -> Tenant:
        """Return the database as one organization sees it; 1 is the implicit one.

        The audit log keeps *caller*, the id of who asks, their *name*, and the id of the *request*;
        *limits* are the only sites and meters that it sees.
        """
        return Tenant(self, organization, caller, limits, name=name, request=request)

    def everywhere(self, caller: str = "system") -> Tenant:
        """Return the database with the rows of all organizations: for work about all of them.

        It is for what is not done for anybody in particular, and shows nothing to anybody:
        metrics without ids, retention, what organizations there are.
        """
        return Tenant(self, EVERY, caller)

    async def ping(self) -> None:
        """Ask the server for an answer, even if every slot is taken.

        Raises:
            DatabaseAway: There is none.

        """
        await self.ask("select 1")

    async def ask(self, sql: str, parameters: Sequence[object] | None = None) -> tuple[Any, ...]:
        """Return the one row of a statement about the server, even if every slot is taken.

        Raises:
            DatabaseAway: There is no answer.

        """
        connection = self._reused() or await self._connect()
        try:
            rows = (await connection.run(sql, parameters, self.limit)).rows
        finally:
            self._keep(connection)
        assert rows
        return rows[0]

    async def notifications(self, channels: Iterable[str]) -> AsyncIterator[tuple[str, str]]:
        """Yield the channel and the text of each `notify`, on a connection of its own.

        Behind a connection pooler, which keeps no `listen`, it yields nothing.

        Raises:
            DatabaseAway: There is no server, or it went away.

        """
        connection = await self._connect()
        try:
            if not self.bearing.kept:
                await asyncio.Event().wait()
            for channel in channels:
                name = channel.replace('"', '""')
                await connection.run(f'listen "{name}"', None, self.limit)
            while True:
                notice = await connection.notifies.get()
                yield notice.channel, notice.payload
        except psycopg2.Error as error:
            raise DatabaseAway(said(error)) from error
        finally:
            connection.close()

    async def take(self) -> Connection:
        """Return a connection that is alive; `give` it back.

        Raises:
            PoolExhausted: None came free within `acquire_timeout`.
            DatabaseAway: There is no server.

        """
        if self._closed:
            raise DatabaseAway("the service is stopping")
        wait: Awaitable[None] = self._slot()
        for timer in self.stats.wait_timers:
            wait = timer(wait)
        await wait
        try:
            return self._reused() or await self._connect()
        except BaseException:
            self._release()
            raise

    def give(self, connection: Connection) -> None:
        """Give a connection back; one that is broken or in a transaction is closed."""
        # In this order: a connection is kept only if there is room beside those in use.
        self._release()
        self._keep(connection)

    async def close(self) -> None:
        """Close the connections; those in use when they are given back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()
        self.stats.idle = 0

    async def _slot(self) -> None:
        self.stats.waits += 1
        if not self._slots.locked():
            await self._slots.acquire()  # which comes at once: only a wait needs a timer
            self.stats.used += 1
            return
        self.stats.waiting += 1
        try:
            async with asyncio.timeout(self._settings.acquire_timeout):
                await self._slots.acquire()
        except TimeoutError:
            self.stats.timeouts += 1
            raise PoolExhausted(
                f"none of {self.stats.limit} connections came free within "
                f"{self._settings.acquire_timeout:g} s"
            ) from None
        finally:
            self.stats.waiting -= 1
        self.stats.used += 1

    def _release(self) -> None:
        self.stats.used -= 1
        self._slots.release()

    def _reused(self) -> Connection | None:
        """Return the idle connection that was used last, past those that died."""
        while self._idle:
            connection = self._idle.pop()
            self.stats.idle -= 1
            if not connection.dead:
                return connection
            connection.close()
        return None

    async def _connect(self) -> Connection:
        self.stats.connects += 1
        try:
            connection = await self._opened()
            self.bearing = await bearing(connection, self._settings.connect_timeout)
            if self.bearing.kept:
                await connection.run(_ROOM, None, self._settings.connect_timeout)
        except DatabaseAway:
            self.stats.failures += 1
            raise
        connection.also = self.bearing.also(limits(self._settings))
        connection.timers = self.stats.statement_timers
        # What a pooler hands out next may be another session; a cluster plans for each shard.
        connection.prepared = set() if self.bearing.kept and not self.bearing.citus else None
        return connection

    async def _opened(self) -> Connection:
        """Connect, without options from the moment on that a connection pooler refuses them."""
        try:
            return await connect(self._parameters, self._settings.connect_timeout)
        except DatabaseAway as error:
            fewer = for_pooler(self._parameters, self._dsn, error.detail)
            if fewer is None or fewer == self._parameters:
                raise
            self._parameters = fewer
        return await connect(self._parameters, self._settings.connect_timeout)

    def _keep(self, connection: Connection) -> None:
        # A ping takes no slot, so that its connection may be one too many.
        if self._closed or not connection.idle or self.stats.size >= self.stats.limit:
            connection.close()
            return
        connection.since = asyncio.get_running_loop().time()
        self._idle.append(connection)
        self.stats.idle += 1
        # Ends at the connection just added, at the latest.
        while self._idle[0].since < connection.since - _IDLE_LIMIT:
            self._idle.popleft().close()
            self.stats.idle -= 1
