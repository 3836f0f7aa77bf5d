"""Deletion that a law asks for (GDPR, LGPD): readings go for good, with all that quotes them.

What goes are the slots of a meter that start before an instant, from their blocks and from all
revisions of these; a block of that day keeps the slots after it, in the revision that it is. Reads
of registers before it, and stretches that end by then, go with all their revisions, but for the
read from which the next one is counted. So do problems of imports that may quote their values. What
was deleted is remembered (`deletion`): gaps say so, prices and what was known earlier are refused,
and readings of the same time are not stored again, whoever sends them. A deletion is not undone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import attrs
import numpy as np

from energia.db.queries import load, one_message
from energia.db.tenant import Columns, Queries
from energia.metering import packs
from energia.metering.blocks import BlockKeys
from energia.metering.models import Channel
from energia.metering.registry import hold_channels
from energia.metering.validation import LAST
from energia.time import Instant, utc

SQL: Final = load(__package__)


@attrs.frozen
class Asked:
    """Who asked for a deletion, and why; `Deletion` says more of both."""

    caller: str
    reason: str


@attrs.frozen
class Deletion:
    """Readings that were deleted, as a law asks.

    Attributes:
        id: Its number.
        meter: Whose readings; null for all meters, by `readings.retention`.
        before: The slots that start before it are gone.
        deleted_at: When.
        caller: Who asked for it: as in the audit log.
        reason: Why.
        readings: How many values there were; revisions of them are not counted.

    """

    id: int
    meter: str | None
    before: datetime
    deleted_at: datetime
    caller: str
    reason: str
    readings: int


async def delete_readings(queries: Queries, meter: str, before: Instant, asked: Asked) -> Deletion:
    """Delete the readings of *meter* in slots that start before an instant.

    *queries* are those of one transaction: the channels are held until it ends.
    """
    return await _remember(queries, meter, before, asked, await _delete(queries, meter, before))


async def delete_all(queries: Queries, meter: str, now: Instant, asked: Asked) -> Deletion:
    """Delete all readings of *meter*; what is of the time until now is not stored again."""
    return await _remember(queries, meter, now, asked, await _delete(queries, meter, LAST))


async def deletions(
    queries: Queries, meter: str | None, after: int, limit: int
) -> Sequence[Deletion]:
    """Return at most *limit* deletions with numbers after *after*, of one meter or of all."""
    arguments = {"meter": meter, "after": after, "limit": limit}
    return await queries.fetch(Deletion, SQL["deletion_list"], arguments)


@attrs.frozen
class Deleted:
    """How many values were deleted, and the imports that had brought them."""

    readings: int
    imports: list[int]


async def delete_slots(queries: Queries, meters: Sequence[str], before: Instant) -> Deleted:
    """Delete the slots of some meters that start before an instant; their channels are held."""
    channels = await hold_channels(queries, meters)
    places = [_place(channel, before) for channel in channels]
    columns: Columns = {
        "channels": [channel.key for channel in channels],
        "days": [day for day, _ in places],
        "slots": [slot for _, slot in places],
    }
    # The month of that day becomes blocks again; what is in the archive before it goes as a whole.
    days = np.array([day for day, _ in places], np.int64)
    keys = BlockKeys(np.array([channel.key for channel in channels], np.int64), days)
    await packs.restore(queries, keys)
    archived = await queries.fetch_by_channel(Deleted, SQL["archive_delete"], columns)
    await queries.execute_by_channel(SQL["history_delete"], columns)
    slots = await queries.fetch_by_channel(Deleted, SQL["blocks_delete"], columns)
    instant = {"before": utc(before)}
    others = await queries.fetch_by_channel(Deleted, SQL["reads_delete"], columns, instant)
    deleted = [*slots, *archived, *others]
    imports = [number for each in deleted for number in each.imports]
    return Deleted(sum(each.readings for each in deleted), imports)


async def _remember(
    queries: Queries, meter: str, before: Instant, asked: Asked, readings: int
) -> Deletion:
    row = {"meter": meter, "before": utc(before), **attrs.asdict(asked), "readings": readings}
    (deletion,) = await queries.fetch(Deletion, SQL["deletion_add"], row)
    return deletion


async def _delete(queries: Queries, meter: str, before: Instant) -> int:
    """Delete the slots of *meter* that start before an instant, and count their values.

    Imports of others quote the meter as well: the limits of a caller do not hold for those.
    """
    deleted = await delete_slots(queries, [meter], before)
    forget = one_message(SQL["limits_lift"], SQL["import_forget"], SQL["limits_hold"])
    await queries.fetch(str, forget, {"meter": meter, "imports": deleted.imports})
    return deleted.readings


def _place(channel: Channel, before: Instant) -> tuple[int, int]:
    """Return the day and the slot in it of the first slot that stays."""
    grid = channel.grid
    first = grid.slots(before, before + grid.interval).start
    return divmod(first, grid.per_day)


# Retention: the same of all meters, by a setting.


async def remember_retention(
    queries: Queries, before: Instant, asked: Asked, readings: int
) -> None:
    """Move on the instant before which nothing is kept of any meter."""
    row = {"before": utc(before), **attrs.asdict(asked), "readings": readings}
    await queries.execute(SQL["retention_put"], row)


async def retained_since(queries: Queries) -> datetime | None:
    """Return before when nothing is kept of any meter; None where that was never so."""
    return next(iter(await queries.fetch(_moment, SQL["retention_get"])), None)


async def forget_problems(queries: Queries, before: Instant) -> None:
    """Forget the problems of imports that came before an instant."""
    await queries.execute(SQL["import_expire"], {"before": utc(before)})


def _moment(moment: datetime) -> datetime:
    return moment
