"""What is measured of the service, its event loop, and the readings and bills it works on."""

import asyncio
import os
import platform
from collections.abc import Iterator
from typing import Final

import attrs
from prometheus_client import Counter, Histogram, Info
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

import energia
from energia import (
    BillIssued,
    Core,
    PricesFetched,
    PricingFinished,
    ReadingsRejected,
    ReadingsStored,
)
from energia.health.monitor import Monitor, Status
from energia.health.state import Phase
from energia_plugins.metrics_prometheus.requests import Few

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


# What is measured of the event loop: how late it is, and how many tasks it has.

#: Seconds between two looks at the clock.
_PERIOD: Final = 0.25
LAG_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Loop(Collector):
    """Sleeps, and sees how much later than asked it is woken."""

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
            due = self._loop.time() + _PERIOD
            await asyncio.sleep(_PERIOD)
            self.lag.observe(max(0.0, self._loop.time() - due))

    def collect(self) -> Iterator[Metric]:
        """Yield the number of tasks."""
        count = 0 if self._loop is None else len(asyncio.all_tasks(self._loop))
        yield GaugeMetricFamily("asyncio_tasks", "Tasks of the event loop.", count)


# What is measured of readings, prices and bills, from what observers are told.

#: From one day of a meter to a run over many contracts, in seconds.
WORK_BUCKETS: Final = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
    60,
    300,
)


class Energy:
    """Counts and times."""

    def __init__(self) -> None:
        self._readings = Counter(
            "energia_readings", "Readings received, by what became of them.", ["outcome"],
            registry=None,
        )  # fmt: skip
        self._rejected = Counter(
            "energia_readings_rejected",
            "Faults of readings that were refused, by code; an unreadable body counts once.",
            ["reason"],
            registry=None,
        )
        self._bills = Counter(
            "energia_bills_issued", "Bills issued.", ["currency", "correction"], registry=None
        )
        self._pricing = Histogram(
            "energia_pricing_duration_seconds",
            "How long it took to price: a cost, a comparison, the bills of a transaction, a run.",
            ["operation"],
            buckets=WORK_BUCKETS,
            registry=None,
        )
        self._fetches = Counter(
            "energia_price_feed_fetches",
            "How often a price feed was asked, by what became of it.",
            ["feed", "outcome"],
            registry=None,
        )
        self._reasons = Few()

    def collectors(self) -> list[Collector]:
        """Return what is measured."""
        return [self._readings, self._rejected, self._bills, self._pricing, self._fetches]

    def stored(self, event: ReadingsStored) -> None:
        """Count readings."""
        for outcome, count in attrs.asdict(event.counts).items():
            if outcome != "received":
                self._readings.labels(outcome).inc(count)

    def rejected(self, event: ReadingsRejected) -> None:
        """Count faults."""
        for reason, count in event.reasons.items():
            self._rejected.labels(self._reasons.of(reason)).inc(count)

    def issued(self, event: BillIssued) -> None:
        """Count bills."""
        self._bills.labels(event.currency, "true" if event.corrects else "false").inc()

    def fetched(self, event: PricesFetched) -> None:
        """Count fetches of price feeds, which are as many as the configuration has."""
        self._fetches.labels(event.feed, event.outcome).inc()

    def priced(self, event: PricingFinished) -> None:
        """Time a pricing."""
        self._pricing.labels(event.operation).observe(event.seconds)
