"""The demand that is billed: measured, compared with months before, not below a minimum."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

import attrs
from msgspec import Meta

from energia.convert.constraints import Check
from energia.convert.scalars import Unfit
from energia.convert.structures import Rules, enforce
from energia.errors import Fault, Invalid
from energia.pricing.charges import AcrossVersions, Measure, Measured, Role
from energia.pricing.dates import days_of
from energia.pricing.demand.peak import (
    TOTAL,
    BillMonth,
    Coarse,
    Peak,
    PeakInterval,
    Reset,
    Weights,
    weight_of,
)
from energia.pricing.demand.seasons import SeasonDays, Span, of_labels
from energia.pricing.exact import decimal_text, exact_text
from energia.pricing.lines import Step
from energia.pricing.measures import BillDays, Days, Months
from energia.pricing.schedule import Period, Schedule
from energia.time import HOUR, seconds_in
from energia.units import MICRO, quantity_of

#: The peak of each month (`2026-03`) of one period.
Peaks: TypeAlias = Mapping[str, Fraction]
Percent = Annotated[Decimal, Meta(extra_json_schema={"minimum": 0, "maximum": 1000})]
MonthNumber = Annotated[int, Meta(ge=1, le=12)]
#: One for each month of the year, from January.
Percents = Annotated[tuple[Percent, ...], Meta(min_length=12, max_length=12)]
Flags = Annotated[tuple[bool, ...], Meta(min_length=12, max_length=12)]
Back = Annotated[int, Meta(ge=1, le=60)]
Least = Annotated[Decimal, Meta(extra_json_schema={"minimum": 0})]


def _one_month_has_no_mean(months: int, of_months: str) -> Iterator[Fault]:
    if months == 1 and of_months == "mean":
        message = "the mean of one month is its peak: say of how many months"
        yield Fault("missing_months", message, "/months")


@attrs.frozen(cache_hash=True)
class Statistic:
    """What of the measured intervals is the demand; the highest, if nothing is said.

    Attributes:
        top: The mean of so many of the highest intervals.
        distinct_days: Whether these are of different days.
        months: How many months count, the bill's own included.
        of_months: Whether the demand is the highest, or the mean, of these months' demands.
        minimum: Each month's demand counts as at least so much, as in Belgium's mean of 12 months.

    """

    __public_name__: ClassVar[str] = "DemandStatistic"

    __rules__: ClassVar[Rules] = (_one_month_has_no_mean,)

    top: Annotated[int, Meta(ge=1, le=100)] = 1
    distinct_days: bool = False
    months: Back = 1
    of_months: Literal["max", "mean"] = "max"
    minimum: Least | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse fields that contradict each other."""
        enforce(self)

    def over(self, own: tuple[Fraction, str], month: str, before: Peaks) -> tuple[Fraction, str]:
        """Return the demand, and how it came about, given that of the month and those before."""
        own = self._at_least(*own)
        if self.months == 1:
            return own
        known = _known(before, preceding(month, self.months - 1))
        others = {name: self._at_least(peak, decimal_text(peak)) for name, peak in known.items()}
        values = [own[0], *(value for value, _ in others.values())]
        value = max(values) if self.of_months == "max" else sum(values) / Fraction(len(values))
        terms = "".join(f"; {name}: {text}" for name, (_, text) in others.items())
        counted = f"{len(values)} of {self.months} months known"
        return value, f"{self.of_months} of ({own[1]}{terms}; {counted})"

    def _at_least(self, value: Fraction, text: str) -> tuple[Fraction, str]:
        """Return the demand of a month, as much as it counts."""
        if self.minimum is None:
            return value, text
        return max(value, Fraction(self.minimum)), f"max({text}, {self.minimum})"


