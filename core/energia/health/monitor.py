"""Checks the probes in the background, and says from their last results how the service is.

An answer about health reads what is known and starts no check, so that any number of them costs one
check of each probe in a period.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Final, Literal

import attrs
import structlog

from energia.health.probes import Criticality, Probe, Saturated
from energia.health.state import Phase, State
from energia.settings import Health

Status = Literal["pass", "warn", "fail"]

#: A result is too old to be believed after so many periods.
_STALE_PERIODS: Final = 3
_RANK: Final[tuple[Status, ...]] = ("pass", "warn", "fail")

log = structlog.get_logger(__name__)


@attrs.frozen
class Component:
    """How one component is.

    Attributes:
        name: The name of its probe.
        status: `warn` within the grace time, for what is not critical, and for what is saturated.
        age: Seconds since it was last checked; None before the first check.

    """

    name: str
    status: Status
    age: float | None


@attrs.define(eq=False)
class _Watched:
    """A probe and the last results of it; times are on the monotonic clock."""

    probe: Probe
    passed: bool = False
    saturated: bool = False
    checked_at: float | None = None
    passed_at: float | None = None


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
        self._watched = [_Watched(probe) for probe in probes]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Check every probe once, and then in every period until the context is left."""
        await asyncio.gather(*map(self._check, self._watched))
        tasks = [asyncio.create_task(self._watch(watched)) for watched in self._watched]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

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
        now = self._now()
        return [
            Component(
                watched.probe.name,
                self._status(watched, now),
                None if watched.checked_at is None else now - watched.checked_at,
            )
            for watched in self._watched
        ]

    def status(self) -> Status:
        """Say how the service is as a whole: as its worst component, and as far as it has come."""
        statuses = [component.status for component in self.components()]
        match self._state.phase:
            case Phase.STARTING | Phase.MIGRATING:
                statuses.append("fail")
            case Phase.DRAINING | Phase.STOPPED:
                statuses.append("warn")
        return max(statuses, key=_RANK.index, default="pass")

    def _status(self, watched: _Watched, now: float) -> Status:
        stale = _STALE_PERIODS * self._settings.period + self._settings.timeout
        fresh = watched.checked_at is not None and now - watched.checked_at <= stale
        if watched.passed and fresh:
            return "warn" if watched.saturated else "pass"
        return "warn" if self._tolerated(watched, now) else "fail"

    def _tolerated(self, watched: _Watched, now: float) -> bool:
        """Say whether a failure is only a warning: after a success, for the time of grace."""
        degraded: Criticality = "degraded"
        if watched.probe.criticality == degraded:
            return True
        grace = self._settings.database_grace
        return watched.passed_at is not None and now - watched.passed_at <= grace

    async def _watch(self, watched: _Watched) -> None:
        while True:
            await asyncio.sleep(self._settings.period)
            await self._check(watched)

    async def _check(self, watched: _Watched) -> None:
        """Check once; the next check of this probe begins only after this one has ended."""
        error: Exception | None = None
        try:
            async with asyncio.timeout(self._settings.timeout):
                await watched.probe.check()
        except Exception as caught:
            error = caught
        passed = error is None or isinstance(error, Saturated)
        if passed != watched.passed or watched.checked_at is None:
            if error is None:
                log.info("probe", probe=watched.probe.name, passed=passed)
            else:
                name = watched.probe.name
                log.warning("probe", probe=name, passed=passed, error=repr(error))
        watched.passed, watched.saturated = passed, isinstance(error, Saturated)
        watched.checked_at = self._now()
        if passed:
            watched.passed_at = watched.checked_at
