"""The charge of demand."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Annotated, ClassVar, TypeAlias

import attrs
from msgspec import Meta

from energia import (
    BaseCharge,
    BillingDemand,
    BillSoFar,
    Components,
    Fault,
    Line,
    Measure,
    Measured,
    Schedule,
    State,
    Step,
)
from energia.convert.rules import Rules
from energia.pricing.charges import Examples, Parts, Rate
from energia.pricing.demand import Part, Ratchet, Statistic, Times, unit_fits
from energia.pricing.demand.billing import DemandUnit, Interval, Least, PowerFactor, Reset
from energia.pricing.demand.intervals import Coarse
from energia.pricing.demand.parts import Across, Per
from energia.pricing.exact import decimal_text
from energia.pricing.schedule import Period, faults_of_periods
from energia_plugins.tariff_demand.tiers import Ladder, Last, Scope, Tiers, faults_of_tiers

#: What a period's demand costs.
Price: TypeAlias = Rate | Tiers
TOTAL = "total"


def _one_price(
    rate: object, components: object, tiers: object, rates: object, schedule: object
) -> Iterator[Fault]:
    given = [one for one in (rate, components, tiers, rates) if one is not None]
    if len(given) != 1:
        yield Fault("one_price", "give one of rate, components, tiers and rates", "/rate")
    if (rates is None) != (schedule is None):
        yield Fault("rates_and_schedule", "rates by period and a schedule go together", "/rates")


def _periods_match(schedule: Schedule | None, rates: Mapping[str, Price] | None) -> Sequence[Fault]:
    return faults_of_periods(schedule, rates) if schedule and rates else ()


def _tiers_fit(
    tiers: Tiers | None, rates: Mapping[str, Price] | None, scope: Scope, last: Last
) -> Iterator[Fault]:
    named = {f"/rates/{name}": one for name, one in (rates or {}).items()} | {"/tiers": tiers}
    for at, one in named.items():
        if isinstance(one, tuple):
            yield from faults_of_tiers(Ladder(one, scope, last), at)


@attrs.frozen
class Demand(BaseCharge):
    """The highest demand of a bill or a month.

    Attributes:
        rate: The price of one unit of demand; or
        components: its parts, each of them a line of its own; or
        tiers: tiers of demand; or
        rates: one of these for each period of a schedule.
        schedule: When each period is.
        scope: `blocks`: each tier has its rate; `whole_band`: the tier that the demand is in
            decides the rate, or the amount, of all of it.
        last: Whether the last tier goes on above its bound, or nothing is charged there.
        interval: Power is averaged over intervals of this length, on the wall clock.
        coarse: Whether readings that are longer than that are refused, or accepted and told.
        statistic: What of the intervals is the demand; the highest without.
        ratchet: What of the demands of the months before is the least that is billed.
        minimum: The least that is billed, in `unit`.
        unit: kW; kVA; kvar; or hp, of 0.745699... kW.
        power_factor: Makes kVA of kW.
        per: Whether the rate is for the bill or month, or for each day of it.
        reset: Whether the bill has one maximum, or each calendar month its own, which is charged
            for the part of the month that is billed.
        across_versions: Whether the version in force at the end charges all of a bill that
            crosses versions, or each its part, by days.

    """

    __rules__: ClassVar[Rules] = (_one_price, _periods_match, _tiers_fit, unit_fits)

    kind: ClassVar[str] = "demand"
    examples: ClassVar[Examples] = (
        {"kind": "demand", "rate": "6.50", "interval": "PT1H"},
        {
            "kind": "demand",
            "interval": "PT1H",
            "schedule": {
                "default": "off_peak",
                "rules": [{"period": "peak", "days": ["weekday"], "from": "16:00", "to": "21:00"}],
            },
            "rates": {"peak": "4.25", "off_peak": [{"up_to": "100", "rate": "2"}, {"rate": "1"}]},
            "ratchet": {"percent": "60", "back": 11},
        },
        {
            "kind": "demand",
            "interval": "PT1H",
            "tiers": [{"up_to": "50", "amount": "100"}, {"amount": "180"}],
            "scope": "whole_band",
            "reset": "month",
            "statistic": {"top": 3, "distinct_days": True},
        },
    )

    rate: Decimal | None = None
    components: Parts | None = None
    tiers: Tiers | None = None
    rates: Annotated[dict[Period, Price], Meta(min_length=1)] | None = None
    schedule: Schedule | None = None
    scope: Scope = "blocks"
    last: Last = "open"
    interval: Interval = timedelta(minutes=15)
    coarse: Coarse = "refuse"
    statistic: Statistic | None = None
    ratchet: Ratchet | None = None
    minimum: Least | None = None
    unit: DemandUnit = "kW"
    power_factor: PowerFactor | None = None
    per: Per = "month"
    reset: Reset = "bill"
    across_versions: Across = "last"

    @cached_property
    def _demand(self) -> BillingDemand:
        return BillingDemand(
            interval=self.interval,
            coarse=self.coarse,
            statistic=self.statistic,
            ratchet=self.ratchet,
            minimum=self.minimum,
            unit=self.unit,
            power_factor=self.power_factor,
            channel=self.channel,
            schedule=self.schedule,
        )

    @property
    def _prices(self) -> Mapping[str, Price]:
        if self.rates is not None:
            return self.rates
        if self.tiers is not None:
            return {TOTAL: self.tiers}
        return {TOTAL: Components(self.components or {}) if self.rate is None else self.rate}

    def measures(self) -> dict[str, Measure]:
        """Measure the peaks, and the days where these count."""
        return self._demand.measures(self.channel, self.reset) | self._times.measures()

    @property
    def _times(self) -> Times:
        return Times(self.per, self.reset, self.across_versions)

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge the periods that have a demand, in the order of the rates."""
        demands = self._demand.billed(measured, bill.state, self.reset)
        for period, price in self._prices.items():
            found = [one for one in demands.found if one.period == period]
            parts = [self._times.part(one, measured) for one in found]
            if parts:
                yield from self._lines(period if self.schedule else None, price, parts)
        if demands.state:
            yield State(demands.state)

    def _lines(self, period: str | None, price: Price, parts: Sequence[Part]) -> Iterator[Line]:
        if isinstance(price, tuple):
            yield from self._tiered(period, Ladder(price, self.scope, self.last), parts)
            return
        steps = tuple(part.step for part in parts)
        quantity = sum((part.quantity for part in parts), Fraction(0))
        rates = price.components if isinstance(price, Components) else {None: price}
        for component, rate in rates.items():
            yield self.line(
                quantity, rate, self._unit, period=period, component=component, steps=steps
            )

    def _tiered(self, period: str | None, ladder: Ladder, parts: Sequence[Part]) -> Iterator[Line]:
        quantity = sum((part.quantity for part in parts), Fraction(0))
        for component in ladder.components:
            steps = tuple(step for part in parts for step in _priced(part, ladder, component))
            amount = sum((Fraction(step.value) for step in steps), Fraction(0))
            yield self.line(
                quantity,
                None,
                self._unit,
                amount=amount,
                period=period,
                component=component,
                steps=steps,
            )

    @property
    def _unit(self) -> str:
        return self.unit if self.per == "month" else f"{self.unit}.day"


def _priced(part: Part, ladder: Ladder, component: str | None) -> Iterator[Step]:
    """Yield what the tiers charge for a demand; the first step tells how that came about."""
    demand = decimal_text(part.demand.value)
    what = f"{demand} = {part.demand.expression}"
    for step in ladder.steps(part.demand.value, component):
        value = Fraction(step.value) * part.times
        yield Step(f"{step.description} of {what}", f"{step.expression}{part.text}", value)
        what = demand
