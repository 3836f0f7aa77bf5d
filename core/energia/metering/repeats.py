"""What one import has sent so far, over its batches."""

import attrs
import numpy as np

from energia.metering.merge import Int64, Mask
from energia.metering.series import NEVER_SENT, Quality


@attrs.define(eq=False)
class Repeats:
    """The blocks of one width that an import has touched.

    Attributes:
        sent: int8[n, width], the quality that the import sent for a slot, or `NEVER_SENT`.
        own: bool[n], whether this import started the block's revision.
        last: int64[n], the last slot that was filled before this import, or -1.

    """

    width: int
    sent: Quality = attrs.field(init=False)
    own: Mask = attrs.field(init=False)
    last: Int64 = attrs.field(init=False)
    _rows: dict[tuple[int, int], int] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        """Start with no block."""
        self.sent = np.full((0, self.width), NEVER_SENT, np.int8)
        self.own = np.zeros(0, bool)
        self.last = np.zeros(0, np.int64)

    def rows(self, channels: Int64, days: Int64, last: Int64) -> Int64:
        """Return the rows of some blocks; of new ones, *last* is noted."""
        keys = list(zip(channels.tolist(), days.tolist(), strict=True))
        before = len(self._rows)
        found = np.array([self._rows.setdefault(key, len(self._rows)) for key in keys], np.int64)
        self._grow(len(self._rows))
        new = found >= before
        self.last[found[new]] = last[new]
        return found

    def _grow(self, rows: int) -> None:
        if (have := len(self.own)) >= rows:
            return
        more = max(rows, 2 * have) - have
        fill = np.full((more, self.width), NEVER_SENT, np.int8)
        self.sent = np.concatenate([self.sent, fill])
        self.own = np.concatenate([self.own, np.zeros(more, bool)])
        self.last = np.concatenate([self.last, np.zeros(more, np.int64)])
