"""The windows in which a ladder is walked: slots by window and period, compiled once."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal, Self

import attrs
import numpy as np
from msgspec import Meta

from energia import (
    BaseMeasure,
    Calendar,
    Check,
    DayTypes,
    Grid,
    LocalDays,
    Micro,
    Reduction,
    Role,
    Schedule,
    Slots,
    Unfit,
)
from energia.pricing.cache import CACHE
from energia.pricing.exact import merged, sums
from energia.time import DAY, Int64, Zone

#: When usage is counted from nothing again.
Reset = Literal["bill", "day", "month", "quarter", "year"]
#: The period of a charge without a schedule.
TOTAL: Final = "total"
_MONTHS: Final[Mapping[str, int]] = {"month": 1, "quarter": 3, "year": 12}
_SPANS: Final[Mapping[str, str]] = {"month": "P1M", "quarter": "P3M", "year": "P1Y"}
#: The last day of the month that every month has.
_LAST: Final = 28


def _in_every_month(month_day: str) -> None:
    day = int(month_day[-2:])
    if day > _LAST:
        message = (
            f"not every month has a day {day}, so that quarters and months could not all begin on "
            f"it: give a day from 01 to {_LAST}"
        )
        raise Unfit("not_in_every_month", message)


#: The month, or the month and the day, with which years begin.
YearBegins = (
    Annotated[int, Meta(ge=1, le=12)]
    | Annotated[
        str,
        Meta(
            pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
            extra={"words": "a month and a day such as 02-10"},
            description="A day of every year, `02-10`: 01 to 28, which every month has.",
            examples=["02-10"],
        ),
        Check(_in_every_month),
    ]
)


@attrs.frozen(cache_hash=True)
class YearBegin:
    """The day with which years begin, and so their quarters and months.

    Attributes:
        month: The month, from 1.
        day: The day of the month, 1 to 28: quarters and months begin on it too.

    """

    month: int = 1
    day: int = 1

    @classmethod
    def of(cls, stated: YearBegins | None) -> Self:
        """Return what a charge states: 2 is 1 February, as `02-01` is; without, 1 January."""
        if stated is None:
            return cls()
        if isinstance(stated, int):
            return cls(stated)
        month, _, day = stated.partition("-")
        return cls(int(month), int(day))


JANUARY: Final = YearBegin()


def label(period: str, window: str) -> str:
    """Return how results name a period in a window: `peak@2026-03`, or `peak` in a bill."""
    return f"{period}@{window}" if window else period


@attrs.frozen(eq=False)
class Windows:
    """The slots of a grid, by window and period.

    Attributes:
        names: The windows that have a slot, in order: `2026-03-31`, `2026-03`, `2026-Q1`, `2026`;
            `2026-02/P3M` and `2026-10/P1Y` where the year does not begin in January;
            `2026-02-10/P1M`, `2026-02-10/P3M` and `2026-02-10/P1Y` where it does not begin with
            a month; "" is the bill.
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

    @property
    def groups(self) -> tuple[tuple[str, ...], Int64, Int64, Int64]:
        """The labels, the bounds of runs of slots, the runs by label, and where each label begins.

        As `Calendar.groups`.
        """
        return self._labels, self._bounds, self._order, self._starts

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


@CACHE.memo
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


