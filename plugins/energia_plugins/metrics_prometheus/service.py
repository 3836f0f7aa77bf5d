"""What is measured of the service itself, read when it is asked: state, health, pool, build."""

import os
import platform
from collections.abc import Iterator
from typing import Final

from prometheus_client import Info
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

import energia
from energia.core import Core
from energia.health.monitor import Monitor, Status
from energia.health.state import Phase

#: The value of a health check by its status.
STATUS: Final[dict[Status, float]] = {"pass": 1, "warn": 0.5, "fail": 0}


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
        failures = CounterMetricFamily(
            "energia_observer_failures", "Observers that failed.", labels=["plugin", "hook"]
        )
        for (plugin, hook), count in self._core.plugins.failures.items():
            failures.add_metric([plugin, hook], count)
        yield failures

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


def build(core: Core) -> Collector:
    """Return what runs; `pr` is the number of the pull request that a preview shows."""
    info = Info("energia_build", "What runs.", registry=None)
    info.info(
        {
            "version": energia.__version__,
            "commit": os.environ.get("SOURCE_COMMIT", ""),
            "python": platform.python_version(),
            "env": core.settings.profile,
            "pr": str(core.settings.pull_request or ""),
        }
    )
    return info
