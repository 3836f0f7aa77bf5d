"""Day blocks in the database: the readings of an import are read against them, merged, written.

A block is a row of `reading_day`: a channel, a day of its grid, and the micro-units of each slot.
It is narrow, four bytes a slot; or it has an array, where a value does not fit, or the release
before may have to read it (`0026_narrow_blocks.sql`). What it was before a revision is a row of
`reading_day_history`.

Whoever writes holds the rows of the channels (`Directory.look_up` takes them, in the order of their
keys, so that two imports never wait for each other). Writers of a channel therefore come one after
another: what is read here is what is replaced, and the server's time, which dates a revision, is
later than that of any revision before. A bill depends on that: it finds the blocks that it saw by
their dates alone. The statements count what they wrote all the same, and `LostRace` says that a
block was not as it had been read.
"""

from binascii import b2a_base64
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice, pairwise
from typing import Final

import attrs
import msgspec
import numpy as np
import numpy.typing as npt

from energia.db.queries import Literal, load
from energia.db.tenant import Queries
from energia.errors import Deadlock, Fault, UniqueViolation
from energia.metering.merge import Blocks, BlockState, ImportBlocks, Merge, merge
from energia.metering.outcome import Counts, Problems
from energia.metering.series import ACTUAL, MISSING, NEVER_SENT, Mask, Micro, Quality
from energia.time import DAY, Int64
from energia.units import decimal_text

SQL: Final = load(__package__)

#: Slots in one message of blocks: a year of quarter-hours of a channel, if a leap year.
BLOCK_SLOTS: Final = 366 * 96
#: Values in one message of single ones.
VALUES: Final = 5000
#: What stands for no value in a narrow block; no value is less, and none is more than its opposite.
_NONE: Final = -(2**31)
#: From how many blocks with one new value each these go by themselves. With fewer, the second
#: statement costs more than the arrays that it saves.
_SINGLES: Final = 16
#: In how many shards of a cluster values are put shard by shard; in more, all shards are told at
#: once, however many have any. Each then takes as long as eight messages of one shard, or more.
_FEW_SHARDS: Final = 8
_FASTER: Final = "another writer was faster; send the readings again"


class LostRace(Deadlock):
    """Someone else wrote the same day meanwhile."""

    code = "lock_timeout"


@attrs.frozen(eq=False)
class BlockKeys:
    """Which blocks: channel and day (days since 1970-01-01) of each row."""

    channels: Int64
    days: Int64

    def take(self, rows: Mask | slice) -> "BlockKeys":
        """Return some of them."""
        return BlockKeys(self.channels[rows], self.days[rows])

    def __len__(self) -> int:
        return len(self.days)


