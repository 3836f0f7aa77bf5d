"""Channels of many meters in one statement, and many series: as they are, or as a bill saw them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

import attrs
import numpy as np

from energia.db.queries import load
from energia.metering import arrays
from energia.metering.merge import Blocks
from energia.metering.models import Channel
from energia.metering.query import Revised
from energia.metering.series import Series

if TYPE_CHECKING:
    from energia.db.tenant import Queries

SQL: Final = load(__package__)


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
class _Row:
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


async def revised(queries: "Queries", spans: Sequence[Span]) -> list[Revised]:
    """Return every slot that starts in each of *spans*, and the newest revisions."""
    return await _read(queries, "blocks_of", spans, {})


async def pinned(
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
    rows: list[list[_Row]] = [[] for _ in spans]
    for row in await queries.fetch(_Row, SQL[sql], asked | more) if spans else []:
        rows[row.span - 1].append(row)
    return [_series(span, of_span) for span, of_span in zip(spans, rows, strict=True)]


def _series(span: Span, rows: list[_Row]) -> Revised:
    grid, days, (first, past) = span.channel.grid, span.days, span.slots
    blocks = Blocks.empty(len(days), grid.per_day)
    if rows:
        at = np.array([row.day for row in rows], np.int64) - days.start
        width = grid.per_day
        found = arrays.blocks([row.values for row in rows], [row.quality for row in rows], width)
        blocks.values[at], blocks.quality[at] = found.values, found.quality
    part = slice(first - days.start * grid.per_day, past - days.start * grid.per_day)
    values, quality = blocks.values.reshape(-1)[part], blocks.quality.reshape(-1)[part]
    series = Series(grid.start(first), grid.interval, values, quality)
    return Revised(series, max((row.recorded_at for row in rows), default=None))
