"""Put readings into day blocks: scaled, checked, folded."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Final, TypeVar

import attrs
import numpy as np

from energia.errors import Fault
from energia.metering.blocks import Keys
from energia.metering.columns import Sent
from energia.metering.merge import Blocks, Mask
from energia.metering.outcome import WARNING, Problems
from energia.metering.resolution import Known, Placed
from energia.metering.series import ACTUAL, MISSING, NEVER_SENT, QUALITIES, Micro, Quality
from energia.time import DAY, Int64
from energia.units import ceiling, decimal_text, to_micros

_QUESTIONABLE = QUALITIES.index("questionable")


@attrs.frozen(eq=False)
class Batch:
    """Readings of one interval in blocks, each slot once.

    Attributes:
        sent: Where they come from.
        targets: The channels, as indices of `Known.channels`.
        keys: The channel and day of each block, sorted.
        width: Slots in a day.
        offsets: int64, the grid offset of each block's channel.
        row: int64[n], the block of each reading, sorted.
        index: int64[n], its slot in the block.
        at: int64[n], its index in `sent.values`.
        values: int64[n], micro-units or `MISSING`.
        quality: int8[n].
        repeated: How many equal repeats were folded.

    """

    sent: Sent
    targets: Int64
    keys: Keys
    width: int
    offsets: Int64
    row: Int64
    index: Int64
    at: Int64
    values: Micro
    quality: Quality
    repeated: int

    def live(self, now: float, grace: float) -> Mask:
        """Return which blocks' days are not over, or for less than *grace* seconds."""
        ends = (self.keys.days + 1) * DAY + self.offsets
        still: Mask = now - ends < grace
        return still

    def singles(self) -> Mask:
        """Return which blocks got one reading, and that an actual value."""
        rows = len(self.keys)
        actual = np.bincount(self.row[self.quality == ACTUAL], minlength=rows)
        one: Mask = (np.bincount(self.row, minlength=rows) == 1) & (actual == 1)
        return one

    def some(self, rows: Mask) -> "Batch":
        """Return the batch with only those blocks."""
        number = np.cumsum(rows) - 1
        kept = rows[self.row]
        return attrs.evolve(
            self,
            keys=self.keys.take(rows),
            offsets=self.offsets[rows],
            row=number[self.row[kept]],
            index=self.index[kept],
            at=self.at[kept],
            values=self.values[kept],
            quality=self.quality[kept],
        )

    def slices(self, size: int) -> Iterator["Batch"]:
        """Yield the batch in parts of at most *size* blocks."""
        firsts = range(0, len(self.keys), size)
        cuts = np.searchsorted(self.row, [*firsts, len(self.keys)]).tolist()
        for first, (begin, past) in zip(firsts, pairwise(cuts), strict=True):
            blocks, readings = slice(first, first + size), slice(begin, past)
            yield attrs.evolve(
                self,
                keys=self.keys.take(blocks),
                offsets=self.offsets[blocks],
                row=self.row[readings] - first,
                index=self.index[readings],
                at=self.at[readings],
                values=self.values[readings],
                quality=self.quality[readings],
            )

    def blocks(self) -> Blocks:
        """Return the readings as blocks."""
        made = Blocks.empty(len(self.keys), self.width)
        made.values[self.row, self.index] = self.values
        made.quality[self.row, self.index] = self.quality
        return made


@attrs.frozen(eq=False)
class _Flat:
    """Readings one by one."""

    channel: Int64
    slot: Int64
    at: Int64
    values: Micro
    quality: Quality

    def take(self, rows: "Mask | Int64") -> "_Flat":
        return _Flat(*(column[rows] for column in attrs.astuple(self, recurse=False)))


