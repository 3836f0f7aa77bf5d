"""Tariffs in the formats of others, turned into tariff documents."""

import asyncio
from typing import Annotated

from msgspec import Meta

from energia.codes import Currency, ZoneOrOffset
from energia.convert import Converter
from energia.core import Core
from energia.errors import Fault, Invalid
from energia.names import did_you_mean
from energia.pricing.importing import (
    DemandInterval,
    Exports,
    ImportedTariff,
    ImportOptions,
    TariffImporter,
    TierScope,
    imported,
)
from energia.web.examples import examples
from energia.web.routes import Routes

routes = Routes(tag="Tariffs")

FormatName = Annotated[
    str, Meta(description="A name of `GET /v1/tariff-formats`.", examples=["urdb"])
]


@routes.post("/v1/tariffs/import", examples=examples("tariff_imports"))
async def import_tariff(
    format: FormatName,
    timezone: Annotated[ZoneOrOffset, Meta(description="The zone of its dates and hours.")],
    body: object,
    core: Core,
    converter: Converter,
    currency: Currency | None = None,
    tier_scope: TierScope | None = None,
    demand_interval: DemandInterval | None = None,
    exports: Exports = "include",
) -> ImportedTariff:
    """Turn a tariff of another format into a tariff document; nothing is stored.

    The tariff can be sent to `PUT /v1/tariffs/{tariff}` as it is. `warnings` lists everything that
    was left out or taken for granted; what cannot be priced is refused, with pointers into the
    source.
    """
    options = ImportOptions(
        timezone=timezone,
        currency=currency,
        tier_scope=tier_scope,
        demand_interval=demand_interval,
        exports=exports,
    )
    importer = _importer(core, format)
    return await asyncio.to_thread(imported, importer, body, options, converter)


def _importer(core: Core, name: str) -> TariffImporter:
    importers = core.plugins.tariff_importers()
    if name not in importers:
        message = f"there is no format {name[:40]!r}{did_you_mean(name, importers)}"
        raise Invalid(message, [Fault("unknown_format", message, "/query/format")])
    return importers[name]