@attrs.frozen(cache_hash=True)
class Ratchet:
    """At least so many per cent of the highest demand of the months before.

    Attributes:
        percent: How many; or twelve numbers, one for each month, from January: of those before,
            85 % of the summer's and 60 % of the winter's, the greater.
        percent_by: Whose month chooses among twelve percentages: that of the `peak` of a month
            before, or that of the `bill`.
        back: How many months before count.
        months: Only these calendar months of them count (1 is January).
        current_in_full: Whether the demand of the bill's own month counts in full; otherwise only
            the percentage of it does. Or twelve flags, one for each month.
        across_periods: Whether the highest demand of any period counts, as where periods are
            seasons with prices of their own; otherwise each looks back at its own demands.

    """

    __public_name__: ClassVar[str] = "DemandRatchet"

    percent: Percent | Percents
    percent_by: Literal["peak", "bill"] = "peak"
    back: Back = 11
    months: Annotated[tuple[MonthNumber, ...], Meta(min_length=1, max_length=12)] | None = None
    current_in_full: bool | Flags = True
    across_periods: bool = False

    def over(self, own: tuple[Fraction, str], month: str, before: Peaks) -> tuple[Fraction, str]:
        """Return the demand, and how it came about, given that of the month and those before."""
        number = _number_of(month)
        value, text = own
        if not _of_month(self.current_in_full, number):
            percent = _of_month(self.percent, number)
            value, text = value * Fraction(percent) / 100, f"{percent} % of {text}"
        least, told = self._least(month, before)
        return max(value, least), f"max({text}, {told})"

    def _least(self, month: str, before: Peaks) -> tuple[Fraction, str]:
        """Return the least demand by the months before *month*, and how it came about."""
        names = [name for name in preceding(month, self.back) if self._counts(name)]
        known = _known(before, names)
        if not known:
            share = "a share" if isinstance(self.percent, tuple) else f"{self.percent} %"
            return Fraction(0), f"{share} of {_NOTHING}"
        percents = {name: self._percent(name, month) for name in known}
        least = {name: peak * Fraction(percents[name]) / 100 for name, peak in known.items()}
        name = max(least, key=lambda month: least[month])
        rest = "" if len(known) == len(names) else f" ({len(known)} of {len(names)} months known)"
        told = f"{percents[name]} % of {decimal_text(known[name])} in {name}{rest}"
        return least[name], told

    def _percent(self, name: str, month: str) -> Decimal:
        """Return the percentage of the peak of the month *name*, for a bill of *month*."""
        return _of_month(self.percent, _number_of(name if self.percent_by == "peak" else month))

    def _counts(self, month: str) -> bool:
        return self.months is None or _number_of(month) in self.months


#: What is said of a ratchet that has nothing to look back at.
_NOTHING: Final = "nothing: no peak of the months before is known"
#: One ratchet, or several, of which the one counts that bills most.
Ratchets: TypeAlias = Ratchet | Annotated[tuple[Ratchet, ...], Meta(min_length=1, max_length=12)]


def preceding(month: str, number: int) -> list[str]:
    """Return the *number* calendar months before *month*, the latest first."""
    year, of_year = (int(part) for part in month.split("-"))
    counts = [year * 12 + of_year - 1 - back for back in range(1, number + 1)]
    return [f"{count // 12:04}-{count % 12 + 1:02}" for count in counts]


def _number_of(month: str) -> int:
    """Return which month of the year one such as `2026-03` is."""
    return int(month[-2:])


def _of_month(value: "Decimal | bool | Sequence[Decimal] | Sequence[bool]", number: int) -> Decimal:
    of_month: object = value[number - 1] if isinstance(value, tuple) else value
    return of_month  # type: ignore[return-value]


def _known(before: Peaks, names: Sequence[str]) -> dict[str, Fraction]:
    return {name: before[name] for name in names if name in before}


# What a charge remembers of demand: the peak of each month, by period where there is a schedule.
#
# `{"peaks": {"2026-01": "123.4"}}`, or `{"peaks": {"2026-01": {"peak": "123.4"}}}`; numbers are in
# the unit of the demand, as text: a decimal, or `n/d`.

