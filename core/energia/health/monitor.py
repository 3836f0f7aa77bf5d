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

from energia.health.probes import ComponentType, Observed, Probe
from energia.health.state import Phase, State
from energia.health.watched import Watched
from energia.settings import Health

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
