"""Day blocks in the database: what exists is read, and what changed is written.

Whoever writes holds the channels' rows, so that nobody else writes their blocks meanwhile.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

import attrs
import numpy as np

from energia.db.queries import load
from energia.errors import LockTimeout
from energia.metering import arrays
from energia.metering.merge import Blocks, Int64, Mask, Merged
from energia.metering.series import Micro

if TYPE_CHECKING:
    from energia.db.tenant import Queries

SQL: Final = load(__package__)


class LostRace(LockTimeout):
    """Someone else wrote the same day meanwhile."""


@attrs.frozen(eq=False)
class Keys:
    """Which blocks: channel and day (days since 1970-01-01) of each row."""

    channels: Int64
    days: Int64

    def take(self, rows: "Mask | slice") -> "Keys":
        """Return some of them."""
        return Keys(self.channels[rows], self.days[rows])

    def __len__(self) -> int:
        return len(self.days)


@attrs.frozen(eq=False)
class Found:
    """What is stored of some blocks.

    Attributes:
        now: The server's time, read while the channels were held.
        blocks: The stored blocks; empty ones where there is none.
        revisions: int64[n], the revision of each, 0 where there is none.

    """

    now: datetime
    blocks: Blocks
    revisions: Int64


@attrs.frozen
class _Row:
    now: datetime
    position: int | None
    revision: int
    values: memoryview
    quality: memoryview | None


async def read(queries: "Queries", keys: Keys, width: int) -> Found:
    """Read the blocks of *keys*; call it while their channels are held."""
    rows = await queries.fetch(
        _Row, SQL["blocks_read"], arrays.literal(keys.channels), arrays.literal(keys.days)
    )
    found = Found(rows[0].now, Blocks.empty(len(keys), width), np.zeros(len(keys), np.int64))
    existing = [row for row in rows if row.position is not None]
    if existing:
        at = np.array([row.position for row in existing], np.int64) - 1
        old = _blocks(existing, width)
        found.blocks.values[at], found.blocks.quality[at] = old.values, old.quality
        found.revisions[at] = [row.revision for row in existing]
    return found


def _blocks(rows: Sequence[_Row], width: int) -> Blocks:
    return arrays.blocks([row.values for row in rows], [row.quality for row in rows], width)


async def write(queries: "Queries", keys: Keys, merged: Merged, found: Found, number: int) -> None:
    """Write what a merge changed, as part of import *number*; raises `LostRace`."""
    rows = merged.write
    if not rows.any():
        return
    changed = merged.blocks.take(rows)
    put = await queries.fetch(
        int,
        SQL["blocks_write"],
        {
            "channels": arrays.literal(keys.channels[rows]),
            "days": arrays.literal(keys.days[rows]),
            "values": arrays.value_literals(changed.values),
            "quality": arrays.quality_literals(changed.quality),
            "revisions": arrays.literal(found.revisions[rows]),
            "keep": arrays.literal(merged.revise[rows]),
            "now": found.now,
            "import": number,
        },
    )
    if put[0] != int(rows.sum()):
        raise LostRace("another writer was faster; send the readings again")


@attrs.frozen
class Put:
    """How many slots were filled, known already, and changed."""

    created: int
    unchanged: int
    corrected: int


@attrs.frozen(eq=False)
class Slots:
    """One actual value for each of some blocks.

    Attributes:
        keys: The blocks.
        index: The slot in each.
        values: The values, in micro-units.
        live: bool, whether the block's day is over for less than the grace, or not yet.

    """

    keys: Keys
    index: Int64
    values: Micro
    live: Mask


async def write_slots(queries: "Queries", slots: Slots, width: int, number: int) -> Put:
    """Put single values into blocks of *width*, as import *number*; raises `LostRace`."""
    keys = slots.keys
    put = await queries.fetch(
        Put,
        SQL["slots_write"],
        {
            "channels": arrays.literal(keys.channels),
            "days": arrays.literal(keys.days),
            "slots": arrays.literal(slots.index + 1),
            "values": arrays.literal(slots.values),
            "live": arrays.literal(slots.live),
            "width": width,
            "import": number,
        },
    )
    if sum(attrs.astuple(put[0])) != len(keys):
        raise LostRace("another writer was faster; send the readings again")
    return put[0]
