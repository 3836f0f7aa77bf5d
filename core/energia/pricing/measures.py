"""The measures that the core ships."""

from collections.abc import Mapping

import attrs
import numpy as np

from energia.pricing.charges import BaseMeasure, Role
from energia.pricing.determinants import Reduction
from energia.pricing.exact import merged, total
from energia.pricing.schedule import Schedule
from energia.pricing.slots import Slots

__all__ = ["BillDays", "BillMonths", "Days", "Energy", "EnergyByPeriod", "Months"]


@attrs.frozen(cache_hash=True)
class Energy(BaseMeasure):
    """The sum of a channel, in micro-units; its one label is `total`.

    Attributes:
        channel: The role whose readings are summed.

    """

    channel: Role = "import"

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is summed."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the exact sum of all slots."""
        part = slots.portion(self.channel, ())
        return {"total": total(part.values, part.largest)}

    def reduction(self, slots: Slots) -> Reduction:
        """Return that all slots are one group."""
        zero = np.zeros(1, np.int64)
        return Reduction(self.channel, ("total",), zero, zero, zero)

    def merge(self, earlier: Mapping[str, int], later: Mapping[str, int]) -> Mapping[str, int]:
        """Return the sum of both windows."""
        return merged(earlier, later)


@attrs.frozen(cache_hash=True)
class EnergyByPeriod(BaseMeasure):
    """The sum of a channel in each period of a schedule that has a slot, in micro-units.

    A period of which the window has no slot has no label: `measured["energy"].get("peak", 0)`.

    Attributes:
        schedule: When each period is; labels are its periods.
        channel: The role whose readings are summed.

    """

    schedule: Schedule
    channel: Role = "import"

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is summed."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the exact sum of the slots of each period."""
        part = slots.portion(self.channel, ())
        return slots.calendar(self.schedule, self.channel).sums(part.values, part.largest)

    def reduction(self, slots: Slots) -> Reduction:
        """Return that the slots of each period are a group."""
        return Reduction(self.channel, *slots.calendar(self.schedule, self.channel).groups)

    def merge(self, earlier: Mapping[str, int], later: Mapping[str, int]) -> Mapping[str, int]:
        """Return the sums of both windows."""
        return merged(earlier, later)


@attrs.frozen
class Days(BaseMeasure):
    """How many local days the window touches, a part counting as a whole; the label is `days`."""

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count the days of the bill's zone."""
        return {"days": slots.local_days().number}

    def merge(self, earlier: Mapping[str, int], later: Mapping[str, int]) -> Mapping[str, int]:
        """Return the days of two windows between midnights."""
        return merged(earlier, later)


@attrs.frozen
class Months(BaseMeasure):
    """How many local days of each calendar month the window touches; labels such as `2026-03`."""

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count the days of each month of the bill's zone."""
        return slots.local_days().by_month

    def merge(self, earlier: Mapping[str, int], later: Mapping[str, int]) -> Mapping[str, int]:
        """Return the days of two windows between midnights."""
        return merged(earlier, later)


@attrs.frozen
class BillDays(BaseMeasure):
    """As `Days`, of the whole bill, of which the window is a part where versions follow."""

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count the days of the bill's zone."""
        return {"days": slots.bill_days().number}

    def merge(self, earlier: Mapping[str, int], later: Mapping[str, int]) -> Mapping[str, int]:
        """Return those of the bill, of which both windows are parts."""
        return later


@attrs.frozen
class BillMonths(BaseMeasure):
    """As `Months`, of the whole bill, of which the window is a part where versions follow."""

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count the days of each month of the bill's zone."""
        return slots.bill_days().by_month

    def merge(self, earlier: Mapping[str, int], later: Mapping[str, int]) -> Mapping[str, int]:
        """Return those of the bill, of which both windows are parts."""
        return later
