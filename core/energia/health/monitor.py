"""Says from the last results of the probes how the service is.

They are checked in the background. An answer about health reads what is known and starts no check,
so that any number of them costs one check of each probe in a period.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Final, Literal, cast

import attrs
import structlog

from energia.contract import HasPeriod, HasTimeout
from energia.health.probes import (
    ComponentType,
    Criticality,
    HasActive,
    HasComponentType,
    HasMeasurement,
    Observed,
    Probe,
)
from energia.health.state import Phase, State
from energia.redact import redacted
from energia.settings import Health

#: A result is too old to be believed after so many periods.
_STALE_PERIODS: Final = 3
#: How much of an error is told.
_LONGEST: Final = 500
_CRITICAL: Final[Criticality] = "critical"

log = structlog.get_logger(__name__)


@attrs.frozen
class Result:
    """What one check found.

    Attributes:
        at: When it ended, on the monotonic clock.
        seconds: How long it took.
        observed: What was found; None for a failure.
        error: What went wrong; None for a success.

    """

    at: float
    seconds: float
    observed: Observed | None = None
    error: str | None = None


class Watched:
    """A probe and its last results.

    Attributes:
        last: The result of the last check; None before the first one has ended.
        begun: Set as soon as there is something to tell.

    """

    def __init__(self, probe: Probe, settings: Health, now: Callable[[], float]) -> None:
        """Watch *probe*, which may state its own times; *now* gives monotonic seconds."""
        self.probe = probe
        self.measurement = (
            probe.measurement if isinstance(probe, HasMeasurement) else "responseTime"
        )
        self.component_type: ComponentType = (
            probe.component_type if isinstance(probe, HasComponentType) else "component"
        )
        self.last: Result | None = None
        self.begun = asyncio.Event()
        self._period = probe.period if isinstance(probe, HasPeriod) else settings.period
        self._timeout = probe.timeout if isinstance(probe, HasTimeout) else settings.timeout
        self._grace = settings.database_grace
        self._now = now
        self._passed_at: float | None = None

    @property
    def active(self) -> bool:
        """Whether there is something to check."""
        return self.probe.active if isinstance(self.probe, HasActive) else True

    @property
    def stale(self) -> bool:
        """Whether the last result is too old to be believed, or there is none."""
        limit = _STALE_PERIODS * self._period + self._timeout
        return self.last is None or self._now() - self.last.at > limit

    @property
    def tolerated(self) -> bool:
        """Whether a failure is only a warning: after a success, for the time of grace."""
        if self.probe.criticality != _CRITICAL:
            return True
        return self._passed_at is not None and self._now() - self._passed_at <= self._grace

    async def watch(self) -> None:
        """Check in every period, for ever."""
        while True:
            if self.active:
                await self._check()
            self.begun.set()
            await asyncio.sleep(self._period)

    async def _check(self) -> None:
        started = self._now()
        observed, error = await self._outcome()
        ended = self._now()
        if error is None and observed is None:
            observed = Observed(round(1000 * (ended - started), 3), "ms")
        self._log(observed, error)
        self.last = Result(ended, ended - started, observed, error)
        if observed is not None:
            self._passed_at = ended

    async def _outcome(self) -> tuple[Observed | None, str | None]:
        """Check once, and return what was found, or what went wrong."""
        limit = asyncio.timeout(self._timeout)
        try:
            async with limit:
                return await self.probe.check(), None
        except Exception as error:
            late = f"no answer within {self._timeout:g} s"
            return None, late if limit.expired() else _told(error)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return None, "the check was cancelled"  # by a library that the probe uses

    def _log(self, observed: Observed | None, error: str | None) -> None:
        """Log what has changed: the first result, and each one that is unlike the last."""
        passed = observed is not None
        if self.last is not None and passed == (self.last.observed is not None):
            return
        if passed:
            log.info("probe", probe=self.probe.name, passed=True)
        else:
            log.warning("probe", probe=self.probe.name, passed=False, error=error)


def _told(error: Exception) -> str:
    text = f"{type(error).__name__}: {error}".removesuffix(": ").strip()
    return redacted(text)[:_LONGEST]


Status = Literal["pass", "warn", "fail"]
#: How far a service is, and how well it serves: `ready` is without, `degraded` with a complaint.
StateName = Literal["starting", "migrating", "ready", "degraded", "draining", "stopped"]

_RANK: Final[tuple[Status, ...]] = ("pass", "warn", "fail")


@attrs.frozen
class Component:
    """How one component is.

    Attributes:
        name: The name of its probe.
        status: `warn` within the grace time, for what is not critical, and for what works with
            a complaint.
        age: Seconds since it was last checked; None before the first check.
        measurement: What its probe measures.
        type: What it is.
        seconds: How long its last check took; None before the first one.
        observed: What its last check found; None for a failure.
        output: What is wrong; None if nothing is.

    """

    name: str
    status: Status
    age: float | None
    measurement: str
    type: ComponentType
    seconds: float | None = None
    observed: Observed | None = None
    output: str | None = None


class Monitor:
    """Watches the probes of one service."""

    def __init__(
        self,
        probes: Iterable[Probe],
        settings: Health,
        state: State,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch *probes*; *now* gives seconds on a monotonic clock."""
        self._settings = settings
        self._state = state
        self._now = now
        self._watched = [Watched(probe, settings, now) for probe in probes]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Check every probe in its periods until the context is left.

        It begins when there is a first result of each, or after `health.timeout`.
        """
        tasks = [asyncio.create_task(watched.watch()) for watched in self._watched]
        try:
            await self._begun()
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _begun(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.timeout):
                await asyncio.gather(*(watched.begun.wait() for watched in self._watched))

    def state(self) -> StateName:
        """Name how far the service is, and whether it serves without a complaint."""
        if self._state.phase is Phase.READY:
            return "ready" if self.status() == "pass" else "degraded"
        return cast("StateName", self._state.phase.value)

    def reason(self) -> str | None:
        """Say why the service is not ready; None if it is."""
        match self._state.phase:
            case Phase.STARTING | Phase.MIGRATING:
                return self._state.phase.value
            case Phase.DRAINING | Phase.STOPPED:
                return Phase.DRAINING.value
        return next((one.name for one in self.components() if one.status == "fail"), None)

    def components(self) -> list[Component]:
        """Say how each component is."""
        return [self._component(watched) for watched in self._watched if watched.active]

    def status(self) -> Status:
        """Say how the service is as a whole: as its worst component, and as far as it has come."""
        statuses = [component.status for component in self.components()]
        match self._state.phase:
            case Phase.STARTING | Phase.MIGRATING:
                statuses.append("fail")
            case Phase.DRAINING | Phase.STOPPED:
                statuses.append("warn")
        return max(statuses, key=_RANK.index, default="pass")

    def _component(self, watched: Watched) -> Component:
        name, last = watched.probe.name, watched.last
        kind = watched.measurement, watched.component_type
        if last is None:
            status = _complaint(watched)
            return Component(name, status, None, *kind, output="it was not checked yet")
        age = self._now() - last.at
        if watched.stale:
            output: str | None = f"no result for {age:.0f} s"
        else:
            output = last.error if last.observed is None else last.observed.warning
        complaint = _complaint(watched) if watched.stale or last.observed is None else "warn"
        status = "pass" if output is None else complaint
        return Component(name, status, age, *kind, last.seconds, last.observed, output)


def _complaint(watched: Watched) -> Status:
    return "warn" if watched.tolerated else "fail"
