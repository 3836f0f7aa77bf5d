"""Slot arithmetic: instants, slot numbers, and days of a channel's grid.

A grid numbers its slots through all of time: slot 0 starts *offset* seconds after
1970-01-01T00:00Z. Its days are UTC days shifted by the offset.
"""

import attrs
import numpy as np
import numpy.typing as npt

from energia.zones import DAY

Int64 = npt.NDArray[np.int64]


@attrs.frozen
class Grid:
    """An even division of time.

    Attributes:
        interval: The length of a slot in seconds; divides a day.
        offset: How many seconds after midnight UTC the day's first slot starts, below `interval`.

    """

    interval: int
    offset: int = 0

    @property
    def per_day(self) -> int:
        """How many slots a day has."""
        return DAY // self.interval

    def slot(self, instant: int) -> int:
        """Return the number of the slot that *instant* (seconds, UTC) falls into."""
        return (instant - self.offset) // self.interval

    def start(self, slot: int) -> int:
        """Return when the slot number *slot* starts, in seconds, UTC."""
        return slot * self.interval + self.offset

    def window(self, start: int, end: int) -> tuple[int, int]:
        """Return the numbers of the first slot that starts in `[start, end)` and past the last."""
        first, last = self._ceil(start), self._ceil(end)
        return first, max(first, last)

    def day_start(self, day: int) -> int:
        """Return when the grid's day *day* (days since 1970-01-01) begins, in seconds, UTC."""
        return day * DAY + self.offset

    def on_grid(self, instants: Int64) -> npt.NDArray[np.bool_]:
        """Return which instants are the start of a slot."""
        aligned: npt.NDArray[np.bool_] = (instants - self.offset) % self.interval == 0
        return aligned

    def places(self, instants: Int64) -> tuple[Int64, Int64]:
        """Return the day and the index in the day of the slots that *instants* fall into."""
        slots = (instants - self.offset) // self.interval
        return slots // self.per_day, slots % self.per_day

    def _ceil(self, instant: int) -> int:
        return -((self.offset - instant) // self.interval)
