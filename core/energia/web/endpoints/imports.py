"""How readings come in: as JSON or as files; and the outcome of every import."""

import asyncio
import codecs
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Annotated, Final, Literal

import attrs
import structlog
from msgspec import Meta

from energia.convert import TEXT, Id
from energia.convert.faults import Faults
from energia.core import Core
from energia.db.pool import Queries, Tenant
from energia.errors import EnergiaError, Invalid, NotFound, UnsupportedMedia, meant_or_known
from energia.jobs.kinds import Running, Superseded
from energia.jobs.models import Job
from energia.jobs.store import JobStore
from energia.metering import imports, registry
from energia.metering.body import Body
from energia.metering.decoders import AUTO, Decoder, Defaults, recognized
from energia.metering.imports import Also, Intake
from energia.metering.mappings import CsvMapping, Mappings
from energia.metering.outcome import Kept, Listed, Outcome
from energia.metering.proposals import Preview, head_of, preview
from energia.units import GasHeat
from energia.web.endpoints.jobs import started
from energia.web.preferences import Prefer
from energia.web.resources import (
    READERS,
    WRITERS,
    Cursor,
    ImportId,
    Limit,
    Page,
    cursor_of,
    examples,
    page,
    place_of,
)
from energia.web.routes import Deferred, Query, Routes, Upload
from energia.work import off_loop

log = structlog.get_logger(__name__)

#: What to do when some readings are wrong.
OnProblem = Annotated[
    Literal["refuse", "skip"],
    Meta(description="`refuse` stores nothing; `skip` stores what is right, and tells the rest."),
]

#: The mapping of a file.
MappingName = Annotated[
    Id | None,
    Meta(
        description="A name of `GET /v1/csv-mappings`: options that need not be said again.",
        examples=["be-fluvius"],
    ),
]

#: Whether a file is only looked at.
DryRun = Annotated[
    bool, Meta(description="Check all of it against what is stored, and store nothing.")
]

#: Whether what a file names is made.
CreateMeters = Annotated[
    bool,
    Meta(
        description="Make meters and channels that do not exist, as the file describes them; "
        "`made` of the answer lists them. What it does not describe is refused, by name."
    ),
]
MeterSite = Annotated[
    Id | None, Meta(description="The site at which meters are made.", examples=["casa"])
]

CalorificValue = Annotated[
    Decimal,
    Meta(
        description="MJ in a cubic metre of gas at reference conditions, to store it as energy.",
        extra_json_schema={"exclusiveMinimum": 0, "maximum": 1000},
        examples=["39.3"],
    ),
]
CorrectionFactor = Annotated[
    Decimal,
    Meta(
        description="Cubic metres at reference conditions in one as it is metered.",
        extra_json_schema={"exclusiveMinimum": 0, "maximum": 1000},
        examples=["1.02264"],
    ),
]

OfMeter = Annotated[Id, Meta(description="Only imports that name this meter.")]

#: The query parameters of `POST /v1/imports` that are no options of a format.
_OWN = (
    *("format", "meter", "channel", "on_problem", "mapping", "dry_run", "create_meters", "site"),
    *("calorific_value", "correction_factor"),
)

#: A part of a file that is kept for a job has about so many bytes.
_PART: Final = 1024 * 1024
#: Seconds between two times that a job tells how far it is.
_TELLS: Final = 0.5

routes = Routes(tag="Readings", reads=(*READERS, *WRITERS), writes=WRITERS)


@routes.post("/v1/readings", examples=examples("readings"), once="together")
async def send_readings(
    body: Body, core: Core, tenant: Tenant, on_problem: OnProblem = "refuse"
) -> Outcome:
    """Store readings of any meters: all of them, or none if something is wrong.

    What is stored already changes nothing; what differs becomes a new revision.
    """
    return await _intake(core, tenant).body(body, skip=on_problem == "skip")


