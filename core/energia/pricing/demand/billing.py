"""The demand that is billed: measured, compared with months before, not below a minimum."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Final, Literal

import attrs
from msgspec import Meta

from energia.convert.constraints import Check
from energia.convert.rules import Rules, enforce
from energia.convert.scalars import Unfit
from energia.errors import Fault
from energia.pricing.charges import Measure, Measured, Role
from energia.pricing.demand.history import Peaks, Ratchet, Statistic
from energia.pricing.demand.intervals import Coarse
from energia.pricing.demand.peak import AT, BillMonth, Peak
from energia.pricing.demand.state import kept, remembered
from energia.pricing.exact import decimal_text
from energia.pricing.schedule import Period, Schedule
from energia.units import MICRO

DemandUnit = Literal["kW", "kVA", "kvar", "hp"]
Reset = Literal["bill", "month"]
#: Kilowatts of a mechanical horsepower: 550 ft lbf/s, exactly.
_HORSEPOWER: Final = Fraction("0.74569987158227022")
_HIGHEST: Final = Statistic()
#: The length of a month such as `2026-03`, with which the time of a peak begins.
_MONTH: Final = 7


def _divides_an_hour(value: timedelta) -> None:
    seconds = int(value.total_seconds())
    if not 60 <= seconds <= 3600 or 3600 % seconds or value != timedelta(seconds=seconds):
        message = "an hour must be a whole number of intervals, of a minute or more"
        raise Unfit("not_part_of_an_hour", message)


Interval = Annotated[timedelta, Meta(examples=["PT15M"]), Check(_divides_an_hour)]
PowerFactor = Annotated[
    Decimal, Meta(extra_json_schema={"exclusiveMinimum": 0, "maximum": 1}, examples=["0.92"])
]
Least = Annotated[Decimal, Meta(extra_json_schema={"minimum": 0})]


def unit_fits(channel: str | None, unit: str, power_factor: Decimal | None) -> Iterator[Fault]:
    """Refuse a unit that a channel (None: of active energy) has no demand in; a rule of charges."""
    quantity = (channel or "import").rpartition(".")[0] or "active_energy"
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
        message = "a power factor is only for kVA of active energy"
        yield Fault("unused_power_factor", message, "/power_factor")


def _periods_are_known(
    schedule: Schedule | None, periods: tuple[str, ...] | None
) -> Iterator[Fault]:
    for at, period in enumerate(periods or ()):
        if schedule is None or period not in schedule.periods:
            message = f"no rule of the schedule gives the period {period}"
            yield Fault("unknown_period", message, f"/periods/{at}")


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

    """

    period: str
    month: str
    value: Fraction
    measured: Fraction
    expression: str


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
        return max(self.found, key=lambda one: one.value, default=None)


