"""The charge `fixed`: an amount for each day, month or year, whatever is used."""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal

import attrs

from energia import hookimpl
from energia.pricing.charges import BaseCharge, BillSoFar, Charge, Line, Measure, Measured
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
            months = self._months(time)
            yield self.line(months if self.per == "month" else months / 12, self.amount, self.per)

    def _months(self, days: Mapping[str, int]) -> Fraction:
        """Return how many months the days of each calendar month are."""
        match self.proration:
            case "none":
                return Fraction(len(days))
            case "annual_days":
                return Fraction(12 * sum(days.values()), 365)
            case "month_days":
                parts = (Fraction(count, _length(month)) for month, count in days.items())
                return sum(parts, Fraction(0))


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [Fixed]


def _length(month: str) -> int:
    """Return how many days a calendar month such as `2026-03` has."""
    year, number = month.split("-")
    return monthrange(int(year), int(number))[1]
