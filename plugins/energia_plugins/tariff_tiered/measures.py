"""What `energy.tiered` measures."""

from collections.abc import Mapping
from typing import Final

import attrs

from energia.pricing.charges import Role
from energia.pricing.exact import merged
from energia.pricing.schedule import Schedule
from energia.pricing.slots import LocalDays, Slots
from energia_plugins.tariff_tiered.windows import (
    Reset,
    Windows,
    label,
    length,
    of_month,
    windows,
)

#: Periods whose usage is counted together.
Pool = tuple[str, ...]
#: So many days are no month any more.
_LONG: Final = 45


@attrs.frozen(cache_hash=True)
class TieredEnergy:
    """The energy of each window, by period; labels as `windows.label`."""

    schedule: Schedule | None
    channel: Role
    reset: Reset

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is summed."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the exact sums; a bill of more than 45 days is an assumption."""
        if self.reset == "bill":
            _tell_of_long(slots)
        part = slots.portion(self.channel)
        return compiled(slots, self.schedule, self.channel, self.reset).sums(
            part.values, part.largest
        )

    def merge(self, earlier: Mapping[str, int], later: Mapping[str, int]) -> Mapping[str, int]:
        """Return the sums of two windows of one bill."""
        return merged(earlier, later)


@attrs.frozen(cache_hash=True)
class PoolDays:
    """On how many local days each pool has a slot, by window."""

    schedule: Schedule
    channel: Role
    reset: Reset
    pools: tuple[Pool, ...]

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count the days; labels are of the first period of each pool."""
        return compiled(slots, self.schedule, self.channel, self.reset).days_of(self.pools)


@attrs.frozen(cache_hash=True)
class WindowDays:
    """How many days of each window are priced (`days@...`), and how many it has (`whole@...`).

    Attributes:
        reset: Which windows; not `day`.
        always: Whether the days of a bill are asked for even where all of it is priced.
        before: Whether what was used in a window before counts.

    """

    reset: Reset
    always: bool
    before: bool

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count the days of the tariff's zone."""
        if self.reset == "bill":
            if slots.bill is None and not self.always:
                return {}
            return {"days": slots.local_days().number, "whole": slots.bill_days().number}
        found: dict[str, int] = {}
        for month, days in self._local(slots).by_month.items():
            at = label("days", of_month(month, self.reset))
            found[at] = found.get(at, 0) + days
        whole = {one.replace("days", "whole"): length(one.partition("@")[2]) for one in found}
        if self.before:
            _tell_of_before(slots, self.reset)
        return {**found, **whole}

    def _local(self, slots: Slots) -> LocalDays:
        """Return the days; where windows count as a whole, a part of a day is nothing to tell."""
        if self.before:
            return LocalDays.between(slots.start, slots.end, slots.zone)
        return slots.local_days()


def compiled(slots: Slots, schedule: Schedule | None, role: str, reset: Reset) -> Windows:
    """Return the windows of the slots of *role*."""
    if schedule is not None:
        slots.calendar(schedule, role)  # tells of slots that are in two periods
    return windows(schedule, slots.types, slots.zone, slots.portion(role).grid, reset)


def _tell_of_long(slots: Slots) -> None:
    start, end = slots.bill or (slots.start, slots.end)
    days = LocalDays.between(start, end, slots.zone).number
    if days > _LONG:
        slots.assume(
            "long_bill",
            f"the window of {days} days is charged as one bill; group=P1M charges each month",
        )


def _tell_of_before(slots: Slots, reset: Reset) -> None:
    """Tell if the window begins within a window of the ladder."""
    day = slots.zone.datetime(slots.start).date()
    months = {"quarter": (1, 4, 7, 10), "year": (1,)}.get(reset, range(1, 13))
    if day.day > 1 or day.month not in months:
        slots.assume(
            "used_before",
            f"the {reset} of the tiers began before the window: what was used in it before is "
            "taken from the state, or as nothing",
        )
