"""The windows in which a ladder is walked: slots by window and period, compiled once."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, Literal

import attrs
import numpy as np

from energia import BaseMeasure, Calendar, DayTypes, Grid, LocalDays, Micro, Role, Schedule, Slots
from energia.pricing.exact import merged, sums
from energia.time import DAY, Int64, Zone

#: When usage is counted from nothing again.
Reset = Literal["bill", "day", "month", "quarter", "year"]
#: The period of a charge without a schedule.
TOTAL: Final = "total"
_MONTHS: Final[Mapping[str, int]] = {"month": 1, "quarter": 3, "year": 12}


def label(period: str, window: str) -> str:
    """Return how results name a period in a window: `peak@2026-03`, or `peak` in a bill."""
    return f"{period}@{window}" if window else period


@attrs.frozen(eq=False)
class Windows:
    """The slots of a grid, by window and period.

    Attributes:
        names: The windows that have a slot, in order: `2026-03-31`, `2026-03`, `2026-Q1`, `2026`;
            `2026-02/P3M` and `2026-10/P1Y` where the year does not begin in January; "" is the
            bill.
        firsts: int64[windows], the first slot of each.
        periods: The periods of the schedule.
        keys: int64[slots], the period of each slot.
        days: int64[slots], the local day of each slot, since 1970-01-01.

    """

    names: tuple[str, ...]
    firsts: Int64
    periods: tuple[str, ...]
    keys: Int64
    days: Int64
    _bounds: Int64 = attrs.field(init=False)
    _order: Int64 = attrs.field(init=False)
    _starts: Int64 = attrs.field(init=False)
    _labels: tuple[str, ...] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Sort the runs of slots of one window and period."""
        both = self.of_slots * len(self.periods) + self.keys
        # An array compared with itself is true at its first item, and empty if it has none.
        bounds = np.flatnonzero(np.append(both[:1] == both[:1], both[1:] != both[:-1]))
        order = np.argsort(both[bounds], kind="stable")
        keys = both[bounds][order]
        starts = np.flatnonzero(np.append(keys[:1] == keys[:1], keys[1:] != keys[:-1]))
        pairs = [divmod(key, len(self.periods)) for key in keys[starts].tolist()]
        labels = tuple(label(self.periods[key], self.names[window]) for window, key in pairs)
        for name, value in zip(
            ("_bounds", "_order", "_starts", "_labels"),
            (bounds, order, starts, labels),
            strict=True,
        ):
            object.__setattr__(self, name, value)

    @property
    def of_slots(self) -> Int64:
        """The window of each slot, an index into `names`."""
        return np.repeat(np.arange(len(self.firsts)), np.diff([*self.firsts, len(self.keys)]))

    def sums(self, values: Micro, largest: int) -> dict[str, int]:
        """Return the exact sum of *values*, bounded by *largest*, by label."""
        if not len(values):
            return {}
        totals = sums(values, largest, self._bounds, self._order, self._starts)
        return dict(zip(self._labels, totals, strict=True))

    def days_of(self, pools: tuple[tuple[str, ...], ...]) -> Mapping[str, int]:
        """Return on how many local days each of *pools* of periods has a slot.

        Labels are those of the first period of a pool.
        """
        return _days_of(self, pools)


