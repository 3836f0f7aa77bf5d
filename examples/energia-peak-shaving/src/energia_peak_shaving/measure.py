"""The highest average power within a period of a schedule."""

from collections.abc import Mapping, Sequence

import attrs
import numpy as np
from energia import BaseMeasure, Invalid, Period, Schedule, Slots


@attrs.frozen(cache_hash=True)
class PeakDemand(BaseMeasure):
    """The most energy in an interval that begins in a period, in micro-units; the label is `peak`.

    Energy of an interval is average power: 1 kWh in 15 minutes is 4 kW. There is no label where no
    interval begins in the period.

    Attributes:
        schedule: When the period is.
        period: The period.
        minutes: The length of an interval; intervals begin at its multiples past the hour (UTC).
        channel: The role that is measured.

    """

    schedule: Schedule
    period: Period
    minutes: int
    channel: str = "import"

    @property
    def roles(self) -> Sequence[str]:
        """The role that is measured."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the largest of the intervals' sums.

        Raises:
            Invalid: The readings are coarser than the intervals: their peaks are not known.

        """
        part, length = slots.portion(self.channel), self.minutes * 60
        if length % part.grid.interval:
            raise Invalid.of(
                "too_coarse", f"peaks of {self.minutes} minutes need readings at least as fine"
            )
        if not part.grid.count:
            return {}
        number = part.grid.starts // length
        first = np.append(0, np.flatnonzero(np.diff(number)) + 1)
        # A slot is at most 1e15 micro-units and an interval 3600 slots: their sums fit 64 bits.
        sums = np.add.reduceat(part.values, first)
        calendar = slots.calendar(self.schedule, self.channel)
        runs = np.searchsorted(calendar.bounds, first, side="right") - 1
        inside = calendar.keys[runs] == calendar.periods.index(self.period)
        return {"peak": int(sums[inside].max())} if inside.any() else {}