_NUMBER: Final = re.compile(r"[0-9]{1,60}(\.[0-9]{1,60}|/[1-9][0-9]{0,60})?")
_MONTH_TEXT: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def remembered(state: Mapping[str, Any]) -> dict[str, dict[str, Fraction]]:
    """Return the peaks that are remembered, by period and month; raises `Invalid`."""
    peaks: dict[str, dict[str, Fraction]] = {}
    for period, month, value in _peaks(state.get("peaks", {})):
        peaks.setdefault(period, {})[month] = value
    return peaks


def kept(peaks: Mapping[str, Peaks], month: str, back: int) -> dict[str, Any]:
    """Return what to remember when *month* is billed: nothing that no later bill looks back at."""
    of_months: dict[str, Any] = {}
    for name in [*reversed(preceding(month, back)), month]:
        of_month = {period: exact_text(by[name]) for period, by in peaks.items() if name in by}
        if of_month:
            of_months[name] = of_month[TOTAL] if set(of_month) == {TOTAL} else of_month
    return of_months


def _peaks(peaks: object) -> Iterator[tuple[str, str, Fraction]]:
    if not isinstance(peaks, Mapping):
        raise _refused("peaks must be an object: the demand of each month")
    for month, value in peaks.items():
        if not isinstance(month, str) or not _MONTH_TEXT.fullmatch(month):
            raise _refused(f"{month!r} is not a month such as 2026-03")
        by_period = value if isinstance(value, Mapping) else {TOTAL: value}
        for period, number in by_period.items():
            yield str(period), month, _number(number)


def _number(value: object) -> Fraction:
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        raise _refused(
            f"{text[:40]!r} is not a demand: it must be a decimal number, not below zero"
        )
    return Fraction(text)


def _refused(message: str) -> Invalid:
    return Invalid.of("bad_peaks", message)


DemandUnit = Literal["kW", "kVA", "kvar", "hp"]
#: Kilowatts of a mechanical horsepower: 550 ft lbf/s, exactly.
_HORSEPOWER: Final = Fraction("0.74569987158227022")
_HIGHEST: Final = Statistic()
#: The length of a month such as `2026-03`, with which the time of a peak begins.
_MONTH: Final = 7


def _divides_an_hour(value: timedelta) -> None:
    seconds = seconds_in(value)
    if not 60 <= seconds <= HOUR or HOUR % seconds or value != timedelta(seconds=seconds):
        message = "an hour must be a whole number of intervals, of a minute or more"
        raise Unfit("not_part_of_an_hour", message)


Interval = Annotated[timedelta, Meta(examples=["PT15M"]), Check(_divides_an_hour)]
PowerFactor = Annotated[
    Decimal, Meta(extra_json_schema={"exclusiveMinimum": 0, "maximum": 1}, examples=["0.92"])
]


def unit_fits(channel: str | None, unit: str, power_factor: Decimal | None) -> Iterator[Fault]:
    """Refuse a unit that a channel (None: of active energy) has no demand in; a rule of charges."""
    quantity = quantity_of(channel or "import")
    units = {"active_energy": ("kW", "hp", "kVA"), "apparent_energy": ("kVA",)}
    fitting = {**units, "reactive_energy": ("kvar",)}.get(quantity, ())
    if unit not in fitting:
        known = ", ".join(fitting) or "none"
        yield Fault("wrong_unit", f"demand of {channel or 'import'} is in: {known}", "/unit")
        return
    converts = unit == "kVA" and quantity == "active_energy"
    if converts and power_factor is None:
        message = "kVA need a power_factor, or the channel apparent_energy.import"
        yield Fault("missing_power_factor", message, "/power_factor")
    if power_factor is not None and not converts:
        message = "only kVA of active energy may have a power factor"
        yield Fault("unused_power_factor", message, "/power_factor")


