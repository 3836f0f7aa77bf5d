"""A replica of the database, and how it is known what it has.

A replica is behind by what it has not replayed yet. How long ago that was is not asked of it, as
its clock and its silence tell nothing: the primary is asked for its position in the log, then the
replica whether it has come that far. If it has, it has all that was committed before the question
was put. So `caught_up` tells for an instant of this process whether all that was committed before
it can be read there, exactly, and one look is enough for all who ask meanwhile.

A server of another cluster, of another line of the log (one that was left behind by a fail-over),
of another database, or that is no standby, is never read.
"""

import asyncio
import time
from collections import Counter
from typing import Final, Literal

import attrs
import structlog

from energia.db.pool import Pool
from energia.errors import ConfigurationError, DatabaseAway, EnergiaError
from energia.settings import Database

#: Seconds for which a replica that is a little behind is waited for.
_PATIENCE: Final = 0.05
#: Seconds between two looks meanwhile.
_PAUSE: Final = 0.003

#: Nothing is seen by others before it is flushed, but where commits do not wait for that.
_PRIMARY: Final = """select position::text, left(pg_walfile_name(position), 8),
  current_database()::text, (select system_identifier::text from pg_control_system())
from (select case current_setting('synchronous_commit') when 'off' then pg_current_wal_insert_lsn()
  else pg_current_wal_flush_lsn() end as position) log"""
_REPLICA: Final = """select pg_is_in_recovery(),
  coalesce(pg_last_wal_replay_lsn() >= %s::pg_lsn, false),
  (select lpad(upper(to_hex(timeline_id)), 8, '0') from pg_control_checkpoint()),
  current_database()::text, (select system_identifier::text from pg_control_system())"""

#: Where an answer was read.
Place = Literal["primary", "replica"]
log = structlog.get_logger(__name__)


@attrs.frozen
class _Primary:
    """What the primary says: how far its log goes, and which database it is."""

    position: str
    line: str
    database: str
    cluster: str


@attrs.frozen
class _Standby:
    """What the replica says: whether it is one, has come to a position, and of which database."""

    in_recovery: bool
    has_it: bool
    line: str
    database: str
    cluster: str

    def fault(self, of: _Primary) -> str | None:
        """Return why it must not be read, whatever it has."""
        if not self.in_recovery:
            return "it is no standby: it replays no log of another server"
        if self.cluster != of.cluster:
            return "it is a standby of another cluster"
        if self.line != of.line:
            return f"it is on the timeline {self.line} of the log, and the primary on {of.line}"
        if self.database != of.database:
            return f"it is of the database {self.database!r}, and the primary is {of.database!r}"
        return None


@attrs.frozen(eq=False)
class _Look:
    """A question to both servers: when it was put, and what is found."""

    at: float
    found: "asyncio.Task[bool]"


class Replica:
    """The replica of a service.

    Attributes:
        pool: Connections to it.
        age: For how many seconds it may not have what others wrote (`database.replica_age`).
        fault: Why it is not read; None if it is.
        reads: How many requests that it may answer were answered where.

    """

    def __init__(self, primary: Pool, settings: Database) -> None:
        """Prepare for the replica of *primary* at `database.replica_url`; nothing is opened yet.

        Raises:
            ConfigurationError: The URL does not parse.

        """
        try:
            self.pool = Pool(settings.replica_url, settings)
        except ConfigurationError as error:
            message = error.detail.replace("database.url", "database.replica_url", 1)
            raise ConfigurationError(message) from None
        self.age = settings.replica_age
        self.fault: str | None = "it has not been looked at yet"
        self.reads = Counter[Place]()
        self._primary = primary
        self._look: _Look | None = None
        self._is_behind = False
        #: Instants of this process: all that was committed before is known to be there, must be.
        self._seen, self._needed = -float("inf"), -float("inf")

    @property
    def behind(self) -> float:
        """For how many seconds it may be behind, as far as is known."""
        return max(0.0, time.monotonic() - self._seen)

    def must_have_all(self) -> None:
        """Note that something was written just now, or read from the primary.

        From now on the replica is not read before it has all that was committed until now.
        """
        self._needed = time.monotonic()

    def fail(self, reason: str) -> None:
        """Note that it cannot be read, until `check` finds that it can."""
        if self.fault is None:
            log.warning("replica_away", detail=reason)
        self.fault = reason

    async def may_answer(self, age: float | None = None) -> bool:
        """Tell whether it may be read now.

        Args:
            age: Less seconds than `age`, if the client wants that.

        """
        age = self.age if age is None else min(age, self.age)
        ready = await self.caught_up(max(time.monotonic() - age, self._needed))
        self.reads["replica" if ready else "primary"] += 1
        return ready

    async def caught_up(self, instant: float) -> bool:
        """Tell whether all is known to be there that was committed before an *instant*.

        The instant is one of `time.monotonic`, and not in the future.
        """
        while self.fault is None and self._seen < instant:
            look = await self._looked()
            if look.at >= instant:
                break
        return self.fault is None and self._seen >= instant

    async def check(self) -> None:
        """Look at it, whether or not it could be read before: it may be there again."""
        await self._looked()
        # One that was under way may have been begun before it came back.
        if self.fault is not None:
            await self._looked()

    async def close(self) -> None:
        """Close the connections to it."""
        if self._look is not None:
            self._look.found.cancel()
            await asyncio.wait({self._look.found})
        await self.pool.close()

    async def _looked(self) -> _Look:
        """Return a look that has ended: that which is under way, or a new one."""
        look = self._look
        if look is None or look.found.done():
            at = time.monotonic()
            look = self._look = _Look(at, asyncio.create_task(self._found(at)))
        # Others may wait for it as well.
        await asyncio.shield(look.found)
        return look

    async def _found(self, at: float) -> bool:
        """Ask both servers, and note what was found."""
        try:
            primary = _Primary(*await self._primary.ask(_PRIMARY))
        except EnergiaError:
            return False  # nothing is known of the replica; it is not its fault
        try:
            has_it = await self._comes_to(primary, at)
        except EnergiaError as error:
            self.fail(error.detail)
            return False
        self._is_behind = not has_it
        if has_it:
            self._seen = max(self._seen, at)
        return has_it

    async def _comes_to(self, primary: _Primary, at: float) -> bool:
        """Tell whether it has what the primary had; one that is just behind is waited for.

        Raises:
            DatabaseAway: It must not be read, or is not there.

        """
        until = at if self._is_behind else at + _PATIENCE
        while True:
            standby = _Standby(*await self.pool.ask(_REPLICA, (primary.position,)))
            if fault := standby.fault(primary):
                raise DatabaseAway(fault)
            if self.fault is not None:
                log.info("replica_back", behind=None if standby.has_it else "it catches up")
                self.fault = None
            if standby.has_it or time.monotonic() >= until:
                return standby.has_it
            await asyncio.sleep(_PAUSE)
