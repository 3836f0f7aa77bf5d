"""The usage in a window, as measures see it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Self

import attrs
import numpy as np

from energia.errors import Invalid
from energia.metering.series import Micro
from energia.pricing.cache import CACHE
from energia.pricing.calendar import Calendar, Grid, compiled
from energia.pricing.exact import RateRounding
from energia.pricing.market.series import PriceSeries, SlotFormula, SlotPrices, refuse_unit
from energia.pricing.schedule import DayList, DayTypes, Schedule
from energia.time import DAY, Instant, Int64, Zone


@attrs.frozen
class Assumption:
    """Something that was taken for granted.

    Attributes:
        code: What it is, in snake_case.
        message: For a person.
        slots: How many slots it is about.

    """

    code: str
    message: str
    slots: int | None = None


#: Periods of a schedule meet inside a slot ...
PERIODS_MEET: Final = "a boundary between periods falls"
#: ... and that is what happens to it.
PERIOD_AT_START: Final = "is in the period at its start"
#: One version of a tariff follows another inside a slot ...
VERSION_BEGINS: Final = "a version begins"
#: ... and that is what happens to it.
VERSION_AT_START: Final = "is of the version at its start"


def holidays_unknown(years: Sequence[int]) -> Assumption:
    """Return what is assumed of *years* of which a tariff lists no holiday."""
    message = f"the tariff lists no holidays of {', '.join(map(str, years))}: it has none there"
    return Assumption("holidays_unknown", message)


def days_unknown(lists: Sequence[DayList]) -> Assumption:
    """Return what is assumed of days before the first, or after the last, of a list of days."""
    spans = [
        f"{each.name} (from {min(each.dates)} to {max(each.dates)})" if each.dates else each.name
        for each in lists
    ]
    message = f"the tariff lists the days of {', '.join(spans)}: it has none before and after"
    return Assumption("days_unknown", message)


def leap_days_left(years: Sequence[int]) -> Assumption:
    """Return what is assumed of 29 February where a season ends on the 28th."""
    message = (
        f"29 February of {', '.join(map(str, years))} is not in the season that ends on 02-28: "
        "02-29 is the end of February in every year"
    )
    return Assumption("leap_day", message)


def assumed_of(*calendars: Calendar) -> Iterator[Assumption]:
    """Yield what calendars take for granted of their days."""
    if years := sorted({year for calendar in calendars for year in calendar.unlisted}):
        yield holidays_unknown(years)
    if lists := dict.fromkeys(each for calendar in calendars for each in calendar.beyond):
        yield days_unknown(tuple(lists))
    if leap := sorted({year for calendar in calendars for year in calendar.leap_days}):
        yield leap_days_left(leap)


def boundary_inside(boundary: str, number: int, slots: str, rule: str) -> Assumption:
    """Return that a boundary is inside slots, which are not cut: each counts whole.

    Args:
        boundary: What falls there: `a boundary between periods falls`.
        number: Inside how many slots.
        slots: Which: `slots of import`.
        rule: Where each is counted: `is in the period at its start`.

    """
    message = f"{boundary} inside {number} {slots}: each {rule}"
    return Assumption("boundary_inside_interval", message, number)


def spread(role: str, number: int) -> Assumption:
    """Return that *number* sums of several slots of a role are spread evenly over their time."""
    message = (
        f"a change falls inside {number} of the times between two reads of {role}: what was used "
        "in each is spread evenly over its days"
    )
    return Assumption("spread_readings", message, number)


@attrs.frozen(eq=False)
class Portion:
    """The readings of one role in a window: every slot that starts in it, none missing.

    Attributes:
        grid: When they are.
        values: int64[n], micro-units.
        largest: A bound of their magnitudes.
        read: The longest slots that were read, in seconds, where some were longer than those of
            the grid and spread over them; else 0.
        edges: int64[m], where sums meet that were spread over several slots each, in seconds since
            1970-01-01T00:00Z; None where each slot was measured.

    """

    grid: Grid
    values: Micro
    largest: int
    read: int = 0
    edges: Int64 | None = None

    @property
    def longest(self) -> int:
        """The length of the longest slots that were read, in seconds."""
        return max(self.read, self.grid.interval)

    def between(self, start: Instant, end: Instant) -> "Portion":
        """Return the readings of the slots that start in [start, end)."""
        grid = self.grid
        first, past = grid.index_at(start), grid.index_at(end)
        part = Grid(grid.start + first * grid.interval, grid.interval, past - first)
        return attrs.evolve(self, grid=part, values=self.values[first:past])

    def stretch_at(self, instant: Instant) -> tuple[Instant, Instant] | None:
        """Return the sum of several slots in which *instant* lies; None at the edge of one."""
        if self.edges is None or not len(self.edges):
            return None
        past = int(np.searchsorted(self.edges, instant, side="right"))
        if not 0 < past < len(self.edges) or self.edges[past - 1] == instant:
            return None
        return int(self.edges[past - 1]), int(self.edges[past])

    def cut_by(self, instants: Iterable[Instant]) -> set[tuple[Instant, Instant]]:
        """Return the sums of several slots in which some instants lie."""
        return {found for each in instants if (found := self.stretch_at(each)) is not None}

    def first_stretch(self) -> tuple[Instant, Instant] | None:
        """Return the first sum of several slots; None if each slot was measured."""
        if self.edges is None:
            return None
        starts, ends = self.edges[:-1], self.edges[1:]
        there = (ends > self.grid.start) & (starts < self.grid.end)
        found = np.flatnonzero(there & (ends - starts > self.grid.interval))
        return (int(starts[found[0]]), int(ends[found[0]])) if len(found) else None


class NeedsFiner(Invalid):
    """Readings are sums of longer times than a charge needs to know."""

    code = "needs_finer_readings"


#: A bill of more days is more than one month: what is charged once a bill says so then.
LONG_BILL: Final = 45


@attrs.frozen
class LocalDays:
    """The local days that a window touches.

    Attributes:
        number: How many there are.
        by_month: How many are in each calendar month (`2026-03`).
        whole: Whether the window begins and ends at local midnights.
        dates: Each of them, in order, in days since 1970-01-01.

    """

    number: int
    by_month: Mapping[str, int]
    whole: bool
    dates: Int64 = attrs.field(eq=False, repr=False)

    @classmethod
    @CACHE.memo
    def between(cls, start: Instant, end: Instant, zone: Zone) -> Self:
        """Return the local days of *zone* in [start, end) (seconds, UTC)."""
        first, last = (int(day) // DAY for day in zone.local(np.array([start, end], np.int64)))
        # A local date may come back for an hour, or never come: midnights tell where days begin.
        numbers = np.arange(first - 1, last + 3, dtype=np.int64)
        begins = zone.midnights(numbers)
        lasts = begins[1:]
        exists = (begins[:-1] < end) & (lasts > start) & (lasts > begins[:-1])
        dates = numbers[:-1][exists]
        dates.flags.writeable = False  # all who ask for the same window have the same array
        months = dates.astype("datetime64[D]").astype("datetime64[M]")
        names, counts = np.unique(months, return_counts=True)
        by_month = dict(zip(np.datetime_as_string(names).tolist(), counts.tolist(), strict=True))
        whole = bool(np.isin([start, end], begins).all())
        return cls(len(dates), by_month, whole, dates)


@attrs.frozen(eq=False)
class Slots:
    """The usage in a window, by role, with the calendars of the tariff.

    Attributes:
        start: When the window starts, in seconds since 1970-01-01T00:00Z.
        end: When it ends.
        zone: The zone whose days are those of the bill; schedules follow `zone.clock`.
        types: The holidays and weekend days of the version in force.
        portions: The readings of each role that some measure takes.
        assumptions: What was taken for granted so far, in order.
        bill: When the bill starts and ends of which the window is a part, because another version
            of the tariff is in force in the rest of it; None where the window is all of the bill.
        series: The price series that the charges need, by name.
        rounding: How the version in force rounds.
        units: The units of roles whose readings were converted.

    """

    start: Instant
    end: Instant
    zone: Zone
    types: DayTypes
    portions: Mapping[str, Portion]
    assumptions: dict[Assumption, None] = attrs.field(factory=dict)
    bill: tuple[Instant, Instant] | None = None
    series: Mapping[str, PriceSeries] = attrs.field(factory=dict)
    rounding: RateRounding = attrs.Factory(RateRounding)
    units: Mapping[str, str] = attrs.field(factory=dict)

    def prices(self, formula: str | SlotFormula, role: str) -> SlotPrices:
        """Return the price of each slot of *role* by a series, or a formula over one.

        Raises:
            IncompletePrices: A slot has none.
            Invalid: The series is of another unit, or too fine for the formula.

        """
        formula = SlotFormula(formula) if isinstance(formula, str) else formula
        if formula.series not in self.series:
            raise LookupError(f"the measure does not state the series {formula.series!r}")
        series = self.series[formula.series]
        refuse_unit(series, role, self.units.get(role))
        return formula.complete(series, self.portion(role).grid, self.rounding, self.zone)

    def portion(self, role: str, cuts: Iterable[Instant] | None = None) -> Portion:
        """Return the readings of *role*, which the measure states among its roles.

        Args:
            role: The role.
            cuts: The instants between which a measure adds slots up and looks at nothing finer;
                without them each slot matters. Only so can it measure a register that is read once
                a month: sums of stretches that no instant cuts are exact. One that is cut once, at
                a midnight, is spread evenly over its days, and the cost says so.

        Raises:
            NeedsFiner: The readings are sums of longer times.

        """
        if role not in self.portions:
            raise LookupError(f"the measure does not state the role {role!r}")
        portion = self.portions[role]
        if portion.edges is not None:
            self._refuse_coarse(role, portion, cuts)
        return portion

    def _refuse_coarse(self, role: str, portion: Portion, cuts: Iterable[Instant] | None) -> None:
        """Refuse to look into stretches; tell of those that are spread, each over two parts."""
        if cuts is None and (first := portion.first_stretch()) is not None:
            raise self._finer(role, *first)
        cut = [(portion.stretch_at(instant), instant) for instant in cuts or ()]
        inside = [(stretch, instant) for stretch, instant in cut if stretch is not None]
        for index, (stretch, instant) in enumerate(inside):
            again = index and inside[index - 1][0] == stretch
            if again or not self.zone.starts_day(instant):
                raise self._finer(role, *stretch)
        if inside:
            self.assumptions[spread(role, len(inside))] = None

    def _finer(self, role: str, start: Instant, end: Instant) -> NeedsFiner:
        begin, past = self.zone.text(start), self.zone.text(end)
        message = f"what {role} measured from {begin} to {past} is known as one sum only"
        return NeedsFiner.of(NeedsFiner.code, message)

    def calendar(self, schedule: Schedule, role: str) -> Calendar:
        """Return the periods of the slots of *role* under *schedule*.

        Raises:
            NeedsFiner: The readings are sums of times in which periods change.

        """
        grid = self.portion(role, ()).grid
        calendar = compiled(schedule, self.types, self.zone, grid)
        if self.portions[role].edges is not None:
            self.portion(role, (grid.start + grid.interval * calendar.bounds[1:]).tolist())
        if calendar.split:
            self.assume_boundary(PERIODS_MEET, calendar.split, f"slots of {role}", PERIOD_AT_START)
        self.assumptions.update(dict.fromkeys(assumed_of(calendar)))
        return calendar

    def local_days(self) -> LocalDays:
        """Return the days of `zone` that the window touches."""
        return self._days(self.start, self.end)

    def bill_days(self) -> LocalDays:
        """Return the days of `zone` that the whole bill touches."""
        return self._days(*(self.bill or (self.start, self.end)))

    def _days(self, start: Instant, end: Instant) -> LocalDays:
        days = LocalDays.between(start, end, self.zone)
        if not days.whole:
            self.assume(
                "partial_day",
                "the window begins or ends within a local day: fixed amounts count it as a day",
            )
        return days

    def assume_boundary(self, boundary: str, number: int, slots: str, rule: str) -> None:
        """Tell the reader of the cost that a boundary is inside slots: see `boundary_inside`."""
        self.assumptions[boundary_inside(boundary, number, slots, rule)] = None

    def assume_one_bill(self) -> None:
        """Tell the reader of the cost if the window is longer than a bill usually is."""
        start, end = self.bill or (self.start, self.end)
        days = LocalDays.between(start, end, self.zone).number
        if days > LONG_BILL:
            self.assume(
                "long_bill",
                f"the window of {days} days is charged as one bill; group=P1M charges each month",
            )

    def assume(self, code: str, message: str, slots: int | None = None) -> None:
        """Tell the reader of the cost that something was taken for granted."""
        self.assumptions[Assumption(code, message, slots)] = None
