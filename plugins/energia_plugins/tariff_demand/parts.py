"""A demand, and for what part of its price it is charged."""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Literal

import attrs

from energia import Measured, Step
from energia.pricing.demand import Demanded
from energia_plugins.tariff_demand.tiers import Ladder


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
        expression = self.demand.expression
        if self.text:
            expression = f"({expression}){self.text}"
        return Step(self.demand.month or "demand", expression, self.quantity)

    def priced(self, ladder: Ladder, component: str | None) -> Iterator[Step]:
        """Yield what the tiers charge."""
        for step in ladder.steps(self.demand.value, component, self.demand.expression):
            yield attrs.evolve(
                step,
                expression=f"{step.expression}{self.text}",
                value=Fraction(step.value) * self.times,
            )


def parts_of(demand: Demanded, measured: Measured, per: Literal["month", "day"]) -> Part:
    """Return how often *demand* is charged, given the days that were measured."""
    days: Mapping[str, int] = measured.get("days", {})
    if not days:
        return Part(demand, Fraction(1), "")
    of_demand = days.get("days") or days[demand.month]
    if per == "day":
        return Part(demand, Fraction(of_demand), f" x {of_demand} days")
    whole = measured["bill_days"]["days"] if "bill_days" in measured else _length(demand.month)
    if of_demand == whole:
        return Part(demand, Fraction(1), "")
    return Part(demand, Fraction(of_demand, whole), f" x {of_demand}/{whole} days")


def _length(month: str) -> int:
    """Return how many days a calendar month such as `2026-03` has."""
    year, number = month.split("-")
    return monthrange(int(year), int(number))[1]
