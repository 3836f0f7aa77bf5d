"""Formats of meter files and of tariffs that the loaded plugins read."""

from typing import Any

import attrs

from energia.convert.schema import schema_of
from energia.core import Core
from energia.web.pages import Page
from energia.web.routes import Routes

routes = Routes(tag="Catalogue")


@attrs.frozen
class Format:
    """A format of meter files.

    Attributes:
        name: What `POST /v1/imports` takes as `format`.
        schema: A JSON Schema of its options, which are parameters of that request.

    """

    name: str
    schema: dict[str, Any]


@attrs.frozen
class TariffFormat:
    """A format of tariffs.

    Attributes:
        name: What `POST /v1/tariffs/import` takes as `format`.
        description: What is read.

    """

    name: str
    description: str


@routes.get("/v1/formats")
async def list_formats(core: Core) -> Page[Format]:
    """List the formats of meter files, with the options of each."""
    decoders = sorted(core.plugins.decoders().items())
    found = (Format(name, schema_of(decoder.options)) for name, decoder in decoders)
    return Page(tuple(found), None)


@routes.get("/v1/tariff-formats")
async def list_tariff_formats(core: Core) -> Page[TariffFormat]:
    """List the formats of tariffs that can be imported."""
    importers = sorted(core.plugins.tariff_importers().items())
    found = (TariffFormat(name, importer.description) for name, importer in importers)
    return Page(tuple(found), None)
