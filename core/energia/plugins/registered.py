"""What the plugins registered, typed."""

from typing import TYPE_CHECKING, cast

import attrs
import pluggy

from energia.plugins import offers, registration

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    import click
    from aiohttp.typedefs import Middleware
    from prometheus_client.registry import Collector

    from energia.health.probes import Probe
    from energia.metering.decoding import Decoder
    from energia.pricing.charges import Charge
    from energia.pricing.importing import TariffImporter
    from energia.pricing.market.feeds import PriceFeed
    from energia.seeds import Seed
    from energia.web.routes import Route


@attrs.frozen
class Registered:
    """What the plugins registered; by name where a name means one thing, with its plugin."""

    charges: "dict[str, tuple[str, type[Charge]]]"
    decoders: "dict[str, tuple[str, Decoder]]"
    importers: "dict[str, tuple[str, TariffImporter]]"
    probes: "dict[str, tuple[str, Probe]]"
    seeds: "dict[str, tuple[str, Seed]]"
    price_feeds: "dict[str, tuple[str, PriceFeed]]"
    commands: "dict[str, tuple[str, click.Command]]"
    collectors: "tuple[tuple[str, Collector], ...]"
    routes: "tuple[tuple[str, Route], ...]"
    middlewares: "tuple[tuple[str, Middleware], ...]"
    migrations: "dict[str, Traversable]"


def registered(manager: pluggy.PluginManager) -> Registered:
    """Call the registration hooks; raises `PluginError`."""

    def named(hook: str, what: str, attribute: str = "name") -> dict[str, tuple[str, object]]:
        return registration.named(manager, hook, what, attribute)

    def owned(hook: str) -> tuple[tuple[str, object], ...]:
        return tuple(registration.objects(manager, hook))

    def single(hook: str) -> dict[str, object]:
        return registration.single(manager, hook)

    collectors = owned("register_collectors")
    offers.refuse_same_metrics(collectors)
    return Registered(
        charges=cast(
            "dict[str, tuple[str, type[Charge]]]", named("register_charges", "charge", "kind")
        ),
        decoders=cast("dict[str, tuple[str, Decoder]]", named("register_decoders", "format")),
        importers=cast(
            "dict[str, tuple[str, TariffImporter]]",
            named("register_tariff_importers", "tariff importer", "format"),
        ),
        probes=cast("dict[str, tuple[str, Probe]]", named("register_probes", "probe")),
        seeds=cast("dict[str, tuple[str, Seed]]", named("register_seeds", "seed")),
        price_feeds=cast(
            "dict[str, tuple[str, PriceFeed]]", named("register_price_feeds", "price feed")
        ),
        commands=cast(
            "dict[str, tuple[str, click.Command]]", named("register_commands", "command")
        ),
        collectors=cast("tuple[tuple[str, Collector], ...]", collectors),
        routes=cast("tuple[tuple[str, Route], ...]", owned("register_routes")),
        middlewares=cast("tuple[tuple[str, Middleware], ...]", owned("register_middlewares")),
        migrations=cast("dict[str, Traversable]", single("register_migrations")),
    )
