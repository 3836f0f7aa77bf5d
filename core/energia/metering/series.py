"""Quantities on an even grid of time."""

from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from energia.convert.scalars import Unfit
from energia.time import DAY, HOUR, Instant, Int64
from energia.units import BOUND, N, ceiling

__all__ = [
    "ACTUAL",
    "BOUND",
    "MISSING",
    "NEVER_SENT",
    "QUALITIES",
    "Micro",
    "Quality",
    "Series",
    "refuse_length",
]

#: Quantities in micro-units (1e-6 kWh, m3, ...).
Micro = npt.NDArray[np.int64]
#: Quality codes, one for each slot.
Quality = npt.NDArray[np.int8]

#: Stands in an array of micro-units for "no value".
MISSING: Final = int(np.iinfo(np.int64).min)

#: The longest slot, in seconds.
LONGEST: Final = HOUR

#: The names of the quality codes 0 to 8, as stored and as sent.
QUALITIES: Final = (
    "missing",
    "actual",
    "validated",
    "substituted",
    "provisional",
    "estimated",
    "derived",
    "questionable",
    "forecast",
)
ACTUAL: Final = 1
#: In an array of quality codes: nothing was ever said of this slot.
NEVER_SENT: Final = -1


def refuse_length(seconds: float) -> None:
    """Refuse what is no length of a slot: whole seconds that divide a day, at most an hour."""
    if seconds > LONGEST:
        raise Unfit("not_supported", "intervals over PT1H are not supported yet")
    if seconds < 1 or seconds % 1 or DAY % seconds:
        raise Unfit("wrong_interval", "the interval does not divide a day")


@attrs.frozen(eq=False)
class Series:
    """Quantities of consecutive slots of one length.

    Attributes:
        start: When the first slot starts, in seconds since 1970-01-01T00:00Z.
        interval: The length of a slot in seconds.
        values: int64[n], micro-units; `MISSING` where there is no value.
        quality: int8[n], codes of `QUALITIES`; `NEVER_SENT` where nothing was ever sent.

    """

    start: Instant
    interval: int
    values: Micro
    quality: Quality

    @property
    def end(self) -> int:
        """When the last slot ends, in seconds since 1970-01-01T00:00Z."""
        return self.start + self.interval * len(self.values)

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """When each slot starts: int64[n], seconds since 1970-01-01T00:00Z."""
        return self.start + self.interval * np.arange(len(self.values), dtype=np.int64)

    def index_at(self, instants: N) -> N:
        """Return the first slot that starts at an instant (or at each of an array) or later.

        It is below 0, or past the last slot, where the series does not reach.
        """
        return ceiling(instants - self.start, self.interval)


# Slot arithmetic: instants, slot numbers, and days of a channel's grid.
#
# A grid numbers its slots through all of time: slot 0 starts *offset* seconds after
# 1970-01-01T00:00Z. Its days are UTC days shifted by the offset.


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

    def slot(self, instant: Instant) -> int:
        """Return the number of the slot that *instant* (seconds, UTC) falls into."""
        return (instant - self.offset) // self.interval

    def start(self, slot: int) -> int:
        """Return when the slot number *slot* starts, in seconds, UTC."""
        return slot * self.interval + self.offset

    def window(self, start: Instant, end: Instant) -> tuple[int, int]:
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

    def _ceil(self, instant: Instant) -> int:
        return ceiling(instant - self.offset, self.interval)
