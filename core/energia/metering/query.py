"""Stored readings: as they are, as they were known at an instant, or as a bill saw them.

Those of registers and of irregular channels are laid on slots (`stretches`).

What is asked for are spans: parts of the time of channels. Any number of them, of any meters, is
one statement. Every slot that starts in a span is in the answer, with or without a reading.

A day is a block, or in a pack of the archive (`packs.py`); one statement reads both.

Blocks are dated by their revision (`recorded_at`), and history keeps each with the instant that
ended it. The blocks that were current at an instant are therefore what was known then, but for live
fills, which put values into empty slots of a block in place: they are dated by the end of their
slot, the earliest at which they can have been sent.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from functools import cached_property, partial
from typing import Final

import attrs
import numpy as np

from energia.db.copies import Copies
from energia.db.queries import Literal, Prepared, load
from energia.db.tenant import Queries, Tenant
from energia.errors import ReadingsDeleted
from energia.metering.blocks import blocks_of_row, numbers_of
from energia.metering.days import Days
from energia.metering.merge import Blocks
from energia.metering.models import Channel
from energia.metering.packs import Pack
from energia.metering.reads import MANY, read_stretches
from energia.metering.series import (
    ACTUAL,
    MISSING,
    NEVER_SENT,
    ChannelGrid,
    Micro,
    Quality,
    Series,
)
from energia.metering.stretches import Stretch, by_days, laid, slotted
from energia.time import DAY, Zone, day_of, utc_text
from energia.work import checkpoint, off_loop

SQL: Final = load(__package__)
_OF_CHANNEL: Final = Prepared(
    SQL["blocks_of_channel"],
    channel="bigint",
    first="date",
    last="date",
    server="timestamptz",
    versions="xid[]",
)
#: How many slots a piece has, so that a long window is never in memory as a whole.
_PIECE: Final = 50_000
#: Of so many spans together at most, copies are used and kept: more are read once, as by a run.
_AGAIN: Final = 12


@attrs.frozen
class Span:
    """Part of a channel's time.

    Attributes:
        channel: The channel.
        start: In seconds since 1970-01-01T00:00Z.
        end: In seconds since 1970-01-01T00:00Z.

    """

    channel: Channel
    start: int
    end: int

    @cached_property
    def slots(self) -> range:
        """The slots that start in it, as numbers of the channel's grid."""
        return self.channel.grid.slots(self.start, self.end)

    @cached_property
    def days(self) -> range:
        """The days of the grid that these slots are in."""
        return self.channel.grid.days(self.slots)


@attrs.frozen(eq=False)
class StoredSeries:
    """The readings of a span.

    Attributes:
        series: Every slot that starts in it.
        revision_at: When the newest revision among them was recorded; None without readings.

    """

    series: Series
    revision_at: datetime | None


async def read(
    queries: Queries, spans: Sequence[Span], known_at: datetime | None = None
) -> list[StoredSeries]:
    """Return the readings of each of *spans*, as they are or as they were *known_at* an instant.

    What was known is exact for revisions. Slots that ended after *known_at* are left out, as nobody
    can have known them, though a forecast of them may have been stored.

    Raises:
        ReadingsDeleted: What was known then was deleted, in part.

    """
    if known_at is None:
        return await _read(queries, spans, None)
    refuse_deleted(spans)
    answers = await _read(queries, spans, [known_at] * len(spans))
    for answer in answers:
        slots = answer.series
        later = slots.starts + slots.interval > known_at.timestamp()
        slots.values[later], slots.quality[later] = MISSING, NEVER_SENT
    return answers


def refuse_deleted(spans: Iterable[Span]) -> None:
    """Refuse spans of which readings were deleted, as a law asks; raises `ReadingsDeleted`.

    What is read of them is missing, which is not what it was.
    """
    for span in spans:
        before = span.channel.deleted_before
        if before is not None and span.start < before:
            message = f"the readings of the meter {span.channel.meter!r} before {utc_text(before)} "
            raise ReadingsDeleted.of(ReadingsDeleted.code, f"{message}were deleted")


