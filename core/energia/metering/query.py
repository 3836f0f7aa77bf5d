"""Read readings back: of a channel or of many, as they are, as they were, or as a bill saw them."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

import attrs
import numpy as np

from energia.db.queries import load
from energia.metering.blocks import blocks_of
from energia.metering.merge import Blocks
from energia.metering.models import Channel
from energia.metering.series import MISSING, NEVER_SENT, Series

if TYPE_CHECKING:
    from energia.db.tenant import Queries


SQL: Final = load(__package__)
#: How many slots a piece has, so that a long window is never in memory as a whole.
_PIECE: Final = 50_000


@attrs.frozen(eq=False)
class Revised:
    """A series, and when the newest revision in it was recorded (None without readings)."""

    series: Series
    revision_at: datetime | None


@attrs.frozen
class _Row:
    day: int
    recorded_at: datetime
    values: memoryview
    quality: memoryview | None


async def series(
    queries: "Queries", channel: Channel, start: int, end: int, known_at: datetime | None = None
) -> Series:
    """Return every slot that starts in `[start, end)`; `revised` says more."""
    return (await read_channel(queries, channel, start, end, known_at)).series


async def read_channel(
    queries: "Queries", channel: Channel, start: int, end: int, known_at: datetime | None = None
) -> Revised:
    """Return every slot of *channel* that starts in `[start, end)`.

    Args:
        queries: The database.
        channel: The channel.
        start: In seconds since 1970-01-01T00:00Z.
        end: In seconds since 1970-01-01T00:00Z.
        known_at: The instant whose knowledge is asked for. It is exact for revisions; fills of a
            day that was not over are dated by the end of their slot, not by their arrival.

    """
    grid = channel.grid
    first, past = grid.window(start, end)
    days = range(first // grid.per_day, (past - 1) // grid.per_day + 1 if past > first else 0)
    rows: list[_Row] = []
    if days:
        asked = {"channel": channel.key, "first": days[0], "last": days[-1], "known": known_at}
        sql = SQL["series" if known_at is None else "series_known_at"]
        rows = await queries.fetch(_Row, sql, asked)
    blocks = _assembled(rows, days, grid.per_day)
    at = slice(first - days.start * grid.per_day, past - days.start * grid.per_day)
    values, quality = blocks.values.reshape(-1)[at], blocks.quality.reshape(-1)[at]
    found = Series(grid.start(first), grid.interval, values, quality)
    if known_at is not None:
        later = found.starts + found.interval > known_at.timestamp()
        found.values[later], found.quality[later] = MISSING, NEVER_SENT
    return Revised(found, max((row.recorded_at for row in rows), default=None))


async def pieces(
    queries: "Queries", channel: Channel, start: int, end: int, known_at: datetime | None = None
) -> AsyncIterator[Series]:
    """Yield the slots of *channel* that start in `[start, end)`, in order; at least one series.

    Each piece is what is known when it is read, unless *known_at* says at which instant.
    """
    step = _PIECE * channel.interval
    for first in range(start, max(end, start + 1), step):
        yield await series(queries, channel, first, min(end, first + step), known_at)


def _assembled(rows: list[_Row], days: range, width: int) -> Blocks:
    """Return the blocks of all *days*, empty where there is no row."""
    if not rows:
        return Blocks.empty(len(days), width)
    found = blocks_of([row.values for row in rows], [row.quality for row in rows], width)
    at = np.array([row.day for row in rows], np.int64) - days.start
    if len(rows) == len(days) and bool((np.diff(at) == 1).all()):
        return found
    blocks = Blocks.empty(len(days), width)
    blocks.values[at], blocks.quality[at] = found.values, found.quality
    return blocks


# Channels of many meters in one statement, and many series: as they are, or as a bill saw them.


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

    @property
    def slots(self) -> tuple[int, int]:
        """The slots that start in it, as numbers of the channel's grid."""
        return self.channel.grid.window(self.start, self.end)

    @property
    def days(self) -> range:
        """The days of the grid that these slots are in."""
        (first, past), width = self.slots, self.channel.grid.per_day
        return range(first // width, (past - 1) // width + 1) if past > first else range(0)


@attrs.frozen
class _SpanRow:
    span: int
    day: int
    recorded_at: datetime
    values: memoryview
    quality: memoryview | None


async def channels_of(queries: "Queries", meters: Collection[str]) -> dict[str, list[Channel]]:
    """Return the channels of each of some meters as declared; empty if there is no such meter."""
    found: dict[str, list[Channel]] = {meter: [] for meter in meters}
    for channel in await queries.fetch(Channel, SQL["channels_of"], list(found)):
        found[channel.meter].append(channel)
    return found


async def read(queries: "Queries", spans: Sequence[Span]) -> list[Revised]:
    """Return every slot that starts in each of *spans*, and the newest revisions."""
    return await _read(queries, "blocks_of", spans, {})


async def read_pinned(
    queries: "Queries", spans: Sequence[Span], revisions: Sequence[datetime | None]
) -> list[Revised]:
    """Return *spans* from the blocks that were current at *revisions*, each of its span.

    Where a revision is the `revision_at` of an earlier reading of the span, this is what was read
    then: writers of a channel come one after another, each dating its revision while it holds the
    channel. What it cannot undo is a live fill, which puts values into empty slots in place.
    """
    return await _read(queries, "blocks_of_pinned", spans, {"pins": list(revisions)})


async def _read(
    queries: "Queries", sql: str, spans: Sequence[Span], more: dict[str, object]
) -> list[Revised]:
    days = [span.days for span in spans]
    asked = {
        "channels": [span.channel.key for span in spans],
        "first": [one.start for one in days],
        "last": [one.stop - 1 for one in days],
    }
    rows: list[list[_SpanRow]] = [[] for _ in spans]
    for row in await queries.fetch(_SpanRow, SQL[sql], asked | more) if spans else []:
        rows[row.span - 1].append(row)
    return [_series(span, of_span) for span, of_span in zip(spans, rows, strict=True)]


def _series(span: Span, rows: list[_SpanRow]) -> Revised:
    grid, days, (first, past) = span.channel.grid, span.days, span.slots
    blocks = Blocks.empty(len(days), grid.per_day)
    if rows:
        at = np.array([row.day for row in rows], np.int64) - days.start
        width = grid.per_day
        found = blocks_of([row.values for row in rows], [row.quality for row in rows], width)
        blocks.values[at], blocks.quality[at] = found.values, found.quality
    part = slice(first - days.start * grid.per_day, past - days.start * grid.per_day)
    values, quality = blocks.values.reshape(-1)[part], blocks.quality.reshape(-1)[part]
    series = Series(grid.start(first), grid.interval, values, quality)
    return Revised(series, max((row.recorded_at for row in rows), default=None))