@CACHE.memo
def windows(  # noqa: PLR0913, PLR0917 - what decides on the windows of slots
    schedule: Schedule | None,
    types: DayTypes,
    zone: Zone,
    grid: Grid,
    reset: Reset,
    begins: YearBegin = JANUARY,
) -> Windows:
    """Compile the windows of the slots of *grid*; the dates are those of *zone*.

    Years, and so their quarters and months, begin as *begins* says.
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


def _keys(calendar: Calendar, count: int) -> Int64:
    lengths = np.diff([*calendar.bounds.tolist(), count])
    return np.repeat(calendar.keys.astype(np.int64), lengths)


def _index(pools: Sequence[Sequence[str]], period: str) -> int:
    return next(index for index, pool in enumerate(pools) if period in pool)


def _numbers(days: Int64, reset: Reset, begins: YearBegin) -> Int64:
    """Return the number of the window of each day."""
    if reset == "bill":
        return np.zeros_like(days)
    if reset == "day":
        return days
    # From 10 February to 9 March, nine days earlier it is February: of months that begin on the
    # 10th, each has the days of the calendar month that it begins in.
    earlier = (days - (begins.day - 1)).astype("datetime64[D]")
    months = earlier.astype("datetime64[M]").astype(np.int64)
    return (months - (begins.month - 1)) // _MONTHS[reset]


def _lengths(numbers: Int64, reset: Reset, begins: YearBegin) -> Int64:
    """Return how many days each window has, of a month or more."""
    firsts, ends = (
        _first_month(edges, reset, begins).astype("datetime64[D]").astype(np.int64)
        for edges in (numbers, numbers + 1)
    )
    return ends - firsts  # a window that begins on the 10th ends as many days later


def _first_month(
    numbers: Int64, reset: Reset, begins: YearBegin
) -> "np.typing.NDArray[np.datetime64]":
    """Return the month in which each window begins."""
    return (numbers * _MONTHS[reset] + begins.month - 1).astype("datetime64[M]")


def _name(number: int, reset: Reset, begins: YearBegin) -> str:
    if reset in ("bill", "day"):
        return str(np.datetime64(number, "D")) if reset == "day" else ""
    first = str(_first_month(np.array(number), reset, begins))
    if begins.day > 1:
        return f"{first}-{begins.day:02}/{_SPANS[reset]}"
    if reset == "month":
        return first
    if begins.month > 1:
        return f"{first}/{_SPANS[reset]}"
    return f"{1970 + number // 4}-Q{number % 4 + 1}" if reset == "quarter" else str(1970 + number)


# What `energy.tiered` measures.

#: Periods whose usage is counted together.
Pool = tuple[str, ...]


@attrs.frozen(cache_hash=True)
class TieredEnergy(BaseMeasure):
    """The energy of each window, by period; labels as `windows.label`."""

    schedule: Schedule | None
    channel: Role
    reset: Reset
    begins: YearBegin = JANUARY

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is summed."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the exact sums; a bill of more than 45 days is an assumption."""
        if self.reset == "bill":
            slots.assume_one_bill()
        spans = windows_in(slots, self.schedule, self.channel, self.reset, self.begins)
        part = slots.portion(self.channel, ())
        return spans.sums(part.values, part.largest)

    def reduction(self, slots: Slots) -> Reduction:
        """Return that the slots of each period in each window are a group."""
        spans = windows_in(slots, self.schedule, self.channel, self.reset, self.begins)
        return Reduction(self.channel, *spans.groups)

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
    begins: YearBegin = JANUARY

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
        begins: The day with which years begin.

    """

    reset: Reset
    always: bool
    before: bool
    begins: YearBegin = JANUARY

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
        numbers, counts = np.unique(
            _numbers(self._local(slots).dates, self.reset, self.begins), return_counts=True
        )
        names = [_name(number, self.reset, self.begins) for number in numbers.tolist()]
        lengths = _lengths(numbers, self.reset, self.begins)
        if self.before:
            _tell_of_before(slots, self.reset, self.begins)
        return {
            label(of, name): count
            for of, each in (("days", counts), ("whole", lengths))
            for name, count in zip(names, each.tolist(), strict=True)
        }

    def _local(self, slots: Slots) -> LocalDays:
        """Return the days; where windows count as a whole, a part of a day needs no assumption."""
        if self.before:
            return LocalDays.between(slots.start, slots.end, slots.zone)
        return slots.local_days()


def windows_in(
    slots: Slots, schedule: Schedule | None, role: str, reset: Reset, begins: YearBegin = JANUARY
) -> Windows:
    """Return the windows of the slots of *role*."""
    if schedule is not None:
        slots.calendar(schedule, role)  # tells of slots that are in two periods
    grid = slots.portion(role, ()).grid
    found = windows(schedule, slots.types, slots.zone, grid, reset, begins)
    slots.portion(role, (grid.start + grid.interval * found.firsts[1:]).tolist())
    return found


def _tell_of_before(slots: Slots, reset: Reset, begins: YearBegin) -> None:
    """Tell if the window begins within a window of the ladder."""
    day = slots.zone.datetime(slots.start).date()
    if day.day != begins.day or (day.month - begins.month) % _MONTHS[reset]:
        slots.assume(
            "used_before",
            f"the {reset} of the tiers began before the window: what was used in it before is "
            "taken from the state, or as nothing",
        )
