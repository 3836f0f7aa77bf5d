"""Runs the sources in the background; of several replicas one at a time.

Whoever runs a source holds it for a few seconds by the database's clock, and again and again; who
does not renew that in time, because it died or lost the database, is followed by another replica.
A replica that was only late stores nothing then: each commit asks whether the source is still held.
"""

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import attrs

from energia import tracing
from energia.assembly import late
from energia.convert import TEXT, dumps
from energia.db.organizations import DEFAULT
from energia.db.queries import one_message
from energia.db.tenant import Queries, Tenant
from energia.errors import Conflict, EnergiaError, ForeignKeyViolation, Invalid, meant_or_known
from energia.ids import new_id
from energia.metering.decoders import Defaults, Item
from energia.metering.imports import SQL, Intake
from energia.metering.mappings import Mappings
from energia.metering.outcome import OUTCOMES, Outcome
from energia.metering.sources import HasOrganization, Source, SourceFailed, SourceStatus
from energia.outgoing.client import Outgoing
from energia.redact import redacted
from energia.time import DAY
from energia.work import staying

if TYPE_CHECKING:
    from energia.core import Core

#: So often within its time is a source held anew; and whether one is free is looked at as often.
_RENEWALS: Final = 3
#: Seconds between two looks at whether the service closes.
_TICK: Final = 0.25
#: Seconds between two lines of the log about readings that were refused.
_QUIET: Final = 60.0
#: So much of an error is kept.
_LONGEST: Final = 500


@asynccontextmanager
async def receiving(core: "Core") -> AsyncIterator[None]:
    """Run the sources while the service does; in a preview, which copies settings, none is run."""
    sources = () if core.settings.profile == "preview" else core.plugins.sources()
    keepers = [Keeper(core, source) for source in sources]
    core.sources.update({keeper.source.name: keeper.status for keeper in keepers})
    work = {f"source-{keeper.source.name}": keeper.work for keeper in keepers}
    async with core.background.running(work):
        yield


def tenant_of(core: "Core", source: Source) -> Tenant:
    """Return the database as the organization of a source sees it."""
    organization = source.organization if isinstance(source, HasOrganization) else DEFAULT
    return core.pool.tenant(organization, f"source:{source.name}")