async def read_as_billed(
    queries: Queries, spans: Sequence[Span], revisions: Sequence[datetime | None]
) -> list[StoredSeries]:
    """Return the readings of *spans* from the blocks that were current at *revisions*, one each.

    Where a revision is the `revision_at` of an earlier reading of the span, this is what was read
    then: writers of a channel come one after another, each dating its revision while it holds the
    channel. What it cannot undo is a live fill, which puts values into empty slots in place.
    """
    return await _read(queries, spans, list(revisions))


async def series(
    queries: Queries, channel: Channel, start: int, end: int, known_at: datetime | None = None
) -> Series:
    """Return every slot of *channel* that starts in `[start, end)`; `read` says more."""
    (stored,) = await read(queries, [Span(channel, start, end)], known_at)
    return stored.series


async def stored_span(queries: Queries, channel: Channel) -> Span | None:
    """Return from which day to which readings of a channel are stored; None where none are."""
    for first, last in await queries.fetch(_pair, SQL["channel_days"], {"channel": channel.key}):
        return Span(channel, first * DAY + channel.offset, (last + 1) * DAY + channel.offset)
    return None


def _pair(first: int, last: int) -> tuple[int, int]:
    return first, last


async def pieces(
    queries: Queries, span: Span, known_at: datetime | None = None
) -> AsyncIterator[Series]:
    """Yield the slots of a span part by part, in order; at least one series.

    Each piece is what is known when it is read, unless *known_at* says at which instant.
    """
    step = _PIECE * span.channel.interval
    for start in range(span.start, max(span.end, span.start + 1), step):
        yield await series(queries, span.channel, start, min(span.end, start + step), known_at)


@attrs.frozen
class _SpanRow:
    """The blocks of a span, or a pack, as the server says and numpy reads them fastest.

    Attributes:
        span: The number of the span, counted from 1.
        days: The days of the blocks, with commas between them; the first day of a pack.
        recorded_at: When the newest of their revisions was recorded; None for a pack.
        narrow: The blocks that are narrow, one after the other; they are the first of the days.
        values: The micro-units of the others, block after block, or units of the pack; `MISSING`
            where there is no value.
        quality: The qualities of each, with semicolons between the blocks; nothing where all are
            actual.
        unit: The micro-units that each number of a pack counts.
        dates: When the revision of each day of a pack was recorded, or one for all of them.
        same: The days of which there are copies at hand that are what is stored: they are not
            among *days*.
        versions: The transactions that have made the blocks.
        server: Since when the server has been running.

    """

    span: int
    days: str | None
    recorded_at: datetime | None
    narrow: memoryview | None
    values: str | None
    quality: str | None
    unit: int | None
    dates: list[datetime] | None
    same: str | None = None
    versions: str | None = None
    server: datetime | None = None


_Pins = Sequence[datetime | None] | None


async def _read(queries: Queries, spans: Sequence[Span], pins: _Pins) -> list[StoredSeries]:
    """Return the readings of *spans* as they were known at *pins*, one each; None for now."""
    in_blocks = [index for index, span in enumerate(spans) if span.channel.kind == "interval"]
    if len(in_blocks) == len(spans):
        return await _read_blocks(queries, spans, pins)
    others = [index for index in range(len(spans)) if index not in in_blocks]
    answers: dict[int, StoredSeries] = {}
    for indexes, read_some in ((in_blocks, _read_blocks), (others, _read_stretches)):
        some = None if pins is None else [pins[index] for index in indexes]
        found = await read_some(queries, [spans[index] for index in indexes], some)
        answers.update(zip(indexes, found, strict=True))
    return [answers[index] for index in range(len(spans))]


async def _read_stretches(
    queries: Queries, spans: Sequence[Span], pins: _Pins
) -> list[StoredSeries]:
    """Return what registers and irregular channels measured, on the slots of the channel."""
    windows = [(span.channel, span.start, span.end) for span in spans]
    known = await read_stretches(queries, windows, pins)
    keys = [span.channel.key for span in spans if span.channel.by_days]
    zones = dict(await queries.fetch(_zone, SQL["zones_of_channels"], keys)) if keys else {}
    answers = []
    for span, each in zip(spans, known, strict=True):
        work = partial(_on_slots, span, each.stretches, zones.get(span.channel.key))
        series = await off_loop(work) if len(each.stretches) > MANY else work()
        answers.append(StoredSeries(series, each.revision_at))
    return answers


