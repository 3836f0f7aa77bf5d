"""What kinds of charge for demand have in common: fields, measures, what is billed how often."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

import attrs

from energia.pricing.charges import (
    AcrossVersions,
    BaseCharge,
    Components,
    Measure,
    Measured,
    Rate,
    RateParts,
)
from energia.pricing.demand.billing import (
    BillingDemand,
    Demands,
    DemandUnit,
    Interval,
    Part,
    Per,
    Percent,
    PowerFactor,
    Times,
)
from energia.pricing.demand.peak import AT, Reset
from energia.pricing.determinants import Term
from energia.pricing.schedule import Schedule


@attrs.frozen(kw_only=True)
class BaseDemand(BaseCharge):
    """A charge for the highest power, of a bill or of each month, season or day in it.

    A kind derives from it, adds its prices, and makes lines of `parts`. It lists `unit_fits` and
    `reset_fits` among its `__rules__`, and overrides `demand` where more decides what is billed.

    Attributes:
        rate: The price of one unit of demand; or
        components: its parts, each of them a line of its own.
        schedule: When each period is that has a demand of its own.
        interval: Power is averaged over intervals of this length, on the wall clock.
        unit: kW; kVA; kvar; or hp, of 0.745699... kW.
        power_factor: Makes kVA of kW.
        losses_percent: So many per cent of what is metered are added: the losses of a transformer
            that the meter is behind.
        per: Whether the rate is for the bill or month, or for each day of it.
        reset: Whether the bill has one maximum; or each calendar month its own, which is charged
            for the part of the month that is billed; or each season of the schedule in the bill its
            own, which is charged by its days / those of the bill; or each day, whose price it is.
        across_versions: Whether the version in force at the end charges all of a bill that
            crosses versions, or each its part, by days.

    """

    rate: Decimal | None = None
    components: RateParts | None = None
    schedule: Schedule | None = None
    interval: Interval = timedelta(minutes=15)
    unit: DemandUnit = "kW"
    power_factor: PowerFactor | None = None
    losses_percent: Percent = Decimal(0)
    per: Per = "month"
    reset: Reset = "bill"
    across_versions: AcrossVersions = "last"

    @cached_property
    def demand(self) -> BillingDemand:
        """How the demand that is billed is determined."""
        return self.billing_demand()

    def billing_demand(self, **more: Any) -> BillingDemand:
        """Return the demand by the fields that all kinds have, and by *more* of its fields."""
        return BillingDemand(
            interval=self.interval,
            unit=self.unit,
            power_factor=self.power_factor,
            losses_percent=self.losses_percent,
            channel=self.channel,
            schedule=self.schedule,
            **more,
        )

    @property
    def base_rate(self) -> Rate:
        """The price of one unit, as one number or as components."""
        return Components(self.components or {}) if self.rate is None else self.rate

    @property
    def billed_unit(self) -> str:
        """The unit of the quantities of its lines: kW, or kW.day where days are charged."""
        by_day = self.per == "day" or self.reset == "day"
        return f"{self.unit}.day" if by_day else self.unit

    @property
    def _times(self) -> Times:
        return Times(self.per, self.reset, self.across_versions)

    def measures(self) -> dict[str, Measure]:
        """Measure the peaks, and the days where these count."""
        return self.demand.measures(self.channel, self.reset) | self._times.measures()

    def billed(self, measured: Measured, state: Mapping[str, Any]) -> Demands:
        """Return the demands that are billed, given what is remembered; raises `Invalid`."""
        return self.demand.billed(measured, state, self.reset)

    def terms(self, measured: Measured) -> Mapping[str, tuple[Term, ...]] | None:
        """Return what the quantities of periods are the sums of; None where more decides.

        The measured peaks matter by their labels alone: each is the highest of its period, month,
        season or day.
        """
        factor = self.demand.factor
        if factor is None:
            return None
        labels = [label for label in measured["demand"] if AT in label]
        demands = self.billed(measured, {})
        if demands.state or len(demands.found) != len(labels):
            return None
        terms: dict[str, tuple[Term, ...]] = {}
        for label, demand in zip(labels, demands.found, strict=True):
            part = self._times.part(demand, measured)
            term = Term("demand", label, times=part.times * factor)
            terms[demand.period] = (*terms.get(demand.period, ()), term)
        return terms

    def parts(self, demands: Demands, measured: Measured) -> Mapping[str, list[Part]]:
        """Return how often each demand is charged, by period; `TOTAL` without a schedule."""
        parts: dict[str, list[Part]] = {}
        for demand in demands.found:
            part = self._times.part(demand, measured)
            parts.setdefault(demand.period, []).append(part)
        return parts


def components_of(rate: Rate) -> Iterator[tuple[str | None, Decimal]]:
    """Yield the parts of a rate, each after its name; without a name it is the rate as a whole."""
    if isinstance(rate, Components):
        yield from rate.components.items()
    else:
        yield None, rate