def make(sent: Sent, placed: Placed, runs: Int64, known: Known, problems: Problems) -> Batch:
    """Return the readings of some runs, of one interval, as blocks; note what is refused."""
    flat = _flat(sent, placed, runs, known, problems)
    flat, repeated = _fold(flat, sent, problems)
    interval = known.channels[int(placed.channel[runs[0]])].interval
    width = DAY // interval
    day, index = flat.slot // width, flat.slot % width
    first = np.ones(len(day), bool)
    first[1:] = (flat.channel[1:] != flat.channel[:-1]) | (day[1:] != day[:-1])
    channel = flat.channel[first]
    return Batch(
        sent,
        np.unique(channel),
        Keys(known.keys[channel], day[first]),
        width,
        known.offsets[channel],
        np.cumsum(first) - 1,
        index,
        flat.at,
        flat.values,
        flat.quality,
        repeated,
    )


def _flat(sent: Sent, placed: Placed, runs: Int64, known: Known, problems: Problems) -> _Flat:
    """Return the readings of some runs, scaled; those refused are left out."""
    run, position, at = sent.split(runs)
    values = np.zeros(len(at), np.int64)
    outside = np.zeros(len(at), bool)
    factor = placed.factor[run]
    for number in np.unique(factor).tolist():
        these = np.flatnonzero(factor == number)
        exact = _Exact(sent, at[these])
        values[these], outside[these] = to_micros(
            sent.values[exact.at], placed.factors[number], exact
        )
    null = np.isnan(sent.values[at])
    values[null] = MISSING
    quality = np.where(null, 0, sent.quality[run]).astype(np.int8)
    flat = _Flat(placed.channel[run], placed.slot[run] + position, at, values, quality)
    if sent.refused is not None:
        kept = ~sent.refused[at]
        flat, outside = flat.take(kept), outside[kept]
    flat = _refuse(sent, flat, outside, ("out_of_range", "the number is out of range"), problems)
    nothing = (flat.quality == 0) & (flat.values != MISSING)
    message = "a reading of quality missing has no value"
    flat = _refuse(sent, flat, nothing, ("missing_with_value", message), problems)
    _question(sent, flat, known, problems)
    return flat


@attrs.frozen(eq=False)
class _Exact:
    """Values as they were written, by their position in a selection."""

    sent: Sent
    at: Int64

    def __call__(self, position: int) -> Decimal:
        return self.sent.exact(int(self.at[position]))


def _refuse(
    sent: Sent, flat: _Flat, wrong: Mask, why: tuple[str, str], problems: Problems
) -> _Flat:
    if not wrong.any():
        return flat
    problems.add_each(why[0], flat.at[wrong].tolist(), lambda at: sent.fault_at(*why, at))
    return flat.take(~wrong)


def _question(sent: Sent, flat: _Flat, known: Known, problems: Problems) -> None:
    """Mark what is above the channel's power as questionable, and warn."""
    above = (flat.values != MISSING) & (np.abs(flat.values) > known.most[flat.channel])
    flat.quality[above] = _QUESTIONABLE
    for i in np.flatnonzero(above).tolist():
        if len(problems.kept) >= problems.limit:
            break
        message = f"{decimal_text(int(flat.values[i]))} is above what max_power allows"
        fault = sent.fault_at("above_max_power", message, int(flat.at[i]))
        problems.add(attrs.evolve(fault, severity=WARNING), 0)


def _fold(flat: _Flat, sent: Sent, problems: Problems) -> tuple[_Flat, int]:
    """Sort by channel and slot; fold equal repeats, and refuse those that differ from the first."""
    same = flat.channel[1:] == flat.channel[:-1]
    if not (same & (flat.slot[1:] <= flat.slot[:-1])).any() and _grouped(flat.channel):
        return flat, 0
    flat = flat.take(np.lexsort((flat.slot, flat.channel)))
    again = np.zeros(len(flat.slot), bool)
    again[1:] = (flat.channel[1:] == flat.channel[:-1]) & (flat.slot[1:] == flat.slot[:-1])
    first = np.maximum.accumulate(np.where(again, 0, np.arange(len(again))))
    equal = (flat.values == flat.values[first]) & (flat.quality == flat.quality[first])
    problems.add_each(
        "duplicate_in_request",
        np.flatnonzero(again & ~equal).tolist(),
        lambda i: differing(sent, int(flat.at[i]), flat.values[i], flat.values[first[i]]),
    )
    return flat.take(~again), int((again & equal).sum())