def _on_slots(span: Span, stretches: Sequence[Stretch], zone: Zone | None) -> Series:
    """Return stretches as slots: of days in a *zone*, or of the channel's own."""
    window = (span.channel.grid, span.start, span.end)
    if zone is None:
        return slotted(stretches, *window)
    return laid(by_days(stretches, zone), *window)


def _zone(key: int, name: str) -> tuple[int, Zone]:
    return key, Zone.named(name)


async def _read_blocks(queries: Queries, spans: Sequence[Span], pins: _Pins) -> list[StoredSeries]:
    copies = queries.copies if pins is None and len(spans) <= _AGAIN else None
    at_hand = [Days.at_hand(copies, span.channel) for span in spans]
    if copies is not None and len(spans) == 1 and not isinstance(queries, Tenant):
        same = await _same(queries, copies, spans[0], at_hand[0])
        if same is not None:
            return [same]
    rows = await _rows(queries, spans, pins, at_hand)
    work = partial(_stored, spans, rows, pins, at_hand)
    many = sum(len(span.slots) for span in spans) > _PIECE
    found = await off_loop(work) if many else work()
    if copies is not None:
        _keep(copies, spans, rows, [newer for _, newer in found])
    return [stored for stored, _ in found]


async def _rows(
    queries: Queries, spans: Sequence[Span], pins: _Pins, at_hand: Sequence[Days | None]
) -> list[_SpanRow]:
    """Return what is stored of some spans, but for days that are at hand."""
    days = [span.days for span in spans]
    if not any(days):
        return []  # without a day there is nothing to ask for: no statement
    if pins is None and len(spans) == 1 and not queries.shards:
        return await _rows_of_channel(queries, spans[0], at_hand[0])
    columns: dict[str, Sequence[object]] = {
        "channels": [span.channel.key for span in spans],
        "first": [each.start for each in days],
        "last": [each.stop - 1 for each in days],
    }
    if pins is not None:
        return await queries.fetch_by_channel(_SpanRow, SQL["blocks_at"], {**columns, "pins": pins})
    columns["servers"] = [None if old is None else old.server for old in at_hand]
    columns["versions"] = [
        None if old is None else old.versions_of(asked)
        for old, asked in zip(at_hand, days, strict=True)
    ]
    return await queries.fetch_by_channel(_SpanRow, SQL["blocks_now"], columns)


async def _rows_of_channel(queries: Queries, span: Span, old: Days | None) -> list[_SpanRow]:
    """Return what is stored of one span now, but for days that are at hand."""
    days = span.days
    versions = None if old is None else old.versions_of(days)
    asked = {
        "channel": span.channel.key,
        "first": day_of(days[0]),
        "last": day_of(days[-1]),
        "server": None if old is None else old.server,
        "versions": None if versions is None else Literal(versions),
    }
    return await queries.fetch(_SpanRow, _OF_CHANNEL, asked)


def _keep(
    copies: Copies, spans: Sequence[Span], rows: Sequence[_SpanRow], days: Sequence[Days | None]
) -> None:
    """Keep copies of the days of some spans, and count where those that were read have been."""
    for span, newer in zip(spans, days, strict=True):
        if newer is not None:
            newer.keep(copies, span.channel)
    for row in rows:
        copies.rows["memory"] += _number(row.same)
        if row.unit is None:  # packs are always sent, and no copies of them are kept
            copies.rows["database"] += _number(row.days)


def _number(days: str | None) -> int:
    return days.count(",") + 1 if days else 0


async def _same(
    queries: Queries, copies: Copies, span: Span, old: Days | None
) -> StoredSeries | None:
    """Return what is at hand of a span, if that is all that is stored; else None.

    Where each day is a block, none is in the archive, which need not be asked then. It is for
    transactions, where each statement is planned: what reads the blocks takes no longer than this
    once it is prepared.
    """
    days = span.days
    if old is None or not old.has_each(days):
        return None
    asked = {
        "channel": span.channel.key,
        "first": days.start,
        "last": days.stop - 1,
        "server": old.server,
        "versions": old.versions_of(days),
    }
    ((blocks, newest),) = await queries.fetch(_counted, SQL["blocks_same"], asked)
    if blocks < len(days):
        return None
    copies.rows["memory"] += blocks
    return StoredSeries(slots_of(span, old.part(days)), newest)