@routes.post("/v1/imports", once="apart")
async def import_file(
    format: Annotated[
        str,
        Meta(
            description="A name of `GET /v1/formats`; or `auto`, for the one that fits the file.",
            extra={"words": "a name of `GET /v1/formats` such as csv, or auto"},
            examples=["csv"],
        ),
    ],
    file: Upload,
    options: Query,
    prefer: Prefer,
    core: Core,
    tenant: Tenant,
    meter: Id | None = None,
    channel: Id | None = None,
    on_problem: OnProblem = "refuse",
    mapping: MappingName = None,
    dry_run: DryRun = False,
    create_meters: CreateMeters = False,
    site: MeterSite = None,
    calorific_value: CalorificValue | None = None,
    correction_factor: CorrectionFactor | None = None,
) -> Outcome | Deferred[Job]:
    """Store the readings of a file: all of them, or none if something is wrong.

    The other parameters are the options of the format; beside a `mapping` they replace those of the
    mapping, and an empty one takes its option away. A file that comes again changes nothing.
    The `charset` of the Content-Type is the `encoding` of a format that has one.
    Gas in cubic metres becomes kWh in a channel of energy by a `calorific_value` and a
    `correction_factor`: correction x calorific value / 3.6.
    With `Prefer: respond-async`, and if it has more than `jobs.import_bytes` bytes as it is sent,
    it is a job (202) once all of it has come, whose result is the outcome.
    """
    wanted = _Wanted(
        format=format,
        options=dict(options),
        charset=file.charset,
        meter=meter,
        channel=channel,
        on_problem=on_problem,
        mapping=mapping,
        dry_run=dry_run,
        site=_site(create_meters, site),
        gas=_gas(calorific_value, correction_factor),
    )
    await wanted.check(core, tenant)
    if prefer.respond_async or (file.length or 0) > core.settings.jobs.import_bytes:
        return await _deferred(core, tenant, wanted, file)
    async with file.blocking() as blocks:
        return await wanted.store(core, tenant, blocks)


@attrs.frozen(kw_only=True)
class _Wanted:
    """What is to become of a file: the parameters of an import, and what its Content-Type says."""

    format: str
    options: dict[str, str]
    charset: str | None
    meter: str | None
    channel: str | None
    on_problem: Literal["refuse", "skip"]
    mapping: str | None
    dry_run: bool
    site: str | None
    gas: GasHeat | None

    async def check(self, core: Core, tenant: Tenant) -> None:
        """Tell what is wrong with a request before its file has come; raises `Invalid`."""
        chosen = await _mapping(core, tenant, self.mapping)
        if self.format != AUTO:
            decoder = _decoder(core, self.format)
            _options(decoder, _said(decoder, chosen, Query(self.options), self.charset))

    async def store(
        self, core: Core, tenant: Tenant, blocks: Iterator[bytes], also: Also | None = None
    ) -> Outcome:
        """Store the file; what *also* does, it does in the same transaction."""
        chosen = await _mapping(core, tenant, self.mapping)
        decoder, chunks = await asyncio.to_thread(_found, core, self.format, blocks)
        query = _said(decoder, chosen, Query(self.options), self.charset)
        return await _intake(core, tenant).file(
            chunks,
            decoder,
            _options(decoder, query),
            Defaults(self.meter, self.channel, self.gas),
            skip=self.on_problem == "skip",
            dry_run=self.dry_run,
            site=self.site,
            also=also,
        )


async def _deferred(core: Core, tenant: Tenant, wanted: _Wanted, file: Upload) -> Deferred[Job]:
    """Keep a file in the database, and begin the job that stores its readings."""
    store = JobStore(tenant, core.jobs)
    id_ = await store.new(FileImport.name, wanted)
    try:
        number, part = 0, bytearray()
        async for data in file:
            part += data
            if len(part) >= _PART:
                await store.put_part(id_, number, bytes(part))
                number += 1
                part.clear()
        await store.put_part(id_, number, bytes(part))
    except BaseException:
        await asyncio.shield(store.forget(id_))
        raise
    return await started(store, id_)


