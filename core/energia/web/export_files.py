"""Stored readings as a file: CSV, NDJSON, and Parquet by the extra `parquet` (pyarrow)."""

import io
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import date, datetime
from importlib import import_module
from typing import IO, Annotated, Any, ClassVar, Final, Literal, Protocol

import attrs
import numpy as np
from msgspec import Meta

from energia.convert import Id
from energia.convert.structures import Rules, enforce
from energia.db.tenant import Queries
from energia.errors import Fault, Invalid, NotFound, NotSupported
from energia.jobs.kinds import Running
from energia.metering import query, registry
from energia.metering.models import Channel
from energia.metering.query import Span
from energia.metering.series import MISSING, QUALITIES, Micro, Series
from energia.time import Zone
from energia.web.streams import CSV, NDJSON, Batch, quantities, stamps, text_file
from energia.work import off_loop

#: The formats, and what answers call them.
MEDIA_TYPES: Final = {"csv": CSV, "ndjson": NDJSON, "parquet": "application/vnd.apache.parquet"}
#: How many meters are looked up at a time.
_PAGE: Final = 100
#: A part of a file that is stored has about so many bytes.
_PART: Final = 1024 * 1024

#: The columns of a file.
COLUMNS: Final = ("meter", "channel", "start", "value", "unit", "quality")
#: Digits of a value in Parquet, and how many of them are behind the point: micro-units.
_DIGITS: Final = (19, 6)


@attrs.frozen(eq=False)
class Piece:
    """Readings of a channel that were sent.

    Attributes:
        channel: The channel.
        zone: The zone of its site.
        series: Consecutive slots of it, with those of which nothing was ever sent.

    """

    channel: Channel
    zone: Zone
    series: Series


class Writer(Protocol):
    """Writes readings to a file of some format."""

    def write(self, piece: Piece, /) -> None:
        """Write some readings."""
        ...

    def close(self) -> None:
        """Write what comes after the last of them."""
        ...


def writer(format_: str, file: IO[bytes] | io.RawIOBase) -> Writer:
    """Return what writes a file of a format; raises `NotSupported` where pyarrow is missing."""
    return _Parquet(file) if format_ == "parquet" else _Text(format_, file)


class _Text:
    """Writes CSV or NDJSON."""

    def __init__(self, format_: str, file: IO[bytes] | io.RawIOBase) -> None:
        self._text = text_file(CSV if format_ == "csv" else NDJSON, COLUMNS)
        self._file = file
        self._file.write(self._text.begin)

    def write(self, piece: Piece) -> None:
        """Write the readings of a piece that were sent."""
        series, channel = piece.series, piece.channel
        sent = series.quality >= 0
        count = int(sent.sum())
        if count:
            batch: Batch = [
                [channel.meter] * count,
                [channel.id] * count,
                stamps(piece.zone, series.starts[sent]),
                quantities(series.values[sent]),
                [channel.canonical] * count,
                [QUALITIES[code] for code in series.quality[sent].tolist()],
            ]
            self._file.write(self._text.text(batch))

    def close(self) -> None:
        """Write nothing: the last row was the end."""