@attrs.define(eq=False)
class Keeper:
    """Runs one source, whenever no other replica does.

    Attributes:
        core: The service.
        source: The source.
        status: How it is doing here.

    """

    core: "Core"
    source: Source
    status: SourceStatus = attrs.Factory(SourceStatus)
    _holder: str = attrs.Factory(new_id)
    _until: float = 0.0
    _told: float = attrs.field(default=-_QUIET)

    async def work(self) -> None:
        """Hold the source and run it, again and again, until the service closes."""
        while not self.core.state.closing:
            if await self._taken():
                await self._held()
            await self._wait(self._lease / _RENEWALS * random.uniform(0.75, 1.25))

    async def _taken(self) -> bool:
        """Take the source if no other replica holds it; return whether it is ours."""
        statement = one_message(SQL["source_begin"], SQL["source_take"])
        begun = time.monotonic()
        try:
            taken = await self._tenant.fetch(_moment, statement, self._row(lease=self._lease))
        except ForeignKeyViolation:
            self._say(f"there is no organization {self._tenant.organization}")
            return False
        except EnergiaError as error:
            self._say(f"database: {error.code}")
            return False
        if taken:
            self._until = begun + self._lease
            self.status.is_held, self.status.received_at = True, taken[0]
        return bool(taken)

    async def _held(self) -> None:
        """Run the source until the service closes, or another replica may have taken it."""
        running = asyncio.create_task(self._run())
        try:
            while not self.core.state.closing and await self._renewed():
                await self._wait(self._lease / _RENEWALS)
        finally:
            running.cancel()
            await asyncio.wait({running}, timeout=self._lease)
            self.status.is_held = self.status.is_connected = False
            with suppress(EnergiaError):
                await self._tenant.execute(SQL["source_release"], self._row())

    async def _renewed(self) -> bool:
        """Hold the source for longer; return whether it is ours, or was not over yet."""
        begun, status = time.monotonic(), self.status
        row = self._row(lease=self._lease, connected=status.is_connected, error=status.error)
        try:
            async with asyncio.timeout(max(0.0, self._until - begun)):
                renewed = await self._tenant.execute(SQL["source_renew"], row)
        except TimeoutError:
            return False
        except EnergiaError:
            return time.monotonic() < self._until
        self._until = begun + self._lease
        return renewed > 0

    async def _wait(self, seconds: float) -> None:
        """Sleep, until the service closes at most."""
        ticks = math.ceil(seconds / _TICK)
        for _ in range(ticks):
            if not self.core.state.closing:
                await asyncio.sleep(seconds / ticks)

    async def _run(self) -> None:
        """Run the source for ever: what it raises is told, and it is begun again."""
        settings = self.core.settings.sources
        pause = settings.retry_first
        while True:
            begun = time.monotonic()
            wanted = await self._once()
            self.status.is_connected = False
            if time.monotonic() - begun > settings.retry_most:
                pause = settings.retry_first
            await asyncio.sleep(max(pause * random.uniform(0.75, 1.25), min(wanted, DAY)))
            pause = min(2 * pause, settings.retry_most)

    async def _once(self) -> float:
        """Run the source until it fails, which is told; return for how long it is left alone."""
        try:
            saved = await self._tenant.fetch(_saved, SQL["source_state"], self._row())
            with staying():
                await self.source.run(_Emit(self, dict(saved)))
        except SourceFailed as error:
            self._failed(error.reason)
            return error.retry_after
        except EnergiaError as error:
            self._failed(_reason(error))
        except Exception as error:  # a source must not end for what nobody thought of
            self._failed(f"{type(error).__name__}: {error}", error)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            self._failed("it was cancelled by a library that it uses")
        else:
            self._failed("it has ended by itself")
        return 0.0

    async def store(self, items: list[Item], state: Mapping[str, Any] | None) -> Outcome:
        """Store readings, and the state with them."""
        also = partial(self._kept, state)
        with tracing.span("source.store", {"energia.source": self.source.name}):
            return self._noted(await self._intake.items(items, self.source.name, also))

    async def store_file(
        self,
        chunks: Iterable[bytes],
        format_: str,
        options: Mapping[str, str],
        state: Mapping[str, Any] | None,
    ) -> Outcome:
        """Store a file, and the state with it."""
        decoders = await late(self.core.plugins.decoders)
        if format_ not in decoders:
            message = f"there is no format {format_!r}{meant_or_known(format_, decoders)}"
            raise Invalid.of("unknown_format", message)
        said = dict(options)
        if (name := said.pop("mapping", None)) is not None:
            mapping = await Mappings(self._tenant, decoders).named(name)
            mapping.refuse_other(format_)
            said = mapping.under(said)
        decoder, defaults = decoders[format_], Defaults(said.get("meter"), said.get("channel"))
        own = {"meter", "channel"} - {field.name for field in attrs.fields(decoder.options)}
        texts = {name: text for name, text in said.items() if name not in own}
        structured: Any = TEXT.structure(texts, decoder.options)
        also = partial(self._kept, state)
        with tracing.span("source.store", {"energia.source": self.source.name}):
            outcome = await self._intake.file(
                chunks, decoder, structured, defaults, skip=True, also=also
            )
            return self._noted(outcome)

    @property
    def _intake(self) -> Intake:
        return Intake.of(self.core.settings, self.core.clock, self._tenant, self.core.plugins)

    def _noted(self, outcome: Outcome) -> Outcome:
        """Count what was stored, and return it."""
        if _has_readings(outcome):
            self.status.received_at = self.core.clock.now()
        self.status.readings.update({name: getattr(outcome, name) for name in OUTCOMES})
        self._tell_refused(outcome)
        return outcome

    async def _kept(
        self, state: Mapping[str, Any] | None, queries: Queries, outcome: Outcome
    ) -> None:
        await self._keep(queries, state, received=_has_readings(outcome))

    async def save(self, state: Mapping[str, Any]) -> None:
        """Save a state alone."""
        async with self._tenant.transaction() as queries:
            await self._keep(queries, state)

    async def _keep(
        self, queries: Queries, state: Mapping[str, Any] | None, *, received: bool = False
    ) -> None:
        """Save the state; raises `Conflict` if another replica has taken the source."""
        if not await queries.execute(SQL["source_keep"], self._row(received=received)):
            raise Conflict("another replica runs the source")
        kept = {name: value for name, value in (state or {}).items() if value is not None}
        if kept:
            values = [dumps(value).decode() for value in kept.values()]
            await queries.execute(SQL["source_save"], self._row(names=list(kept), values=values))
        if forgotten := [name for name in state or {} if name not in kept]:
            await queries.execute(SQL["source_forget"], self._row(names=forgotten))

    def connected(self) -> None:
        """Note that the device answers."""
        self.status.is_connected = True
        self._say(None)

    def _tell_refused(self, outcome: Outcome) -> None:
        """Log that readings were refused: once in a while, not for each of them."""
        if not outcome.rejected or time.monotonic() < self._told + _QUIET:
            return
        self._told = time.monotonic()
        import structlog  # costs 100 ms, and is needed here only

        first = next((fault.message for fault in outcome.problems), "")
        structlog.get_logger(__name__).warning(
            "source_refused",
            source=self.source.name,
            refused=outcome.rejected,
            number=outcome.id,
            first=redacted(first)[:_LONGEST],
        )

    def _failed(self, reason: str, error: Exception | None = None) -> None:
        self.status.failures += 1
        self._say(reason, error)

    def _say(self, reason: str | None, error: Exception | None = None) -> None:
        """Log when it begins to fail, in another way, and when it works again: no flood."""
        reason = None if reason is None else redacted(reason)[:_LONGEST]
        if reason == self.status.error:
            return
        self.status.error = reason
        import structlog  # costs 100 ms, and is needed here only

        log = structlog.get_logger(__name__)
        if reason:
            log.warning("source_fails", source=self.source.name, reason=reason, exc_info=error)
        else:
            log.info("source_works", source=self.source.name)

    def _row(self, **more: object) -> dict[str, object]:
        return {"name": self.source.name, "holder": self._holder, **more}

    @property
    def _lease(self) -> float:
        return self.core.settings.sources.lease

    @property
    def _tenant(self) -> Tenant:
        return tenant_of(self.core, self.source)


