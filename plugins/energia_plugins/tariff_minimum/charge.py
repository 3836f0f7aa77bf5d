"""The charge `minimum`: its fields, and which of its two kinds it is."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

import attrs
from msgspec import Meta

from energia.convert.rules import Rules
from energia.errors import Fault
from energia.pricing.charges import (
    BaseCharge,
    BillSoFar,
    Examples,
    Line,
    Measure,
    Measured,
    Replace,
    Selection,
    State,
    Step,
)
from energia.pricing.measures import BillMonths, Days, Months
from energia.pricing.proration import BillPart, Proration, of_bill, of_months
from energia.pricing.schedule import Period
from energia_plugins.tariff_minimum.floor import Floor
from energia_plugins.tariff_minimum.money import Money
from energia_plugins.tariff_minimum.years import YearEnds

Amount = Annotated[Decimal, Meta(extra_json_schema={"minimum": 0}, examples=["15.00"])]


def _money_or_energy(amount: Decimal | None, quantity: Decimal | None) -> Iterator[Fault]:
    if (amount is None) == (quantity is None):
        message = "give either an amount of money or a quantity of energy"
        yield Fault("amount_or_quantity", message, "/amount")


def _quantity_is_of_one_charge(quantity: Decimal | None, of: Selection | None) -> Iterator[Fault]:
    if quantity is not None and (
        of is None or of != Selection(of.charges) or len(of.charges or ()) != 1
    ):
        message = "of names the one charge before that prices the energy, and nothing else"
        yield Fault("one_energy_charge", message, "/of")


def _period_is_of_energy(quantity: Decimal | None, period: str | None) -> Iterator[Fault]:
    if quantity is None and period is not None:
        yield Fault("unused_period", "only a quantity has a period", "/period")


def _quantity_is_of_a_bill(quantity: Decimal | None, per: str) -> Iterator[Fault]:
    if quantity is not None and per == "year":
        yield Fault("wrong_per", "a quantity is per bill, month or day", "/per")


def _proration_is_of_months(per: str, proration: Proration | None) -> Iterator[Fault]:
    if proration not in (None, "none") and per in ("bill", "day"):
        message = f"only months and years are prorated, not per {per}"
        yield Fault("unused_proration", message, "/proration")


def _years_end(per: str, year_ends: int | None) -> Iterator[Fault]:
    if year_ends is not None and per != "year":
        yield Fault("unused_year_ends", "only a minimum of the year is settled", "/year_ends")


@attrs.frozen
class Minimum(BaseCharge):
    """The least that lines of a bill come to, or the least energy that is charged.

    A minimum of the year is settled in the bill in which the year ends: until then what was charged
    is remembered.

    Attributes:
        amount: The least amount of money; or
        quantity: the least energy, in the unit of the channel.
        per: Of what it is the least.
        proration: How a part of a month counts; the default is by the days of the month. Of a year
            it tells how much of it was billed; with `none` the whole amount is due.
        form: Whether the difference is a line of its own, or the minimum stands in the place of
            what it is compared with.
        of: The lines that it is compared with; all of the charges before without. A quantity is
            compared with the energy of the one charge that is named.
        period: In which of its periods missing energy is priced, where there are several.
        year_ends: The last month of the year, from 1; 12 without.

    """

    __rules__: ClassVar[Rules] = (
        _money_or_energy,
        _quantity_is_of_one_charge,
        _period_is_of_energy,
        _quantity_is_of_a_bill,
        _proration_is_of_months,
        _years_end,
    )

    kind: ClassVar[str] = "minimum"
    examples: ClassVar[Examples] = (
        {"kind": "minimum", "amount": "15.00", "per": "month"},
        {"kind": "minimum", "amount": "500.00", "per": "bill", "form": "replace"},
        {"kind": "minimum", "amount": "5000.00", "per": "year"},
        {"kind": "minimum", "quantity": "500", "of": {"charges": ["energy"]}},
    )
    examples_after: ClassVar[Examples] = (
        {"kind": "energy.flat", "code": "energy", "components": {"te": "0.302", "tusd": "0.579"}},
    )

    amount: Amount | None = None
    quantity: Amount | None = None
    per: Literal["bill", "month", "day", "year"] = "bill"
    proration: Proration | None = None
    form: Literal["top_up", "replace"] = "top_up"
    of: Selection | None = None
    period: Period | None = None
    year_ends: Annotated[int, Meta(ge=1, le=12)] | None = None

    def measures(self) -> dict[str, Measure]:
        """Measure the time that the minimum is for."""
        if self.per == "day":
            return {"time": Days()}
        if self.per == "bill":
            return {"time": BillPart()}
        found: dict[str, Measure] = {"time": Months()}
        if self.proration == "none":
            found["bill"] = BillMonths()
        if self.per == "year":
            found["year_ends"] = YearEnds(self.year_ends or 12)
        return found

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | Replace | State]:
        """Charge what is missing, if anything is."""
        steps = tuple(self._time(measured))
        if self.quantity is not None:
            (energy,) = (self.of and self.of.charges) or ("",)
            return Floor(self, self.quantity, energy, steps).lines(bill)
        money = Money(self, self.amount or Decimal(0), steps, self.of or Selection())
        if self.per == "year":
            return money.of_year(bill, measured["year_ends"]["ends"], self.proration == "none")
        return money.lines(bill)

    def _time(self, measured: Measured) -> Iterator[Step]:
        """Yield how many days, months or bills the minimum is for."""
        time = measured["time"]
        if self.per == "day":
            yield Step("days", str(time["days"]), time["days"])
        elif self.per == "bill":
            yield of_bill(time)
        else:
            yield from of_months(time, measured.get("bill", {}), self.proration or "month_days")
