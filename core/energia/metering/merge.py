"""Merge the readings of a batch into the day blocks that are stored: arithmetic on arrays only.

A block is one row of arrays. A slot has a value with a quality of 1 to 8, or `MISSING` with
quality 0 (marked missing) or `NEVER_SENT`.

The rules:

* Known slots with an equal value and quality stay as they are; a batch of only those writes
  nothing.
* A null marks a slot of which nothing was known. It never erases a value.
* A live fill is written in place, in the revision that is there: a slot after the last that has a
  value, on a day that is not over, or not for longer than the grace.
* Whatever else changes a block (a late fill, a hole filled, a value or quality corrected) moves the
  stored form to history and starts a revision. One import starts at most one revision of a block.
"""

from typing import Self

import attrs
import numpy as np
import numpy.typing as npt

from energia.metering.series import MISSING, NEVER_SENT, Micro, Quality
from energia.time import Int64

Mask = npt.NDArray[np.bool_]


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

    def take(self, rows: "Mask | Int64") -> Self:
        """Return some of the blocks."""
        return type(self)(self.values[rows], self.quality[rows])

    @property
    def last_filled(self) -> Int64:
        """The index of the last slot of each block that has a value, or -1."""
        known = self.values != MISSING
        width = known.shape[1]
        last = width - 1 - np.argmax(known[:, ::-1], axis=1)
        found: Int64 = np.where(known.any(axis=1), last, -1)
        return found


@attrs.frozen(eq=False)
class Merged:
    """The outcome of a merge.

    Attributes:
        blocks: What is to be stored.
        write: bool[n], blocks that differ from what is stored.
        revise: bool[n], blocks whose stored form moves to history.
        created: How many slots got their first value.
        unchanged: How many values were known already.
        corrected: How many known values or qualities are changed.
        missing: How many nulls were sent.

    """

    blocks: Blocks
    write: Mask
    revise: Mask
    created: int
    unchanged: int
    corrected: int
    missing: int


@attrs.frozen(eq=False)
class Stored:
    """What is stored where the batch goes.

    Attributes:
        blocks: The stored blocks; empty ones where there is none.
        exists: bool[n], whether there is one.
        live: bool[n], whether the block's day is over for less than the grace, or not yet.
        own: bool[n], whether this import itself started the block's revision.
        last: int64[n], the last slot that was filled before this import, or -1.

    """

    blocks: Blocks
    exists: Mask
    live: Mask
    own: Mask
    last: Int64


def merge(new: Blocks, stored: Stored) -> Merged:
    """Merge *new* slot by slot into *stored*; null marks a slot and never erases."""
    old = stored.blocks
    given, known = new.quality > 0, old.quality > 0
    same = given & known & (old.values == new.values) & (old.quality == new.quality)
    filled, corrected = given & ~known, given & known & ~same
    marked = (new.quality == 0) & (old.quality == NEVER_SENT)
    put = filled | corrected
    after = np.arange(new.values.shape[1]) > stored.last[:, None]
    late = corrected | ((filled | marked) & ~(after & stored.live[:, None]))
    blocks = Blocks(
        np.where(put, new.values, old.values),
        np.where(put | marked, new.quality, old.quality),
    )
    return Merged(
        blocks,
        write=(put | marked).any(axis=1),
        revise=late.any(axis=1) & stored.exists & ~stored.own,
        created=int(filled.sum()),
        unchanged=int(same.sum()),
        corrected=int(corrected.sum()),
        missing=int((new.quality == 0).sum()),
    )
