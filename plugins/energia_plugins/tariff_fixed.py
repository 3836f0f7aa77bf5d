"""The charge `fixed`: an amount for each day, month or year, whatever is used."""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal

import attrs

from energia import hookimpl
from energia.pricing.charges import (
    BaseCharge,
    BillSoFar,
    Charge,
    Examples,
    Line,
    Measure,
    Measured,
    Step,
)
from energia.pricing.measures import Days, Months


@attrs.frozen
class Fixed(BaseCharge):
    """An amount that does not depend on usage.

    Days and months are those of the tariff's zone that the window touches. A year is twelve
    months: `per: year` charges a twelfth of the amount by the rules of `per: month`.

    Attributes:
        amount: For one day, month or year.
        per: Which of these; days are counted whole, whatever the proration.
        proration: How a part of a month counts: as its days / the days of the month; as its days
            x 12/365; or in full, each month that the window touches.

    """

    kind: ClassVar[str] = "fixed"
    examples: ClassVar[Examples] = (
        {"kind": "fixed", "amount": "10.00", "per": "month"},
        {"kind": "fixed", "amount": "0.45", "per": "day"},
        {"kind": "fixed", "amount": "120.00", "per": "year", "proration": "annual_days"},
    )

    amount: Decimal
    per: Literal["day", "month", "year"]
    proration: Literal["month_days", "annual_days", "none"] = "month_days"

    def measures(self) -> dict[str, Measure]:
        """Measure the days, or the days of each month."""
        return {"time": Days() if self.per == "day" else Months()}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge the amount."""
        time = measured["time"]
        if self.per == "day":
            yield self.line(time["days"], self.amount, "day")
        else:
            steps = tuple(self._steps(time))
            total = sum((step.value for step in steps), Fraction(0))
            yield self.line(total, self.amount, self.per, steps=steps)

    def _steps(self, days: Mapping[str, int]) -> Iterator[Step]:
        """Yield how much of a month, or of a year, the days of each calendar month are."""
        for month, count in days.items():
            part, text = self._part(count, _length(month))
            if self.per == "year":
                part, text = part / 12, f"{text} / 12"
            yield Step(month, text, part)

    def _part(self, count: int, length: int) -> tuple[Fraction, str]:
        """Return what part of a month *count* of its *length* days are."""
        match self.proration:
            case "none":
                return Fraction(1), "1"
            case "annual_days":
                return Fraction(12 * count, 365), f"{count} x 12/365"
            case "month_days":
                return Fraction(count, length), f"{count}/{length}"


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [Fixed]


def _length(month: str) -> int:
    """Return how many days a calendar month such as `2026-03` has."""
    year, number = month.split("-")
    return monthrange(int(year), int(number))[1]
