"""What is measured of the service itself: its state, its health, what runs, its event loop."""

import asyncio
import os
import platform
from collections.abc import Iterator
from typing import Final

from prometheus_async.aio import time
from prometheus_client import Histogram, Info
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

import energia
from energia import Core
from energia.health.monitor import Monitor, Status
from energia.health.state import Phase

#: The value of a health check by its status.
STATUS: Final[dict[Status, float]] = {"pass": 1, "warn": 0.5, "fail": 0}
#: Seconds for which a task sleeps, to see how late it is woken.
_NAP: Final = 0.25
LAG_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class ServiceCollector(Collector):
    """Reads the state and the pool of a service."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics as they are now."""
        phase = self._core.state.phase
        ready, draining = float(phase is Phase.READY), float(phase is Phase.DRAINING)
        yield GaugeMetricFamily("app_ready", "Whether the service is ready.", ready)
        yield GaugeMetricFamily("app_draining", "Whether the service drains.", draining)
        yield from self._pool()
        yield from self._replica()
        failures = CounterMetricFamily(
            "energia_observer_failures", "Observers that failed.", labels=["plugin", "hook"]
        )
        for (plugin, hook), count in self._core.plugins.failures.items():
            failures.add_metric([plugin, hook], count)
        yield failures
        background = CounterMetricFamily(
            "energia_background_failures",
            "Work in the background that failed and was begun again.",
            labels=["work"],
        )
        for work, count in self._core.background.failures.items():
            background.add_metric([work], count)
        yield background

        yield from self._sources()

    def _sources(self) -> Iterator[Metric]:
        readings = CounterMetricFamily(
            "energia_source_readings", "Readings of sources.", labels=["source", "outcome"]
        )
        failures = CounterMetricFamily(
            "energia_source_failures", "How often a source has failed.", labels=["source"]
        )
        connected = GaugeMetricFamily(
            "energia_source_connected",
            "Whether this process runs a source, and its device answers.",
            labels=["source"],
        )
        age = GaugeMetricFamily(
            "energia_source_reading_age_seconds",
            "Since readings of a source were last stored; of the process that runs it.",
            labels=["source"],
        )
        now = self._core.clock.now()
        for name, status in self._core.sources.items():
            failures.add_metric([name], status.failures)
            connected.add_metric([name], status.is_connected)
            for outcome, count in status.readings.items():
                readings.add_metric([name, outcome], count)
            if status.is_held and status.received_at is not None:
                age.add_metric([name], (now - status.received_at).total_seconds())
        yield from (readings, failures, connected, age)

    def _pool(self) -> Iterator[Metric]:
        stats = self._core.pool.stats
        size = GaugeMetricFamily("db_pool_size", "Database connections.", labels=["state"])
        size.add_metric(["idle"], stats.idle)
        size.add_metric(["used"], stats.used)
        yield size
        yield GaugeMetricFamily("db_pool_max", "How many there may be.", stats.limit)
        yield GaugeMetricFamily("db_pool_pending", "Requests that wait for one.", stats.waiting)
        yield CounterMetricFamily("db_pool_timeouts", "Waits without success.", stats.timeouts)
        yield CounterMetricFamily("db_pool_connects", "Connections opened.", stats.connects)
        yield CounterMetricFamily("db_pool_failures", "Could not be opened.", stats.failures)
        copies = self._core.pool.copies
        yield GaugeMetricFamily("db_copies_bytes", "Rows at hand in memory.", copies.size)
        rows = CounterMetricFamily(
            "db_copies_rows", "Rows read that may be at hand.", labels=["place"]
        )
        for place, count in copies.rows.items():
            rows.add_metric([place], count)
        yield rows

    def _replica(self) -> Iterator[Metric]:
        replica = self._core.replica
        if replica is None:
            return
        reads = CounterMetricFamily(
            "db_replica_reads", "Reads that the replica may answer.", labels=["place"]
        )
        for place in ("primary", "replica"):
            reads.add_metric([place], replica.reads[place])
        yield reads
        yield GaugeMetricFamily(
            "db_replica_readable", "Whether the replica can be read.", float(replica.fault is None)
        )
        yield GaugeMetricFamily(
            "db_replica_behind_seconds", "For how long it may be behind.", replica.behind
        )


class HealthCollector(Collector):
    """Reads the health of a service."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics as they are now."""
        status = GaugeMetricFamily(
            "health_check_status", "1 passes, 0.5 warns, 0 fails.", labels=["check"]
        )
        age = GaugeMetricFamily(
            "health_check_age_seconds", "Since a thing was last checked.", labels=["check"]
        )
        duration = GaugeMetricFamily(
            "health_check_duration_seconds", "How long the last check took.", labels=["check"]
        )
        for component in self._monitor.components():
            status.add_metric([component.name], STATUS[component.status])
            if component.age is not None:
                age.add_metric([component.name], component.age)
            if component.seconds is not None:
                duration.add_metric([component.name], component.seconds)
        yield from (status, age, duration)


def build_info(core: Core) -> Collector:
    """Return what runs, as a metric whose value is 1.

    `pr` is the number of the pull request that a preview shows.
    """
    build = Info("energia_build", "What runs.", registry=None)
    build.info(
        {
            "version": energia.__version__,
            "commit": os.environ.get("SOURCE_COMMIT", ""),
            "python": platform.python_version(),
            "env": core.settings.profile,
            "pr": str(core.settings.pull_request or ""),
        }
    )
    return build


class Loop(Collector):
    """How late the event loop is, and how many tasks it has.

    A task sleeps again and again. All that its nap is longer than it should be is lag: other tasks
    that did not let the loop go, or a machine without a processor to give.
    """

    def __init__(self) -> None:
        self.lag = Histogram(
            "event_loop_lag_seconds",
            "How much later than it should a task of the event loop is woken.",
            buckets=LAG_BUCKETS,
            registry=None,
        )
        self._loop: asyncio.AbstractEventLoop | None = None

    async def watch(self) -> None:
        """Measure until cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            await time(self, asyncio.sleep(_NAP))

    def observe(self, seconds: float, /) -> None:
        """Note how long a nap was."""
        self.lag.observe(max(0.0, seconds - _NAP))

    def collect(self) -> Iterator[Metric]:
        """Yield the number of tasks."""
        count = 0 if self._loop is None else len(asyncio.all_tasks(self._loop))
        yield GaugeMetricFamily("asyncio_tasks", "Tasks of the event loop.", count)
