"""What is measured where energy counts in the month, or by the date, in which it flows."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise

import attrs
import numpy as np

from energia.pricing.calendar import Grid
from energia.pricing.charges import Role, Slots
from energia.pricing.exact import total
from energia.zones import day_number


@attrs.frozen(cache_hash=True)
class EnergyByDates:
    """The sum of a channel from each date of the tariff's zone to the next, in micro-units.

    The labels are the dates on which the parts begin: the window's first day, then `changes`.

    Attributes:
        changes: The dates, in order.
        channel: The role that is summed.

    """

    changes: tuple[date, ...]
    channel: Role = "import"

    @property
    def schedule(self) -> tuple[date, ...]:
        """The dates: no schedule of periods tells which slots a line charges."""
        return self.changes

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is summed."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the exact sums; a slot is of the part that its start is in."""
        part = slots.portion(self.channel)
        inside = self._inside(slots)
        self._tell(slots, list(inside.values()))
        labels = [slots.zone.datetime(slots.start).date(), *inside]
        cuts = [0, *(_slot(part.grid, at) for at in inside.values()), part.grid.count]
        return {
            label.isoformat(): total(part.values[first:past], part.largest)
            for label, (first, past) in zip(labels, pairwise(cuts), strict=True)
        }

    def _inside(self, slots: Slots) -> dict[date, int]:
        """Return the dates that begin inside the window, and when."""
        first, last = (
            slots.zone.datetime(instant).date() for instant in (slots.start, slots.end - 1)
        )
        days = [day for day in self.changes if first < day <= last]
        begins = slots.zone.midnights(np.array(list(map(day_number, days)), np.int64))
        return dict(zip(days, begins.tolist(), strict=True))

    def _tell(self, slots: Slots, begins: Sequence[int]) -> None:
        grid = slots.portion(self.channel).grid
        split = sum((begin - grid.start) % grid.interval != 0 for begin in begins)
        if split:
            slots.assume(
                "boundary_inside_interval",
                f"a date of the table falls inside {split} slots of {self.channel}: "
                "each is of the day at its start",
                split,
            )


def _slot(grid: Grid, instant: int) -> int:
    """Return the first slot that starts at *instant* or later."""
    return min(max(-((grid.start - instant) // grid.interval), 0), grid.count)
