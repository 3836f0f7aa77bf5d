"""The measure of demand: the highest average power in a window, and when it was."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from math import lcm
from typing import Final, Literal, TypeAlias

import attrs
import numpy as np

from energia.errors import Invalid
from energia.metering.series import Micro
from energia.pricing.cache import CACHE
from energia.pricing.calendar import Calendar, Grid, compiled
from energia.pricing.charges import BaseMeasure, Role, unit_of
from energia.pricing.demand.seasons import Span, local_day, of_window, span_of, spans
from energia.pricing.determinants import NO_GROUP, Reduction
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


@CACHE.memo
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

#: Whose maximum it is: that of the bill, or of each month, season or day in it.
Reset: TypeAlias = Literal["bill", "month", "season", "day"]
#: How much the intervals of periods count, by period, where the peak is one of all of them.
Weights: TypeAlias = tuple[tuple[str, Fraction], ...]


@attrs.frozen
class PeakInterval:
    """One of the highest intervals.

    Attributes:
        period: Its period; `total` where periods do not matter.
        time: When it begins, as local time: `2026-03-02T18:15:00-03:00`; of a season's peak as
            time of the schedule's clock.
        micro: Its power, in micro-units.

    """

    period: str
    time: str
    micro: int

    @classmethod
    def of(cls, label: str, micro: int) -> "PeakInterval | None":
        """Return the interval of a label of `Peak`; None for that of a period."""
        period, separator, time = label.partition(AT)
        return cls(period, time, micro) if separator else None

    @property
    def label(self) -> str:
        """Its label: `total@2026-03-02T18:15:00-03:00`."""
        return f"{self.period}{AT}{self.time}"


def weight_of(weights: Weights | None, period: str) -> Fraction:
    """Return how much the intervals of *period* count; 1 where nothing is said."""
    return dict(weights or ()).get(period, Fraction(1))


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
        reset: Whether each calendar month, season of the schedule or local day has peaks of its
            own, told apart by their times.
        coarse: Whether readings that are longer than the interval are refused, or accepted.
        weights: The periods share their peaks: the highest are those whose power, times what is
            said here of their period, is. Labels have the periods, and the power as it was.

    """

    channel: Role = "import"
    schedule: Schedule | None = None
    seconds: int = 900
    periods: tuple[str, ...] | None = None
    top: int = 1
    distinct_days: bool = False
    reset: Reset = "bill"
    coarse: Coarse = "refuse"
    weights: Weights | None = None

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
        if self.reset in ("bill", "season"):
            slots.assume_one_bill()
        if self.reset == "bill" and self.schedule is not None and self.periods is None:
            _tell_seasons(slots, self.schedule)
        intervals = Intervals.of(slots, self.channel, self.seconds, self.coarse)
        names = self._names(intervals, slots)
        rank, clock = self._rank(intervals.power, names), self.clock(slots.zone)
        labels: dict[str, int] = {}
        for period, groups in self._groups(slots):
            for group in groups:
                for index in self._highest(rank, intervals.starts, clock, group):
                    time = clock.text(int(intervals.starts[index]))
                    name = names[index] if names and self.weights is not None else period
                    _add(labels, PeakInterval(name, time, int(intervals.power[index])))
        return labels

    def reduction(self, slots: Slots) -> Reduction | None:
        """Return that the highest of each period, month, season or day counts.

        Labels are of the first intervals of these. Several highest, or weighted ones, are no single
        number.
        """
        if self.top > 1 or self.weights is not None:
            return None
        intervals = Intervals.of(slots, self.channel, self.seconds, self.coarse)
        labels, groups = list[str](), np.full(len(intervals.first), NO_GROUP)
        for period, members in self._groups(slots):
            for group in members:
                if len(group):
                    groups[group] = len(labels)
                    time = self.clock(slots.zone).text(int(intervals.starts[group[0]]))
                    labels.append(PeakInterval(period, time, 0).label)
        part = slots.portion(self.channel)
        times = HOUR // max(self.seconds, part.longest)
        apart = len(intervals.first) == part.grid.count
        first = None if apart else intervals.first
        sums = Reduction.of_groups(self.channel, labels, groups)
        return attrs.evolve(sums, of="highest", times=times, intervals=first)

    def clock(self, zone: Zone) -> Zone:
        """Return the zone of the times, and so the days, of peaks, for a bill with days of *zone*.

        Seasons are those of a schedule: they begin and end by its clock.
        """
        if self.reset != "season" or self.schedule is None:
            return zone
        return self.schedule.zone(zone)

    def merge(self, earlier: Mapping[str, int], later: Mapping[str, int]) -> Mapping[str, int]:
        """Return the peaks of both windows; the cut between them is the end of an interval."""
        labels: dict[str, int] = {}
        for group in self._together([*earlier.items(), *later.items()]):
            for interval in self.highest(group):
                _add(labels, interval)
        return labels

    def highest(self, intervals: Iterable[PeakInterval]) -> list[PeakInterval]:
        """Return the `top` highest of *intervals*, highest first; of equal ones the first."""
        weights = dict(self.weights or ())
        order = sorted(
            intervals, key=lambda interval: -interval.micro * weights.get(interval.period, 1)
        )
        if self.distinct_days:
            by_day: dict[str, PeakInterval] = {}
            for interval in order:
                by_day.setdefault(interval.time[:_DAY], interval)
            order = list(by_day.values())
        return order[: self.top]

    def _together(self, labels: Sequence[tuple[str, int]]) -> Iterable[list[PeakInterval]]:
        """Return the intervals of which the highest are wanted: of a period, month, season."""
        intervals = [interval for label in labels if (interval := PeakInterval.of(*label))]
        key = self.group_of(intervals)
        groups: dict[tuple[str, str], list[PeakInterval]] = {}
        for interval in intervals:
            if (group := key(interval)) is not None:
                groups.setdefault(group, []).append(interval)
        return groups.values()

    def group_of(
        self, intervals: Sequence[PeakInterval], among: Sequence[Span] | None = None
    ) -> Callable[[PeakInterval], tuple[str, str] | None]:
        """Return what tells the period of an interval, and the month, season or day of its peak.

        Args:
            intervals: All of them.
            among: The seasons of the bill; without, those around the intervals. What is of none of
                them, such as the end of a night that began before the bill, is of no group: None.

        """
        pooled = self.weights is not None

        def of(interval: PeakInterval) -> tuple[str, str] | None:
            period = TOTAL if pooled else interval.period
            if self.reset != "season" or self.schedule is None:
                return period, interval.time[: _LENGTHS.get(self.reset, 0)]
            span = span_of(seasons, interval.period, local_day(interval.time))
            return (period, span.label) if span else None

        seasons = among if among is not None else self._around(intervals)
        return of

    def _around(self, intervals: Sequence[PeakInterval]) -> Sequence[Span]:
        """Return the seasons from a day before the first of *intervals* to one after the last."""
        if self.reset != "season" or self.schedule is None or not intervals:
            return ()
        days = [local_day(interval.time) for interval in intervals]
        return spans(self.schedule, min(days) - 1, max(days) + 1)

    def _groups(self, slots: Slots) -> tuple[tuple[str, tuple[Int64, ...]], ...]:
        """Return which intervals are in each period, and in each month, season or day of it."""
        grid = slots.portion(self.channel).grid
        return _groups(self, slots.types, slots.zone, grid, self._seasons(slots))

    def _seasons(self, slots: Slots) -> tuple[Span, ...]:
        """Return the seasons of the window and a day around it: it may be a part of a bill."""
        if self.reset != "season" or self.schedule is None:
            return ()
        return of_window(self.schedule, slots.start - DAY, slots.end + DAY, slots.zone)

    def _names(self, intervals: Intervals, slots: Slots) -> list[str]:
        """Return the period of each interval, where these have weights; tell of split ones."""
        if self.schedule is None:
            return []
        if self.weights is None:
            intervals.tell_split(slots, self.channel, self.schedule)
            return []
        names = self.schedule.periods
        return [names[key] for key in intervals.keys(slots, self.channel, self.schedule).tolist()]

    def _rank(self, power: Micro, names: Sequence[str]) -> Micro:
        """Return by what intervals are compared: their power, or times the weight of its period."""
        if self.weights is None:
            return power
        of_period = dict(self.weights)
        whole = lcm(*(weight.denominator for weight in of_period.values()))
        factor_of = {name: int(weight * whole) for name, weight in of_period.items()}
        factors = np.array([factor_of.get(name, whole) for name in names], object)
        largest = max(whole, *factor_of.values()) * int(np.abs(power).max(initial=0))
        if largest <= _LIMIT:
            factors = factors.astype(np.int64)
        ranked: Micro = power * factors  # of Python's integers where 64 bits are too few
        return ranked

    def _highest(self, rank: Micro, starts: Int64, zone: Zone, group: Int64) -> list[int]:
        """Return the highest of a *group* of intervals, highest first; of equal ones the first."""
        power: Micro = rank[group]
        if not len(power):
            return []
        if self.top == 1:
            return [int(group[np.argmax(power)])]
        order = group[np.argsort(-power, kind="stable")]
        if self.distinct_days:
            days = zone.local(starts[order]) // DAY
            order = order[np.sort(np.unique(days, return_index=True)[1])]
        return [int(index) for index in order[: self.top]]


