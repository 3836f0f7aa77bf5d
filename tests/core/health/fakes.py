"""Probes and a clock that do what a test tells them."""

import asyncio

import attrs

from energia.health.monitor import Monitor
from energia.health.probes import Criticality, Observed, Probe
from energia.health.state import Phase, State
from energia.settings import Health

#: The times of these tests, in seconds.
SETTINGS = Health(period=0.02, timeout=0.05, database_grace=0.2)


@attrs.define
class FakeProbe:
    """Does what it is told, and counts."""

    name: str = "database"
    criticality: Criticality = "critical"
    error: BaseException | None = None
    seconds: float = 0.0
    observed: Observed | None = None
    active: bool = True
    checks: int = 0
    running: int = 0
    most: int = 0

    async def check(self) -> Observed | None:
        """Do what it is told."""
        self.checks += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.running -= 1
        if self.error:
            raise self.error
        return self.observed


@attrs.define
class SlowProbe(FakeProbe):
    """States times of its own."""

    timeout: float = 10.0
    period: float = 20.0


@attrs.define
class FakeTime:
    """A clock that a test turns."""

    now: float = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def monitor_of(*probes: Probe, state: State | None = None) -> Monitor:
    """Return a monitor on the real clock."""
    return Monitor(probes, SETTINGS, state or State(Phase.READY))