def _grouped(channel: Int64) -> bool:
    """Whether the readings of each channel are together (they are if the runs were sorted)."""
    return bool((channel[1:] >= channel[:-1]).all())


def differing(sent: Sent, at: int, value: np.int64, before: np.int64) -> Fault:
    """Return the fault of a slot that came again with another value or quality."""
    now, then = (
        None if micro == MISSING else decimal_text(int(micro)) for micro in (value, before)
    )
    message = f"the slot was sent before, with {then or 'null'} or another quality"
    return attrs.evolve(sent.fault_at("duplicate_in_request", message, at), sent=now)


# What one import has sent so far, over its batches.

Column = TypeVar("Column", Mask, Int64, Quality)

#: Slots of a page. A day of seconds has many; what a file names of it costs as few as it can.
_PAGE: Final = 96


@attrs.define
class _Rows:
    """Numbers keys in the order in which they come."""

    _numbers: dict[int, int] = attrs.Factory(dict)

    def __len__(self) -> int:
        return len(self._numbers)

    def of(self, keys: Int64) -> Int64:
        """Return the numbers of *keys*, each given once."""
        known = self._numbers
        return np.array([known.setdefault(key, len(known)) for key in keys.tolist()], np.int64)


@attrs.define(eq=False)
class Repeats:
    """The blocks of one width that an import has touched.

    Attributes:
        width: The slots of a block.
        own: bool[n], whether this import started the block's revision.
        last: int64[n], the last slot that was filled before this import, or -1.

    """

    width: int
    own: Mask = attrs.field(factory=lambda: np.zeros(0, bool), init=False)
    last: Int64 = attrs.field(factory=lambda: np.zeros(0, np.int64), init=False)
    _blocks: _Rows = attrs.field(factory=_Rows, init=False)
    _pages: _Rows = attrs.field(factory=_Rows, init=False)
    # int8, the quality that was sent for a slot, or NEVER_SENT; by pages.
    _sent: Quality = attrs.field(factory=lambda: np.zeros(0, np.int8), init=False)

    def rows(self, channels: Int64, days: Int64, last: Int64) -> Int64:
        """Return the rows of some blocks; of new ones, *last* is noted."""
        before = len(self._blocks)
        # One number for both: the days of 1900 to 2199 have at most five digits.
        found = self._blocks.of(channels * 1_000_000 + days)
        self.own = _grown(self.own, len(self._blocks), fill=0)
        self.last = _grown(self.last, len(self._blocks), fill=-1)
        new = found >= before
        self.last[found[new]] = last[new]
        return found

    def swap(self, rows: Int64, index: Int64, quality: Quality) -> Quality:
        """Note what is sent for slots, in the order of blocks; return what was sent before."""
        size = min(_PAGE, self.width)
        page = rows * ceiling(self.width, size) + index // size
        keys, inverse = np.unique(page, return_inverse=True)
        found = self._pages.of(keys)
        self._sent = _grown(self._sent, len(self._pages) * size, fill=NEVER_SENT)
        at = found[inverse] * size + index % size
        before: Quality = self._sent[at]
        self._sent[at] = np.where(before == NEVER_SENT, quality, before)
        return before


def _grown(column: Column, size: int, fill: int) -> Column:
    """Return *column* with room for *size* items at least; it doubles, so that growing is cheap."""
    if len(column) >= size:
        return column
    more = np.full(max(size, 2 * len(column)) - len(column), fill, column.dtype)
    return np.concatenate([column, more])
