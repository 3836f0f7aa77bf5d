"""Readings as they are stored, and the gaps between them: as JSON, CSV or NDJSON."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import Annotated, Final

import attrs
import msgspec
import numpy as np
from msgspec import Meta

from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import AmbiguousChannel, Invalid, NotFound
from energia.metering import gaps, query
from energia.metering.gaps import Gaps, Reason
from energia.metering.query import Span, StoredSeries
from energia.metering.series import QUALITIES, Quality, Series
from energia.time import Zone, instant_of, length_text
from energia.web.resources import (
    READERS,
    WRITERS,
    ChannelId,
    ChannelWindow,
    Cursor,
    End,
    KnownAt,
    Limit,
    MeterId,
    Page,
    Start,
    channel_to_read,
    channel_window,
    cursor_of,
    page,
    place_at,
)
from energia.web.routes import Routes
from energia.web.streams import (
    FILES,
    JSON,
    NDJSON,
    ROWS,
    Accepted,
    Batch,
    Rows,
    numbers,
    quantities,
    stamps,
)
from energia.work import off_loop

#: How many slots one answer has; `next` leads to the others.
_SLOTS: Final = 400_000
#: An answer of more slots is written beside the event loop: up to here it takes a millisecond.
_MANY: Final = 50_000
#: The names of the qualities; the last two are those of `NOT_COUNTED`, -2, and `NEVER_SENT`, -1.
_QUALITIES: Final = np.array([*QUALITIES, None, None], object)
#: An array of numbers, which are written as text at once.
_NUMBERS: Final = {"type": "array", "items": {"type": ["number", "null"]}}
_READING_COLUMNS: Final = ("start", "value", "unit", "quality")
_GAP_COLUMNS: Final = ("start", "end", "slots", "reason")

routes = Routes(tag="Readings", reads=READERS, writes=WRITERS)


class QualityRun(msgspec.Struct):
    """Consecutive slots of one quality.

    Attributes:
        from_: The index of the first.
        to: The index past the last.
        code: The quality.

    """

    from_: int = msgspec.field(name="from")
    to: int
    code: str


class Readings(msgspec.Struct):
    """The readings of a channel, slot by slot.

    Attributes:
        meter: The id of the meter.
        channel: The id of the channel.
        unit: The canonical unit of the quantity: kWh, kvarh, kVAh or m3.
        interval: The length of a slot.
        start: When the first slot starts, with the site's offset.
        end: When the last slot ends.
        values: The quantity in each slot, exact to six decimals; null where it is missing.
        quality: The qualities of the slots, as runs.
        revision_at: When the newest revision was recorded; null without readings.
        next: The `cursor` of the rest of the window; null if this is all of it.

    """

    meter: str
    channel: str
    unit: str
    interval: str
    start: datetime
    end: datetime
    values: Annotated[msgspec.Raw, Meta(extra_json_schema=_NUMBERS)]
    quality: list[QualityRun]
    revision_at: datetime | None
    next: str | None


@routes.get(
    "/v1/meters/{meter}/readings",
    errors=(NotFound, AmbiguousChannel),
    produces=FILES,
    from_replica=True,
)
async def get_readings(
    meter: MeterId,
    start: Start,
    end: End,
    core: Core,
    tenant: Tenant,
    accepted: Accepted,
    channel: ChannelId | None = None,
    known_at: KnownAt | None = None,
    cursor: Cursor = "",
) -> Readings | Rows:
    """Return the readings of a channel that start in a window, slot by slot.

    With `known_at`, as they were known at that instant: exact for revisions; readings that came
    while their day was running are dated by the end of their slot.

    As a file the whole window comes at once, a row for each slot. CSV has the columns `start`,
    `value` (empty where it is missing), `unit` and `quality` (empty where nothing was ever sent);
    import it again with
    `POST /v1/imports?format=csv&meter=...&channel=...&quality_column=quality&unit=...` and the
    `unit` of its rows. NDJSON has `meter`, `channel`, `start`, `value`, `unit` and `quality`.
    """
    # A file is read piece by piece, and what is behind a cursor is a part.
    is_whole = accepted == JSON and not cursor and known_at is None
    find_channel = channel_to_read if is_whole else channel_window
    selection = await find_channel(tenant, meter, channel, (start, end), core.settings.limits.slots)
    if selection.channel.by_days:
        message = f"the channel {selection.channel.id} has no slots: see its stretches"
        raise Invalid.of("wrong_kind", message, "/query/channel")
    first = selection.from_(cursor)
    if accepted != JSON:
        span = Span(selection.channel, first, selection.end)
        return rows(selection, query.pieces(tenant, span, known_at), accepted)
    past = min(selection.end, first + _SLOTS * selection.channel.interval)
    stored = await selection.read(tenant, known_at, Span(selection.channel, first, past))
    answer = partial(_answer, meter, selection, stored, past)
    return await off_loop(answer) if len(stored.series.values) > _MANY else answer()


def _answer(meter: str, selection: ChannelWindow, stored: StoredSeries, past: int) -> Readings:
    series, zone = stored.series, selection.zone
    return Readings(
        meter,
        selection.channel.id,
        selection.channel.canonical,
        length_text(selection.channel.interval),
        zone.datetime(series.start),
        zone.datetime(series.end),
        numbers(series.values),
        _quality_runs(series.quality),
        stored.revision_at,
        cursor_of(place_at(past)) if past < selection.end else None,
    )


def _quality_runs(quality: Quality) -> list[QualityRun]:
    if not len(quality):
        return []
    codes = np.maximum(quality, 0)
    cuts = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
    return [QualityRun(a, b, QUALITIES[int(codes[a])]) for a, b in pairwise(cuts)]


def rows(selection: ChannelWindow, pieces: AsyncIterator[Series], accepted: Accepted) -> Rows:
    """Return a row for each slot of *pieces*; those of NDJSON name the meter and the channel."""
    names = (selection.channel.meter, selection.channel.id) if accepted == NDJSON else ()
    columns = ("meter", "channel", *_READING_COLUMNS)[2 - len(names) :]
    batches = _reading_batches(pieces, lambda series: _reading_batch(selection, names, series))
    return Rows(columns, batches)


async def _reading_batches(
    pieces: AsyncIterator[Series], batch: Callable[[Series], Batch]
) -> AsyncGenerator[Batch, None]:
    async for series in pieces:
        for first in range(0, len(series.values), ROWS):
            yield await asyncio.to_thread(batch, _part(series, slice(first, first + ROWS)))


def _part(series: Series, slots: slice) -> Series:
    start = series.start + slots.start * series.interval
    return Series(start, series.interval, series.values[slots], series.quality[slots])


def _reading_batch(selection: ChannelWindow, names: tuple[str, ...], series: Series) -> Batch:
    count = len(series.values)
    return [
        *([name] * count for name in names),
        stamps(selection.zone, series.starts),
        quantities(series.values),
        [selection.channel.canonical] * count,
        _QUALITIES[series.quality].tolist(),
    ]


# Gaps: where readings are missing, and why.


@attrs.frozen
class Gap:
    """Consecutive slots without a reading.

    Attributes:
        start: When the first slot starts, with the site's offset.
        end: When the last slot ends.
        slots: How many there are.
        reason: Nothing was ever sent, it was sent that there is no value, the readings were
            deleted, as a law asks, or the reads of a register do not tell what was used
            (`not_counted`): `GET /v1/meters/{meter}/stretches` says why.

    """

    start: datetime
    end: datetime
    slots: int
    reason: Reason


@routes.get(
    "/v1/meters/{meter}/gaps",
    errors=(NotFound, AmbiguousChannel),
    produces=FILES,
    from_replica=True,
)
async def list_gaps(
    meter: MeterId,
    start: Start,
    end: End,
    core: Core,
    tenant: Tenant,
    accepted: Accepted,
    channel: ChannelId | None = None,
    known_at: KnownAt | None = None,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> Page[Gap] | Rows:
    """Return where a channel has no reading among the slots that start in a window.

    As a file all of them come at once, with the columns `start`, `end`, `slots` and `reason`.
    """
    selection = await channel_window(
        tenant, meter, channel, (start, end), core.settings.limits.slots
    )
    span = Span(selection.channel, selection.from_(cursor), selection.end)
    across = gaps.across(query.pieces(tenant, span, known_at), span.channel.deleted_before)
    if accepted != JSON:
        return Rows(_GAP_COLUMNS, _gap_batches(across, selection.zone))
    return page(await _first_gaps(across, limit + 1, selection.zone), limit, _next)


async def _first_gaps(parts: AsyncIterator[Gaps], most: int, zone: Zone) -> list[Gap]:
    """Return the first gaps, and read no further."""
    listed: list[gaps.Gap] = []
    async for part in parts:
        listed += part.listed(most - len(listed))
        if len(listed) == most:
            break
    moment = zone.datetime
    return [Gap(moment(gap.start), moment(gap.end), gap.slots, gap.reason) for gap in listed]


def _next(gap: Gap) -> str:
    return place_at(instant_of(gap.end))


async def _gap_batches(parts: AsyncIterator[Gaps], zone: Zone) -> AsyncGenerator[Batch, None]:
    async for part in parts:
        for first in range(0, len(part), ROWS):
            batch = part[first : first + ROWS]
            slots, reasons = zip(*((gap.slots, gap.reason) for gap in batch.listed()), strict=True)
            yield [stamps(zone, batch.starts), stamps(zone, batch.ends), slots, reasons]