class _Parquet:
    """Writes readings in columns, each piece a row group: memory does not grow with the file."""

    def __init__(self, file: IO[bytes] | io.RawIOBase) -> None:
        """Begin a file; raises `NotSupported` where pyarrow is missing."""
        try:
            self._arrow: Any = import_module("pyarrow")
            parquet: Any = import_module("pyarrow.parquet")
        except ImportError:
            message = "Parquet needs `pip install energia[parquet]`"
            raise NotSupported.of("not_supported", message, "/format") from None
        arrow = self._arrow
        word = arrow.dictionary(arrow.int32(), arrow.string())
        self._schema = arrow.schema(
            [
                ("meter", word),
                ("channel", word),
                ("start", arrow.timestamp("s", "UTC")),
                ("value", arrow.decimal128(*_DIGITS)),
                ("unit", word),
                ("quality", word),
            ]
        )
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")

    def write(self, piece: Piece) -> None:
        """Write the readings of a piece that were sent."""
        arrow, series, channel = self._arrow, piece.series, piece.channel
        sent = series.quality >= 0
        count = int(sent.sum())
        if not count:
            return
        columns = [
            self._words([channel.meter], np.zeros(count, np.int32)),
            self._words([channel.id], np.zeros(count, np.int32)),
            arrow.array(series.starts[sent]).cast(arrow.timestamp("s", "UTC")),
            self._decimals(series.values[sent]),
            self._words([channel.canonical], np.zeros(count, np.int32)),
            self._words(list(QUALITIES), series.quality[sent].astype(np.int32)),
        ]
        self._writer.write_table(arrow.Table.from_arrays(columns, schema=self._schema))

    def close(self) -> None:
        """Write the directory of the file, which comes last."""
        self._writer.close()

    def _words(self, words: list[str], index: Any) -> Any:
        return self._arrow.DictionaryArray.from_arrays(self._arrow.array(index), words)

    def _decimals(self, values: Micro) -> Any:
        """Return micro-units as exact decimals; null where a value is missing."""
        valued = values != MISSING
        # A decimal of 128 bits is an integer of them: the lower half is the number, the upper its
        # sign.
        halves = np.empty((len(values), 2), "<i8")
        halves[:, 0] = np.where(valued, values, 0)
        halves[:, 1] = halves[:, 0] >> 63
        arrow = self._arrow
        buffers = [
            arrow.py_buffer(np.packbits(valued, bitorder="little").tobytes()),
            arrow.py_buffer(halves.tobytes()),
        ]
        return arrow.Array.from_buffers(arrow.decimal128(*_DIGITS), len(values), buffers)


# What is exported.


_EMPTY: Final = Fault("empty_window", "the end must be after the start", "/end")


def _has_sense(start: datetime | date | None, end: datetime | date | None) -> Iterator[Fault]:
    for name, moment in (("start", start), ("end", end)):
        if isinstance(moment, datetime) and moment.microsecond:
            yield Fault("out_of_range", "instants are whole seconds", f"/{name}")
    # A date and an instant are compared once the zone of a site is known.
    if start is not None and end is not None and type(start) is type(end) and end <= start:
        yield _EMPTY


def _names_meters_once(meters: tuple[str, ...] | None, site: str | None) -> Iterator[Fault]:
    if meters is not None and site is not None:
        yield Fault("meters_or_site", "give either meters or a site", "/site")
    before = set[str]()
    for index, meter in enumerate(meters or ()):
        if meter in before:
            yield Fault("repeated", f"the meter {meter!r} is named before", f"/meters/{index}")
        before.add(meter)


@attrs.frozen(kw_only=True)
class Export:
    """The readings that are exported: those that were sent, missing ones included.

    Attributes:
        meters: The meters; all without. Each is named once.
        site: All meters of this site; not together with `meters`.
        channel: The channel of each meter; all of them without.
        start: From when on: a date in the zone of the site, or an instant; from the first reading
            on without.
        end: Until when, which is after the start; to the last reading without.
        known_at: As they were known then; as they are known without.
        format: The format of the file.

    """

    __rules__: ClassVar[Rules] = (_has_sense, _names_meters_once)
    kind: ClassVar[str] = "readings.export"

    meters: Annotated[tuple[Id, ...], Meta(min_length=1, max_length=100_000)] | None = None
    site: Id | None = None
    channel: Id | None = None
    start: datetime | date | None = None
    end: datetime | date | None = None
    known_at: datetime | None = None
    format: Literal["csv", "ndjson", "parquet"] = "csv"

    def __attrs_post_init__(self) -> None:
        """Refuse what contradicts itself: a file of it would be empty, or have readings twice."""
        enforce(self)


@attrs.frozen(kw_only=True)
class Exported:
    """A file of readings.

    Attributes:
        format: Its format.
        bytes: Its size.
        readings: How many it has.
        channels: Of how many channels they are.
        left_out: Channels that have no slots, which are not exported: `meter/channel`.

    """

    format: str
    bytes: int
    readings: int
    channels: int
    left_out: tuple[str, ...]


