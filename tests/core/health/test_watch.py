"""A probe under watch: what it states about itself, and what is told of its checks."""

import asyncio

import attrs
import pytest

from energia.core import Core
from energia.health.monitor import Monitor
from energia.health.probes import Criticality, Observed
from tests.core.health.fakes import FakeProbe, SlowProbe, core_of, monitor_of


async def test_a_probe_states_its_times() -> None:
    """A probe may take longer than others, and be checked more seldom."""
    often, seldom = FakeProbe("often"), SlowProbe("seldom", seconds=0.1)
    monitor = monitor_of(often, seldom)
    async with monitor.running():
        await asyncio.sleep(0.2)

        assert monitor.status() == "pass"
    assert often.checks > 2
    assert seldom.checks == 1


async def test_a_slow_probe_does_not_hold_the_start_up() -> None:
    """The service waits for the first results, but no longer than `health.timeout`."""
    monitor = monitor_of(FakeProbe(), SlowProbe("slow", "degraded", seconds=5))
    async with asyncio.timeout(1), monitor.running():
        component = monitor.components()[1]

        assert monitor.reason() is None
        assert (component.status, component.age) == ("warn", None)
        assert component.output == "it was not checked yet"


async def test_a_probe_that_cancels_itself() -> None:
    """A probe whose library cancels it has failed, and is checked again."""
    probe = FakeProbe(error=asyncio.CancelledError())
    monitor = monitor_of(probe)
    async with monitor.running():
        assert monitor.components()[0].output == "the check was cancelled"
        probe.error = None
        await asyncio.sleep(0.1)
        assert monitor.status() == "pass"


async def test_inactive_probe() -> None:
    """A probe with nothing to check is neither checked nor shown, until it has."""
    probe = FakeProbe(error=OSError("no"), needed=False)
    monitor = monitor_of(probe)
    async with monitor.running():
        assert (monitor.components(), monitor.status(), probe.checks) == ([], "pass", 0)
        probe.needed = True
        await asyncio.sleep(0.1)
        assert monitor.reason() == "database"


async def test_what_is_told_of_a_check() -> None:
    """What a probe measures is told with its unit; of another one, how long it took."""
    measured, plain = FakeProbe("pool", observed=Observed(40, "percent")), FakeProbe("plain")
    monitor = monitor_of(measured, plain)
    async with monitor.running():
        of_measured, of_plain = monitor.components()

    assert of_measured.observed == Observed(40, "percent")
    assert of_plain.measurement == "responseTime"
    assert of_plain.observed is not None
    assert of_plain.observed.unit == "ms"
    assert of_plain.seconds is not None
    assert of_plain.observed.value == pytest.approx(1000 * of_plain.seconds, abs=0.001)


async def test_a_time_limit_of_the_probe_itself() -> None:
    """A probe that gives up by itself is not said to have taken too long."""
    monitor = monitor_of(FakeProbe(error=TimeoutError("the broker took 1 ms")))
    async with monitor.running():
        assert monitor.components()[0].output == "TimeoutError: the broker took 1 ms"


async def test_what_is_told_of_a_failure() -> None:
    """The kind of the error and its text are told, but no password that it quotes."""
    error = OSError("cannot reach postgresql://me:secret@host/db")
    monitor = monitor_of(FakeProbe(error=error), FakeProbe("long", error=ValueError("x" * 9000)))
    async with monitor.running():
        first, second = monitor.components()

    assert first.output == "OSError: cannot reach postgresql://me:***@host/db"
    assert second.output is not None
    assert len(second.output) == 500


@attrs.define
class CuriousProbe:
    """Keeps what it is handed."""

    name: str = "curious"
    criticality: Criticality = "degraded"
    asked: Core | None = None
    checked: Core | None = None

    def active(self, core: Core) -> bool:
        """Keep the service."""
        self.asked = core
        return True

    async def check(self, core: Core) -> None:
        """Keep the service."""
        self.checked = core


async def test_a_probe_is_handed_the_service() -> None:
    """What a probe needs of the service it is handed, with each question."""
    core, probe = core_of(), CuriousProbe()
    async with Monitor([probe], core).running():
        assert probe.checked is probe.asked is core