def reset_fits(reset: Reset, schedule: Schedule | None) -> Iterator[Fault]:
    """Refuse a maximum of each season where a schedule has none; a rule of charges."""
    if reset == "season" and not any(rule.season for rule in (schedule or Schedule()).rules):
        message = "the schedule has no season: use the reset bill, or give its rules a season"
        yield Fault("no_season", message, "/reset")


def _periods_are_known(
    schedule: Schedule | None, periods: tuple[str, ...] | None
) -> Iterator[Fault]:
    for index, period in enumerate(periods or ()):
        if schedule is None or period not in schedule.periods:
            message = f"no rule of the schedule gives the period {period}"
            yield Fault("unknown_period", message, f"/periods/{index}")


@attrs.frozen
class Demanded:
    """A demand that is billed.

    Attributes:
        period: Its period; `total` without a schedule.
        month: Its calendar month (`2026-03`), where each has a demand of its own; otherwise the
            month of the bill, or "" where nothing looks back.
        value: How much, in the unit of the demand.
        measured: How much was measured, in that unit.
        expression: How it came about.
        span: Its days (`2026-02-15/2026-02-28`), where each season has a demand of its own, or its
            day; otherwise "".

    """

    period: str
    month: str
    value: Fraction
    measured: Fraction
    expression: str
    span: str = ""


@attrs.frozen
class Demands:
    """What is billed, and what is to be remembered.

    Attributes:
        found: By period, and by month.
        state: What a `State` is to hold: `peaks`, by month; empty where nothing looks back.

    """

    found: tuple[Demanded, ...]
    state: Mapping[str, Any] = attrs.Factory(dict)

    @property
    def highest(self) -> Demanded | None:
        """The highest of them; None where there is no reading."""
        return max(self.found, key=lambda demand: demand.value, default=None)


@attrs.frozen(cache_hash=True)
class AtLeast:
    """So many per cent of what another channel demands, where that is more.

    Where the greater of the kW and 90 % of the kVA is billed, `channel` is
    `apparent_energy.import`, and `percent` 90.

    Attributes:
        channel: The role of the other channel. Its highest intervals are those of its own.
        percent: How many per cent of it.

    """

    __public_name__: ClassVar[str] = "DemandElsewhere"

    channel: Role
    percent: Percent = Decimal(100)

    def over(self, own: tuple[Fraction, str], other: tuple[Fraction, str]) -> tuple[Fraction, str]:
        """Return the greater of a demand and the other channel's, and how it came about."""
        value, text = other
        least = value * Fraction(self.percent) / 100
        return max(own[0], least), f"max({own[1]}, {self.percent} % of {text})"


#: How much the intervals of each period count.
PeriodWeights = Annotated[dict[Period, Least], Meta(min_length=1)]


def weights_fit(schedule: Schedule | None, weights: PeriodWeights | None) -> Iterator[Fault]:
    """Refuse weights of periods that there are not; a rule of charges."""
    for period in weights or ():
        if schedule is None or period not in schedule.periods:
            message = f"no rule of the schedule gives the period {period}"
            yield Fault("unknown_period", message, f"/weights/{period}")


def _weights_or_periods(
    periods: tuple[str, ...] | None, weights: PeriodWeights | None
) -> Iterator[Fault]:
    if weights is not None and periods is not None:
        message = "periods that are weighted count together: leave out periods"
        yield Fault("weights_and_periods", message, "/weights")


