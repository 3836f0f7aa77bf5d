"""The charge `fixed`: an amount for each day, month, year, bill or meter, whatever is used."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

import attrs
from msgspec import Meta

from energia import (
    BaseCharge,
    BillMonths,
    BillSoFar,
    Charge,
    Days,
    Determinant,
    Examples,
    Fault,
    Line,
    Measure,
    Measured,
    Months,
    Rules,
    Step,
    Texts,
    hookimpl,
)
from energia.pricing.dates import BillPart, Proration, of_bill, of_months
from energia.pricing.exact import exact_sum

Meters = Annotated[int, Meta(ge=0, le=1_000_000)]


def _proration_is_of_months(per: str, proration: Proration | None) -> Iterator[Fault]:
    if proration not in (None, "none") and per in ("bill", "meter"):
        message = f"only months and years can be prorated: per {per} is charged once a bill"
        yield Fault("unused_proration", message, "/proration")


@attrs.frozen
class Fixed(BaseCharge):
    """An amount that does not depend on usage.

    Days and months are those of the site's zone that the window touches. A year is twelve
    months: `per: year` charges a twelfth of the amount by the rules of `per: month`; each day is
    then 1/365 of it with `annual_days`, and with `year_days` 1/366 in leap years. Where a bill
    is priced in parts, because another version of the tariff follows, the parts share by days what
    is charged once.

    Attributes:
        amount: For one day, month, year or bill, of each meter.
        per: Which of these; `meter` is once a bill, for each meter. Days are counted whole,
            whatever the proration.
        proration: How a part of a month counts: as its days / the days of the month, which is the
            default; as its days x 12/365, or x 12 / the days of its year; or in full, each month
            that the bill touches.
        meters: How many meters there are; one without.
        additional: The amount for each meter after the first; `amount` without.

    """

    __rules__: ClassVar[Rules] = (_proration_is_of_months,)

    kind: ClassVar[str] = "fixed"
    titles: ClassVar[Texts] = {"en": "Fixed charge", "pt-BR": "Encargo fixo"}
    examples: ClassVar[Examples] = (
        {"kind": "fixed", "amount": "10.00", "per": "month"},
        {"kind": "fixed", "amount": "0.45", "per": "day"},
        {"kind": "fixed", "amount": "120.00", "per": "year", "proration": "annual_days"},
        {"kind": "fixed", "amount": "8.00", "per": "meter", "meters": 3, "additional": "2.50"},
        {"kind": "fixed", "amount": "6.00", "per": "bill"},
    )

    amount: Decimal
    per: Literal["day", "month", "year", "bill", "meter"]
    proration: Proration | None = None
    meters: Meters | None = None
    additional: Decimal | None = None

    def measures(self) -> dict[str, Measure]:
        """Measure the days, the days of each month, or the part of the bill."""
        if self.per == "day":
            return {"time": Days()}
        if self.per in ("bill", "meter"):
            return {"time": BillPart()}
        if self.proration == "none":
            return {"time": Months(), "bill": BillMonths()}
        return {"time": Months()}

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge the amount."""
        steps = tuple(self._steps(measured))
        meters = 1 if self.meters is None else self.meters
        if self.additional is None:
            yield self._line(steps, self.amount, meters)
            return
        if meters:
            yield self._line(steps, self.amount, 1)
        if meters > 1:
            yield self._line(steps, self.additional, meters - 1, "additional")

    def determinants(self, measured: Measured, language: str) -> list[Determinant]:
        """Return the lines, which are those of all meters."""
        return [Determinant(line) for line in self.lines(measured, BillSoFar(()))]

    def _line(
        self, steps: tuple[Step, ...], rate: Decimal, meters: int, component: str | None = None
    ) -> Line:
        """Return the line of so many meters."""
        if meters != 1:
            steps = tuple(_times(step, meters) for step in steps)
        total = exact_sum(step.value for step in steps)
        shown = () if self.per == "day" and meters == 1 else steps
        return self.line(total, rate, self.per, component=component, steps=shown)

    def _steps(self, measured: Measured) -> Iterator[Step]:
        """Yield how many days, or how much of a month, a year or a bill there is."""
        time = measured["time"]
        if self.per == "day":
            yield Step("days", str(time["days"]), time["days"])
        elif self.per in ("bill", "meter"):
            yield of_bill(time)
        else:
            months = of_months(time, measured.get("bill", {}), self.proration or "month_days")
            yield from map(_of_year, months) if self.per == "year" else months


def _times(step: Step, meters: int) -> Step:
    value = Fraction(step.value) * meters
    return Step(step.description, f"{step.expression} x {meters} meters", value)


def _of_year(step: Step) -> Step:
    return Step(step.description, f"{step.expression} / 12", Fraction(step.value) / 12)


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [Fixed]