class _Emit:
    """What a running source is given: `sources.Emit`."""

    def __init__(self, keeper: Keeper, state: dict[str, Any]) -> None:
        self._keeper = keeper
        self._state = state
        self._turn = asyncio.Lock()

    @property
    def state(self) -> Mapping[str, Any]:
        """What was saved last."""
        return self._state

    @property
    def outgoing(self) -> Outgoing:
        """What sends requests to others."""
        return self._keeper.core.outgoing

    def now(self) -> datetime:
        """Return the present moment."""
        return self._keeper.core.clock.now()

    def connected(self) -> None:
        """Note that the device answers."""
        self._keeper.connected()

    async def save(self, state: Mapping[str, Any], /) -> None:
        """Save where to go on."""
        async with self._turn:
            await self._keeper.save(state)
            self._saved(state)

    async def file(
        self,
        chunks: Iterable[bytes],
        format: str,
        options: Mapping[str, str],
        state: Mapping[str, Any] | None = None,
    ) -> Outcome:
        """Store a file, and the state with it."""
        async with self._turn:
            outcome = await self._keeper.store_file(chunks, format, options, state)
            self._saved(state)
            return outcome

    async def __call__(
        self, items: Iterable[Item], /, state: Mapping[str, Any] | None = None
    ) -> Outcome | None:
        """Store readings, and the state with them."""
        batch = list(items)
        if not batch:
            if state:
                await self.save(state)
            return None
        async with self._turn:
            outcome = await self._keeper.store(batch, state)
            self._saved(state)
            return outcome

    def _saved(self, state: Mapping[str, Any] | None) -> None:
        """Note what was saved, and forgotten."""
        for name, value in (state or {}).items():
            if value is None:
                self._state.pop(name, None)
            else:
                self._state[name] = value


def _reason(error: EnergiaError) -> str:
    """Return what an error says, with the places of its first faults."""
    places = [fault.pointer for fault in error.faults[:3] if fault.pointer]
    return " ".join([f"{error.code}: {error.detail}", *places])


def _has_readings(outcome: Outcome) -> bool:
    return outcome.received > outcome.rejected


def _moment(moment: datetime | None) -> datetime | None:
    return moment


def _saved(name: str, value: Any) -> tuple[str, Any]:
    return name, value
