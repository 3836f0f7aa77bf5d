"""The charge `minimum`: the least that a bill comes to, in money or in energy."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Final, Literal

import attrs
from msgspec import Meta

from energia import (
    BaseCharge,
    BaseMeasure,
    BillMonths,
    BillSoFar,
    Charge,
    Days,
    Examples,
    Fault,
    Invalid,
    Line,
    Measure,
    Measured,
    Months,
    Period,
    Replace,
    Rules,
    Selection,
    Slots,
    State,
    Step,
    Texts,
    hookimpl,
)
from energia.pricing.dates import BillPart, Proration, of_bill, of_months
from energia.pricing.exact import decimal_text, exact_sum, exact_text, fraction, rounded
from energia.units import MICRO

__all__ = ["Minimum", "register_charges"]

_NUMBER: Final = re.compile(r"-?[0-9]{1,60}(\.[0-9]{1,60}|/[1-9][0-9]{0,60})?")

#: What energy charges call the measure of their energy.
_ENERGY = "energy"

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
        yield Fault("unused_period", "only a quantity may have a period", "/period")


def _quantity_is_of_a_bill(quantity: Decimal | None, per: str) -> Iterator[Fault]:
    if quantity is not None and per == "year":
        yield Fault("wrong_per", "a quantity must be per bill, month or day", "/per")


def _proration_is_of_months(per: str, proration: Proration | None) -> Iterator[Fault]:
    if proration not in (None, "none") and per in ("bill", "day"):
        message = f"only months and years can be prorated, not per {per}"
        yield Fault("unused_proration", message, "/proration")


def _years_end(per: str, year_ends: int | None) -> Iterator[Fault]:
    if year_ends is not None and per != "year":
        yield Fault("unused_year_ends", "only a minimum of the year can be settled", "/year_ends")


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
            it says how much of it was billed; with `none` the whole amount is due.
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
    titles: ClassVar[Texts] = {"en": "Minimum charge", "pt-BR": "Valor mínimo"}
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
        measures: dict[str, Measure] = {"time": Months()}
        if self.proration == "none":
            measures["bill"] = BillMonths()
        if self.per == "year":
            measures["year_ends"] = YearEnds(self.year_ends or 12)
        return measures

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


@attrs.frozen
class YearEnds(BaseMeasure):
    """How many years end in the window; the label is `ends`.

    Attributes:
        last_month: The last month of a year, from 1.

    """

    last_month: int

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count the midnights at which years end after the start, up to the end."""
        first, last = (slots.zone.datetime(edge).year for edge in (slots.start, slots.end))
        # From the year before: one that ends in December ends at the first midnight of the next.
        ends = (
            slots.zone.midnight(_day_after(year, self.last_month))
            for year in range(first - 1, last + 1)
        )
        return {"ends": sum(slots.start < end <= slots.end for end in ends)}


def _day_after(year: int, month: int) -> date:
    return date(year + 1, 1, 1) if month == 12 else date(year, month + 1, 1)


@attrs.frozen
class Floor:
    """The least energy of a charge.

    Attributes:
        charge: Whose lines are made.
        quantity: Of one day, month or bill.
        energy: The code of the charge that prices it.
        time: For how many days, months or bills.

    """

    charge: "Minimum"
    quantity: Decimal
    energy: str
    time: Sequence[Step]

    def lines(self, bill: BillSoFar) -> Iterator[Line | Replace]:
        """Yield what the missing energy costs, or what all of it costs in its place."""
        measured = self._measured(bill)
        missing = self._least - Fraction(sum(measured.values()), MICRO)
        if missing <= 0:
            return
        # Measures are whole micro-units: so is the least quantity, rounded half to even.
        micro = rounded(missing, 6, "half_even")
        label = self._label(measured)
        raised = {**measured, label: measured[label] + micro}
        charged = {line.code: line for line in bill.lines if line.charge == self.energy}
        lines = {line.code: line for line in bill.again(self.energy, {_ENERGY: raised})}
        # A band that the measured energy is in, and the least is not, charges nothing.
        lines |= {
            code: attrs.evolve(old, quantity=0, rate=None, amount=0)
            for code, old in charged.items()
            if code not in lines
        }
        for code, line in lines.items():
            old = charged.get(code)
            if self.charge.form == "replace" and old is not None:
                yield self._replaced(old, line)
            else:
                yield from self._difference(old, line)

    @property
    def _least(self) -> Fraction:
        time = exact_sum(step.value for step in self.time)
        return Fraction(self.quantity) * time

    def _measured(self, bill: BillSoFar) -> Mapping[str, int]:
        energy = bill.measured.get(self.energy, {}).get(_ENERGY)
        if not energy:
            message = f"the charge {self.energy!r} comes before and charges energy: it must"
            raise Invalid.of("no_energy", message)
        return energy

    def _label(self, measured: Mapping[str, int]) -> str:
        """Return where the missing energy is priced."""
        period = self.charge.period
        labels = [label for label in measured if period in (None, label.partition("@")[0])]
        if not labels or (period is None and len(labels) > 1):
            there = ", ".join(measured)
            message = f"say in which period missing energy is priced: there are {there}"
            raise Invalid.of("missing_period", message)
        return labels[-1]

    def _replaced(self, old: Line, new: Line) -> Replace:
        text = " + ".join(f"{self.quantity} x {step.expression}" for step in self.time)
        multiplied = old.is_multiplied and new.is_multiplied
        # What is quantity x rate stays so: a tax inside the price changes its rate.
        was = fraction((old.quantity if multiplied else old.amount) or 0)
        now = fraction((new.quantity if multiplied else new.amount) or 0)
        steps = (
            Step("as measured", exact_text(was), was),
            Step(f"at least {text} {new.unit or ''}".rstrip(), exact_text(now - was), now - was),
        )
        amount = None if multiplied else now
        return Replace(old, attrs.evolve(new, amount=amount, steps=steps, charge=None))

    def _difference(self, old: Line | None, new: Line) -> Iterator[Line]:
        was = fraction(old.amount or 0) if old else Fraction(0)
        now = fraction(new.amount or 0)
        if now == was:
            return
        quantity = fraction(new.quantity or 0)
        if old is None and self.charge.form == "replace" and new.is_multiplied:
            yield self.charge.line(
                quantity,
                new.rate,
                new.unit,
                period=new.period,
                component=new.component,
                tags=new.tags,
            )
            return
        had = fraction(old.quantity or 0) if old else Fraction(0)
        steps = (
            Step(f"{decimal_text(quantity)} {new.unit or ''}: {new.code}", exact_text(now), now),
            Step(f"{decimal_text(had)} are charged already", exact_text(-was), -was),
        )
        yield self.charge.line(
            quantity - had,
            new.rate,
            new.unit,
            amount=now - was,
            period=new.period,
            component=new.component,
            steps=steps,
            tags=new.tags,
        )