class FileImport:
    """The kind of job that stores the readings of a file."""

    name = "readings.import"

    async def run(self, job: Running) -> Outcome:
        """Store them, and end the job in the same transaction: both, or neither."""
        wanted, done, total = job.request(_Wanted), 0, await job.count_parts()

        def tell(parts: int) -> None:
            nonlocal done
            done = parts

        async def also(queries: Queries, outcome: Outcome) -> None:
            await job.finish(queries, outcome)
            await job.forget_file(queries)

        await job.progress(0, total)
        async with _told(job, lambda: done, total):
            outcome = await wanted.store(job.core, job.tenant, job.blocks(tell), also)
        if wanted.dry_run:  # what it has stored is undone, and its end would have been too
            async with job.tenant.transaction() as queries:
                await also(queries, outcome)
        return outcome


@asynccontextmanager
async def _told(job: Running, done: Callable[[], int], total: int) -> AsyncIterator[None]:
    """Tell again and again how much of its file a job has read; cancel it where it is cancelled."""
    own = asyncio.current_task()
    assert own is not None
    is_superseded = False

    async def tell() -> None:
        nonlocal is_superseded
        while True:
            await asyncio.sleep(_TELLS)
            try:
                await job.progress(done(), total)
            except Superseded:
                is_superseded = not job.has_finished
                if is_superseded:
                    own.cancel()
                return
            except EnergiaError as error:  # whatever reads and stores the file meets it too
                log.info("progress_untold", job=job.id, reason=error.detail)

    telling = asyncio.create_task(tell())
    try:
        yield
    except asyncio.CancelledError:
        if is_superseded and not own.uncancel():
            raise Superseded from None
        raise
    finally:
        telling.cancel()
        await asyncio.wait({telling})


@routes.add("POST", "/v1/imports/preview", scopes=(*READERS, *WRITERS), errors=(NotFound,))
async def preview_import(
    file: Upload,
    options: Query,
    core: Core,
    tenant: Tenant,
    format: Annotated[str, Meta(description="A name of `GET /v1/formats`.")] = "csv",
    meter: Id | None = None,
    propose: Annotated[
        bool,
        Meta(description="Whether what is not said is proposed, or is as in an import."),
    ] = True,
) -> Preview:
    """Propose a mapping for a file, or for its beginning, and show what it says by that.

    Nothing is stored, and an import never does this: say the mapping there, once its doubts are
    settled. The other parameters are options that are known. The first megabyte of a text is looked
    at, or a workbook of up to eight. With `propose=false` it shows what the file says by these
    options alone.
    """
    decoder = _decoder(core, format)
    most = head_of(decoder)
    own = ("format", "meter", "propose")
    said = {name: value for name, value in options.items() if name not in own}
    zone = None if meter is None else await registry.zone_of(tenant, meter)
    async with file.blocking() as blocks:
        return await off_loop(
            lambda: preview(decoder, _head(blocks, most), said, zone, propose=propose)
        )


def _site(create_meters: bool, site: str | None) -> str | None:
    """Return the site where meters are made, if any are; raises `Invalid`."""
    if create_meters == (site is not None):
        return site
    message = "`create_meters=true` and `site`, where meters are made, need each other"
    raise Invalid.of("missing_field", message, "/query/site")


def _head(blocks: Iterator[bytes], most: int) -> bytes:
    """Return the beginning of a file."""
    head = bytearray()
    for block in blocks:
        head += block
        if len(head) >= most:
            break
    return bytes(head[:most])


@routes.get("/v1/imports")
async def list_imports(
    tenant: Tenant, meter: OfMeter | None = None, limit: Limit = 100, cursor: Cursor = ""
) -> Page[Listed]:
    """List the imports, the newest first, without their problems.

    With a `meter`, those that name it. Such a page looks at 10,000 imports at most: it may have few
    items, or none, and a `next` all the same.
    """
    before = place_of(cursor) or None
    if meter is not None:
        found, after = await imports.list_imports_of(tenant, meter, before, limit)
        return Page(tuple(found), cursor_of(after) if after else None)
    listed = await imports.list_imports(tenant, before, limit + 1)
    return page(listed, limit, lambda import_: import_.id)