@lru_cache(maxsize=512)
def _days_of(spans: Windows, pools: tuple[tuple[str, ...], ...]) -> Mapping[str, int]:
    pool = np.array([_index(pools, period) for period in spans.periods], np.int64)[spans.keys]
    if not len(pool):
        return {}
    # One number for window, pool and day: rows of three take 20 times as long to sort.
    first, last = int(spans.days.min()), int(spans.days.max())
    pair = spans.of_slots * len(pools) + pool
    days = np.unique(pair * (last - first + 1) + (spans.days - first))
    pairs, counts = np.unique(days // (last - first + 1), return_counts=True)
    return {
        label(pools[pair % len(pools)][0], spans.names[pair // len(pools)]): count
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True)
    }


@lru_cache(maxsize=512)
def windows(  # noqa: PLR0913, PLR0917 - what decides on the windows of slots
    schedule: Schedule | None,
    types: DayTypes,
    zone: Zone,
    grid: Grid,
    reset: Reset,
    begins: int = 1,
) -> Windows:
    """Compile the windows of the slots of *grid*; the dates are those of *zone*.

    Years, and so their quarters, begin with the month *begins*.
    """
    days = zone.local(grid.starts) // DAY
    # Where the clock goes back over midnight the new day has begun already.
    numbers = np.maximum.accumulate(_numbers(days, reset, begins))
    firsts = np.flatnonzero(np.append(numbers[:1] == numbers[:1], numbers[1:] != numbers[:-1]))
    names = tuple(_name(number, reset, begins) for number in numbers[firsts].tolist())
    if schedule is None:
        return Windows(names, firsts, (TOTAL,), np.zeros(grid.count, np.int64), days)
    calendar = Calendar.of(schedule, types, zone, grid)
    return Windows(names, firsts, calendar.periods, _keys(calendar, grid.count), days)


def length(window: str) -> int:
    """Return how many days a window such as `2026-03`, `2026-Q1`, `2026` or `2026-02/P3M` has."""
    first, _, span = window.partition("/")
    year, _, part = first.partition("-")
    if span:
        months = [int(part) + number for number in range(12 if span == "P1Y" else 3)]
    elif part.startswith("Q"):
        months = [3 * int(part[1:]) - number for number in range(3)]
    else:
        months = [int(part)] if part else list(range(1, 13))
    # The month after December is January of the next year.
    return sum(
        monthrange(int(year) + (month - 1) // 12, (month - 1) % 12 + 1)[1] for month in months
    )


def of_month(month: str, reset: Reset, begins: int = 1) -> str:
    """Return the window that a month such as `2026-03` is in."""
    if reset not in ("quarter", "year"):
        return month
    year, _, number = month.partition("-")
    since_1970 = (int(year) - 1970) * 12 + int(number) - 1
    return _name((since_1970 - (begins - 1)) // _MONTHS[reset], reset, begins)


def _keys(calendar: Calendar, count: int) -> Int64:
    lengths = np.diff([*calendar.bounds.tolist(), count])
    return np.repeat(calendar.keys.astype(np.int64), lengths)


def _index(pools: Sequence[Sequence[str]], period: str) -> int:
    return next(index for index, pool in enumerate(pools) if period in pool)


def _numbers(days: Int64, reset: Reset, begins: int) -> Int64:
    """Return the number of the window of each day."""
    if reset == "bill":
        return np.zeros_like(days)
    if reset == "day":
        return days
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return (months - (begins - 1 if reset != "month" else 0)) // _MONTHS[reset]


def _name(number: int, reset: Reset, begins: int) -> str:
    match reset:
        case "bill":
            return ""
        case "day":
            return str(np.datetime64(number, "D"))
        case "month":
            return str(np.datetime64(number, "M"))
        case _ if begins > 1:
            first = np.datetime64(number * _MONTHS[reset] + begins - 1, "M")
            return f"{first}/{'P3M' if reset == 'quarter' else 'P1Y'}"
        case "quarter":
            return f"{1970 + number // 4}-Q{number % 4 + 1}"
        case "year":
            return str(1970 + number)


# What `energy.tiered` measures.

#: Periods whose usage is counted together.
Pool = tuple[str, ...]


@attrs.frozen(cache_hash=True)
class TieredEnergy(BaseMeasure):
    """The energy of each window, by period; labels as `windows.label`."""

    schedule: Schedule | None
    channel: Role
    reset: Reset
    begins: int = 1

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is summed."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the exact sums; a bill of more than 45 days is an assumption."""
        if self.reset == "bill":
            slots.assume_one_bill()
        part = slots.portion(self.channel)
        spans = windows_in(slots, self.schedule, self.channel, self.reset, self.begins)
        return spans.sums(part.values, part.largest)

    def merge(self, earlier: Mapping[str, int], later: Mapping[str, int]) -> Mapping[str, int]:
        """Return the sums of two windows of one bill."""
        return merged(earlier, later)


@attrs.frozen(cache_hash=True)
class PoolDays(BaseMeasure):
    """On how many local days each pool has a slot, by window."""

    schedule: Schedule
    channel: Role
    reset: Reset
    pools: tuple[Pool, ...]
    begins: int = 1

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count the days; labels are of the first period of each pool."""
        spans = windows_in(slots, self.schedule, self.channel, self.reset, self.begins)
        return spans.days_of(self.pools)


@attrs.frozen(cache_hash=True)
class WindowDays(BaseMeasure):
    """How many days of each window are priced (`days@...`), and how many it has (`whole@...`).

    Attributes:
        reset: Which windows; not `day`.
        always: Whether the days of a bill are asked for even where all of it is priced.
        before: Whether what was used in a window before counts.
        begins: The month with which years begin.

    """

    reset: Reset
    always: bool
    before: bool
    begins: int = 1

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count the days of the site's zone."""
        if self.reset == "bill":
            if slots.bill is None and not self.always:
                return {}
            return {"days": slots.local_days().number, "whole": slots.bill_days().number}
        by_window: dict[str, int] = {}
        for month, days in self._local(slots).by_month.items():
            key = label("days", of_month(month, self.reset, self.begins))
            by_window[key] = by_window.get(key, 0) + days
        whole = {key.replace("days", "whole"): length(key.partition("@")[2]) for key in by_window}
        if self.before:
            _tell_of_before(slots, self.reset, self.begins)
        return {**by_window, **whole}

    def _local(self, slots: Slots) -> LocalDays:
        """Return the days; where windows count as a whole, a part of a day needs no assumption."""
        if self.before:
            return LocalDays.between(slots.start, slots.end, slots.zone)
        return slots.local_days()


def windows_in(
    slots: Slots, schedule: Schedule | None, role: str, reset: Reset, begins: int = 1
) -> Windows:
    """Return the windows of the slots of *role*."""
    if schedule is not None:
        slots.calendar(schedule, role)  # tells of slots that are in two periods
    return windows(schedule, slots.types, slots.zone, slots.portion(role).grid, reset, begins)


def _tell_of_before(slots: Slots, reset: Reset, begins: int) -> None:
    """Tell if the window begins within a window of the ladder."""
    day = slots.zone.datetime(slots.start).date()
    if day.day > 1 or (day.month - begins) % _MONTHS[reset]:
        slots.assume(
            "used_before",
            f"the {reset} of the tiers began before the window: what was used in it before is "
            "taken from the state, or as nothing",
        )
