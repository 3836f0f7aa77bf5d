"""What is measured of the event loop: how late it is, and how many tasks it has."""

import asyncio
from collections.abc import Iterator
from typing import Final

from prometheus_client import Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

#: Seconds between two looks at the clock.
_PERIOD: Final = 0.25
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Loop(Collector):
    """Sleeps, and sees how much later than asked it is woken."""

    def __init__(self) -> None:
        self.lag = Histogram(
            "event_loop_lag_seconds",
            "How much later than it should a task of the event loop is woken.",
            buckets=BUCKETS,
            registry=None,
        )
        self._loop: asyncio.AbstractEventLoop | None = None

    async def watch(self) -> None:
        """Measure until cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            due = self._loop.time() + _PERIOD
            await asyncio.sleep(_PERIOD)
            self.lag.observe(max(0.0, self._loop.time() - due))

    def collect(self) -> Iterator[Metric]:
        """Yield the number of tasks."""
        count = 0 if self._loop is None else len(asyncio.all_tasks(self._loop))
        yield GaugeMetricFamily("asyncio_tasks", "Tasks of the event loop.", count)
