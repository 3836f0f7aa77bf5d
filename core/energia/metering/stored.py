"""What is stored of channels: since when, until when, and how much of it is there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import attrs

from energia.db.queries import load
from energia.db.tenant import Columns, Queries
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
    if not channels:
        return {}
    rows = await queries.fetch_by_channel(Extent, SQL["channels_stored"], _grids(channels))
    return {row.key: row for row in rows}


async def newest_of(queries: Queries, channels: Sequence[Channel]) -> dict[int, datetime]:
    """Return when the newest reading ends of those *channels* that have any, by their indexes."""
    if not channels:
        return {}
    rows = await queries.fetch_by_channel(_end, SQL["channels_newest"], _grids(channels))
    return {number - 1: end for number, end in rows}


@attrs.frozen
class Seen:
    """What was seen of a channel.

    Attributes:
        channel: The key of the channel.
        days: Days since 1970-01-01, of its grid, or in which stretches and reads begin.
        revision: When the newest revision was recorded; None where there was none.

    """

    channel: int
    days: range
    revision: datetime | None


async def revised(queries: Queries, seen: Sequence[Seen]) -> frozenset[int]:
    """Return the indexes of those of which there is a newer revision now."""
    columns: Columns = {
        "channels": [each.channel for each in seen],
        "first": [each.days.start for each in seen],
        "last": [each.days.stop - 1 for each in seen],
        "pins": [each.revision for each in seen],
    }
    found = await queries.fetch_by_channel(int, SQL["blocks_revised"], columns) if seen else []
    return frozenset(number - 1 for number in found)


def _grids(channels: Sequence[Channel]) -> Columns:
    return {
        "channels": [channel.key for channel in channels],
        "offsets": [channel.offset for channel in channels],
        "intervals": [channel.interval for channel in channels],
    }


def _end(number: int, end: datetime) -> tuple[int, datetime]:
    return number, end


async def coverages(
    queries: Queries, channels: Sequence[Channel], start: Instant, end: Instant
) -> list[Coverage]:
    """Return how many of the slots of each of some channels have a reading in a window."""
    spans = [Span(channel, start, end) for channel in channels]
    stored = await query.read(queries, spans) if spans else []
    return [usage.coverage(each.series, start, end) for each in stored]
