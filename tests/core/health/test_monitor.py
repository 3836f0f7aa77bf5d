"""The health monitor: background checks, single-flight, grace."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from energia.health.monitor import Monitor
from energia.health.probes import Observed
from energia.health.state import Phase, State
from energia.settings import Health
from tests.core.health.fakes import FakeProbe, FakeTime, core_of, monitor_of


async def test_passes() -> None:
    """A probe that returns is passed, and the service is ready."""
    monitor = monitor_of(FakeProbe())
    async with monitor.running():
        assert monitor.status() == "pass"
        assert monitor.state() == "ready"
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
        assert monitor.state() == "degraded"
        probe.error = None
        await asyncio.sleep(0.1)
        assert (monitor.status(), monitor.reason()) == ("pass", None)


async def test_hanging_probe() -> None:
    """A probe that hangs fails after its time limit."""
    monitor = monitor_of(FakeProbe(seconds=60))
    async with asyncio.timeout(1), monitor.running():
        await asyncio.sleep(0.1)
        (component,) = monitor.components()

        assert component.status == "fail"
        assert component.output == "no answer within 0.05 s"


def tolerant() -> tuple[Monitor, FakeProbe, FakeTime, Callable[[], Awaitable[None]]]:
    """Return a monitor on a clock that the test turns, and what checks its probe."""
    probe, time = FakeProbe(), FakeTime()
    settings = Health(period=3, timeout=2, database_grace=30)
    monitor = Monitor([probe], core_of(settings), time)

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

    assert (monitor.status(), monitor.reason(), monitor.state()) == ("warn", None, "degraded")
    time.now += 2
    assert (monitor.status(), monitor.reason()) == ("fail", "database")
    probe.error = None
    await check()
    assert (monitor.status(), monitor.reason(), monitor.state()) == ("pass", None, "ready")


async def test_grace_begins_with_the_last_success() -> None:
    """Each success begins the time of grace anew."""
    monitor, probe, time, check = tolerant()
    await check()
    time.now += 29
    await check()
    probe.error = OSError("gone")
    time.now += 29
    await check()

    assert monitor.reason() is None


async def test_stale_result() -> None:
    """A result that is older than three periods is not believed."""
    monitor, _, time, check = tolerant()
    await check()
    time.now += 12

    assert monitor.status() == "warn"
    assert monitor.components()[0].age == 12
    assert monitor.components()[0].output == "no result for 12 s"
    time.now += 20
    assert monitor.reason() == "database"


@pytest.mark.parametrize(
    "probe",
    [
        FakeProbe("broker", "degraded", OSError("gone")),
        FakeProbe("broker", "degraded", SystemExit(3)),  # which ends no service
        FakeProbe(observed=Observed(100, "percent", "no room")),
    ],
)
async def test_warnings(probe: FakeProbe) -> None:
    """What is not critical, or works with a complaint, is a warning and nothing more."""
    monitor = monitor_of(probe)
    async with monitor.running():
        assert (monitor.status(), monitor.reason(), monitor.state()) == ("warn", None, "degraded")


@pytest.mark.parametrize(
    ("phase", "status", "reason"),
    [
        (Phase.STARTING, "fail", "starting"),
        (Phase.MIGRATING, "fail", "migrating"),
        (Phase.READY, "pass", None),
        (Phase.DRAINING, "warn", "draining"),
        (Phase.STOPPED, "warn", "draining"),
    ],
)
def test_phases(phase: Phase, status: str, reason: str | None) -> None:
    """A service that starts is not healthy; one that drains is, and is not ready."""
    monitor = monitor_of(phase=phase)

    assert (monitor.status(), monitor.reason(), monitor.state()) == (status, reason, phase)


async def test_liveness_knows_a_recent_state() -> None:
    """Whether the process answers is asked often: its state is a tenth of a second old at most."""
    monitor, probe, time, check = tolerant()
    await check()
    assert monitor.recent_state() == "ready"
    probe.error = OSError("gone")
    await check()

    assert monitor.recent_state() == "ready"
    time.now += 0.1
    assert monitor.recent_state() == "degraded"


def test_a_recent_state_is_of_the_present_phase() -> None:
    """A service that begins to drain says so at once."""
    core = core_of()
    monitor = Monitor([], core)
    assert monitor.recent_state() == "ready"
    core.state.phase = Phase.DRAINING

    assert monitor.recent_state() == "draining"


def test_stopping_keeps_its_phase() -> None:
    """A start that goes on after the service was asked to stop does not make it ready."""
    state = State()
    state.closing = True
    state.enter(Phase.MIGRATING)
    state.ready()

    assert state.phase is Phase.STARTING
    assert state.usable
