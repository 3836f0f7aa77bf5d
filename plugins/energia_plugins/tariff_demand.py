"""The charge `demand`: the highest power, by period, with tiers, ratchets and minimums.

Power is the mean of an integration interval, usually a quarter of an hour. What of the intervals is
billed is determined by `BillingDemand`; here it is priced.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Annotated, ClassVar, Literal, TypeAlias

import attrs
from msgspec import Meta

from energia import (
    BillingDemand,
    BillSoFar,
    Charge,
    Components,
    Determinant,
    Examples,
    Fault,
    Line,
    Measured,
    Period,
    Rate,
    Rules,
    Schedule,
    State,
    Step,
    Texts,
    faults_of_periods,
    hookimpl,
)
from energia.pricing.demand import (
    TOTAL,
    AtLeast,
    BaseDemand,
    Coarse,
    Least,
    Part,
    PeriodWeights,
    Ratchets,
    Reset,
    Statistic,
    components_of,
    reset_fits,
    unit_fits,
    weights_fit,
)
from energia.pricing.exact import RateRounding, decimal_text, exact_sum

Scope = Literal["blocks", "whole_band"]

Last = Literal["open", "closed"]

AtBound = Literal["lower", "upper"]

UpTo = Annotated[Decimal, Meta(extra_json_schema={"exclusiveMinimum": 0})]


@attrs.frozen(cache_hash=True)
class Tier:
    """Demand up to a bound.

    Attributes:
        up_to: The bound, that of the tiers before included; the last tier may have none.
        rate: What each unit costs; or components, each of them a line of its own.
        amount: What the band costs, whatever the demand in it; only where a band decides for all.

    """

    __public_name__: ClassVar[str] = "DemandTier"

    up_to: UpTo | None = None
    rate: Rate | None = None
    amount: Decimal | None = None


Tiers: TypeAlias = Annotated[tuple[Tier, ...], Meta(min_length=1, max_length=100)]


@attrs.frozen
class Ladder:
    """Tiers, and how they are applied.

    Attributes:
        tiers: The tiers, the lowest first.
        scope: `blocks`: each block has its rate; `whole_band`: the band decides the rate of all.
        last: Whether the last tier goes on above its bound, or nothing is charged there.
        at_bound: Whether a demand of exactly a bound is in the lower or the upper band.
        rates: How the rates are rounded before they are multiplied.

    """

    tiers: Sequence[Tier]
    scope: Scope = "blocks"
    last: Last = "open"
    at_bound: AtBound = "lower"
    rates: RateRounding = attrs.Factory(RateRounding)

    @property
    def components(self) -> tuple[str | None, ...]:
        """The parts of the rates; None where they have none."""
        rates = [tier.rate for tier in self.tiers if isinstance(tier.rate, Components)]
        return tuple(rates[0].components) if rates else (None,)

    def steps(self, demand: Fraction, component: str | None) -> Iterator[Step]:
        """Yield what each tier charges for *demand*."""
        if self.scope == "blocks":
            yield from self._blocks(demand, component)
        else:
            yield from self._band(demand, component)

    def _blocks(self, demand: Fraction, component: str | None) -> Iterator[Step]:
        below = Fraction(0)
        for tier in self.tiers:
            inside = max(self._within(tier, demand) - below, Fraction(0))
            if inside or not below:
                rate, text = self.rates.rate(rate_of(tier, component))
                expression = f"{decimal_text(inside)} x {text}"
                yield Step(_named(tier, self.tiers), expression, inside * rate)
            below += inside

    def _within(self, tier: Tier, demand: Fraction) -> Fraction:
        """Return what of *demand* is not above a tier."""
        unbounded = tier is self.tiers[-1] and self.last == "open"
        return demand if tier.up_to is None or unbounded else min(demand, Fraction(tier.up_to))

    def _band(self, demand: Fraction, component: str | None) -> Iterator[Step]:
        tier = next((tier for tier in self.tiers if self._is_in(tier, demand)), self.tiers[-1])
        name = _named(tier, self.tiers)
        if tier.rate is not None:
            rate, text = self.rates.rate(rate_of(tier, component))
            yield Step(name, f"{decimal_text(demand)} x {text}", demand * rate)
        if tier.amount is not None:
            yield Step(name, f"{tier.amount} for the band", Fraction(tier.amount))

    def _is_in(self, tier: Tier, demand: Fraction) -> bool:
        """Return whether *demand* is not above the band of a tier."""
        if tier.up_to is None:
            return True
        return demand < tier.up_to or (demand == tier.up_to and self.at_bound == "lower")


#: What a period's demand costs.
Price: TypeAlias = Rate | Tiers


def _one_price(rate: object, components: object, tiers: object, rates: object) -> Iterator[Fault]:
    given = [price for price in (rate, components, tiers, rates) if price is not None]
    if len(given) != 1:
        yield Fault("one_price", "give one of rate, components, tiers and rates", "/rate")


def _schedule_is_used(rates: object, schedule: object, weights: object) -> Iterator[Fault]:
    if (rates is None and weights is None) != (schedule is None):
        yield Fault("rates_and_schedule", "rates by period and a schedule go together", "/rates")


def _periods_match(schedule: Schedule | None, rates: Mapping[str, Price] | None) -> Sequence[Fault]:
    return faults_of_periods(schedule, rates) if schedule and rates else ()


def _weights_or_rates(rates: object, weights: object, reset: Reset) -> Iterator[Fault]:
    if weights is not None and rates is not None:
        message = "periods with weights share one demand, so they have no rates of their own"
        yield Fault("weights_and_rates", message, "/weights")
    if weights is not None and reset == "season":
        message = "periods with weights share one demand: use the reset bill, month or day"
        yield Fault("weights_of_seasons", message, "/reset")


def _bands_meet(scope: Scope, at_bound: AtBound) -> Iterator[Fault]:
    if at_bound == "upper" and scope == "blocks":
        message = "blocks cost the same at their bounds: only a whole_band has an upper one there"
        yield Fault("unused_bound", message, "/at_bound")


def _tiers_fit(
    tiers: Tiers | None, rates: Mapping[str, Price] | None, scope: Scope, last: Last
) -> Iterator[Fault]:
    named = {f"/rates/{name}": rate for name, rate in (rates or {}).items()} | {"/tiers": tiers}
    for pointer, price in named.items():
        if isinstance(price, tuple):
            yield from faults_of_tiers(Ladder(price, scope, last), pointer)


@attrs.frozen
class Demand(BaseDemand):
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
        at_bound: Whether a demand of exactly `up_to` is in the `lower` band, that ends there, or in
            the `upper`, that begins there.
        interval: Power is averaged over intervals of this length, on the wall clock.
        coarse: Whether readings that are longer than that are refused, or accepted and reported.
        statistic: What of the intervals is the demand; the highest without.
        ratchet: What of the demands of the months before is the least that is billed; of several,
            the most.
        minimum: The least that is billed, in `unit`.
        at_least: The least that is billed by the demand of another channel, such as 90 % of kVA.
        weights: How much each period of the schedule counts in the one demand that they share; 1
            where nothing is said.
        unit: kW; kVA; kvar; or hp, of 0.745699... kW.
        power_factor: Makes kVA of kW.
        per: Whether the rate is for the bill or month, or for each day of it.
        reset: Whether the bill has one maximum; or each calendar month its own, which is charged
            for the part of the month that is billed; or each season of the schedule in the bill its
            own, which is charged by its days / those of the bill; or each day, whose price it is.
        across_versions: Whether the version in force at the end charges all of a bill that
            crosses versions, or each its part, by days.

    """

    __rules__: ClassVar[Rules] = (
        _one_price,
        _schedule_is_used,
        _periods_match,
        weights_fit,
        _weights_or_rates,
        _tiers_fit,
        _bands_meet,
        unit_fits,
        reset_fits,
    )

    kind: ClassVar[str] = "demand"
    titles: ClassVar[Texts] = {"en": "Demand", "pt-BR": "Demanda"}
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
        {
            "kind": "demand",
            "interval": "PT1H",
            "schedule": {
                "default": "day",
                "rules": [{"period": "night", "from": "22:00", "to": "06:00"}],
            },
            "weights": {"night": "0.5"},
            "rate": "81.25",
        },
    )

    tiers: Tiers | None = None
    rates: Annotated[dict[Period, Price], Meta(min_length=1)] | None = None
    scope: Scope = "blocks"
    last: Last = "open"
    at_bound: AtBound = "lower"
    coarse: Coarse = "refuse"
    statistic: Statistic | None = None
    ratchet: Ratchets | None = None
    minimum: Least | None = None
    at_least: AtLeast | None = None
    weights: PeriodWeights | None = None

    @cached_property
    def demand(self) -> BillingDemand:
        """How the demand that is billed is determined, which months before may decide."""
        return self.billing_demand(
            coarse=self.coarse,
            statistic=self.statistic,
            ratchet=self.ratchet,
            minimum=self.minimum,
            at_least=self.at_least,
            weights=self.weights,
        )

    @property
    def _prices(self) -> Mapping[str, Price]:
        if self.rates is not None:
            return self.rates
        if self.tiers is not None:
            return {TOTAL: self.tiers}
        return {TOTAL: self.base_rate}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge the periods that have a demand, in the order of the rates."""
        demands = self.billed(measured, bill.state)
        parts = self.parts(demands, measured)
        for period, price in self._prices.items():
            if period in parts:
                name = period if self.rates else None
                if isinstance(price, tuple):
                    ladder = Ladder(price, self.scope, self.last, self.at_bound, bill.rates)
                    yield from self._tiered(name, ladder, parts[period])
                else:
                    yield from self._lines(name, price, parts[period])
        if demands.state:
            yield State(demands.state)

    def determinants(self, measured: Measured, language: str) -> list[Determinant] | None:
        """Return the demand of each period, where nothing but its peaks decides on it."""
        terms = self.terms(measured)
        if terms is None or any(isinstance(price, tuple) for price in self._prices.values()):
            return None
        return [
            Determinant(
                self.line(
                    None,
                    rate,
                    self.billed_unit,
                    period=period if self.rates else None,
                    component=component,
                ),
                terms[period],
                stepped=True,
            )
            for period, price in self._prices.items()
            if period in terms and not isinstance(price, tuple)
            for component, rate in components_of(price)
        ]

    def _lines(self, period: str | None, price: Rate, parts: Sequence[Part]) -> Iterator[Line]:
        steps = tuple(part.step for part in parts)
        quantity = exact_sum(part.quantity for part in parts)
        for component, rate in components_of(price):
            yield self.line(
                quantity, rate, self.billed_unit, period=period, component=component, steps=steps
            )

    def _tiered(self, period: str | None, ladder: Ladder, parts: Sequence[Part]) -> Iterator[Line]:
        quantity = exact_sum(part.quantity for part in parts)
        for component in ladder.components:
            steps = tuple(step for part in parts for step in _priced(part, ladder, component))
            amount = exact_sum(step.value for step in steps)
            yield self.line(
                quantity,
                None,
                self.billed_unit,
                amount=amount,
                period=period,
                component=component,
                steps=steps,
            )


def _priced(part: Part, ladder: Ladder, component: str | None) -> Iterator[Step]:
    """Yield what the tiers charge for a demand; the first step says how that came about."""
    demand = decimal_text(part.demand.value)
    what = f"{demand} = {part.demand.expression}"
    for step in ladder.steps(part.demand.value, component):
        value = Fraction(step.value) * part.times
        yield Step(f"{step.description} of {what}", f"{step.expression}{part.text}", value)
        what = demand


def rate_of(tier: Tier, component: str | None) -> Decimal:
    """Return the rate of a tier, or a component of it."""
    if isinstance(tier.rate, Components):
        return tier.rate.components[component or ""]
    return tier.rate or Decimal(0)


def _named(tier: Tier, tiers: Sequence[Tier]) -> str:
    position = next(index for index, candidate in enumerate(tiers) if candidate is tier)
    above = tiers[position - 1].up_to if position else None
    if tier.up_to is None:
        return "all" if above is None else f"above {above}"
    return f"up to {tier.up_to}" if above is None else f"{above} to {tier.up_to}"


def faults_of_tiers(ladder: Ladder, pointer: str) -> Iterator[Fault]:
    """Yield what is wrong with tiers; pointers are relative to the charge."""
    below = Decimal(0)
    for index, tier in enumerate(ladder.tiers):
        here, is_last = f"{pointer}/{index}", index == len(ladder.tiers) - 1
        if tier.up_to is None:
            if not is_last:
                yield Fault(
                    "missing_bound", "only the last tier may have no up_to", f"{here}/up_to"
                )
        elif tier.up_to <= below:
            message = f"each tier must end above the one before: more than {below}"
            yield Fault("not_increasing", message, f"{here}/up_to")
        below = max(below, tier.up_to or below)
        yield from _faults_of_price(ladder, tier, here)
    if ladder.last == "closed" and ladder.scope == "whole_band":
        yield Fault("closed_band", "above the last band there is no price: use open", "/last")


def _faults_of_price(ladder: Ladder, tier: Tier, here: str) -> Iterator[Fault]:
    if tier.rate is None and tier.amount is None:
        yield Fault("missing_rate", "a tier must have a rate", f"{here}/rate")
    if tier.amount is not None and ladder.scope == "blocks":
        message = "only a band may have an amount: use the scope whole_band"
        yield Fault("amount_of_block", message, f"{here}/amount")
    if tier.amount is not None and ladder.components != (None,):
        message = "an amount cannot be told apart into the components of other tiers"
        yield Fault("amount_with_components", message, f"{here}/amount")
    parts = tuple(tier.rate.components) if isinstance(tier.rate, Components) else (None,)
    if tier.rate is not None and set(parts) != set(ladder.components):
        yield Fault("components_differ", "all tiers must have the same components", f"{here}/rate")


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [Demand]
