"""What one import has sent so far, over its batches."""

from typing import Final, TypeVar

import attrs
import numpy as np

from energia.metering.merge import Int64, Mask
from energia.metering.series import NEVER_SENT, Quality

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
        page = rows * -(-self.width // size) + index // size
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
