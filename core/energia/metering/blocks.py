"""Day blocks in the database: what exists is read, and what changed is written.

Whoever writes holds the channels' rows, so that nobody else writes their blocks meanwhile.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

import attrs
import msgspec
import numpy as np
import numpy.typing as npt

from energia.db.queries import load
from energia.errors import LockTimeout
from energia.metering.merge import Blocks, Mask, Merged
from energia.metering.series import ACTUAL, MISSING, NEVER_SENT, Micro, Quality
from energia.time import Int64

if TYPE_CHECKING:
    from energia.db.tenant import Queries


#: What `array_send` puts before the items: dimensions, flags, type, length, lower bound.
_HEAD = 20


def blocks_of(
    values: Sequence[memoryview], quality: Sequence[memoryview | None], width: int
) -> Blocks:
    """Return blocks from what `array_send` gives: int8[] and int2[], nulls replaced."""
    numbers: Micro = _items(values, ">i8", width).astype(np.int64)
    codes: Quality = np.where(numbers == MISSING, NEVER_SENT, ACTUAL).astype(np.int8)
    rows = [row for row, sent in enumerate(quality) if sent is not None]
    if rows:
        codes[rows] = _items([sent for sent in quality if sent is not None], ">i2", width)
    return Blocks(numbers, codes)


def _items(sent: Sequence[memoryview], kind: str, width: int) -> npt.NDArray[np.int64]:
    item = np.dtype([("size", ">i4"), ("value", kind)])
    block = np.dtype([("head", f"V{_HEAD}"), ("items", item, (width,))])
    found: npt.NDArray[np.int64] = np.frombuffer(b"".join(sent), block)["items"]["value"]
    return found


def literal(numbers: npt.NDArray[np.int64] | npt.NDArray[np.bool_] | Quality) -> str:
    """Return a one-dimensional array of numbers or truth values as a literal."""
    return "{" + msgspec.json.encode(numbers.tolist()).decode()[1:-1] + "}"


def value_literals(values: Micro) -> str:
    """Return int64[n, width] as the literal of a text[] of n literals."""
    text = msgspec.json.encode(values.tolist()).decode()[2:-2]
    return '{"{' + text.replace(str(MISSING), "NULL").replace("],[", '}","{') + '}"}'


def quality_literals(quality: Quality) -> str:
    """Return int8[n, width] as the literal of a text[]: null where all that was sent is actual."""
    plain = ((quality == ACTUAL) | (quality == NEVER_SENT)).all(axis=1)
    if plain.all():
        return "{" + ",".join(["NULL"] * len(quality)) + "}"
    rows = (
        "NULL" if is_plain else f'"{literal(row).replace("-1", "NULL")}"'
        for is_plain, row in zip(plain.tolist(), quality, strict=True)
    )
    return "{" + ",".join(rows) + "}"


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
    rows = await queries.fetch(_Row, SQL["blocks_read"], literal(keys.channels), literal(keys.days))
    found = Found(rows[0].now, Blocks.empty(len(keys), width), np.zeros(len(keys), np.int64))
    existing = [row for row in rows if row.position is not None]
    if existing:
        at = np.array([row.position for row in existing], np.int64) - 1
        old = _blocks(existing, width)
        found.blocks.values[at], found.blocks.quality[at] = old.values, old.quality
        found.revisions[at] = [row.revision for row in existing]
    return found


def _blocks(rows: Sequence[_Row], width: int) -> Blocks:
    return blocks_of([row.values for row in rows], [row.quality for row in rows], width)


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
            "channels": literal(keys.channels[rows]),
            "days": literal(keys.days[rows]),
            "values": value_literals(changed.values),
            "quality": quality_literals(changed.quality),
            "revisions": literal(found.revisions[rows]),
            "keep": literal(merged.revise[rows]),
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
            "channels": literal(keys.channels),
            "days": literal(keys.days),
            "slots": literal(slots.index + 1),
            "values": literal(slots.values),
            "live": literal(slots.live),
            "width": width,
            "import": number,
        },
    )
    if sum(attrs.astuple(put[0])) != len(keys):
        raise LostRace("another writer was faster; send the readings again")
    return put[0]
