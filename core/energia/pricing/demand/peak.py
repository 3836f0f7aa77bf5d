"""The measure of demand: the highest average power in a window, and when it was."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Final, Literal, TypeAlias

import attrs
import numpy as np

from energia.errors import Invalid
from energia.metering.series import Micro
from energia.pricing.calendar import Calendar, Grid, compiled
from energia.pricing.charges import BaseMeasure, Role, unit_of
from energia.pricing.schedule import DayTypes, Schedule
from energia.pricing.slots import PERIOD_AT_START, PERIODS_MEET, Portion, Slots
from energia.time import DAY, HOUR, Int64, Zone, duration_text
from energia.units import POWER_UNITS

#: Whether readings that are coarser than the interval are refused or accepted.
Coarse: TypeAlias = Literal["refuse", "accept"]
_LIMIT = 2**63 - 1


@attrs.frozen(eq=False)
class Intervals:
    """The intervals of the readings of a role, aligned to the clock of the site's zone.

    Attributes:
        first: int64[n], the first slot of each.
        starts: int64[n], when that starts, in seconds since 1970-01-01T00:00Z.
        power: int64[n], or object[n] of Python's where it might not fit: the exact average power
            in micro-units, such as micro-kW.

    """

    first: Int64
    starts: Int64
    power: Micro

    @classmethod
    def of(cls, slots: Slots, role: str, seconds: int, coarse: Coarse = "refuse") -> "Intervals":
        """Integrate the readings of *role* over intervals of *seconds*, a part of an hour.

        Where *coarse* readings are accepted, slots that are longer are the intervals, and the
        cost says so.

        Raises:
            Invalid: The readings are coarser than the intervals, or do not add up to them.

        """
        part = slots.portion(role)
        if coarse == "accept" and part.longest > seconds:
            _tell_coarse(slots, role, part.longest, seconds)
            seconds = part.longest
        _refuse_others(role, part.longest, seconds)
        first = begins(part.grid, seconds, slots.zone)
        _tell_parts(slots, role, part.grid, first, seconds)
        starts = part.grid.start + part.grid.interval * first
        return cls(first, starts, _power(part, first, seconds))

    def keys(self, slots: Slots, role: str, schedule: Schedule) -> Int64:
        """Return the period of each interval, as an index: the one at its start."""
        return keys_at(self.tell_split(slots, role, schedule), self.first)

    def tell_split(self, slots: Slots, role: str, schedule: Schedule) -> Calendar:
        """Return the periods of the slots; tell of boundaries between them inside intervals."""
        calendar = slots.calendar(schedule, role)
        index = np.searchsorted(self.first, calendar.bounds, side="right") - 1
        split = int(np.count_nonzero(self.first[index] != calendar.bounds)) if len(index) else 0
        if split:
            intervals = f"integration intervals of {role}"
            slots.assume_boundary(PERIODS_MEET, split, intervals, PERIOD_AT_START)
        return calendar


def keys_at(calendar: Calendar, first: Int64) -> Int64:
    """Return the period at each of the slots *first*, as an index."""
    runs = np.searchsorted(calendar.bounds, first, side="right") - 1
    return calendar.keys[runs].astype(np.int64)


@lru_cache(maxsize=64)
def begins(grid: Grid, seconds: int, zone: Zone) -> Int64:
    """Return the first slot of each interval of *seconds* on the wall clock of *zone*."""
    if grid.interval >= seconds or not grid.count:
        return np.arange(grid.count, dtype=np.int64)
    starts = grid.starts
    # Of the offset from UTC only what is left of whole intervals moves their boundaries.
    phase = zone.offsets(starts) % seconds
    number = (starts + phase) // seconds
    begin = (number[1:] != number[:-1]) | (phase[1:] != phase[:-1])
    return np.append(0, np.flatnonzero(begin) + 1).astype(np.int64)


def _power(part: Portion, first: Int64, seconds: int) -> Micro:
    """Return the energy of each interval, as the power that gives it."""
    if not len(first):
        return np.zeros(0, np.int64)
    # `seconds / interval` slots are summed and multiplied by `HOUR / seconds`: *seconds* cancels.
    fits = part.largest * HOUR <= _LIMIT * part.grid.interval
    values = part.values if fits else part.values.astype(object)
    summed = values if len(first) == len(values) else np.add.reduceat(values, first)
    power: Micro = summed * (HOUR // seconds)
    return power


def _refuse_others(role: str, length: int, seconds: int) -> None:
    """Refuse readings whose slots are no parts of an interval."""
    if seconds % length == 0:
        return
    have, need = (_text(span) for span in (length, seconds))
    why = "a peak cannot be known from coarser readings" if length > seconds else "no whole number"
    message = f"{role} is read every {have}, and its demand is integrated over {need}: {why}"
    code = "coarse_readings" if length > seconds else "misfit_readings"
    raise Invalid.of(code, message)


def _tell_coarse(slots: Slots, role: str, length: int, seconds: int) -> None:
    """Tell that peaks are averages over longer than the demand is."""
    have, need = (_text(span) for span in (length, seconds))
    slots.assume(
        "coarse_readings",
        f"{role} is read every {have}, coarser than the {need} over which demand is averaged: "
        "the true peak is as high, or higher",
    )


def _tell_parts(slots: Slots, role: str, grid: Grid, first: Int64, seconds: int) -> None:
    """Tell of intervals that the window cuts: less energy is in them than there was."""
    whole = seconds // grid.interval
    lengths = np.diff(np.append(first, grid.count))
    cut = int(np.count_nonzero(lengths < whole))
    if cut:
        slots.assume(
            "partial_interval",
            f"{cut} integration intervals of {role} are not wholly in the window: "
            "only what is in it counts",
            cut,
        )


def _text(seconds: int) -> str:
    return duration_text(timedelta(seconds=seconds))


#: The one period where there is no schedule.
TOTAL: Final = "total"
#: Between a period and the time of one of its peaks, in a label.
AT: Final = "@"
#: So much of the text of a time names the month, the day.
_MONTH: Final = len("2026-03")
_DAY: Final = len("2026-03-02")


@attrs.frozen(cache_hash=True)
class Peak(BaseMeasure):
    """The highest demand of a channel, in micro-kW: the average power of an integration interval.

    Labels: each period (or `total`) gives the highest of all; `<period>@<local time>` gives each
    of the `top` highest, by when their intervals begin: `total@2026-03-02T18:15:00-03:00`.

    Attributes:
        channel: Whose readings.
        schedule: Each of its periods has a peak; an interval is in the period at its start.
        seconds: The length of the interval; an hour is a whole number of them.
        periods: Count only these periods of the schedule, together, as `total`.
        top: How many of the highest to give.
        distinct_days: Whether these are of different local days.
        coarse: Whether readings that are longer than the interval are refused, or accepted.
        by_month: Whether each calendar month has peaks of its own, told apart by their times.

    """

    channel: Role = "import"
    schedule: Schedule | None = None
    seconds: int = 900
    periods: tuple[str, ...] | None = None
    top: int = 1
    distinct_days: bool = False
    by_month: bool = False
    coarse: Coarse = "refuse"

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is measured."""
        return (self.channel,)

    @property
    def unit(self) -> str | None:
        """The unit of power that the values are millionths of."""
        return POWER_UNITS.get(unit_of(self.channel))

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the peaks of each period that has an interval.

        Raises:
            Invalid: The readings are coarser than the intervals.

        """
        if not self.by_month:
            slots.assume_one_bill()
            if self.schedule is not None and self.periods is None:
                _tell_seasons(slots, self.schedule)
        intervals = Intervals.of(slots, self.channel, self.seconds, self.coarse)
        if self.schedule is not None:
            intervals.tell_split(slots, self.channel, self.schedule)
        labels: dict[str, int] = {}
        grid = slots.portion(self.channel).grid
        for period, groups in _groups(self, slots.types, slots.zone, grid):
            peaks = [
                index for group in groups for index in self._highest(intervals, slots.zone, group)
            ]
            if peaks:
                labels[period] = max(int(intervals.power[index]) for index in peaks)
            for index in peaks:
                time = slots.zone.text(int(intervals.starts[index]))
                labels[f"{period}{AT}{time}"] = int(intervals.power[index])
        return labels

    def merge(self, earlier: Mapping[str, int], later: Mapping[str, int]) -> Mapping[str, int]:
        """Return the peaks of both windows; the cut between them is the end of an interval."""
        labels: dict[str, int] = {}
        for period, timed in _timed([*earlier.items(), *later.items()]).items():
            peaks = [peak for month in self._apart(timed) for peak in self._top(month)]
            labels[period] = max(value for _, value in peaks)
            labels |= {f"{period}{AT}{time}": value for time, value in peaks}
        return labels

    def _apart(self, timed: list[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
        """Yield the peaks of each month, where months have peaks of their own; else all."""
        if not self.by_month:
            yield timed
            return
        for month in sorted({time[:_MONTH] for time, _ in timed}):
            yield [peak for peak in timed if peak[0].startswith(month)]

    def _top(self, timed: list[tuple[str, int]]) -> list[tuple[str, int]]:
        """Return the highest of peaks, highest first; of equal ones the first."""
        order = sorted(timed, key=lambda peak: -peak[1])
        if self.distinct_days:
            first = {time[:_DAY]: index for index, (time, _) in reversed(list(enumerate(order)))}
            order = [order[index] for index in sorted(first.values())]
        return order[: self.top]

    def _highest(self, intervals: Intervals, zone: Zone, group: Int64) -> list[int]:
        """Return the highest of a *group* of intervals, highest first; of equal ones the first."""
        power: Micro = intervals.power[group]
        if not len(power):
            return []
        if self.top == 1:
            return [int(group[np.argmax(power)])]
        order = group[np.argsort(-power, kind="stable")]
        if self.distinct_days:
            days = zone.local(intervals.starts[order]) // DAY
            order = order[np.sort(np.unique(days, return_index=True)[1])]
        return [int(index) for index in order[: self.top]]


@lru_cache(maxsize=64)
def _groups(
    peak: Peak, types: DayTypes, zone: Zone, grid: Grid
) -> tuple[tuple[str, tuple[Int64, ...]], ...]:
    """Return which intervals are in each period, and in each month where these have their own.

    They depend on no reading: all meters share them.
    """
    first = begins(grid, peak.seconds, zone)
    days = zone.local(grid.start + grid.interval * first) // DAY
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    groups = []
    for period, members in _periods(peak, types, zone, grid):
        ends = np.flatnonzero(np.diff(months[members])) + 1
        groups.append((period, tuple(np.split(members, ends)) if peak.by_month else (members,)))
    return tuple(groups)


def _periods(peak: Peak, types: DayTypes, zone: Zone, grid: Grid) -> Iterator[tuple[str, Int64]]:
    """Yield which intervals are in each period."""
    first = begins(grid, peak.seconds, zone)
    if peak.schedule is None:
        yield TOTAL, np.arange(len(first), dtype=np.int64)
        return
    keys = keys_at(compiled(peak.schedule, types, zone, grid), first)
    names = peak.schedule.periods
    if peak.periods is not None:
        counted = [key for key, name in enumerate(names) if name in peak.periods]
        yield TOTAL, np.flatnonzero(np.isin(keys, counted))
        return
    for key, name in enumerate(names):
        yield name, np.flatnonzero(keys == key)


@attrs.frozen
class BillMonth(BaseMeasure):
    """The calendar month in which the bill ends, by which its peak is remembered; the label."""

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Name the month of the last local day."""
        _, end = slots.bill or (slots.start, slots.end)
        return {f"{slots.zone.datetime(end - 1):%Y-%m}": 1}


def _timed(peaks: Iterable[tuple[str, int]]) -> dict[str, list[tuple[str, int]]]:
    """Return the timed peaks of each period."""
    timed: dict[str, list[tuple[str, int]]] = {}
    for label, value in peaks:
        period, separator, time = label.partition(AT)
        if separator:
            timed.setdefault(period, []).append((time, value))
    return timed


def _tell_seasons(slots: Slots, schedule: Schedule) -> None:
    """Tell of seasons that change inside the bill: periods of both have a maximum."""
    seasons = {rule.season for rule in schedule.rules if rule.season}
    if not seasons:
        return
    edges = np.array([slots.start, slots.end - 1], np.int64)
    first, last = (slots.zone.local(edges) // DAY).tolist()
    days = slots.types.days(np.arange(first, last + 1, dtype=np.int64)).month_day
    within = [season.includes(days) for season in seasons]
    if any(inside.any() and not inside.all() for inside in within):
        slots.assume(
            "season_inside_bill",
            "a season begins or ends inside the bill: the demand of each period is charged in "
            "full; with reset=month by the days of its month",
        )
