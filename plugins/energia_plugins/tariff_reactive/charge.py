"""The charge of reactive energy and demand."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar, Literal, TypeAlias

import attrs
from msgspec import Meta

from energia import (
    BaseCharge,
    BillSoFar,
    Energy,
    EnergyByPeriod,
    Fault,
    Line,
    Measure,
    Measured,
    Schedule,
    Selection,
    Step,
)
from energia.convert.rules import Rules, enforce
from energia.pricing.charges import Examples, Role
from energia.pricing.demand.billing import Interval, PowerFactor
from energia.pricing.demand.parts import Across
from energia.pricing.demand.peak import AT
from energia.pricing.exact import decimal_text
from energia.pricing.schedule import From, Period, Rule, To, faults_of_periods
from energia.units import MICRO
from energia_plugins.tariff_reactive.bands import Bands, banded, bands_rise
from energia_plugins.tariff_reactive.billed import billed
from energia_plugins.tariff_reactive.excess import CAPACITIVE, Excess

#: One price, or that of each period.
Prices: TypeAlias = Decimal | Annotated[dict[Period, Decimal], Meta(min_length=1)]


def _lasts(from_: str, to: str) -> Iterator[Fault]:
    if from_ == to:
        yield Fault("empty_window", "the hours are none: they end when they begin", "/to")


@attrs.frozen(cache_hash=True)
class Hours:
    """A part of every day, on the wall clock.

    Attributes:
        from_: When it begins.
        to: When it ends; before `from`, it ends on the next day.

    """

    __rules__: ClassVar[Rules] = (_lasts,)

    from_: From
    to: To

    def __attrs_post_init__(self) -> None:
        """Refuse no hours at all."""
        enforce(self)


def _one_form(energy: object, demand: object, bands: object, billed: object) -> Iterator[Fault]:
    if (energy is None and demand is None) == (bands is None):
        message = "give energy, demand or both, beyond a power factor; or bands of a share"
        yield Fault("one_form", message, "/energy")
    if demand is not None and billed is None:
        message = "reactive demand is what exceeds the billed: say which lines bill that"
        yield Fault("missing_billed", message, "/billed")


def _window_and_channel(capacitive: object, capacitive_hours: object) -> Iterator[Fault]:
    if (capacitive is None) != (capacitive_hours is None):
        message = "the capacitive channel and the hours in which it counts go together"
        yield Fault("capacitive_and_hours", message, "/capacitive_hours")


def _periods_match(
    schedule: Schedule | None, energy: Prices | None, demand: Prices | None
) -> Iterator[Fault]:
    for name, prices in (("energy", energy), ("demand", demand)):
        for fault in (
            faults_of_periods(schedule or Schedule(), prices) if isinstance(prices, dict) else ()
        ):
            pointer = str(fault.pointer).replace("/rates", f"/{name}", 1)
            yield attrs.evolve(fault, pointer=pointer)


@attrs.frozen
class Reactive(BaseCharge):
    """Reactive energy beyond what a power factor, or a share of the active energy, allows.

    Attributes:
        power_factor: The reference: intervals with less are charged.
        energy: The price of a kvarh beyond it, or that of each period.
        demand: The price of a kvar of the highest demand corrected to the reference, beyond the
            active demand that is billed; or that of each period.
        billed: The lines that bill active demand; those with the tag `overrun` are left out.
        bands: Instead: what is beyond a share of the active energy of the bill.
        schedule: When each period is.
        interval: Power factors are those of intervals of this length, on the wall clock.
        inductive: The role of inductive energy.
        capacitive: The role of capacitive energy; without one, it is not charged.
        capacitive_hours: When capacitive energy is charged, and inductive is not.

    """

    __rules__: ClassVar[Rules] = (_one_form, _window_and_channel, bands_rise, _periods_match)

    kind: ClassVar[str] = "reactive"
    examples: ClassVar[Examples] = (
        {
            "kind": "reactive",
            "energy": "0.39",
            "demand": "18.42",
            "billed": {"charges": ["demand"]},
            "capacitive": "reactive_energy.export",
            "capacitive_hours": {"from": "00:00", "to": "06:00"},
        },
        {
            "kind": "reactive",
            "bands": [
                {"over_percent": "33", "rate": "0.04"},
                {"over_percent": "75", "rate": "0.06"},
            ],
        },
    )
    examples_after: ClassVar[Examples] = ({"kind": "demand", "rate": "18.42", "interval": "PT1H"},)

    power_factor: PowerFactor = Decimal("0.92")
    energy: Prices | None = None
    demand: Prices | None = None
    billed: Selection | None = None
    bands: Bands | None = None
    schedule: Schedule | None = None
    interval: Interval = timedelta(hours=1)
    inductive: Role = "reactive_energy.import"
    capacitive: Role | None = None
    capacitive_hours: Hours | None = None

    @property
    def across_versions(self) -> Across:
        """Who charges a bill that crosses versions: with demand the last, as its billed demand."""
        return "each" if self.demand is None else "last"

    def measures(self) -> dict[str, Measure]:
        """Measure what is beyond the power factor, or the energy of both kinds."""
        if self.bands is not None:
            roles = {"active": self.channel, "reactive": self.inductive}
            if self.schedule is None:
                return {name: Energy(role) for name, role in roles.items()}
            return {name: EnergyByPeriod(self.schedule, role) for name, role in roles.items()}
        found: dict[str, Measure] = {}
        if self.energy is not None:
            found["energy"] = self._excess("energy", self.schedule)
        if self.demand is not None:
            by_period = isinstance(self.demand, dict)
            found["demand"] = self._excess("demand", self.schedule if by_period else None)
        return found

    def _excess(self, of: Literal["energy", "demand"], schedule: Schedule | None) -> Excess:
        hours = self.capacitive_hours
        window = None
        if hours is not None:
            rule = Rule(CAPACITIVE, from_=hours.from_, to=hours.to)
            window = Schedule((rule,), default="inductive")
        seconds = int(self.interval.total_seconds())
        return Excess(
            self.channel,
            self.inductive,
            self.power_factor,
            seconds,
            of,
            schedule,
            self.capacitive,
            window,
        )

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge energy, then demand; or what is beyond the shares."""
        if self.bands is not None:
            yield from self._beyond_shares(self.bands, measured)
        if self.energy is not None:
            yield from self._energy(self.energy, measured["energy"])
        if self.demand is not None:
            yield from self._demand(self.demand, measured["demand"], bill)

    def _energy(self, prices: Prices, excess: Mapping[str, int]) -> Iterator[Line]:
        factor = self.power_factor
        text = f"sum of {factor} x sqrt(P^2 + Q^2) - P of intervals below {factor}"
        for label, micro in excess.items():
            quantity = Fraction(micro, MICRO)
            yield self.line(
                quantity,
                prices[label] if isinstance(prices, dict) else prices,
                "kvarh",
                period=label if self.schedule else None,
                component="energy",
                steps=(Step("energy", text, quantity),),
            )

    def _demand(self, prices: Prices, peaks: Mapping[str, int], bill: BillSoFar) -> Iterator[Line]:
        for label, micro in peaks.items():
            name, at, time = label.partition(AT)
            if not at:
                continue
            period = name if isinstance(prices, dict) else None
            least = billed(self.billed or Selection(), bill, period)
            corrected = Fraction(micro, MICRO)
            quantity = max(corrected - least, Fraction(0))
            text = f"max({decimal_text(corrected)} at {time} - {decimal_text(least)}, 0)"
            yield self.line(
                quantity,
                prices[name] if isinstance(prices, dict) else prices,
                "kvar",
                period=period,
                component="demand",
                steps=(Step("demand", text, quantity),),
            )

    def _beyond_shares(self, bands: Bands, measured: Measured) -> Iterator[Line]:
        for period, micro in measured["reactive"].items():
            active = Fraction(measured["active"].get(period, 0), MICRO)
            steps = tuple(banded(bands, active, Fraction(micro, MICRO)))
            amount = sum((Fraction(step.value) for step in steps), Fraction(0))
            least = active * Fraction(bands[0].over_percent) / 100
            quantity = max(Fraction(micro, MICRO) - least, Fraction(0))
            name = period if self.schedule else None
            yield self.line(quantity, None, "kvarh", amount=amount, period=name, steps=steps)
