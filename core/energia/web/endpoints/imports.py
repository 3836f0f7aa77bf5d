"""Imports: readings from files, and what became of every import."""

from typing import Annotated, Literal

from msgspec import Meta

from energia.convert import TEXT, Id
from energia.convert.faults import Found
from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import Fault, Invalid, NotFound, did_you_mean
from energia.metering import imports
from energia.metering.decoders import Defaults
from energia.metering.imports import Intake
from energia.metering.outcome import Kept, Listed, Outcome
from energia.web.resources import Cursor, ImportId, Limit, Page, page
from energia.web.routes import Query, Routes, Upload

#: What to do when some readings are wrong.
OnProblem = Annotated[
    Literal["refuse", "skip"],
    Meta(description="`refuse` stores nothing; `skip` stores what is right, and tells the rest."),
]

routes = Routes(tag="Readings")


@routes.post("/v1/imports")
async def post_import(
    format: Annotated[str, Meta(description="A name of `GET /v1/formats`.", examples=["csv"])],
    file: Upload,
    options: Query,
    core: Core,
    tenant: Tenant,
    meter: Id | None = None,
    channel: Id | None = None,
    on_problem: OnProblem = "refuse",
) -> Outcome:
    """Store the readings of a file: all of them, or none if something is wrong.

    The other parameters are the options of the format. A file that comes again changes nothing.
    """
    decoders = core.plugins.decoders()
    if format not in decoders:
        message = f"there is no format {format[:40]!r}{did_you_mean(format, decoders)}"
        raise Invalid(message, [Fault("unknown_format", message, "/query/format")])
    decoder = decoders[format]
    own = ("format", "meter", "channel", "on_problem")
    given = {name: value for name, value in options.items() if name not in own}
    defaults = Defaults(meter, channel)
    structured, skip = _structured(given, decoder.options), on_problem == "skip"
    async with file.blocking() as chunks:
        intake = Intake.of(core.settings, core.clock, tenant, core.plugins)
        return await intake.file(chunks, decoder, structured, defaults, skip=skip)


@routes.get("/v1/imports")
async def list_imports(tenant: Tenant, limit: Limit = 100, cursor: Cursor = "") -> Page[Listed]:
    """List the imports, the newest first, without their problems."""
    found = await imports.imports(tenant, cursor or None, limit + 1)
    return page(found, limit, lambda kept: kept.import_)


@routes.get("/v1/imports/{import_id}", errors=(NotFound,))
async def get_import(import_id: ImportId, tenant: Tenant) -> Kept:
    """Return what became of an import."""
    return await imports.one(tenant, import_id)


def _structured(given: dict[str, str], type_: type) -> object:
    try:
        return TEXT.structure(given, type_)
    except Invalid as error:
        found = Found()
        found.add(error, "/query")
        raise Invalid(error.detail, found.faults, found.counts) from None
