"""What is stored of channels: since when, until when, and how much of it is there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import attrs

from energia.db.queries import load
from energia.db.tenant import Queries
from energia.metering import query, usage
from energia.metering.models import Channel
from energia.metering.query import Span
from energia.metering.usage import Coverage
from energia.time import Instant

SQL: Final = load(__package__)


@attrs.frozen
class Extent:
    """From when to when a channel has readings.

    Attributes:
        key: The channel's number in the database.
        first: When the first reading begins; None without any.
        last: When the newest one ends.

    """

    key: int
    first: datetime | None
    last: datetime | None


async def extents(queries: Queries, channels: Sequence[Channel]) -> dict[int, Extent]:
    """Return from when to when each of some channels has readings, by their keys."""
    keys = [channel.key for channel in channels]
    if not keys:
        return {}
    rows = await queries.fetch(Extent, SQL["channels_stored"], keys)
    return {row.key: row for row in rows}


async def coverages(
    queries: Queries, channels: Sequence[Channel], start: Instant, end: Instant
) -> list[Coverage]:
    """Return how many of the slots of each of some channels have a reading in a window."""
    spans = [Span(channel, start, end) for channel in channels]
    stored = await query.read(queries, spans) if spans else []
    return [usage.coverage(each.series, start, end) for each in stored]
