"""Merge the readings of an import into the day blocks that are stored: arithmetic on arrays only.

A block is one row of arrays: a channel's day of slots. A slot has a value with a quality of 1 to
8, or `MISSING` with quality 0 (marked missing) or `NEVER_SENT`.

The rules:

* Stored slots with an equal value and quality stay as they are; a batch of only those writes
  nothing.
* A null marks a slot of which nothing was known. It never erases a value.
* A live fill is written in place, in the revision that is there: a slot after the last that has a
  value, on a day that is not over, or not for longer than the grace.
* Whatever else changes a block (a late fill, a hole filled, a value or quality corrected) moves the
  stored form to history and starts a revision. One import starts at most one revision of a block.

Why live fills start no revision: a meter that sends every quarter-hour would leave 96 copies of
each day, all of them true when they were written and none of them a correction.
"""

from typing import Final, Self, TypeVar

import attrs
import numpy as np

from energia.metering.series import MISSING, NEVER_SENT, Mask, Micro, Quality
from energia.time import Int64
from energia.units import ceiling


@attrs.define(eq=False)
class Blocks:
    """Day blocks of one width, one row each.

    Attributes:
        values: int64[n, slots], micro-units or `MISSING`.
        quality: int8[n, slots], codes or `NEVER_SENT`.

    """

    values: Micro
    quality: Quality

    @classmethod
    def empty(cls, rows: int, width: int) -> Self:
        """Return *rows* blocks of which nothing was ever sent."""
        return cls(
            np.full((rows, width), MISSING, np.int64), np.full((rows, width), NEVER_SENT, np.int8)
        )

    def take(self, rows: Mask | Int64) -> Self:
        """Return some of the blocks."""
        return type(self)(self.values[rows], self.quality[rows])

    @property
    def last_filled(self) -> Int64:
        """The index of the last slot of each block that has a value, or -1."""
        valued = self.values != MISSING
        width = valued.shape[1]
        # argmax finds the first true; of the reversed slots that is the last. It is 0 as well
        # where nothing is true, which is why `any` has the last word.
        last = width - 1 - np.argmax(valued[:, ::-1], axis=1)
        slots: Int64 = np.where(valued.any(axis=1), last, -1)
        return slots


@attrs.frozen(eq=False)
class BlockState:
    """What there is before a merge, a row for each block of the batch.

    Attributes:
        blocks: The stored blocks; empty ones where there is none.
        exists: bool[n], whether there is one.
        live: bool[n], whether the block's day is not over, or over for less than the grace.
        own: bool[n], whether this import itself started the block's revision.
        last: int64[n], the last slot that was filled before this import, or -1.

    """

    blocks: Blocks
    exists: Mask
    live: Mask
    own: Mask
    last: Int64


@attrs.frozen(eq=False)
class Merge:
    """The result of a merge.

    Attributes:
        blocks: What is to be stored.
        write: bool[n], blocks that differ from what is stored.
        revise: bool[n], blocks whose stored form moves to history.
        created: How many slots got their first value.
        unchanged: How many values were stored already.
        corrected: How many stored values or qualities are changed.
        missing: How many nulls were sent.

    """

    blocks: Blocks
    write: Mask
    revise: Mask
    created: int
    unchanged: int
    corrected: int
    missing: int


def merge(new: Blocks, before: BlockState) -> Merge:
    """Merge *new* slot by slot into what was there *before*."""
    old = before.blocks
    valued, stored = new.quality > 0, old.quality > 0
    same = valued & stored & (old.values == new.values) & (old.quality == new.quality)
    filled, corrected = valued & ~stored, valued & stored & ~same
    # A null finds a mark or a value there: it says nothing new.
    marked = (new.quality == 0) & (old.quality == NEVER_SENT)
    put = filled | corrected
    # `last` is that of before the import, not of the block as it is: a file whose rows are not in
    # order must fill the same slots live, however it is cut into batches.
    live = (np.arange(new.values.shape[1]) > before.last[:, None]) & before.live[:, None]
    late = corrected | ((filled | marked) & ~live)
    blocks = Blocks(
        np.where(put, new.values, old.values),
        np.where(put | marked, new.quality, old.quality),
    )
    return Merge(
        blocks,
        write=(put | marked).any(axis=1),
        revise=late.any(axis=1) & before.exists & ~before.own,
        created=int(filled.sum()),
        unchanged=int(same.sum()),
        corrected=int(corrected.sum()),
        missing=int((new.quality == 0).sum()),
    )


