"""How often the price of a demand is charged: once a bill, for each day, for a part of a month."""

from calendar import monthrange
from collections.abc import Mapping
from fractions import Fraction
from typing import Literal

import attrs

from energia.pricing.charges import Measure, Measured
from energia.pricing.demand.billing import Demanded, Reset
from energia.pricing.lines import Step
from energia.pricing.measures import BillDays, Days, Months

Per = Literal["month", "day"]
#: Whether the last version of a tariff charges all of a bill, or each its part.
Across = Literal["last", "each"]


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
        return Step(self.demand.month or "demand", text, value * self.times)


@attrs.frozen
class Times:
    """How often the price of a demand is charged.

    Attributes:
        per: Whether the rate is for the bill or month, or for each day of it.
        reset: Whether the bill has one maximum, or each calendar month its own.
        across: Whether each version of the tariff charges only its part of the bill.

    """

    per: Per
    reset: Reset
    across: Across

    def measures(self) -> dict[str, Measure]:
        """Return the measures of days that are needed."""
        if self.reset == "month":
            return {"days": Months()}
        if self.per == "day":
            return {"days": Days()}
        return {"days": Days(), "bill_days": BillDays()} if self.across == "each" else {}

    def part(self, demand: Demanded, measured: Measured) -> Part:
        """Return how often *demand* is charged, given the days that were measured."""
        days: Mapping[str, int] = measured.get("days", {})
        if not days:
            return Part(demand, Fraction(1), "")
        number = days[demand.month if self.reset == "month" else "days"]
        if self.per == "day":
            return Part(demand, Fraction(number), f" x {number} days")
        is_month = self.reset == "month"
        whole = _length(demand.month) if is_month else measured["bill_days"]["days"]
        if number == whole:
            return Part(demand, Fraction(1), "")
        return Part(demand, Fraction(number, whole), f" x {number}/{whole} days")


def _length(month: str) -> int:
    """Return how many days a calendar month such as `2026-03` has."""
    year, number = month.split("-")
    return monthrange(int(year), int(number))[1]
