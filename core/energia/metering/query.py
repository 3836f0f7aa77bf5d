"""Read the readings of a channel back, as they are or as they were known at an instant."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

import attrs
import numpy as np

from energia.db.queries import load
from energia.metering import arrays
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
    return (await revised(queries, channel, start, end, known_at)).series


async def revised(
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
    found = arrays.blocks([row.values for row in rows], [row.quality for row in rows], width)
    at = np.array([row.day for row in rows], np.int64) - days.start
    if len(rows) == len(days) and bool((np.diff(at) == 1).all()):
        return found
    blocks = Blocks.empty(len(days), width)
    blocks.values[at], blocks.quality[at] = found.values, found.quality
    return blocks