@attrs.frozen(kw_only=True)
class BillingDemand:
    """How the demand that is billed is determined.

    Attributes:
        interval: Power is averaged over intervals of this length.
        coarse: Whether readings that are longer than that are refused, or accepted with an
            assumption that says so.
        statistic: What of the intervals is the demand; the highest without.
        ratchet: What of the demands of the months before is the least; of several, the most.
        minimum: The least demand, in `unit`.
        at_least: The least demand by that of another channel, such as 90 % of the kVA.
        losses_percent: So many per cent of what is metered are added, before all else: the losses
            of a transformer that the meter is behind.
        unit: kW; kVA; kvar; or hp, of 0.745699... kW.
        power_factor: Makes kVA of kW.
        channel: The role whose demand it is; the charge's own without.
        schedule: The periods that have a demand each, or ...
        periods: those of them that count, together.
        weights: The periods share one demand, in which the power of each counts so many times:
            `{"night": "0.5"}`; those that are not named count once.

    """

    __rules__: ClassVar[Rules] = (unit_fits, _periods_are_known, weights_fit, _weights_or_periods)

    interval: Interval = timedelta(minutes=15)
    coarse: Coarse = "refuse"
    statistic: Statistic | None = None
    ratchet: Ratchets | None = None
    minimum: Least | None = None
    unit: DemandUnit = "kW"
    power_factor: PowerFactor | None = None
    channel: Role | None = None
    schedule: Schedule | None = None
    periods: tuple[Period, ...] | None = None
    weights: PeriodWeights | None = None
    at_least: AtLeast | None = None
    losses_percent: Percent = Decimal(0)

    def __attrs_post_init__(self) -> None:
        """Refuse fields that contradict each other."""
        enforce(self)

    def measures(self, channel: str, reset: Reset = "bill") -> dict[str, Measure]:
        """Return what must be measured for a charge of *channel*; `reset` tells whose maximum."""
        peak = self._peak(self.channel or channel, reset)
        measures: dict[str, Measure] = {"demand": peak}
        if self.at_least is not None:
            measures["other"] = attrs.evolve(peak, channel=self.at_least.channel)
        if reset == "season" and self.schedule is not None:
            measures["seasons"] = SeasonDays(self.schedule)
        if self._looks_back and reset in ("bill", "season"):
            measures["bill_month"] = BillMonth()
        return measures

    def billed(
        self, measured: Measured, state: Mapping[str, Any], reset: Reset = "bill"
    ) -> Demands:
        """Return the demand that is billed, given what `measures` gave and the charge's state.

        Raises:
            Invalid: The state is not what this charge remembers.

        """
        before = remembered(state)
        others = self._grouped("other", measured, reset) if self.at_least is not None else {}
        groups = self._grouped("demand", measured, reset)
        demanded = dict[_Group, Demanded]()
        # Month by month: a ratchet across periods looks back at all of them.
        for group in sorted(groups, key=lambda group: group[1]):
            own = self._own(groups[group])
            if self.at_least is not None and group in others:
                own = self.at_least.over(own, self._mean(others[group]))
            demand = self._demanded(group, own, before)
            peaks = before.setdefault(demand.period, {})
            month = demand.month
            peaks[month] = max(demand.measured, peaks.get(month, demand.measured))
            demanded[group] = demand
        demands = [demanded[group] for group in groups]
        if not demands or not self._looks_back:
            return Demands(tuple(demands))
        latest = max(demand.month for demand in demands)
        return Demands(tuple(demands), {"peaks": kept(before, latest, self._back)})

    @property
    def factor(self) -> Fraction | None:
        """What a peak is multiplied by to be billed; None where other peaks, or bounds, count."""
        bounded = (self.minimum, self.at_least, self.weights, self.ratchet)
        if self._statistic != _HIGHEST or any(each is not None for each in bounded):
            return None
        factor = 1 + Fraction(self.losses_percent) / 100
        if self.power_factor is not None:
            factor /= Fraction(self.power_factor)
        return factor / _HORSEPOWER if self.unit == "hp" else factor

    def _peak(self, channel: str, reset: Reset) -> Peak:
        """Return the measure of the peaks of *channel*."""
        return Peak(
            channel,
            self.schedule,
            seconds_in(self.interval),
            self.periods,
            self._statistic.top,
            self._statistic.distinct_days,
            reset,
            self.coarse,
            self._weights,
        )

    @property
    def _weights(self) -> Weights | None:
        if self.weights is None:
            return None
        return tuple((period, Fraction(weight)) for period, weight in self.weights.items())

    @property
    def _statistic(self) -> Statistic:
        return self.statistic or _HIGHEST

    @property
    def _looks_back(self) -> bool:
        return self._back > 0

    @property
    def _back(self) -> int:
        """How many months before count."""
        ratchets = [ratchet.back for ratchet in self._ratchets]
        return max(self._statistic.months - 1, *ratchets, 0)

    @property
    def _ratchets(self) -> tuple[Ratchet, ...]:
        if self.ratchet is None:
            return ()
        return self.ratchet if isinstance(self.ratchet, tuple) else (self.ratchet,)

    def _grouped(
        self, name: str, measured: Measured, reset: Reset
    ) -> "dict[_Group, list[PeakInterval]]":
        """Return the intervals of the measure *name*, by period, month and season or day."""
        (month,) = measured.get("bill_month", ("",))
        labels = measured.get(name, {}).items()
        intervals = [interval for label in labels if (interval := PeakInterval.of(*label))]
        peak = self._peak("import", reset)
        key = peak.group_of(intervals, self._seasons(measured))
        groups: dict[_Group, list[PeakInterval]] = {}
        for interval in intervals:
            if (group := key(interval)) is not None:
                own = interval.time[:_MONTH] if reset in ("month", "day") else month
                span = group[1] if reset in ("season", "day") else ""
                groups.setdefault((group[0], own, span), []).append(interval)
        return {
            group: peak.highest(several) if len(several) > 1 else several
            for group, several in groups.items()
        }

    def _seasons(self, measured: Measured) -> Sequence[Span] | None:
        """Return the seasons of the bill, where each has a demand of its own."""
        if self.schedule is None or "seasons" not in measured:
            return None
        return of_labels(self.schedule, measured["seasons"])

    def _demanded(
        self, group: "_Group", own: tuple[Fraction, str], before: Mapping[str, Peaks]
    ) -> Demanded:
        """Return what is billed of the demand *own* that was measured."""
        period, month, span = group
        value, text = self._statistic.over(own, month, before.get(period, {}))
        if self._ratchets:
            value, text = self._ratcheted((value, text), period, month, before)
        if self.minimum is not None:
            value, text = max(value, Fraction(self.minimum)), f"max({text}, {self.minimum})"
        return Demanded(period, month, value, own[0], text, span)

    def _ratcheted(
        self, own: tuple[Fraction, str], period: str, month: str, before: Mapping[str, Peaks]
    ) -> tuple[Fraction, str]:
        """Return the most that a ratchet bills, and how it came about."""
        results = []
        for ratchet in self._ratchets:
            peaks = _highest(before) if ratchet.across_periods else before.get(period, {})
            results.append(ratchet.over(own, month, peaks))
        value = max(result for result, _ in results)
        texts = [text for _, text in results]
        return value, texts[0] if len(texts) == 1 else f"max({', '.join(texts)})"

    def _own(self, intervals: Sequence[PeakInterval]) -> tuple[Fraction, str]:
        """Return the demand of the highest intervals, in the unit, and how it came about."""
        mean, text = self._mean(intervals)
        if self.power_factor is not None:
            mean, text = mean / Fraction(self.power_factor), f"({text}) / {self.power_factor}"
        if self.unit == "hp":
            mean, text = mean / _HORSEPOWER, f"({text}) / 0.74569987158227022"
        return mean, text

    def _mean(self, intervals: Sequence[PeakInterval]) -> tuple[Fraction, str]:
        """Return the mean of the highest intervals, not below zero, and how it came about."""
        total: int | Fraction = 0
        texts = []
        for interval in intervals:
            power = decimal_text(Fraction(interval.micro, MICRO))
            weight = 1 if self.weights is None else weight_of(self._weights, interval.period)
            total += interval.micro * weight
            times = "" if weight == 1 else f" x {decimal_text(Fraction(weight))}"
            texts.append(f"{power}{times} at {interval.time}")
        mean = Fraction(total, len(texts) * MICRO)
        text = texts[0] if len(texts) == 1 else f"mean of ({', '.join(texts)})"
        if self.losses_percent:
            mean *= 1 + Fraction(self.losses_percent) / 100
            text = f"({text}) x (1 + {self.losses_percent} %)"
        return (mean, text) if total >= 0 else (Fraction(0), f"max({text}, 0)")