async def pieces(
    queries: Queries, wanted: Export, leave_out: Callable[[Channel], None]
) -> AsyncIterator[Piece]:
    """Yield what is wanted, channel by channel, in the order of time.

    Raises:
        NotFound: A meter, the site or the channel is not there.
        Invalid: The end is not after the start, one being a date.

    """
    async for meter in _meters(queries, wanted):
        zone = Zone.named(await registry.zone_of(queries, meter))
        for channel in await registry.channels(queries, meter):
            if wanted.channel not in (None, channel.id):
                continue
            if channel.kind != "interval":
                leave_out(channel)
                continue
            span = await query.stored_span(queries, channel)
            if span is None:
                continue
            part = _part(span, wanted, zone)
            async for series in query.pieces(queries, part, wanted.known_at):
                yield Piece(channel, zone, series)


async def _meters(queries: Queries, wanted: Export) -> AsyncIterator[str]:
    """Yield the meters that are wanted; raises `NotFound` where one is not there."""
    if wanted.site is not None:
        await registry.site(queries, wanted.site)
    for meter in wanted.meters or ():
        known = [channel.id for channel in await registry.channels(queries, meter)]
        if wanted.channel not in (None, *known):
            raise NotFound(f"the meter {meter!r} has no channel {wanted.channel!r}")
        yield meter
    after = ""
    while wanted.meters is None and (page := await registry.meters(queries, after, _PAGE)):
        for each in page:
            if wanted.site in (None, each.site):
                yield each.id
        after = page[-1].id


def _part(span: Span, wanted: Export, zone: Zone) -> Span:
    """Return the part of a channel's time that is wanted; it may be empty."""
    start = None if wanted.start is None else zone.boundary(wanted.start)
    end = None if wanted.end is None else zone.boundary(wanted.end)
    if start is not None and end is not None and end <= start:
        raise Invalid(_EMPTY.message, [_EMPTY])
    first = span.start if start is None else max(span.start, start)
    past = span.end if end is None else min(span.end, end)
    return attrs.evolve(span, start=first, end=max(first, past))


# The kind of job that exports.


class ReadingsExport:
    """Writes a file of readings, all of one instant, whatever is stored meanwhile."""

    name = Export.kind

    async def run(self, job: Running) -> Exported:
        """Write the file; when it is begun again, from its beginning."""
        wanted, parts = job.request(Export), _Parts()
        left_out: list[str] = []
        channels, readings, number = set[tuple[str, str]](), 0, 0
        await job.forget_file(job.tenant)
        async with job.tenant.snapshot() as queries:
            file = writer(wanted.format, parts)
            async for piece in pieces(
                queries, wanted, lambda channel: left_out.append(f"{channel.meter}/{channel.id}")
            ):
                await off_loop(file.write, piece)
                channels.add((piece.channel.meter, piece.channel.id))
                readings += int((piece.series.quality >= 0).sum())
                number = await parts.store(job, number, _PART)
                await job.progress(readings, None)
            await off_loop(file.close)
            await parts.store(job, number, 1)
        return Exported(
            format=wanted.format,
            bytes=parts.size,
            readings=readings,
            channels=len(channels),
            left_out=tuple(left_out),
        )


class _Parts(io.RawIOBase):
    """A file that is stored part by part."""

    def __init__(self) -> None:
        self.size = 0
        self._kept = bytearray()

    def writable(self) -> bool:
        """Tell that it is written."""
        return True

    def write(self, data: Any) -> int:
        """Keep what is written."""
        written = memoryview(data).nbytes
        self._kept += data
        self.size += written
        return written

    def tell(self) -> int:
        """Tell how much was written."""
        return self.size

    async def store(self, job: Running, number: int, least: int) -> int:
        """Store what is kept as part *number*, if it is enough; return the number of the next."""
        if len(self._kept) < least:
            return number
        await job.put_part(number, bytes(self._kept))
        self._kept.clear()
        return number + 1