@routes.get("/v1/imports/{import_id}", errors=(NotFound,))
async def get_import(import_id: ImportId, tenant: Tenant) -> Kept:
    """Return the outcome of an import."""
    return await imports.get_import(tenant, import_id)


def _intake(core: Core, tenant: Tenant) -> Intake:
    return Intake.of(core.settings, core.clock, tenant, core.plugins)


def _gas(calorific_value: Decimal | None, correction_factor: Decimal | None) -> GasHeat | None:
    """Return what makes kWh of gas; raises `Invalid` where half of it is said."""
    if calorific_value is not None and correction_factor is not None:
        return GasHeat(calorific_value, correction_factor)
    if calorific_value is correction_factor:
        return None
    name = "calorific_value" if calorific_value is None else "correction_factor"
    message = "gas becomes kWh by both, calorific_value and correction_factor"
    raise Invalid.of("missing_field", message, f"/query/{name}")


def _found(core: Core, format_: str, chunks: Iterator[bytes]) -> tuple[Decoder, Iterator[bytes]]:
    """Return the decoder of a file, and the file; raises `Invalid`."""
    if format_ == AUTO:
        return recognized(core.plugins.decoders(), chunks)
    return _decoder(core, format_), chunks


def _decoder(core: Core, format_: str) -> Decoder:
    """Return the decoder of a format; raises `Invalid`."""
    decoders = core.plugins.decoders()
    if format_ not in decoders:
        message = f"there is no format {format_[:40]!r}{meant_or_known(format_, decoders)}"
        raise Invalid.of("unknown_format", message, "/query/format")
    return decoders[format_]


async def _mapping(core: Core, tenant: Tenant, name: str | None) -> CsvMapping | None:
    """Return the mapping that a request names; raises `Invalid`."""
    if name is None:
        return None
    return await Mappings(tenant, core.plugins.decoders()).named(name)


def _said(decoder: Decoder, mapping: CsvMapping | None, query: Query, charset: str | None) -> Query:
    """Return the query with what the mapping and the Content-Type say besides.

    Raises:
        Invalid: The mapping is of another format; or two say something else of the encoding.
        UnsupportedMedia: The format is always UTF-8, and the charset is another one.

    """
    if mapping is not None:
        mapping.refuse_other(decoder.name)
        query = Query(mapping.under(query))
    return _with_charset(decoder, query, charset)


def _with_charset(decoder: Decoder, query: Query, charset: str | None) -> Query:
    """Return the query with the `charset` of the Content-Type as its `encoding`.

    Raises:
        Invalid: The query says another encoding.
        UnsupportedMedia: The format is always UTF-8, and the charset is another one.

    """
    if charset is None:
        return query
    if "encoding" not in {field.name for field in attrs.fields(decoder.options)}:
        if _codec(charset) not in ("utf-8", "ascii"):
            raise UnsupportedMedia(f"the format is UTF-8, not {charset[:40]}")
        return query
    said = query.get("encoding")
    if said is None:
        return Query({**query, "encoding": charset})
    # UTF-16 is the charset of both orders of its bytes.
    if not f"{_codec(said)}-".startswith(f"{_codec(charset)}-"):
        message = f"the Content-Type says charset={charset[:40]}, and not {said[:40]}"
        raise Invalid.of("contradiction", message, "/query/encoding")
    return query


def _codec(name: str) -> str:
    """Return the one name of an encoding that has several, such as latin-1."""
    try:
        return codecs.lookup(name).name
    except (LookupError, ValueError):
        return name.lower()


def _options(decoder: Decoder, query: Query) -> object:
    """Return the options of a format, out of the query; raises `Invalid`."""
    fields = {field.name for field in attrs.fields(decoder.options)}
    own = set(_OWN) - (fields & {"meter", "channel"})
    texts = {name: value for name, value in query.items() if name not in own}
    try:
        return TEXT.structure(texts, decoder.options)
    except Invalid as error:
        faults = Faults()
        faults.add(error, "/query")
        raise Invalid(error.detail, faults.kept, faults.counts) from None