#: So much of the text of a time tells months, or days, apart.
_LENGTHS: Final[Mapping[str, int]] = {"month": _MONTH, "day": _DAY}


def _add(labels: dict[str, int], interval: PeakInterval) -> None:
    """Add a peak to labels, and to that of its period where it is the highest."""
    highest = labels.get(interval.period, interval.micro)
    labels[interval.period] = max(highest, interval.micro)
    labels[interval.label] = interval.micro


@CACHE.memo
def _groups(
    peak: Peak, types: DayTypes, zone: Zone, grid: Grid, seasons: tuple[Span, ...]
) -> tuple[tuple[str, tuple[Int64, ...]], ...]:
    """Return which intervals are in each period, and in each month, season or day of it.

    They depend on no reading: all meters share them.
    """
    first = begins(grid, peak.seconds, zone)
    starts = grid.start + grid.interval * first
    groups = []
    for period, members in _periods(peak, types, zone, grid):
        days = peak.clock(zone).local(starts[members]) // DAY
        if peak.reset == "season" and peak.schedule is not None:
            groups.append((period, _by_season(members, period, days, seasons)))
            continue
        if peak.reset == "month":
            days = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        ends = np.flatnonzero(np.diff(days)) + 1
        apart = peak.reset != "bill"
        groups.append((period, tuple(np.split(members, ends)) if apart else (members,)))
    return tuple(groups)