#: A period, the month of its demand, and its season or day; "" where these do not matter.
_Group: TypeAlias = tuple[str, str, str]


def _highest(before: Mapping[str, Peaks]) -> dict[str, Fraction]:
    """Return the highest peak of each month, of whatever period."""
    highest: dict[str, Fraction] = {}
    for peaks in before.values():
        for month, peak in peaks.items():
            highest[month] = max(peak, highest.get(month, peak))
    return highest


# How often the price of a demand is charged: once a bill, for each day, for a part of a month.

Per = Literal["month", "day"]


@attrs.frozen
class Part:
    """A demand that is charged.

    Attributes:
        demand: The demand.
        times: How often its price is charged: once, for each day, or for a part of a month.
        text: The same, as it follows an expression; empty for once.

    """

    demand: Demanded
    times: Fraction
    text: str

    @property
    def quantity(self) -> Fraction:
        """The quantity that is charged."""
        return self.demand.value * self.times

    @property
    def step(self) -> Step:
        """How the quantity came about."""
        return self.of(self.demand.expression, self.demand.value)

    def of(self, expression: str, value: Fraction) -> Step:
        """Return how a quantity came about that is charged as often as the demand."""
        text = f"({expression}){self.text}" if self.text else expression
        what = self.demand.span or self.demand.month or "demand"
        return Step(what, text, value * self.times)


