"""Packs: days of the archive, up to a month of a channel in a row, each as its block was.

A pack has the slots of consecutive days in one array of small whole numbers, each so many of a unit
that divides all of them: most meters count in watt-hours, or in tens of them, so that 16 bits are
enough. The server compresses the array, and SQL reads it (the views `reading` and
`reading_day_archived`), as no code of ours could help an analyst or a backup. What was there before
a correction stays in `reading_day_history`.

A day is either a block or in a pack. Both are read in one statement, as whoever holds the channel
may move days between them. A pack is never changed: who writes a reading of one of its days first
brings its month back (`restore_before`), inside the same transaction.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby, pairwise
from typing import Final

import attrs
import numpy as np

from energia.db.queries import load
from energia.db.tenant import Queries
from energia.errors import DatabaseError
from energia.metering.blocks import BlockKeys, blocks_of, literal
from energia.metering.merge import Blocks
from energia.metering.registry import hold_on_nodes
from energia.metering.series import ACTUAL, MISSING, NEVER_SENT, Micro, Quality
from energia.time import Int64, day_of
from energia.work import off_loop

SQL: Final = load(__package__)

#: So many slots of a channel go to the archive in one transaction, a day of it at least: who writes
#: its readings waits for no longer than a year of quarter-hours takes.
MOST: Final = 366 * 96
#: The largest number of 16 bits, and its negative the smallest that is used.
_NARROW: Final = 2**15 - 1


@attrs.frozen(eq=False)
class Pack:
    """Consecutive days of a channel, as they are read back.

    Attributes:
        first: The first day: days since 1970-01-01.
        dates: When the revision of each day was recorded.
        blocks: A row of each day.

    """

    first: int
    dates: Sequence[datetime]
    blocks: Blocks

    def fill(self, blocks: Blocks, days: range, known_at: datetime | None) -> list[datetime]:
        """Put its days among *days* into *blocks*, one each; return when these were recorded.

        With *known_at*, only the days whose revision was recorded by then. Raises `DatabaseError`
        if a day is there already: a release that knows no archive has stored something beside it.
        """
        chosen = [
            index
            for index, recorded_at in enumerate(self.dates)
            if self.first + index in days and (known_at is None or recorded_at <= known_at)
        ]
        at = np.array(chosen, np.int64)
        rows = at + self.first - days.start
        if (blocks.quality[rows] != NEVER_SENT).any():
            some = f"some of the days from {day_of(self.first)} on"
            raise DatabaseError(f"{some} are in the archive, and beside it as well")
        blocks.values[rows] = self.blocks.values[at]
        blocks.quality[rows] = self.blocks.quality[at]
        return [self.dates[index] for index in chosen]


# Into the archive, and back.


@attrs.frozen
class Due:
    """What of a channel may go to the archive.

    Attributes:
        channel: Its number in the database.
        first: The first of the days: days since 1970-01-01.
        past: The day after the last one.

    """

    channel: int
    first: int
    past: int


async def extend(queries: Queries, before: int) -> None:
    """Let days before *before* be in the archive.

    Call it, and let it be committed, before any of them goes there: whoever locks a channel from
    then on looks into the archive before it writes such a day.
    """
    await queries.execute(SQL["archive_extend"], before)


async def due(queries: Queries, channels: Sequence[int], since: int, before: int) -> list[Due]:
    """Return what of some channels may go to the archive, of days since one and before another."""
    columns, window = {"channels": list(channels)}, {"since": since, "before": before}
    return await queries.fetch_by_channel(Due, SQL["archive_due"], columns, window)


async def days_of(queries: Queries, some: Sequence[Due]) -> int:
    """Return how many blocks there are of what is due."""
    columns = {
        "channels": [each.channel for each in some],
        "first": [each.first for each in some],
        "past": [each.past for each in some],
    }
    return sum(await queries.fetch_by_channel(int, SQL["archive_size"], columns))


async def hold(queries: Queries, channels: Sequence[int]) -> None:
    """Hold channels against other writers of readings, until the transaction ends."""
    held = await queries.fetch(int, SQL["archive_hold"], {"channels": list(channels)})
    await hold_on_nodes(queries, held)


async def pack(queries: Queries, channel: int, since: int, before: int) -> tuple[int, int | None]:
    """Move days of a channel to the archive, at most `MOST` slots; *queries* are a transaction.

    Return how many days were moved, and the day from which on there may be more; None at the end.
    The channel is held until the transaction ends; one that somebody holds is left alone, as an
    import of many files may do so for minutes. The server compares what the archive has with
    each block before it deletes that; raises `DatabaseError` if any part of one differs.
    """
    for width in await queries.fetch(int, SQL["archive_take"], {"channel": channel}):
        await hold_on_nodes(queries, [channel])
        for days in await due(queries, [channel], since, before):
            past = _until(days, width)
            return await _move(queries, days, past, width), past if past < days.past else None
    return 0, None


async def _move(queries: Queries, days: Due, past: int, width: int) -> int:
    """Move the first of some days, until before *past*, and return how many there were."""
    span: dict[str, object] = {"channel": days.channel, "first": days.first, "past": past}
    rows = await queries.fetch(_Block, SQL["archive_blocks"], span)
    packs = await off_loop(_packs, rows, width)
    await queries.execute(SQL["archive_put"], {**span, **_columns(packs, width)})
    (cleared,) = await queries.fetch(int, SQL["archive_clear"], span)
    if cleared != len(rows):
        message = f"the archive has {cleared} of {len(rows)} days of the channel {days.channel}"
        raise DatabaseError(f"{message}: nothing was moved")
    return cleared


async def restore_before(queries: Queries, keys: BlockKeys, before: int | None) -> None:
    """Bring back from the archive the months of days that are about to be written.

    Args:
        queries: A transaction, which holds the channels.
        keys: The days.
        before: The day before which days may be in the archive; None if none are.

    """
    if before is not None and (old := keys.take(keys.days < before)):
        await restore(queries, old)


async def restore(queries: Queries, keys: BlockKeys) -> int:
    """Bring back from the archive the months of some days, and return how many days those have.

    *queries* are a transaction, which holds the channels.
    """
    if not keys:
        return 0
    months = np.unique(np.stack([keys.channels, _months(keys.days)]), axis=1)
    columns = {"channels": months[0].tolist(), "months": months[1].tolist()}
    return sum(await queries.fetch_by_channel(int, SQL["archive_restore"], columns))


async def months(queries: Queries, channels: Sequence[int]) -> list[BlockKeys]:
    """Return the months of some channels that have days in the archive, those of each together."""
    columns = {"channels": list(channels)}
    rows = await queries.fetch_by_channel(_month, SQL["archive_months"], columns)
    return [
        BlockKeys(np.array([key for key, _ in some]), np.array([day for _, day in some]))
        for some in (list(group) for _, group in groupby(rows, lambda row: row[0]))
    ]


def _month(channel: int, day: int) -> tuple[int, int]:
    return channel, day


@attrs.frozen
class _Block:
    """A block: its day, and what `array_send` gives of its arrays."""

    day: int
    values: memoryview
    quality: memoryview | None


@attrs.frozen(eq=False)
class _Packed:
    """A pack on its way into the archive: its days, and its arrays as literals."""

    first: int
    last: int
    unit: int
    narrow: str | None
    wide: str | None
    quality: str | None


def _until(days: Due, width: int) -> int:
    """Return until when days are moved together: whole months, if they fit into `MOST` slots."""
    past = days.first + max(1, MOST // width)
    if past >= days.past:
        return days.past
    month = int(_months(np.array([past], np.int64))[0])
    return month if month > days.first else past


def _months(days: Int64) -> Int64:
    """Return the first day of the month of each day."""
    months: Int64 = (
        days.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]")
    ).astype(np.int64)
    return months


def _packs(rows: Sequence[_Block], width: int) -> list[_Packed]:
    """Return packs of some blocks: each of consecutive days of one month."""
    blocks = blocks_of([row.values for row in rows], [row.quality for row in rows], width)
    days = np.array([row.day for row in rows], np.int64)
    is_other = (np.diff(days) != 1) | (np.diff(_months(days)) != 0)
    cuts = [0, *(np.flatnonzero(is_other) + 1).tolist(), len(days)]
    return [
        _packed(
            int(days[begin]),
            int(days[past - 1]),
            blocks.values[begin:past].reshape(-1),
            blocks.quality[begin:past].reshape(-1),
        )
        for begin, past in pairwise(cuts)
    ]


def _packed(first: int, last: int, values: Micro, quality: Quality) -> _Packed:
    missing = values == MISSING
    unit = int(np.gcd.reduce(values[~missing], initial=0)) or 1
    numbers = np.where(missing, MISSING, values // unit)
    is_narrow = bool((np.abs(numbers[~missing]) <= _NARROW).all())
    array = literal(numbers).replace(str(MISSING), "NULL")
    is_plain = bool((quality == np.where(missing, NEVER_SENT, ACTUAL)).all())
    codes = None if is_plain else literal(quality).replace("-1", "NULL")
    return _Packed(
        first, last, unit, array if is_narrow else None, None if is_narrow else array, codes
    )


def _columns(packs: Sequence[_Packed], width: int) -> dict[str, object]:
    return {
        "width": width,
        "first": [each.first for each in packs],
        "last": [each.last for each in packs],
        "units": [each.unit for each in packs],
        "narrow": [each.narrow for each in packs],
        "wide": [each.wide for each in packs],
        "quality": [each.quality for each in packs],
    }