def _by_season(
    members: Int64, period: str, days: Int64, seasons: Sequence[Span]
) -> tuple[Int64, ...]:
    """Return the intervals *members* of a period by season; those of none are left out."""
    numbers, index = np.unique(days, return_inverse=True)
    of_day = [span_of(seasons, period, int(day)) for day in numbers.tolist()]
    parts = (np.array([span is season for span in of_day], bool) for season in seasons)
    return tuple(members[part[index]] for part in parts if part.any())


def _periods(peak: Peak, types: DayTypes, zone: Zone, grid: Grid) -> Iterator[tuple[str, Int64]]:
    """Yield which intervals are in each period."""
    first = begins(grid, peak.seconds, zone)
    if peak.schedule is None or peak.weights is not None:
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

    def merge(self, earlier: Mapping[str, int], later: Mapping[str, int]) -> Mapping[str, int]:
        """Return that of the bill, of which both windows are parts."""
        return later


def _tell_seasons(slots: Slots, schedule: Schedule) -> None:
    """Tell of seasons that change inside the bill: periods of both have a maximum."""
    seasons = {rule.season for rule in schedule.rules if rule.season}
    if not seasons:
        return
    edges = np.array([slots.start, slots.end - 1], np.int64)
    first, last = (slots.zone.local(edges) // DAY).tolist()
    days = slots.types.days(np.arange(first, last + 1, dtype=np.int64))
    within = [season.includes(days) for season in seasons]
    if any(inside.any() and not inside.all() for inside in within):
        slots.assume(
            "season_inside_bill",
            "a season begins or ends inside the bill: the demand of each period is charged in "
            "full; with reset=season by the days of its season in the bill",
        )