@attrs.frozen
class Times:
    """How often the price of a demand is charged.

    Attributes:
        per: Whether the rate is for the bill or month, or for each day of it.
        reset: Whether the bill has one maximum, or each calendar month, season or day its own.
        across: Whether each version of the tariff charges only its part of the bill.

    """

    per: Per
    reset: Reset
    across: AcrossVersions

    def measures(self) -> dict[str, Measure]:
        """Return the measures of days that are needed; those of seasons are of the demand."""
        if self.reset == "day":
            return {}
        if self.reset == "month":
            return {"days": Months()}
        if self.per == "day":
            return {} if self.reset == "season" else {"days": Days()}
        days: dict[str, Measure] = {} if self.reset == "season" else {"days": Days()}
        return {**days, "bill_days": BillDays()} if self.across == "each" else {}

    def part(self, demand: Demanded, measured: Measured) -> Part:
        """Return how often *demand* is charged, given the days that were measured."""
        days = measured.get("seasons" if self.reset == "season" else "days", {})
        if not days:
            return Part(demand, Fraction(1), "")
        number = days[self._own_days(demand)]
        if self.per == "day":
            return Part(demand, Fraction(number), f" x {number} days")
        whole = self._whole(demand, measured, days)
        if number == whole:
            return Part(demand, Fraction(1), "")
        return Part(demand, Fraction(number, whole), f" x {number}/{whole} days")

    def _own_days(self, demand: Demanded) -> str:
        """Return the label of the days of a demand."""
        return {"month": demand.month, "season": demand.span}.get(self.reset, "days")

    def _whole(self, demand: Demanded, measured: Measured, days: Mapping[str, int]) -> int:
        """Return the number of days for which the price is: of the month, or of the bill."""
        if self.reset == "month":
            return days_of(demand.month)
        if self.across == "each":
            return measured["bill_days"]["days"]
        return sum(days.values())
