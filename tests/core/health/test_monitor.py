"""The health monitor: background checks, single-flight, grace."""

import asyncio
from collections.abc import Awaitable, Callable

import attrs
import pytest

from energia.health.monitor import Monitor
from energia.health.probes import Criticality, Saturated
from energia.health.state import Phase, State
from energia.settings import Health

#: The times of these tests, in seconds.
SETTINGS = Health(period=0.02, timeout=0.05, database_grace=0.2)


@attrs.define
class FakeProbe:
    """Does what it is told, and counts."""

    name: str = "database"
    criticality: Criticality = "critical"
    error: Exception | None = None
    seconds: float = 0.0
    checks: int = 0
    running: int = 0
    most: int = 0

    async def check(self) -> None:
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


@attrs.define
class FakeTime:
    """A clock that a test turns."""

    now: float = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def monitor_of(*probes: FakeProbe, state: State | None = None) -> Monitor:
    """Return a monitor on the real clock."""
    return Monitor(probes, SETTINGS, state or State(Phase.READY))


async def test_passes() -> None:
    """A probe that returns is passed, and the service is ready."""
    monitor = monitor_of(FakeProbe())
    async with monitor.running():
        assert monitor.status() == "pass"
        assert monitor.reason() is None


async def test_background_only() -> None:
    """However often one asks, a probe is checked once in a period, one check at a time."""
    probe = FakeProbe(seconds=0.01)
    monitor = monitor_of(probe)
    async with monitor.running():
        for _ in range(1000):
            monitor.status()
        assert probe.checks == 1
        await asyncio.sleep(0.2)

    assert 2 <= probe.checks <= 11
    assert probe.most == 1


async def test_fails_before_the_first_success() -> None:
    """Before its first success a failing critical probe keeps the service from being ready."""
    probe = FakeProbe(error=OSError("no"))
    monitor = monitor_of(probe)
    async with monitor.running():
        assert (monitor.status(), monitor.reason()) == ("fail", "database")
        probe.error = None
        await asyncio.sleep(0.1)
        assert (monitor.status(), monitor.reason()) == ("pass", None)


async def test_hanging_probe() -> None:
    """A probe that hangs fails after its time limit."""
    monitor = monitor_of(FakeProbe(seconds=60))
    async with asyncio.timeout(1), monitor.running():
        assert monitor.status() == "fail"


def tolerant() -> tuple[Monitor, FakeProbe, FakeTime, Callable[[], Awaitable[None]]]:
    """Return a monitor on a clock that the test turns, and what checks its probe."""
    probe, time = FakeProbe(), FakeTime()
    settings = Health(period=3, timeout=2, database_grace=30)
    monitor = Monitor([probe], settings, State(Phase.READY), time)

    async def check() -> None:
        async with monitor.running():
            pass

    return monitor, probe, time, check


async def test_grace_after_a_success() -> None:
    """After a success a failure is a warning for the time of grace, and then a failure."""
    monitor, probe, time, check = tolerant()
    await check()
    probe.error = OSError("gone")
    time.now += 29
    await check()

    assert (monitor.status(), monitor.reason()) == ("warn", None)
    time.now += 2
    assert (monitor.status(), monitor.reason()) == ("fail", "database")
    probe.error = None
    await check()
    assert (monitor.status(), monitor.reason()) == ("pass", None)


async def test_stale_result() -> None:
    """A result that is older than three periods is not believed."""
    monitor, _, time, check = tolerant()
    await check()
    time.now += 12

    assert monitor.status() == "warn"
    assert monitor.components()[0].age == 12
    time.now += 20
    assert monitor.reason() == "database"


@pytest.mark.parametrize(
    "probe",
    [
        FakeProbe("broker", "degraded", OSError("gone")),
        FakeProbe(error=Saturated("no room")),
    ],
)
async def test_warnings(probe: FakeProbe) -> None:
    """What is not critical, or has no room, is a warning and nothing more."""
    monitor = monitor_of(probe)
    async with monitor.running():
        assert (monitor.status(), monitor.reason()) == ("warn", None)


@pytest.mark.parametrize(
    ("phase", "status", "reason"),
    [
        (Phase.STARTING, "fail", "starting"),
        (Phase.MIGRATING, "fail", "migrating"),
        (Phase.READY, "pass", None),
        (Phase.DRAINING, "warn", "draining"),
    ],
)
def test_phases(phase: Phase, status: str, reason: str | None) -> None:
    """A service that starts is not healthy; one that drains is, and is not ready."""
    monitor = monitor_of(state=State(phase))

    assert (monitor.status(), monitor.reason()) == (status, reason)


def test_stopping_keeps_its_phase() -> None:
    """A start that goes on after the service was asked to stop does not make it ready."""
    state = State()
    state.closing = True
    state.enter(Phase.MIGRATING)
    state.ready()

    assert state.phase is Phase.STARTING
    assert state.usable
