"""The beat of the event loop."""

import asyncio
import time

import pytest
from structlog.testing import capture_logs

from energia.health.heartbeat import Heartbeat


async def test_a_free_loop_beats() -> None:
    """A loop with nothing to do beats on time, and nothing is told."""
    heartbeat = Heartbeat()
    with capture_logs() as lines:
        async with heartbeat.running(limit=5):
            await asyncio.sleep(0.35)

            assert 0 <= heartbeat.age < 0.35

    assert lines == []


async def test_a_held_loop_is_late() -> None:
    """What holds the loop up is seen as lag, also after it has ended."""
    heartbeat = Heartbeat()
    async with heartbeat.running(limit=5):
        await asyncio.sleep(0.15)
        time.sleep(0.4)  # noqa: ASYNC251 - it is what is tested
        during = heartbeat.age, heartbeat.lag
        await asyncio.sleep(0.25)

        assert min(during) >= 0.25
        assert heartbeat.age < 0.4
        assert heartbeat.lag >= 0.25


async def test_what_holds_it_up_is_logged_once() -> None:
    """A thread logs the place where the loop hangs, while it hangs."""
    heartbeat = Heartbeat()
    with capture_logs() as lines:
        async with heartbeat.running(limit=0.1):
            _dig()
            await asyncio.sleep(0.2)

    (line,) = [line for line in lines if line["event"] == "event_loop_blocked"]
    assert "_dig" in line["stack"]
    assert line["seconds"] >= 0.1


def _dig() -> None:
    time.sleep(0.6)


@pytest.mark.parametrize("seconds", [0.0, 1000.0])
def test_a_loop_that_does_not_run_is_not_late(seconds: float) -> None:
    """Before its beat has begun there is nothing to say."""
    heartbeat = Heartbeat(now=lambda: seconds)

    assert (heartbeat.age, heartbeat.lag) == (0, 0)
