"""Metrics for Prometheus: `/metrics`, and what the service itself measures.

What is measured has a module for each subject (requests, the database, energy, the service); how it
is given to scrapers is in `exposure`. Coroutines are timed and tracked by `prometheus_async.aio`.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.registry import Collector

from energia import (
    PUBLIC,
    Core,
    Route,
    Scope,
    hookimpl,
)
from energia.errors import PluginError
from energia.web.keys import CORE, MONITOR
from energia_plugins.metrics_prometheus.database import Background, Statements
from energia_plugins.metrics_prometheus.energy import Energy
from energia_plugins.metrics_prometheus.exposure import Exposure, Scrapers, Settings
from energia_plugins.metrics_prometheus.requests import PATH, Requests
from energia_plugins.metrics_prometheus.service import (
    HealthCollector,
    Loop,
    ServiceCollector,
    build_info,
)

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware

    from energia import (
        Authenticator,
        BillIssued,
        PricesFetched,
        PricingFinished,
        ReadingsRejected,
        ReadingsStored,
    )
    from energia.background import Work


class Metrics:
    """The plugin: one registry for each service."""

    def __init__(self, settings: Settings) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._settings = settings
        self._registry = CollectorRegistry()
        self._exposure = Exposure(settings, self._registry)
        self._requests, self._energy, self._statements = Requests(), Energy(), Statements()
        self._loop, self._background = Loop(), Background()
        self._complete = False

    @hookimpl
    def register_collectors(self) -> Iterable[Collector]:
        """Return what the service measures."""
        return [
            *self._requests.collectors(),
            *self._energy.collectors(),
            *self._statements.collectors(),
            *(self._loop, self._loop.lag, self._background),
        ]

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Return `/metrics`, unless it has a port of its own."""
        if self._settings.port is not None:
            return []
        scopes: tuple[Scope, ...] = PUBLIC if self._settings.public else ("metrics",)
        text = ("text/plain",)
        return [Route("GET", PATH, self.get_metrics, produces=text, tag="Service", scopes=scopes)]

    @hookimpl
    def register_authenticators(self) -> "Iterable[Authenticator]":
        """Return what knows the token of the metrics, if they have one."""
        return [Scrapers(self._settings.token)] if self._settings.token else []

    @hookimpl
    def register_middlewares(self) -> "Iterable[Middleware]":
        """Return what times requests."""
        return [self._requests.middleware(self._complete_registry)]

    @hookimpl
    def readings_stored(self, event: "ReadingsStored") -> None:
        """Count readings."""
        self._energy.stored(event)

    @hookimpl
    def readings_rejected(self, event: "ReadingsRejected") -> None:
        """Count what was wrong with readings."""
        self._energy.rejected(event)

    @hookimpl
    def pricing_finished(self, event: "PricingFinished") -> None:
        """Time a pricing."""
        self._energy.priced(event)

    @hookimpl
    def prices_fetched(self, event: "PricesFetched") -> None:
        """Count fetches of price feeds."""
        self._energy.fetched(event)

    @hookimpl
    def bill_issued(self, event: "BillIssued") -> None:
        """Count bills."""
        self._energy.issued(event)

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, core: Core) -> AsyncIterator[None]:
        """Measure, and serve what all plugins collect, which may need that they have started."""
        self._energy.expect(core.plugins.price_feeds())
        with self._collectors(core), self._statements.timing(core.pool.stats):
            async with self._exposure.listening(core), self._work(core):
                yield

    async def get_metrics(self, request: web.Request) -> web.Response:
        """Return the metrics, as text or as OpenMetrics."""
        return await self._exposure.public(request)

    def _complete_registry(self, app: web.Application) -> None:
        """Add what is known before the service has started, with the first request it gets."""
        if self._complete:
            return
        self._complete = True
        self._registry.register(ServiceCollector(app[CORE]))
        self._registry.register(HealthCollector(app[MONITOR]))
        self._registry.register(build_info(app[CORE]))
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._registry)

    @contextmanager
    def _collectors(self, core: Core) -> Iterator[None]:
        """Have the collectors of all plugins in the registry."""
        for plugin, collector in core.plugins.owned_collectors():
            try:
                self._registry.register(collector)
            except ValueError as error:
                raise PluginError(f"plugin {plugin!r}: {error}") from error
        yield
        for collector in core.plugins.collectors():
            self._registry.unregister(collector)

    @asynccontextmanager
    async def _work(self, core: Core) -> AsyncIterator[None]:
        """Look at the event loop and at the database in the background."""
        database = self._background
        work: dict[str, Work] = {
            "metrics-loop": self._loop.watch,
            "metrics-ping": partial(database.ping, core),
            "metrics-figures": partial(database.ask, core),
        }
        async with core.background.running(work):
            yield
