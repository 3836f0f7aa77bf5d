"""The charge `energy.tiered`: its fields, and its lines."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Annotated, ClassVar

import attrs
from msgspec import Meta

from energia.convert.rules import Rules
from energia.pricing.charges import (
    BaseCharge,
    BillSoFar,
    Components,
    Examples,
    Line,
    Measure,
    Measured,
    State,
    Step,
    UnitPrices,
    unit_of,
)
from energia.pricing.demand import BillingDemand
from energia.pricing.schedule import Period, Schedule
from energia_plugins.tariff_tiered.ladder import (
    DAILY,
    Ladder,
    Last,
    Proration,
    Scope,
    Tier,
    Tiers,
    Unit,
)
from energia_plugins.tariff_tiered.measures import Pool, PoolDays, TieredEnergy, WindowDays
from energia_plugins.tariff_tiered.reckoning import Reckoning
from energia_plugins.tariff_tiered.rules import RULES, prorated
from energia_plugins.tariff_tiered.walk import Walked
from energia_plugins.tariff_tiered.windows import TOTAL, Reset


@attrs.frozen
class Tiered(BaseCharge):
    """Energy at rates that change with how much is used.

    Usage is counted from nothing in every window of `reset`. What lies between two bounds is
    priced at the rate of that tier. A bound that lies above a later one of another unit ends
    there: `3000 kWh, 10000 kWh, 200 kWh/kW, open` are kilowatt-hours nested in hours of use.
    Net usage below nothing is priced, as a credit, at the first tier.

    Attributes:
        unit: The unit of the bounds: by the day they are multiplied by the days that are priced
            (`per_period`: the days on which the period is in force), by kW by the billing demand.
        scope: One ladder for the energy of all periods, each of which pays its share of every
            tier; a ladder for each period; one ladder that is walked slot by slot; or all energy at
            the tier that the total ends in.
        reset: When usage is counted from nothing again; dates are those of the tariff's zone.
        last: Whether the last tier is open, or ends: then usage above it is refused.
        proration: Whether a part of a window has that part of the allowance, by days, or all of
            it: then what was used in the window before is remembered, except of bills and days.
            The default is `days`; of a quarter or a year it is `none`.
        tiers: The tiers, lowest first; or
        schedule: when each period is, and
        rates: its tiers.
        demand: How the billing demand is determined, for bounds by kW, kVA or hp.

    """

    __rules__: ClassVar[Rules] = RULES

    kind: ClassVar[str] = "energy.tiered"
    examples: ClassVar[Examples] = (
        {
            "kind": "energy.tiered",
            "tiers": [{"up_to": "400", "rate": "0.10"}, {"rate": "0.14"}],
        },
        {
            "kind": "energy.tiered",
            "unit": "kWh/day",
            "scope": "per_period",
            "schedule": {
                "default": "off_peak",
                "rules": [{"period": "peak", "days": ["weekday"], "from": "17:00", "to": "21:00"}],
            },
            "rates": {
                "peak": [{"up_to": "0.5", "rate": "0.30"}, {"rate": "0.42"}],
                "off_peak": [{"up_to": "2", "rate": "0.16"}, {"rate": "0.19"}],
            },
        },
        {
            "kind": "energy.tiered",
            "scope": "pooled_chronological",
            "reset": "day",
            "tiers": [{"up_to": "3", "rate": "0.10"}, {"rate": "0.14"}],
        },
        {
            "kind": "energy.tiered",
            "unit": "kWh/kW",
            "demand": {"interval": "PT1H"},
            "tiers": [{"up_to": "4", "rate": "0.12"}, {"rate": "0.08"}],
        },
        {
            "kind": "energy.tiered",
            "scope": "whole_band",
            "reset": "year",
            "tiers": [{"up_to": "2000", "rate": "0.10"}, {"rate": "0.14"}],
        },
    )

    unit: Unit = "kWh"
    scope: Scope = "pooled_prorated"
    reset: Reset = "bill"
    last: Last = "open"
    proration: Proration | None = None
    tiers: Tiers | None = None
    schedule: Schedule | None = None
    rates: Annotated[dict[Period, Tiers], Meta(min_length=1)] | None = None
    demand: BillingDemand | None = None

    def unit_prices(self) -> UnitPrices:
        """Return the rates of the first tiers."""
        rates = {period: tiers[0].rate for period, tiers in self.ladders.items()}
        if self.schedule is None:
            rates = {"": rates[TOTAL]}
        several = any(len(tiers) > 1 for tiers in self.ladders.values())
        return UnitPrices(rates, self.schedule, first_tier=several)

    @cached_property
    def ladders(self) -> Mapping[str, Sequence[Tier]]:
        """The tiers of each period."""
        return {TOTAL: self.tiers or ()} if self.rates is None else self.rates

    @cached_property
    def pools(self) -> Mapping[Pool, Ladder]:
        """The ladders, each with the periods whose energy is counted together."""
        found: dict[object, list[str]] = {}
        ladders = {
            period: Ladder.of(tiers, self.unit, self.last) for period, tiers in self.ladders.items()
        }
        for period, ladder in ladders.items():
            key = period if self.scope == "per_period" else ladder
            found.setdefault(key, []).append(period)
        return {tuple(pool): ladders[pool[0]] for pool in found.values()}

    @property
    def remembers(self) -> bool:
        """Whether what was used in a window before counts."""
        kept = self.reset in ("month", "quarter", "year")
        return kept and not prorated(self.proration, self.reset)

    def measures(self) -> dict[str, Measure]:
        """Measure the energy of each window, and what its bounds are multiplied by."""
        pools = self.pools
        units = {unit for ladder in pools.values() for unit in ladder.units}
        found: dict[str, Measure] = {
            "energy": TieredEnergy(self.schedule, self.channel, self.reset)
        }
        daily = not units.isdisjoint(DAILY)
        if self.reset != "day" and units:
            found["days"] = WindowDays(self.reset, daily, self.remembers)
        if self.schedule is not None and len(pools) > 1 and (daily or self.scope != "per_period"):
            named = tuple(pools)
            found["active_days"] = PoolDays(self.schedule, self.channel, self.reset, named)
        if self.demand is not None:
            by_month = self.reset == "month"
            found |= self.demand.measures(self.channel, "month" if by_month else "bill")
        if self.scope == "pooled_chronological":
            walk = tuple(pools.items())
            found["walk"] = Walked(self.schedule, self.channel, self.reset, walk)
        return found

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Charge each tier of each period in which there is energy."""
        reckoning = Reckoning.of(self, measured, bill.state)
        shared = reckoning.steps()
        for period, tiers in self.ladders.items():
            for number, tier in enumerate(tiers):
                steps = shared.get((period, number))
                if steps:
                    yield from self._charged(period, number, tier, tuple(steps))
        if reckoning.state:
            yield State(reckoning.state)

    def _charged(
        self, period: str, number: int, tier: Tier, steps: tuple[Step, ...]
    ) -> Iterator[Line]:
        quantity = sum((Fraction(step.value) for step in steps), Fraction(0))
        code, own = self.code or self.kind, None if self.schedule is None else period
        of_tier = f"tier{number + 1}" if len(self.ladders[period]) > 1 else None
        rates = tier.rate.components if isinstance(tier.rate, Components) else {None: tier.rate}
        for component, rate in rates.items():
            line = self.line(
                quantity, rate, unit_of(self.channel), period=own, component=component, steps=steps
            )
            named = ".".join(part for part in (code, own, of_tier, component) if part)
            words = (self.description or code, own, of_tier and f"tier {number + 1}")
            yield attrs.evolve(line, code=named, description=" ".join(filter(None, words)))