@attrs.frozen(kw_only=True, cache_hash=True)
class BillingDemand:
    """How the demand that is billed is determined.

    Attributes:
        interval: Power is averaged over intervals of this length.
        coarse: Whether readings that are longer than that are refused, or accepted and told.
        statistic: What of the intervals is the demand; the highest without.
        ratchet: What of the demands of the months before is the least.
        minimum: The least demand, in `unit`.
        unit: kW; kVA; kvar; or hp, of 0.745699... kW.
        power_factor: Makes kVA of kW.
        channel: The role whose demand it is; the charge's own without.
        schedule: The periods that have a demand each, or ...
        periods: those of them that count, together.

    """

    __rules__: ClassVar[Rules] = (unit_fits, _periods_are_known)

    interval: Interval = timedelta(minutes=15)
    coarse: Coarse = "refuse"
    statistic: Statistic | None = None
    ratchet: Ratchet | None = None
    minimum: Least | None = None
    unit: DemandUnit = "kW"
    power_factor: PowerFactor | None = None
    channel: Role | None = None
    schedule: Schedule | None = None
    periods: tuple[Period, ...] | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse fields that contradict each other."""
        enforce(self)

    def measures(self, channel: str, reset: Reset = "bill") -> dict[str, Measure]:
        """Return what must be measured for a charge of *channel*; `reset` tells whose maximum."""
        peak = Peak(
            self.channel or channel,
            self.schedule,
            int(self.interval.total_seconds()),
            self.periods,
            self._statistic.top,
            self._statistic.distinct_days,
            reset == "month",
            self.coarse,
        )
        bill = self._looks_back and reset == "bill"
        return {"demand": peak, "bill_month": BillMonth()} if bill else {"demand": peak}

    def billed(
        self, measured: Measured, state: Mapping[str, Any], reset: Reset = "bill"
    ) -> Demands:
        """Return the demand that is billed, given what `measures` gave and the charge's state.

        Raises:
            Invalid: The state is not what this charge remembers.

        """
        before = remembered(state)
        (month,) = measured.get("bill_month", ("",))
        found = []
        for (period, own), readings in _grouped(measured["demand"], month, reset).items():
            peaks = before.setdefault(period, {})
            of_any = self.ratchet is not None and self.ratchet.across_periods
            ratcheted = _highest(before) if of_any else peaks
            demand = self._demanded((period, own), readings, peaks, ratcheted)
            peaks[own] = max(demand.measured, peaks.get(own, demand.measured))
            found.append(demand)
        if not found or not self._looks_back:
            return Demands(tuple(found))
        return Demands(tuple(found), {"peaks": kept(before, found[-1].month, self._back)})

    @property
    def _statistic(self) -> Statistic:
        return self.statistic or _HIGHEST

    @property
    def _looks_back(self) -> bool:
        return self._back > 0

    @property
    def _back(self) -> int:
        """How many months before count."""
        return max(self._statistic.months - 1, self.ratchet.back if self.ratchet else 0)

    def _demanded(
        self,
        of: tuple[str, str],
        readings: Sequence[tuple[str, int]],
        before: Peaks,
        ratcheted: Peaks,
    ) -> Demanded:
        period, month = of
        own, text = self._own(readings)
        value, text = self._statistic.over((own, text), month, before)
        if self.ratchet is not None:
            value, text = self.ratchet.over((value, text), month, ratcheted)
        if self.minimum is not None:
            value, text = max(value, Fraction(self.minimum)), f"max({text}, {self.minimum})"
        return Demanded(period, month, value, own, text)

    def _own(self, readings: Sequence[tuple[str, int]]) -> tuple[Fraction, str]:
        """Return the demand of the highest intervals, in the unit, and how it came about."""
        mean = Fraction(sum(micro for _, micro in readings), len(readings) * MICRO)
        terms = [f"{decimal_text(Fraction(micro, MICRO))} at {time}" for time, micro in readings]
        text = terms[0] if len(terms) == 1 else f"mean of ({', '.join(terms)})"
        if mean < 0:
            mean, text = Fraction(0), f"max({text}, 0)"
        if self.power_factor is not None:
            mean, text = mean / Fraction(self.power_factor), f"({text}) / {self.power_factor}"
        if self.unit == "hp":
            mean, text = mean / _HORSEPOWER, f"({text}) / 0.74569987158227022"
        return mean, text


def _highest(before: Mapping[str, Peaks]) -> dict[str, Fraction]:
    """Return the highest peak of each month, of whatever period."""
    found: dict[str, Fraction] = {}
    for peaks in before.values():
        for month, peak in peaks.items():
            found[month] = max(peak, found.get(month, peak))
    return found


def _grouped(
    demand: Mapping[str, int], month: str, reset: Reset
) -> dict[tuple[str, str], list[tuple[str, int]]]:
    """Return the measured intervals, each with its time, by period and month."""
    found: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for label, micro in demand.items():
        period, at, time = label.partition(AT)
        if at:
            own = time[:_MONTH] if reset == "month" else month
            found.setdefault((period, own), []).append((time, micro))
    return found
