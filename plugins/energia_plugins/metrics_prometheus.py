"""Metrics for Prometheus: `/metrics`, and what the service itself measures."""

import os
import platform
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import attrs
from aiohttp import web
from prometheus_async.aio import time, track_inprogress
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

import energia
from energia.billing.events import BillIssued
from energia.core import Core
from energia.errors import PluginError
from energia.health.monitor import Monitor, Status
from energia.health.state import Phase
from energia.hookspecs import hookimpl
from energia.metering.events import ReadingsStored
from energia.web.errors import route_of
from energia.web.keys import CORE, MONITOR
from energia.web.routes import Route

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware

#: The buckets that OpenTelemetry recommends for the duration of a request, in seconds.
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
#: A label has few values: any other method is `_OTHER`.
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
PATH: Final = "/metrics"
#: The value of a health check by its status.
STATUS: Final[dict[Status, float]] = {"pass": 1, "warn": 0.5, "fail": 0}
#: What a request is counted as whose client is gone before the answer.
CLIENT_CLOSED: Final = 499


@attrs.define
class _Timing:
    """Observes one request, whose status is known only at its end."""

    metric: Histogram
    method: str
    route: str
    status: int = CLIENT_CLOSED

    async def watch(self, answer: Awaitable[web.StreamResponse]) -> web.StreamResponse:
        """Note the status of the answer, or of the error that stands for it."""
        try:
            response = await answer
        except web.HTTPException as error:
            self.status = error.status
            raise
        except Exception:
            self.status = 500
            raise
        self.status = response.status
        return response

    def observe(self, seconds: float) -> None:
        """Observe how long the request took."""
        self.metric.labels(self.method, self.route, str(self.status)).observe(seconds)


class _ServiceCollector(Collector):
    """Reads the state, the health and the pool of a service when it is asked."""

    def __init__(self, core: Core, monitor: Monitor) -> None:
        self._core = core
        self._monitor = monitor

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics as they are now."""
        phase = self._core.state.phase
        ready, draining = float(phase is Phase.READY), float(phase is Phase.DRAINING)
        yield GaugeMetricFamily("app_ready", "Whether the service is ready.", ready)
        yield GaugeMetricFamily("app_draining", "Whether the service drains.", draining)
        yield from self._health()
        yield from self._pool()
        failures = CounterMetricFamily(
            "energia_observer_failures", "Observers that failed.", labels=["plugin", "hook"]
        )
        for (plugin, hook), count in self._core.plugins.failures.items():
            failures.add_metric([plugin, hook], count)
        yield failures

    def _health(self) -> Iterator[Metric]:
        status = GaugeMetricFamily(
            "health_check_status", "1 passes, 0.5 warns, 0 fails.", labels=["check"]
        )
        age = GaugeMetricFamily(
            "health_check_age_seconds", "Since a thing was last checked.", labels=["check"]
        )
        for component in self._monitor.components():
            status.add_metric([component.name], STATUS[component.status])
            if component.age is not None:
                age.add_metric([component.name], component.age)
        yield from (status, age)

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


class Metrics:
    """The plugin: one registry for each service."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._known = False
        self._duration = Histogram(
            "http_request_duration_seconds",
            "How long requests took.",
            ["method", "route", "status"],
            buckets=BUCKETS,
            registry=None,
        )
        self._in_flight = Gauge(
            "http_requests_in_flight", "Requests that are being answered.", registry=None
        )
        self._readings = Counter(
            "energia_readings", "Readings received, by what became of them.", ["outcome"],
            registry=None,
        )  # fmt: skip
        self._bills = Counter(
            "energia_bills_issued", "Bills issued.", ["currency", "correction"], registry=None
        )
        self._wait = Histogram(
            "db_pool_wait_seconds", "Waits for a database connection.", registry=None
        )

    @hookimpl
    def register_collectors(self) -> Iterable[Collector]:
        """Return what the service measures."""
        return [self._duration, self._in_flight, self._readings, self._bills, self._wait]

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Return `/metrics`."""
        return [Route("GET", PATH, self.get_metrics, produces=("text/plain",), tag="Service")]

    @hookimpl
    def register_middlewares(self) -> "Iterable[Middleware]":
        """Return what times requests."""
        return [self._measured()]

    @hookimpl
    def readings_stored(self, event: ReadingsStored) -> None:
        """Count readings."""
        for outcome, count in attrs.asdict(event.counts).items():
            if outcome != "received":
                self._readings.labels(outcome).inc(count)

    @hookimpl
    def bill_issued(self, event: BillIssued) -> None:
        """Count bills."""
        correction = "true" if event.corrects else "false"
        self._bills.labels(event.currency, correction).inc()

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, core: Core) -> AsyncIterator[None]:
        """Add to the registry what all plugins collect, which may need that they have started."""
        for plugin, collector in core.plugins.owned_collectors():
            try:
                self._registry.register(collector)
            except ValueError as error:
                raise PluginError(f"plugin {plugin!r}: {error}") from error
        core.pool.stats.observers.append(self._wait.observe)
        yield
        core.pool.stats.observers.remove(self._wait.observe)
        for collector in core.plugins.collectors():
            self._registry.unregister(collector)

    async def get_metrics(self, request: web.Request) -> web.Response:
        """Return the metrics, as text or as OpenMetrics."""
        if not self._known:
            self._know(request.app[CORE], request.app[MONITOR])
        try:
            encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        except (ValueError, TypeError):  # the version asked for is none
            encode, content_type = choose_encoder("")
        response = web.Response(body=encode(self._registry))
        response.headers["Content-Type"] = content_type
        return response

    def _know(self, core: Core, monitor: Monitor) -> None:
        """Add to the registry what can be told before the service has started."""
        self._registry.register(_ServiceCollector(core, monitor))
        self._registry.register(_build(core))
        for collect in (ProcessCollector, PlatformCollector, GCCollector):
            collect(registry=self._registry)
        self._known = True

    def _measured(self) -> "Middleware":
        @web.middleware
        async def measured(
            request: web.Request,
            handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
        ) -> web.StreamResponse:
            timing = _Timing(self._duration, _method(request), route_of(request))
            if timing.route == PATH:
                return await handler(request)
            answer = track_inprogress(self._in_flight, timing.watch(handler(request)))
            return await time(timing, answer)

        return measured


def _method(request: web.Request) -> str:
    return request.method if request.method in METHODS else "_OTHER"


def _build(core: Core) -> Collector:
    build = Info("energia_build", "What runs.", registry=None)
    build.info(
        {
            "version": energia.__version__,
            "commit": os.environ.get("SOURCE_COMMIT", ""),
            "python": platform.python_version(),
            "profile": core.settings.profile,
        }
    )
    return build