@attrs.frozen(eq=False)
class BlockReadings:
    """Readings of one interval in blocks: valid, exact, each slot once.

    Attributes:
        keys: The channel and day of each block, sorted.
        width: Slots in a day.
        offsets: int64, the grid offset of each block's channel.
        row: int64[n], the block of each reading, sorted.
        slot: int64[n], its slot in the block.
        index: int64[n], which of the readings that were sent it is, for `fault`.
        values: int64[n], micro-units or `MISSING`.
        quality: int8[n].
        fault: Returns a fault that says where a reading was, given its code, message and index.

    """

    keys: BlockKeys
    width: int
    offsets: Int64
    row: Int64
    slot: Int64
    index: Int64
    values: Micro
    quality: Quality
    fault: Callable[[str, str, int], Fault]

    def live(self, now: float, grace: float) -> Mask:
        """Return which blocks' days are not over, or for less than *grace* seconds."""
        ends = (self.keys.days + 1) * DAY + self.offsets
        live: Mask = now - ends < grace
        return live

    def singles(self) -> Mask:
        """Return which blocks got one reading, and that an actual value that is narrow."""
        rows = len(self.keys)
        simple = (self.quality == ACTUAL) & _fit(self.values)
        chosen = np.bincount(self.row[simple], minlength=rows)
        singles: Mask = (np.bincount(self.row, minlength=rows) == 1) & (chosen == 1)
        return singles

    def take(self, rows: Mask) -> "BlockReadings":
        """Return the readings of those blocks only."""
        # The rows before a block that is left out move up by as many as are left out.
        number = np.cumsum(rows) - 1
        readings = rows[self.row]
        return attrs.evolve(
            self,
            keys=self.keys.take(rows),
            offsets=self.offsets[rows],
            row=number[self.row[readings]],
            slot=self.slot[readings],
            index=self.index[readings],
            values=self.values[readings],
            quality=self.quality[readings],
        )

    def slices(self, size: int) -> Iterator["BlockReadings"]:
        """Yield them in parts of at most *size* blocks."""
        firsts = range(0, len(self.keys), size)
        cuts = np.searchsorted(self.row, [*firsts, len(self.keys)]).tolist()
        for first, (begin, past) in zip(firsts, pairwise(cuts), strict=True):
            blocks, readings = slice(first, first + size), slice(begin, past)
            yield attrs.evolve(
                self,
                keys=self.keys.take(blocks),
                offsets=self.offsets[blocks],
                row=self.row[readings] - first,
                slot=self.slot[readings],
                index=self.index[readings],
                values=self.values[readings],
                quality=self.quality[readings],
            )

    def blocks(self) -> Blocks:
        """Return them as blocks of arrays, empty but for these slots."""
        blocks = Blocks.empty(len(self.keys), self.width)
        place = self.row * self.width + self.slot
        blocks.values.ravel()[place] = self.values
        blocks.quality.ravel()[place] = self.quality
        return blocks

    def contradiction(self, reading: int, before: np.int64) -> Fault:
        """Return the fault of a reading whose slot came *before*, with that value."""
        return contradiction(self.fault, int(self.index[reading]), self.values[reading], before)


def contradiction(
    fault: Callable[[str, str, int], Fault], index: int, value: np.int64, before: np.int64
) -> Fault:
    """Return the fault of a slot that comes again in an import with another value or quality."""
    now, then = (
        None if micro == MISSING else decimal_text(int(micro)) for micro in (value, before)
    )
    message = f"the slot was sent before, with {then or 'null'} or another quality"
    return attrs.evolve(fault("duplicate_in_request", message, index), sent=now)


@attrs.frozen(eq=False)
class Snapshot:
    """What is stored of some blocks.

    Attributes:
        now: The server's time, read while the channels were held.
        narrow: Whether blocks are to be written narrow.
        blocks: The stored blocks; empty ones where there is none.
        revisions: int64[n], the revision of each, 0 where there is none.

    """

    now: datetime
    narrow: bool
    blocks: Blocks
    revisions: Int64


