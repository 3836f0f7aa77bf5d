"""Quantities on an even grid of time: what everything else in Energia calls readings.

A quantity is a whole number of micro-units (1e-6 of the canonical unit: kWh, kvarh, kVAh or m3), so
that sums are exact. Times are seconds since 1970-01-01T00:00Z, in UTC: local time begins where a
zone is asked, in `usage`.
"""

from typing import Final, Literal, get_args

import attrs
import numpy as np
import numpy.typing as npt

from energia.convert.scalars import Unfit
from energia.time import DAY, HOUR, Instant, Int64
from energia.units import BOUND, N, ceiling

__all__ = [
    "ACTUAL",
    "BOUND",
    "LONGEST",
    "MISSING",
    "NEVER_SENT",
    "NOT_COUNTED",
    "QUALITIES",
    "ChannelGrid",
    "Mask",
    "Micro",
    "Quality",
    "QualityName",
    "Series",
    "refuse_length",
]

#: Which of some rows, slots or values.
Mask = npt.NDArray[np.bool_]
#: Quantities in micro-units (1e-6 kWh, m3, ...).
Micro = npt.NDArray[np.int64]
#: Quality codes, one for each slot.
Quality = npt.NDArray[np.int8]

#: Stands in an array of micro-units for "no value".
MISSING: Final = int(np.iinfo(np.int64).min)

#: The longest slot, in seconds.
LONGEST: Final = HOUR

#: The name of the quality of what has a value.
QualityName = Literal[
    "actual",
    "validated",
    "substituted",
    "provisional",
    "estimated",
    "derived",
    "questionable",
    "forecast",
]
#: The names of the quality codes 0 to 8, as stored and as sent: a code is the index of its name.
QUALITIES: Final[tuple[str, ...]] = ("missing", *get_args(QualityName))
#: The code of `actual`: what was measured, as far as anybody says.
ACTUAL: Final = 1
#: In an array of quality codes: nothing was ever said of this slot.
NEVER_SENT: Final = -1
#: In an array of quality codes: a register was read, and tells nothing of this slot.
NOT_COUNTED: Final = -2


def refuse_length(seconds: float) -> None:
    """Refuse what is no length of a slot: whole seconds that divide a day, at most an hour."""
    if seconds > LONGEST:
        message = "a slot lasts an hour at most: days, months and bills are of kind `irregular`"
        raise Unfit("wrong_interval", message)
    if seconds < 1 or seconds % 1 or DAY % seconds:
        raise Unfit("wrong_interval", "the interval does not divide a day")


@attrs.frozen(eq=False)
class Series:
    """Quantities of consecutive slots of one length.

    Nobody writes into the arrays, which others may be reading: copy what is to be changed.

    Attributes:
        start: When the first slot starts, in seconds since 1970-01-01T00:00Z.
        interval: The length of a slot in seconds.
        values: int64[n], micro-units; `MISSING` where there is no value.
        quality: int8[n], codes of `QUALITIES`; `NEVER_SENT` where nothing was ever sent,
            `NOT_COUNTED` where a register tells nothing, such as after it went back.
        edges: int64[m], where sums of several slots meet that were spread over them evenly: of the
            slots between two edges only the sum was measured. None where each slot was measured.

    """

    start: Instant
    interval: int
    values: Micro
    quality: Quality
    edges: Int64 | None = None

    @property
    def end(self) -> int:
        """When the last slot ends, in seconds since 1970-01-01T00:00Z."""
        return self.start + self.interval * len(self.values)

    @property
    def starts(self) -> Int64:
        """When each slot starts: int64[n], seconds since 1970-01-01T00:00Z."""
        return self.start + self.interval * np.arange(len(self.values), dtype=np.int64)

    def index_at(self, instants: N) -> N:
        """Return the first slot that starts at an instant (or at each of an array) or later.

        It is below 0, or past the last slot, where the series does not reach.
        """
        return ceiling(instants - self.start, self.interval)


@attrs.frozen
class ChannelGrid:
    """The slots and days of a channel: an even division of all of time.

    Slots are numbered: slot 0 starts *offset* seconds after 1970-01-01T00:00Z. A day of the grid is
    a UTC day that is shifted by the offset; it has the same number of slots each time, whatever
    local clocks do, which is why blocks are days of the grid and not local ones.

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

    def start(self, slot: int) -> int:
        """Return when the slot number *slot* starts, in seconds, UTC."""
        return slot * self.interval + self.offset

    def slots(self, start: Instant, end: Instant) -> range:
        """Return the numbers of the slots that start in `[start, end)`."""
        first = self._ceil(start)
        return range(first, max(first, self._ceil(end)))

    def day_start(self, day: int) -> int:
        """Return when the grid's day *day* (days since 1970-01-01) begins, in seconds, UTC."""
        return day * DAY + self.offset

    def days(self, slots: range) -> range:
        """Return the days (numbers since 1970-01-01) that the slots numbered *slots* are in."""
        if not slots:
            return range(0)
        return range(slots[0] // self.per_day, slots[-1] // self.per_day + 1)

    def _ceil(self, instant: Instant) -> int:
        return ceiling(instant - self.offset, self.interval)