def _counted(blocks: int, newest: datetime | None) -> tuple[int, datetime | None]:
    return blocks, newest


#: What is stored of a span, and its days, of which there may be copies from now on.
_Found = tuple[StoredSeries, Days | None]


def _stored(
    spans: Sequence[Span],
    rows: Sequence[_SpanRow],
    pins: _Pins,
    at_hand: Sequence[Days | None],
) -> list[_Found]:
    """Return the slots of each span, cut out of its blocks and of the packs that have its days."""
    by_span: dict[int, list[_SpanRow]] = {}
    for row in rows:
        by_span.setdefault(row.span - 1, []).append(row)
    known = pins or [None] * len(spans)
    return [
        _cut(span, by_span.get(index, ()), known_at, old)
        for index, (span, known_at, old) in enumerate(zip(spans, known, at_hand, strict=True))
    ]


def _cut(
    span: Span, rows: Sequence[_SpanRow], known_at: datetime | None, old: Days | None
) -> _Found:
    grid, days = span.channel.grid, span.days
    checkpoint()
    blocks, read, newest = None, None, list[datetime]()
    for row in rows:
        if row.recorded_at is not None:  # at most one: all that is in blocks
            blocks, read = _blocks(row, days, grid, old)
            newest.append(row.recorded_at)
    packs = [_pack(row, grid) for row in rows if row.unit is not None]
    if blocks is None:
        blocks = Blocks.empty(len(days), grid.per_day)
    elif packs and read is not None:
        blocks = Blocks(blocks.values.copy(), blocks.quality.copy())
    for pack in packs:
        newest += pack.fill(blocks, days, known_at)
    return StoredSeries(slots_of(span, blocks), max(newest, default=None)), read


def slots_of(span: Span, blocks: Blocks) -> Series:
    """Return the slots of a span, of whose days *blocks* are."""
    grid, slots = span.channel.grid, span.slots
    before = span.days.start * grid.per_day
    part = slice(slots.start - before, slots.stop - before)
    values, quality = blocks.values.reshape(-1)[part], blocks.quality.reshape(-1)[part]
    return Series(grid.start(slots.start), grid.interval, values, quality)


def _pack(row: _SpanRow, grid: ChannelGrid) -> Pack:
    """Return the pack that a row has."""
    numbers: Micro = numbers_of(row.values or "").reshape(-1, grid.per_day)
    values: Micro = np.where(numbers == MISSING, MISSING, numbers * (row.unit or 1))
    quality: Quality = np.where(values == MISSING, NEVER_SENT, ACTUAL).astype(np.int8)
    if row.quality:
        quality = numbers_of(row.quality).astype(np.int8).reshape(values.shape)
    dates = row.dates or []
    each = dates * len(values) if len(dates) == 1 else dates
    return Pack(int(row.days or ""), each, Blocks(values, quality))


def _blocks(
    row: _SpanRow, days: range, grid: ChannelGrid, old: Days | None
) -> tuple[Blocks, Days | None]:
    """Return the blocks of all *days*, empty where none is stored; and these days with versions.

    *old* are the days at hand, of which the server was told the versions.
    """
    same, sent = (numbers_of(text or "") - days.start for text in (row.same, row.days))
    if old is not None and len(same) == len(days):
        return old.part(days), old  # nothing is copied
    stored = blocks_of_row(row.narrow, row.values, row.quality or "", grid.per_day)
    is_sorted = row.values is None  # those that are narrow come first
    if len(sent) == len(days) and (is_sorted or bool((np.diff(sent) == 1).all())):
        blocks = stored  # every day is there, in order: nothing is copied
    else:
        blocks = Blocks.empty(len(days), grid.per_day)
        blocks.values[sent], blocks.quality[sent] = stored.values, stored.quality
    if row.server is None or not (row.versions or row.same):
        return blocks, None
    versions = np.zeros(len(days), np.int64)
    versions[sent] = numbers_of(row.versions or "")
    if old is not None:
        old.put_into(blocks, versions, days, same)
    newer = Days(days.start, row.server, versions, blocks)
    return blocks, newer if old is None else old.renewed(newer)