@attrs.define(eq=False)
class BlockStore:
    """Stores the readings of one import, inside its transaction.

    Attributes:
        queries: The transaction, which holds the channels.
        number: The import's number in the database.
        now: When the import arrived, in seconds since 1970-01-01T00:00Z.
        grace: Seconds after the end of a day for which fills of it are live.
        counts: Grow by what happens to each reading.
        problems: Where a contradiction between batches is noted.
        one_batch: Whether the import is a single batch, so that no slot can come again.
        touched: The blocks that it has touched, by their width; those of the parts of the same file
            before it included.

    """

    queries: Queries
    number: int
    now: float
    grace: float
    counts: Counts
    problems: Problems
    one_batch: bool
    touched: dict[int, ImportBlocks] = attrs.Factory(dict)

    async def put(self, readings: BlockReadings) -> None:
        """Merge *readings* into what is stored; raises `LostRace`, which locks exclude.

        The live form of many meters, one actual value a block, goes by a statement that puts
        values into the arrays where they are: no array travels. It knows nothing of what the
        import sent before, so it is for imports of one batch.
        """
        try:
            await self._put(readings)
        except UniqueViolation as error:  # a block that was not there is there
            raise LostRace(_FASTER) from error

    async def _put(self, readings: BlockReadings) -> None:
        if self.one_batch:
            singles = readings.singles()
            if singles.all() or singles.sum() >= _SINGLES:
                for part in readings.take(singles).slices(VALUES):
                    await self._put_values(part)
                readings = readings.take(~singles)
        for same in self._by_shard(readings):
            await self._put_in_shard(same)

    async def _put_in_shard(self, readings: BlockReadings) -> None:
        for part in readings.slices(max(1, BLOCK_SLOTS // readings.width)):
            await self._put_blocks(part)

    def _by_shard(self, readings: BlockReadings) -> Iterator[BlockReadings]:
        """Yield those of the same shard together; all of them where the tables have none."""
        if not self.queries.shards:
            yield readings
            return
        for rows in self.queries.shards.parts(readings.keys.channels):
            chosen = np.zeros(len(readings.keys), bool)
            chosen[rows] = True
            yield readings.take(chosen)

    def _by_few_shards(self, readings: BlockReadings) -> tuple[list[BlockReadings], bool]:
        """Return those of the same shard together; or all of them, where their shards are many."""
        parts = list(islice(self._by_shard(readings), _FEW_SHARDS + 1))
        return (parts, False) if len(parts) <= _FEW_SHARDS else ([readings], True)

    async def _put_values(self, readings: BlockReadings) -> None:
        """Store one actual value a block.

        As a rule each fills a slot of a day that is open. That takes half of what it takes to find
        out what else it may do: only what is left is asked that.
        """
        parts, in_many = self._by_few_shards(readings)
        for part in parts:
            live = part.live(self.now, self.grace)
            if not live.all():
                await self._merge_values(part, live)
                continue
            left = await _fill_values(self.queries, part, self.number, in_many=in_many)
            self.counts.created += int((~left).sum())
            if left.any():
                await self._merge_values(part.take(left), live[left])

    async def _merge_values(self, part: BlockReadings, live: Mask) -> None:
        """Store one actual value a block, whatever there is."""
        if self.queries.shards:
            # All shards at once, or a few blocks: those are read and written by what is of a shard.
            parts, in_many = self._by_few_shards(part)
            if not in_many:
                for same in parts:
                    await self._put_in_shard(same)
                return
        put = await _write_values(self.queries, part, live, self.number)
        self.counts.created += put.created
        self.counts.unchanged += put.unchanged
        self.counts.corrected += put.corrected

    async def _put_blocks(self, part: BlockReadings) -> None:
        """Read the blocks, merge, and write those that changed."""
        stored = await _read(self.queries, part.keys, part.width)
        new, last = part.blocks(), stored.blocks.last_filled
        exists, own = stored.revisions > 0, np.zeros(len(part.keys), bool)
        rows, touched = None, None
        if not self.one_batch:
            touched = self.touched.setdefault(part.width, ImportBlocks(part.width))
            rows = touched.rows(part.keys.channels, part.keys.days, last)
            self._fold(part, touched.swap(rows[part.row], part.slot, part.quality), new, stored)
            own, last = touched.own[rows], touched.last[rows]
        live = part.live(self.now, self.grace)
        merged = merge(new, BlockState(stored.blocks, exists, live, own, last))
        await _write(self.queries, part.keys, merged, stored, self.number)
        if touched is not None and rows is not None:
            touched.own[rows] |= merged.write & (merged.revise | ~exists)
        self.counts.created += merged.created
        self.counts.unchanged += merged.unchanged
        self.counts.corrected += merged.corrected
        self.counts.missing += merged.missing

    def _fold(self, part: BlockReadings, first: Quality, new: Blocks, stored: Snapshot) -> None:
        """Take out of *new* what an earlier batch sent: equal is repeated, other is refused.

        *first* is the quality that came first for each slot. Its value need not be remembered: it
        is stored by now, or it was a null, whose quality is 0. A null beside a value says nothing:
        one that comes later is a repeat, and one that came before gives way.
        """
        gone = int(((first == 0) & (part.quality != 0)).sum())
        self.counts.missing -= gone
        self.counts.repeated += gone
        again = (first != NEVER_SENT) & ((first != 0) | (part.quality == 0))
        if not again.any():
            return
        values = stored.blocks.values[part.row, part.slot]
        equal = (part.quality == 0) | ((first == part.quality) & (values == part.values))
        self.counts.repeated += int((again & equal).sum())
        self.problems.add_each(
            "duplicate_in_request",
            np.flatnonzero(again & ~equal).tolist(),
            lambda reading: part.contradiction(reading, values[reading]),
        )
        new.quality[part.row[again], part.slot[again]] = NEVER_SENT


# The statements.


@attrs.frozen
class _BlockRow:
    """The row of `blocks_read`: the time alone, where no block exists."""

    now: datetime
    is_narrow: bool
    positions: str | None
    revisions: str | None
    narrow: memoryview | None
    values: str | None
    quality: str | None


@attrs.frozen
class _ValueCounts:
    """How many slots were filled, stored already, and changed."""

    created: int
    unchanged: int
    corrected: int


async def _read(queries: Queries, keys: BlockKeys, width: int) -> Snapshot:
    """Read the blocks of *keys*; call it while their channels are held."""
    rows = await queries.fetch_of_shard(
        _BlockRow,
        SQL["blocks_read"],
        keys.channels,
        {"channels": literal(keys.channels), "days": literal(keys.days)},
    )
    row = rows[0]
    empty = Blocks.empty(len(keys), width)
    stored = Snapshot(row.now, row.is_narrow, empty, np.zeros(len(keys), np.int64))
    if row.positions and row.revisions:
        position = numbers_of(row.positions) - 1
        old = blocks_of_row(row.narrow, row.values, row.quality or "", width)
        stored.blocks.values[position] = old.values
        stored.blocks.quality[position] = old.quality
        stored.revisions[position] = numbers_of(row.revisions)
    return stored


async def _write(
    queries: Queries, keys: BlockKeys, merged: Merge, stored: Snapshot, number: int
) -> None:
    """Write what a merge changed, as part of import *number*; raises `LostRace`."""
    fits = stored.narrow & _fit(merged.blocks.values).all(axis=1)
    for is_narrow, rows in ((True, merged.write & fits), (False, merged.write & ~fits)):
        if not rows.any():
            continue
        changed = merged.blocks.take(rows)
        written = await queries.fetch_of_shard(
            int,
            SQL["blocks_write"],
            keys.channels[rows],
            {
                "channels": literal(keys.channels[rows]),
                "days": literal(keys.days[rows]),
                "narrow": Literal(_base64(changed.values)) if is_narrow else None,
                "values": None if is_narrow else Literal(literal(changed.values.ravel())),
                "width": changed.values.shape[1],
                "quality": quality_literals(changed.quality),
                "revisions": literal(stored.revisions[rows]),
                "keep": literal(merged.revise[rows]),
                "now": stored.now,
                "import": number,
            },
        )
        _refuse_fewer(written[0], int(rows.sum()))


async def _fill_values(
    queries: Queries, part: BlockReadings, number: int, *, in_many: bool
) -> Mask:
    """Put values into slots of live days, as part of import *number*; return which were not.

    They are in one shard, or *in_many*: then all shards are asked at once.
    """
    put, channels = _values_put(part, number), part.keys.channels
    if in_many:
        count = await queries.execute(SQL["slots_fill"], put)
    else:
        count = await queries.execute_of_shard(SQL["slots_fill"], channels, put)
    left = np.full(len(part.keys), count < len(part.keys))
    if count and left.any():
        # The import has put nothing else into these blocks: each is sent once.
        if in_many:
            (filled,) = await queries.fetch(str, SQL["slots_filled"], put)
        else:
            (filled,) = await queries.fetch_of_shard(str, SQL["slots_filled"], channels, put)
        left[numbers_of(filled) - 1] = False
    return left


async def _write_values(
    queries: Queries, part: BlockReadings, live: Mask, number: int
) -> _ValueCounts:
    """Put one value into each block, as part of import *number*; raises `LostRace`."""
    # Of all shards at once: one after another takes a cluster five times as long.
    counts = await queries.fetch(
        _ValueCounts,
        SQL["slots_write"],
        {**_values_put(part, number), "live": literal(live), "width": part.width},
    )
    _refuse_fewer(sum(attrs.astuple(counts[0])), len(part.keys))
    return counts[0]


def _values_put(part: BlockReadings, number: int) -> dict[str, object]:
    """Return what both statements are told of one value a block."""
    return {
        "channels": literal(part.keys.channels),
        "days": literal(part.keys.days),
        "slots": literal(part.slot + 1),
        "values": literal(part.values),
        "empty": _base64(np.full(part.width, MISSING)),
        "import": number,
    }


def _refuse_fewer(written: int, expected: int) -> None:
    """Refuse to go on if a block was not as it had been read; raises `LostRace`."""
    if written != expected:
        raise LostRace(_FASTER)


# Blocks of PostgreSQL as numpy arrays, and back.
#
# Bytes are given in hexadecimal, and taken in base64, which is a third less to read. psycopg2 would
# make a Python integer of each item of an array, one by one: many come as one text, which has a
# third of what `array_send` gives, few as that gives them. On the way in, the literal that msgspec
# writes is what PostgreSQL reads fastest.


def _fit(values: Micro) -> Mask:
    """Return which values fit into four bytes, as one that is missing does."""
    fit: Mask = (np.abs(values) < -_NONE) | (values == MISSING)
    return fit


def _base64(values: Micro) -> str:
    """Return values as the bytes of narrow blocks."""
    numbers = np.where(values == MISSING, _NONE, values).astype(">i4")
    return b2a_base64(numbers.tobytes(), newline=False).decode()


def blocks_of_row(
    narrow: memoryview | None, values: str | None, quality: str, width: int
) -> Blocks:
    """Return blocks from what `blocks_now` gives of a span.

    Args:
        narrow: Those that are narrow, one after the other.
        values: The values of all others, with commas between them, nulls replaced.
        quality: The qualities, or nothing, of each block, with semicolons between blocks.
        width: Slots in a day.

    """
    numbers: Micro = np.frombuffer(narrow or b"", ">i4").astype(np.int64)
    # Most have each value, and the least of them is found in a tenth of the time of looking at all.
    if numbers.min(initial=0) == _NONE:
        numbers[numbers == _NONE] = MISSING
    if values is not None:
        numbers = np.concatenate([numbers, numbers_of(values)])
    numbers = numbers.reshape(-1, width)
    codes: Quality = np.full(numbers.shape, ACTUAL, np.int8)
    if numbers.min(initial=0) == MISSING:
        codes[numbers == MISSING] = NEVER_SENT
    if len(quality) >= len(numbers):  # there is more than what separates them
        for block, text in enumerate(quality.split(";")):
            if text:
                codes[block] = numbers_of(text)
    return Blocks(numbers, codes)


def numbers_of(text: str) -> Int64:
    """Return whole numbers with commas between them."""
    numbers: Int64 = np.fromstring(text, np.int64, sep=",")
    return numbers


#: What `array_send` puts before the items: dimensions, flags, type, length, lower bound.
_HEAD: Final = 20


def blocks_of(
    values: Sequence[memoryview], quality: Sequence[memoryview | None], width: int
) -> Blocks:
    """Return blocks from what `array_send` gives: int8[] and int2[], nulls replaced."""
    numbers: Micro = _items(values, ">i8", width).astype(np.int64)
    codes: Quality = np.where(numbers == MISSING, NEVER_SENT, ACTUAL).astype(np.int8)
    # A block of nothing but actual values is stored without qualities.
    rows = [row for row, array in enumerate(quality) if array is not None]
    if rows:
        codes[rows] = _items([array for array in quality if array is not None], ">i2", width)
    return Blocks(numbers, codes)


def _items(arrays: Sequence[memoryview], kind: str, width: int) -> npt.NDArray[np.int64]:
    """Return the items of arrays of one length: each is its size in bytes, and then itself."""
    item = np.dtype([("size", ">i4"), ("value", kind)])
    array = np.dtype([("head", f"V{_HEAD}"), ("items", item, (width,))])
    items: npt.NDArray[np.int64] = np.frombuffer(b"".join(arrays), array)["items"]["value"]
    return items


def literal(numbers: Int64 | Mask | Quality) -> str:
    """Return a one-dimensional array of numbers or truth values as a literal."""
    return "{" + msgspec.json.encode(numbers.tolist()).decode()[1:-1] + "}"


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
