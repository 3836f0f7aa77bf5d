"""The plugin contract: every hook that a plugin may implement.

Registration hooks are called once, when the service starts, and return objects; the objects do the
work. A plugin is a module, or a class that is instantiated with its settings.
"""

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    import click
    from aiohttp.typedefs import Middleware
    from prometheus_client.registry import Collector

    from energia.access.callers import Authenticator
    from energia.billing.models import BillIssued
    from energia.core import Core, Probe, Seed
    from energia.costing.timing import PricingFinished
    from energia.jobs.tasks import Task
    from energia.metering.decoders import Decoder
    from energia.metering.outcome import ReadingsRejected, ReadingsStored
    from energia.metering.sources import Source
    from energia.pricing.charges import Charge
    from energia.pricing.importing import TariffImporter
    from energia.pricing.market.feeds import PriceFeed, PricesFetched
    from energia.tracing import Tracer
    from energia.web.panels import Panel
    from energia.web.routes import Route, RoutesBelow


#: Names pluggy's project and the entry-point group.
PROJECT = "energia"
#: The version of this contract; a plugin may state the one it needs as `api_version`.
API_VERSION = 1

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_charges() -> "Iterable[type[Charge]]":
    """Return the kinds of charge that a tariff may use.

    Each is an attrs class with a `kind`; its fields are the JSON of the charge.

    Example:
        @hookimpl
        def register_charges() -> list[type[Charge]]:
            return [Flat]

    """
    raise NotImplementedError


@hookspec
def register_tariff_importers() -> "Iterable[TariffImporter]":
    """Return the importers of tariffs, one for each format.

    Example:
        @hookimpl
        def register_tariff_importers() -> list[TariffImporter]:
            return [UrdbImporter()]

    """
    raise NotImplementedError


@hookspec
def register_decoders() -> "Iterable[Decoder]":
    """Return the decoders of meter files, one for each format.

    Example:
        @hookimpl
        def register_decoders() -> list[Decoder]:
            return [CsvDecoder()]

    """
    raise NotImplementedError


@hookspec
def register_probes() -> "Iterable[Probe]":
    """Return health probes; each is checked in the background, with a time limit.

    A check is handed the running service, and there is none before the plugins have started.

    Example:
        @hookimpl
        def register_probes() -> list[Probe]:
            return [BrokerProbe()]

    """
    raise NotImplementedError


@hookspec
def register_collectors() -> "Iterable[Collector]":
    """Return Prometheus collectors, for the registry of this service.

    Metrics are made with `registry=None`; the metrics plugin registers them.

    Example:
        @hookimpl
        def register_collectors() -> list[Collector]:
            return [Counter("messages", "Messages received.", registry=None)]

    """
    raise NotImplementedError


@hookspec
def register_routes() -> "Iterable[Route | RoutesBelow]":
    """Return typed routes, served and documented like the core's own.

    `RoutesBelow` a path are made when one of them is first asked for.

    Example:
        routes = Routes(tag="Greetings")
        @routes.get("/v1/hello")
        async def hello() -> Greeting:
            return Greeting("hello")

        @hookimpl
        def register_routes() -> Routes:
            return routes

    """
    raise NotImplementedError


@hookspec
def register_authenticators() -> "Iterable[Authenticator]":
    """Return what recognises callers by their bearer tokens, beside the tokens of the core.

    Example:
        @hookimpl
        def register_authenticators() -> list[Authenticator]:
            return [Partners()]

    """
    raise NotImplementedError


@hookspec
def register_middlewares() -> "Iterable[Middleware]":
    """Return aiohttp middlewares around every request but those about health, outermost first.

    Example:
        @web.middleware
        async def no_index(request, handler):
            response = await handler(request)
            response.headers["X-Robots-Tag"] = "noindex"
            return response

        @hookimpl
        def register_middlewares() -> list[Middleware]:
            return [no_index]

    """
    raise NotImplementedError


@hookspec
def register_tracers() -> "Iterable[Tracer]":
    """Return what records spans: of requests, of pricing, of what is asked of others.

    One at most, of all plugins. It is asked for spans from the first request on, before the
    plugins' lifespans have begun.

    Example:
        @hookimpl
        def register_tracers() -> list[Tracer]:
            return [Printed()]

    """
    raise NotImplementedError