# What an import remembers from batch to batch, so that the rules hold for it as a whole.

Column = TypeVar("Column", Mask, Int64, Quality)

#: Slots of a page of `ImportBlocks`. A day of seconds has 86,400 slots; where a file names one of
#: them, remembering a page costs a thousandth of remembering the day.
_PAGE: Final = 96


@attrs.define(eq=False)
class _Numbering:
    """Numbers keys; of each it takes 16 bytes, a tenth of what a dictionary does.

    Attributes:
        keys: The keys, sorted,
        numbers: and their numbers.

    """

    keys: Int64 = attrs.field(factory=lambda: np.zeros(0, np.int64))
    numbers: Int64 = attrs.field(factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.keys)

    def copy(self) -> "_Numbering":
        """Return one that goes on from here."""
        return _Numbering(self.keys.copy(), self.numbers.copy())

    def of(self, keys: Int64) -> Int64:
        """Return the numbers of *keys*; new keys get the next ones."""
        distinct = np.unique(keys)
        place = np.searchsorted(self.keys, distinct)
        inside = place < len(self.keys)
        inside[inside] = self.keys[place[inside]] == distinct[inside]
        new, place = distinct[~inside], place[~inside]
        if len(new):
            following = np.arange(len(new), dtype=np.int64) + len(self.keys)
            self.keys = np.insert(self.keys, place, new)
            self.numbers = np.insert(self.numbers, place, following)
        found: Int64 = self.numbers[np.searchsorted(self.keys, keys)]
        return found


@attrs.define(eq=False)
class ImportBlocks:
    """The blocks of one width that an import has touched.

    An import of several batches may come back to a block: it must not count its own slots as
    stored ones, nor start a second revision. Memory grows with what is touched, not with what is
    stored.

    Attributes:
        width: The slots of a block.
        own: bool[n], whether this import started the block's revision.
        last: int64[n], the last slot that was filled before this import, or -1.

    """

    width: int
    own: Mask = attrs.field(factory=lambda: np.zeros(0, bool), init=False)
    last: Int64 = attrs.field(factory=lambda: np.zeros(0, np.int64), init=False)
    _blocks: _Numbering = attrs.field(factory=_Numbering, init=False)
    _pages: _Numbering = attrs.field(factory=_Numbering, init=False)
    # int8, the quality that came first for a slot, or NEVER_SENT; page after page.
    _first: Quality = attrs.field(factory=lambda: np.zeros(0, np.int8), init=False)

    def following(self) -> "ImportBlocks":
        """Return a copy for the next part of the same file, which is an import of its own."""
        other = type(self)(self.width)
        other.own, other.last = np.zeros_like(self.own), self.last.copy()
        other._blocks, other._pages = self._blocks.copy(), self._pages.copy()
        other._first = self._first.copy()
        return other

    def rows(self, channels: Int64, days: Int64, last: Int64) -> Int64:
        """Return the rows of some blocks; of new ones, *last* is noted."""
        before = len(self._blocks)
        # One number for both: the days of 1900 to 2199 have at most five digits and a sign.
        rows = self._blocks.of(channels * 1_000_000 + days)
        self.own = _grown(self.own, len(self._blocks), fill=0)
        self.last = _grown(self.last, len(self._blocks), fill=-1)
        new = rows >= before
        self.last[rows[new]] = last[new]
        return rows

    def swap(self, rows: Int64, index: Int64, quality: Quality) -> Quality:
        """Note the quality that comes for slots; return what came first, or `NEVER_SENT`.

        Args:
            rows: int64[n], the rows of the blocks, as `rows` gave them.
            index: int64[n], the slot in each.
            quality: int8[n], what comes now: it is kept where nothing, or a null, came before.

        """
        size = min(_PAGE, self.width)
        pages_of_block = ceiling(self.width, size)
        # A block of one page has the page of its number.
        page, count = rows, len(self._blocks)
        if pages_of_block > 1:
            page = self._pages.of(rows * pages_of_block + index // size)
            count = len(self._pages)
        self._first = _grown(self._first, count * size, fill=NEVER_SENT)
        position = page * size + index % size
        before: Quality = self._first[position]
        self._first[position] = np.where(before <= 0, quality, before)
        return before


def _grown(column: Column, size: int, fill: int) -> Column:
    """Return *column* with room for *size* items at least; it grows by quarters, in its place."""
    before = len(column)
    if before < size:
        column.resize(max(size, before + before // 4), refcheck=False)
        column[before:] = fill
    return column
