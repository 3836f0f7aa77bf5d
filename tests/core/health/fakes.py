"""Probes and a clock that do what a test tells them."""

import asyncio

import attrs

from energia.core import Core, Probe
from energia.health.monitor import Monitor
from energia.health.probes import Criticality, Observed
from energia.health.state import Phase
from energia.settings import Health, Settings
from tests.serving import make_core

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
    needed: bool = True
    checks: int = 0
    running: int = 0
    most: int = 0

    def active(self, _: Core) -> bool:
        """Return whether there is anything to check."""
        return self.needed

    async def check(self, _: Core) -> Observed | None:
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


def core_of(health: Health = SETTINGS, phase: Phase = Phase.READY) -> Core:
    """Return a service with these times."""
    return make_core(settings=attrs.evolve(Settings(), health=health), phase=phase)


def monitor_of(*probes: Probe, phase: Phase = Phase.READY) -> Monitor:
    """Return a monitor on the real clock."""
    return Monitor(probes, core_of(phase=phase))