@hookspec
def register_migrations() -> "Iterable[Traversable]":
    """Return the folder of numbered SQL files with the plugin's own tables: at most one.

    They are applied after the core's, before the service is ready, each once.

    Example:
        @hookimpl
        def register_migrations() -> list[Traversable]:
            return [files(__package__) / "migrations"]

    """
    raise NotImplementedError


@hookspec
def register_seeds() -> "Iterable[Seed]":
    """Return what the database of a preview can be filled with; `preview.seed` chooses by name.

    Example:
        @hookimpl
        def register_seeds() -> list[Seed]:
            return [TwoSites()]

    """
    raise NotImplementedError


@hookspec
def register_commands() -> "Iterable[click.Command]":
    """Return commands of the `energia` command line; a service, which has none, does not ask.

    Example:
        @hookimpl
        def register_commands() -> list[click.Command]:
            from acme.command import demo

            return [demo]

    """
    raise NotImplementedError


@hookspec
def register_price_feeds() -> "Iterable[PriceFeed]":
    """Return what fetches prices; each feed fills one price series, and is asked when it is due.

    Example:
        @hookimpl
        def register_price_feeds() -> list[PriceFeed]:
            return [Exchange()]

    """
    raise NotImplementedError


@hookspec
def register_sources() -> "Iterable[Source]":
    """Return what brings readings in by itself; each runs in one replica at a time.

    Example:
        @hookimpl
        def register_sources() -> list[Source]:
            return [Thermometer()]

    """
    raise NotImplementedError


@hookspec
def register_tasks() -> "Iterable[Task]":
    """Return what is done beside requests: when it is deferred, or again and again.

    Example:
        @hookimpl
        def register_tasks() -> list[Task]:
            return [Greeting()]

    """
    raise NotImplementedError


@hookspec
def register_panels() -> "Iterable[Panel]":
    """Return what the pages of the console show besides their own: panels, as data.

    Example:
        @hookimpl
        def register_panels() -> list[Panel]:
            return [Standby()]

    """
    raise NotImplementedError


@hookspec
def lifespan(core: "Core") -> AbstractAsyncContextManager[None]:
    """Return a context that is entered before the service is ready and left after it has drained.

    Example:
        @hookimpl
        @asynccontextmanager
        async def lifespan(core: Core) -> AsyncIterator[None]:
            task = asyncio.create_task(listen(core))
            yield
            task.cancel()

    """
    raise NotImplementedError


# The part of the plugin contract that only looks on: hooks that are told what happened.
#
# They are called after it happened, and must return at once; a failure is logged and counted, and
# changes nothing for the client.


@hookspec
def readings_stored(event: "ReadingsStored") -> None:
    """Observe that readings were stored: called after the commit, must return at once.

    A failure is logged and counted and changes nothing for the client.

    Example:
        @hookimpl
        def readings_stored(event: ReadingsStored) -> None:
            stored.inc(event.counts.created)

    """


@hookspec
def readings_rejected(event: "ReadingsRejected") -> None:
    """Observe that readings were refused, with or without others stored: must return at once.

    Example:
        @hookimpl
        def readings_rejected(event: ReadingsRejected) -> None:
            refused.inc(sum(event.reasons.values()))

    """


@hookspec
def pricing_finished(event: "PricingFinished") -> None:
    """Observe how long it took to price something: must return at once.

    Example:
        @hookimpl
        def pricing_finished(event: PricingFinished) -> None:
            seconds.labels(event.operation).observe(event.seconds)

    """


@hookspec
def bill_issued(event: "BillIssued") -> None:
    """Observe that a bill was issued: called after the commit, must return at once.

    Example:
        @hookimpl
        def bill_issued(event: BillIssued) -> None:
            issued.labels(event.currency).inc()

    """


@hookspec
def prices_fetched(event: "PricesFetched") -> None:
    """Observe that a price feed was asked, with or without success: must return at once.

    A failure is logged and counted and changes nothing.

    Example:
        @hookimpl
        def prices_fetched(event: PricesFetched) -> None:
            fetches.labels(event.feed, event.outcome).inc()

    """
    raise NotImplementedError