@attrs.frozen
class Money:
    """The least amount of the selected lines.

    Attributes:
        charge: Whose lines are made.
        amount: Of one day, month, bill or year.
        time: For how many of them.
        of: Which lines are compared.

    """

    charge: "Minimum"
    amount: Decimal
    time: Sequence[Step]
    of: Selection

    def lines(self, bill: BillSoFar) -> Iterator[Line | Replace]:
        """Yield what is missing up to the minimum of the window."""
        least = [
            Step(
                f"minimum of {step.description}",
                f"{self.amount} x {step.expression}",
                Fraction(self.amount) * Fraction(step.value),
            )
            for step in self.time
        ]
        return self._up_to(least, bill, Fraction(0))

    def of_year(self, bill: BillSoFar, ends: int, full: bool) -> Iterator[Line | Replace | State]:
        """Yield what is missing in the bill in which the year ends, and what to remember.

        Args:
            bill: The bill so far.
            ends: How many years end in it.
            full: Whether the whole amount is due, however little of a year was billed.

        """
        before = SoFar.of(bill.state)
        months = before.months + exact_sum(step.value for step in self.time)
        if not ends:
            yield State(SoFar(before.charged + self._charged(bill), months).state)
            return
        share = Fraction(ends) if full else months / 12
        text = str(ends) if full else f"{exact_text(months)}/12"
        least = Step(
            "minimum of the year", f"{self.amount} x {text}", Fraction(self.amount) * share
        )
        yield from self._up_to([least], bill, before.charged)
        yield State(SoFar().state)

    def _charged(self, bill: BillSoFar) -> Fraction:
        return exact_sum(line.amount or 0 for line in self.of.lines(bill))

    def _up_to(
        self, least: Sequence[Step], bill: BillSoFar, before: Fraction
    ) -> Iterator[Line | Replace]:
        minimum = exact_sum(step.value for step in least)
        missing = minimum - before - self._charged(bill)
        if missing <= 0:
            return
        steps = [*least]
        if before:
            steps.append(Step("charged in the year before", exact_text(-before), -before))
        if self.charge.form == "replace":
            yield from self._replaced(bill)
        else:
            charged = self._charged(bill)
            steps.append(Step("charged by the lines before", exact_text(-charged), -charged))
        amount = exact_sum(step.value for step in steps)
        yield self.charge.line(amount=amount, steps=tuple(steps))

    def _replaced(self, bill: BillSoFar) -> Iterator[Replace]:
        """Yield the lines that are compared, with nothing in their place."""
        for line in self.of.lines(bill):
            amount = fraction(line.amount or 0)
            steps = (
                Step("as charged", exact_text(amount), amount),
                Step("the minimum is charged instead", exact_text(-amount), -amount),
            )
            yield Replace(line, attrs.evolve(line, rate=None, amount=Fraction(0), steps=steps))


@attrs.frozen
class SoFar:
    """What the lines came to in the year so far.

    Attributes:
        charged: Their sum.
        months: In how many months.

    """

    charged: Fraction = Fraction(0)
    months: Fraction = Fraction(0)

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "SoFar":
        """Read the state of the bill before; raises `Invalid`."""
        return cls(*(_number(state.get(name, "0")) for name in ("charged", "months")))

    @property
    def state(self) -> Mapping[str, Any]:
        """What is remembered: `{"charged": "812.50", "months": "7"}`."""
        return {"charged": exact_text(self.charged), "months": exact_text(self.months)}


def _number(value: object) -> Fraction:
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        message = f"{text[:40]!r} is not an amount: it must be a decimal number"
        raise Invalid.of("bad_charged", message)
    return Fraction(text)


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [Minimum]
