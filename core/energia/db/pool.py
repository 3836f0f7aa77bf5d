"""The connections of a service: few, shared, and never handed out dead."""

import asyncio
from collections import deque
from collections.abc import Callable

import attrs

from energia.db.address import session
from energia.db.connection import Connection, connect
from energia.db.tenant import Queries, Tenant
from energia.errors import DatabaseAway, PoolExhausted
from energia.settings import Database

__all__ = ["Pool", "PoolStats", "Queries", "Tenant"]

#: Seconds that the server gets, beyond its own time limit, to say that the time is over.
_GRACE = 5.0
#: Seconds after which a connection that nobody needed is closed.
_IDLE_LIMIT = 300.0


@attrs.define
class PoolStats:
    """Figures of a pool; read them, the pool writes them.

    Attributes:
        limit: How many connections there may be.
        used: Slots taken: connections in use, or being opened.
        idle: Open connections that nobody uses.
        waiting: Tasks that wait for a slot.
        waits: How often a slot was asked for.
        wait_seconds: How long that took, in total.
        timeouts: How often no slot came free in time.
        connects: How many connections were opened.
        failures: How many could not be opened.
        observers: Called with the seconds of each wait for a slot.
        statements: Called with each message that was sent, and its seconds, answered or not.

    """

    limit: int
    used: int = 0
    idle: int = 0
    waiting: int = 0
    waits: int = 0
    wait_seconds: float = 0.0
    timeouts: int = 0
    connects: int = 0
    failures: int = 0
    observers: list[Callable[[float], None]] = attrs.Factory(list)
    statements: list[Callable[[str, float], None]] = attrs.Factory(list)

    @property
    def size(self) -> int:
        """How many connections are open or being opened."""
        return self.used + self.idle

    def waited(self, seconds: float) -> None:
        """Count one wait for a slot."""
        self.waits += 1
        self.wait_seconds += seconds
        for observe in self.observers:
            observe(seconds)


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
        self._parameters = session(dsn, settings)
        self._settings = settings
        self._idle: deque[Connection] = deque()
        self._slots = asyncio.Semaphore(settings.pool_size)
        self._closed = False
        self.stats = PoolStats(limit=settings.pool_size)
        #: Seconds after which a connection that gives no answer is closed.
        self.limit = settings.statement_timeout + _GRACE

    def tenant(self, organization: int = 1) -> Tenant:
        """Return the database as one organization sees it; 1 is the implicit one."""
        return Tenant(self, organization)

    async def ping(self) -> None:
        """Ask the server for an answer, even if every slot is taken.

        Raises:
            DatabaseAway: There is none.

        """
        connection = self._reused() or await self._connect()
        try:
            await connection.run("select 1", None, self.limit)
        finally:
            self._keep(connection)

    async def take(self) -> Connection:
        """Return a connection that is alive; `give` it back.

        Raises:
            PoolExhausted: None came free within `acquire_timeout`.
            DatabaseAway: There is no server.

        """
        await self._slot()
        try:
            return self._reused() or await self._connect()
        except BaseException:
            self._release()
            raise

    def give(self, connection: Connection) -> None:
        """Give a connection back; one that is broken or in a transaction is closed."""
        self._release()
        self._keep(connection)

    async def close(self) -> None:
        """Close the connections; those in use when they are given back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()
        self.stats.idle = 0

    async def _slot(self) -> None:
        if self._closed:
            raise DatabaseAway("the service is stopping")
        now = asyncio.get_running_loop().time
        started = now()
        self.stats.waiting += 1
        try:
            busy = self._slots.locked()
            async with asyncio.timeout(self._settings.acquire_timeout if busy else None):
                await self._slots.acquire()
        except TimeoutError:
            self.stats.timeouts += 1
            raise PoolExhausted(
                f"none of {self.stats.limit} connections came free within "
                f"{self._settings.acquire_timeout:g} s"
            ) from None
        finally:
            self.stats.waiting -= 1
            self.stats.waited(now() - started)
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
            made = await connect(self._parameters, self._settings.connect_timeout)
        except DatabaseAway:
            self.stats.failures += 1
            raise
        made.observers = self.stats.statements
        return made

    def _keep(self, connection: Connection) -> None:
        if self._closed or not connection.idle or self.stats.size >= self.stats.limit:
            connection.close()
            return
        connection.since = asyncio.get_running_loop().time()
        self._idle.append(connection)
        self.stats.idle += 1
        while self._idle[0].since < connection.since - _IDLE_LIMIT:
            self._idle.popleft().close()
            self.stats.idle -= 1
