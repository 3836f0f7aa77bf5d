"""Says from the last results of the probes how the service is.

Probes are checked in the background. An answer about health reads what is known and starts no
check, so that any number of them costs one check of each probe in a period.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Final, Literal, cast

import attrs
import structlog

from energia.contract import HasPeriod, HasTimeout
from energia.core import Core, HasActive, Probe
from energia.health.probes import (
    ComponentType,
    Criticality,
    HasComponentType,
    HasMeasurement,
    Observed,
)
from energia.health.state import Phase
from energia.redact import redacted
from energia.work import staying

Status = Literal["pass", "warn", "fail"]
#: How far a service is, and how well it serves: `ready` is without, `degraded` with a complaint.
StateName = Literal["starting", "migrating", "ready", "degraded", "draining", "stopped"]

_CRITICAL: Final[Criticality] = "critical"
#: From the best to the worst.
_RANK: Final[tuple[Status, ...]] = ("pass", "warn", "fail")
#: A result is too old to be believed after so many periods.
_STALE_PERIODS: Final = 3
#: Whoever only asks whether the process answers gets a state of so many seconds ago.
_RECENT: Final = 0.1
#: An error may quote all it met; so many characters of it are shown.
_LONGEST: Final = 500

log = structlog.get_logger(__name__)


@attrs.frozen
class Result:
    """The outcome of one check.

    Attributes:
        at: When it ended, on the monotonic clock.
        seconds: How long it took.
        observed: What it measured; None for a failure.
        error: What went wrong; None for a success.

    """

    at: float
    seconds: float
    observed: Observed | None = None
    error: str | None = None


class Watch:
    """The watch over one probe of a service: it checks the probe, and keeps the last result.

    Attributes:
        last: The result of the last check; None before the first one has ended.
        begun: Set after the first check, or where there is nothing to check.

    """

    def __init__(self, probe: Probe, core: Core, now: Callable[[], float]) -> None:
        """Watch *probe*, which may state its own times; *now* gives monotonic seconds."""
        settings = core.settings.health
        self.probe = probe
        self.measurement = (
            probe.measurement if isinstance(probe, HasMeasurement) else "responseTime"
        )
        self.component_type: ComponentType = (
            probe.component_type if isinstance(probe, HasComponentType) else "component"
        )
        self.last: Result | None = None
        self.begun = asyncio.Event()
        self._core = core
        self._period = probe.period if isinstance(probe, HasPeriod) else settings.period
        self._timeout = probe.timeout if isinstance(probe, HasTimeout) else settings.timeout
        self._believed = _STALE_PERIODS * self._period + self._timeout
        self._grace = settings.database_grace
        self._now = now
        self._passed_at: float | None = None
        self._passes_until = -math.inf
        # Looked up once: a check against a protocol takes 20 microseconds.
        self._active = probe.active if isinstance(probe, HasActive) else None

    @property
    def active(self) -> bool:
        """Whether there is anything to check in this service."""
        return self._active is None or self._active(self._core)

    @property
    def stale(self) -> bool:
        """Whether the last result is too old to be believed, or there is none."""
        return self.last is None or self._now() - self.last.at > self._believed

    @property
    def complaint(self) -> Status:
        """What a failure is: a warning if it is not critical, or within the grace of a success."""
        if self.probe.criticality != _CRITICAL:
            return "warn"
        tolerated = self._passed_at is not None and self._now() - self._passed_at <= self._grace
        return "warn" if tolerated else "fail"

    @property
    def status(self) -> Status:
        """How the component is: `pass` with a result that is no failure, nor old, nor complains."""
        if self._now() <= self._passes_until:
            return "pass"
        failed = self.stale or self.last is None or self.last.observed is None
        return self.complaint if failed else "warn"

    async def run(self) -> None:
        """Check in every period, until cancelled."""
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
        passes = observed is not None and observed.warning is None
        self._passes_until = ended + self._believed if passes else -math.inf
        if observed is not None:
            self._passed_at = ended

    async def _outcome(self) -> tuple[Observed | None, str | None]:
        """Check once, and return what was measured, or what went wrong."""
        limit = asyncio.timeout(self._timeout)
        try:
            async with limit:
                with staying():
                    return await self.probe.check(self._core), None
        except Exception as error:
            late = f"no answer within {self._timeout:g} s"
            return None, late if limit.expired() else _text(error)
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


def _text(error: Exception) -> str:
    """Return the kind of *error* and what it says, without passwords, and not without end."""
    text = f"{type(error).__name__}: {error}".removesuffix(": ").strip()
    return redacted(text)[:_LONGEST]


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
        observed: What its last check measured; None for a failure.
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
    """The watches over all probes of one service, and what they say of it together."""

    def __init__(
        self, probes: Iterable[Probe], core: Core, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Watch *probes* of *core*; *now* gives seconds on a monotonic clock."""
        self._core = core
        self._now = now
        self._watches = [Watch(probe, core, now) for probe in probes]
        self._recent: tuple[Phase, float, StateName] = (Phase.STARTING, -math.inf, "starting")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Check every probe in its periods until the context is left.

        It begins when there is a first result of each, or after `health.timeout`.
        """
        work = {f"probe {watch.probe.name}": watch.run for watch in self._watches}
        async with self._core.background.running(work):
            await self._begun()
            yield

    async def _begun(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._core.settings.health.timeout):
                await asyncio.gather(*(watch.begun.wait() for watch in self._watches))

    def recent_state(self) -> StateName:
        """Name the state as it was at most `_RECENT` seconds ago, in the phase of now."""
        phase, now = self._core.state.phase, self._now()
        if phase is not self._recent[0] or now >= self._recent[1]:
            self._recent = phase, now + _RECENT, self.state()
        return self._recent[2]

    def state(self) -> StateName:
        """Name how far the service is, and whether it serves without a complaint."""
        phase = self._core.state.phase
        if phase is Phase.READY:
            return "ready" if self.status() == "pass" else "degraded"
        return cast("StateName", phase.value)

    def reason(self) -> str | None:
        """Say why the service is not ready; None if it is."""
        match self._core.state.phase:
            case Phase.STARTING | Phase.MIGRATING as phase:
                return phase.value
            case Phase.DRAINING | Phase.STOPPED:
                return Phase.DRAINING.value
        failing = (each for each in self._watches if each.status == "fail" and each.active)
        return next((watch.probe.name for watch in failing), None)

    def status(self) -> Status:
        """Say how the service is as a whole: as its worst component, and as far as it has come."""
        statuses = [
            status for each in self._watches if (status := each.status) != "pass" and each.active
        ]
        match self._core.state.phase:
            case Phase.STARTING | Phase.MIGRATING:
                statuses.append("fail")
            case Phase.DRAINING | Phase.STOPPED:
                statuses.append("warn")
        return max(statuses, key=_RANK.index, default="pass")

    def components(self) -> list[Component]:
        """Say how each component is."""
        return [self._component(watch) for watch in self._watches if watch.active]

    def _component(self, watch: Watch) -> Component:
        name, last = watch.probe.name, watch.last
        kind = watch.measurement, watch.component_type
        if last is None:
            return Component(name, watch.complaint, None, *kind, output="it was not checked yet")
        age = self._now() - last.at
        if watch.stale:
            output: str | None = f"no result for {age:.0f} s"
        else:
            output = last.error if last.observed is None else last.observed.warning
        return Component(name, watch.status, age, *kind, last.seconds, last.observed, output)
