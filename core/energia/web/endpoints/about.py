"""What this service is made of: kinds of charges, formats, plugins, and its documentation."""

from functools import lru_cache
from http import HTTPStatus
from typing import Any, ClassVar

import attrs
import msgspec
from aiohttp import hdrs, web

from energia.assembly import late
from energia.convert.schema import schema_of, tagged
from energia.core import Core
from energia.plugins.discovery import Plugin, listed
from energia.web import bodies
from energia.web.keys import DOCUMENT, PREFIX
from energia.web.resources import ADMINS, PRICERS, WRITERS, Page
from energia.web.routes import PUBLIC, Routes
from energia.work import off_loop

routes = Routes(tag="Catalogue", reads=(*WRITERS, *PRICERS))


@attrs.frozen
class ChargeKind:
    """A kind of charge.

    Attributes:
        kind: What a charge of a tariff says in `kind`.
        plugin: The plugin that offers it.
        description: What it charges.
        schema: A JSON Schema of the charge.

    """

    kind: str
    plugin: str
    description: str
    schema: dict[str, Any]


@routes.get("/v1/charge-kinds")
async def list_charge_kinds(core: Core) -> Page[ChargeKind]:
    """List the kinds of charge that the loaded plugins offer, with the JSON Schema of each."""
    kinds = [_kind(core, kind, charge) for kind, charge in sorted(core.plugins.charges().items())]
    return Page(tuple(kinds), None)


def _kind(core: Core, kind: str, charge: type) -> ChargeKind:
    schema = schema_of(charge)
    # The class is a component of its own schema; its tag is no field of the class.
    own = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    tagged(own, charge, kind)
    description = own.get("description", "")
    return ChargeKind(kind, core.plugins.charge_provider(kind).name, description, schema)


# Formats of meter files and of tariffs that the loaded plugins read.


@attrs.frozen
class Format:
    """A format of meter files.

    Attributes:
        name: What `POST /v1/imports` takes as `format`.
        schema: A JSON Schema of its options, which are parameters of that request.

    """

    __public_name__: ClassVar[str] = "FileFormat"

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
    decoders = sorted((await late(core.plugins.decoders)).items())
    formats = (Format(name, schema_of(decoder.options)) for name, decoder in decoders)
    return Page(tuple(formats), None)


@routes.get("/v1/tariff-formats")
async def list_tariff_formats(core: Core) -> Page[TariffFormat]:
    """List the formats of tariffs that can be imported."""
    importers = sorted((await late(core.plugins.tariff_importers)).items())
    formats = (TariffFormat(name, importer.description) for name, importer in importers)
    return Page(tuple(formats), None)


# Plugins: what the service is made of.


@routes.add("GET", "/v1/plugins", scopes=ADMINS)
async def list_plugins(core: Core) -> Page[Plugin]:
    """List the installed plugins, loaded or not."""
    return Page(tuple(map(listed, core.plugins.states)), None)


# Where the documentation is.

service_routes = Routes(tag="Service", reads=PUBLIC)


@service_routes.get("/openapi.json", returns=dict[str, Any])
async def get_openapi(request: web.Request) -> web.Response:
    """Return this document."""
    document = await off_loop(request.app[DOCUMENT])
    body = _below(document, request.get(PREFIX, ""))
    return web.Response(body=body, content_type=bodies.JSON)


@lru_cache(maxsize=4)
def _below(document: bytes, prefix: str) -> bytes:
    """Return the document of a service that its clients see below a prefix."""
    if not prefix:
        return document
    server = {"url": prefix, "description": "The service that answers with this document."}
    return msgspec.json.encode(msgspec.json.decode(document) | {"servers": [server]})


@service_routes.add("GET", "/", status=HTTPStatus.FOUND, produces=())
async def get_root(core: Core, request: web.Request) -> web.Response:
    """Redirect browsers to the console, where it is loaded, and others to the documentation."""
    paths = {offered.path for _, offered in core.plugins.offered_routes()}
    is_browser = "text/html" in request.headers.get(hdrs.ACCEPT, "")
    pages = ("/console", "/docs") if is_browser else ("/docs",)
    where = next((path for path in pages if path in paths), "/openapi.json")
    headers = {hdrs.LOCATION: where, hdrs.VARY: hdrs.ACCEPT}
    return web.Response(status=HTTPStatus.FOUND, headers=headers)
