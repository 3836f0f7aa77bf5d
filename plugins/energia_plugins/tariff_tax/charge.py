"""The charge itself: the rates of a bill in, other prices and lines of taxes out."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal

import attrs
from msgspec import Meta

from energia.convert.rules import Rules
from energia.errors import Fault
from energia.pricing.charges import (
    BaseCharge,
    BillSoFar,
    Line,
    Measure,
    Measured,
    Replace,
    Selection,
    Step,
)
from energia.pricing.dates import Across, BillDates, bill_of, share_of, window_of
from energia.pricing.exact import decimal_text, fraction, rounded
from energia.pricing.measures import Energy
from energia.pricing.repricing import amount_of, is_multiplied, times
from energia.units import MICRO
from energia_plugins.tariff_tax.formulas import Burden, Due, Form, burden
from energia_plugins.tariff_tax.taxes import Rated, Tax

#: How much less than everything the taxes inside a price may be.
_ALL = Decimal(1)


def _names_differ(taxes: tuple[Tax, ...]) -> Iterator[Fault]:
    """Refuse a tax that is taken twice on one day."""
    for at, tax in enumerate(taxes):
        for before in taxes[:at]:
            if tax.name == before.name and _overlap(tax, before):
                message = f"the tax {tax.name} is there twice on some day: give each from and to"
                yield Fault("duplicate_tax", message, f"/taxes/{at}/name")
                break


def _leave_something(form: Form, taxes: tuple[Tax, ...]) -> Iterator[Fault]:
    """Refuse taxes inside a price that may be all of it."""
    highest: dict[str, Decimal] = {}
    for tax in taxes:
        group = "" if form == "inside_sum" else tax.group or tax.name
        of_name = f"{group} {tax.name}"
        highest[of_name] = max(highest.get(of_name, Decimal(0)), tax.highest)
    for group in {name.partition(" ")[0] for name in highest}:
        rates = [rate for name, rate in highest.items() if name.partition(" ")[0] == group]
        if form.startswith("inside") and sum(rates) >= _ALL:
            message = "the taxes of one base may reach its whole price: rates are parts of one"
            yield Fault("rates_too_high", message, "/taxes")


def _shown_as_price(form: Form, show: str | None) -> Iterator[Fault]:
    if form.startswith("add_on") and show == "information":
        message = "taxes on top of the price are lines, or in the price: they are no information"
        yield Fault("nothing_inside", message, "/show")


@attrs.frozen
class TaxCharge(BaseCharge):
    """Taxes on lines of the charges before.

    Attributes:
        taxes: The taxes, in the order in which they are taken from the gross price.
        form: How they come to a price: inside it, group by group or as one sum, or on top of it,
            each on the net price or also on the groups before.
        of: The lines.
        show: Whether they change the prices of the lines, which may be told by lines without an
            amount, or are lines of their own; taxes inside a price are in it if nothing is said.
        across: Which days decide on a rate that changes by date: all of them, in proportion, or
            the first or last day of the bill.
        energy_rounding: How the energy of a bill becomes a whole number, by which bands are found.

    """

    __rules__: ClassVar[Rules] = (_names_differ, _leave_something, _shown_as_price)

    kind: ClassVar[str] = "tax"
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {
            "kind": "tax",
            "form": "inside_product",
            "taxes": [
                {
                    "name": "icms",
                    "bands": [
                        {"up_to": "50", "rate": "0"},
                        {"up_to": "300", "rate": "0.18"},
                        {"rate": "0.24"},
                    ],
                },
                {"name": "pis", "rate": "0.0123", "group": "federal"},
                {"name": "cofins", "rate": "0.0567", "group": "federal"},
            ],
            "show": "information",
        },
        {"kind": "tax", "form": "add_on", "taxes": [{"name": "vat", "rate": "0.21"}]},
    )

    taxes: Annotated[tuple[Tax, ...], Meta(min_length=1, max_length=50)]
    form: Form
    of: Selection = attrs.Factory(Selection)
    show: Literal["price", "information", "lines"] | None = None
    across: Across = "days"
    energy_rounding: Literal["none", "half_up", "down"] = "none"

    @property
    def _show(self) -> Literal["price", "information", "lines"]:
        return self.show or ("price" if self.form.startswith("inside") else "lines")

    def measures(self) -> dict[str, Measure]:
        """Measure the dates, and the energy where bands are of it."""
        banded = any(tax.bands for tax in self.taxes)
        found: dict[str, Measure] = {"dates": BillDates(prorates=banded)}
        if banded:
            found["energy"] = Energy(self.channel)
        return found

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | Replace]:
        """Tax the lines."""
        rates = self._rates(measured)
        taxed = [(line, self._burden(line, rates)) for line in self.of.lines(bill)]
        if self._show != "lines":
            for line, found in taxed:
                if found.factor != 1:
                    name = self.description or self.code or self.kind
                    yield Replace(line, times(line, found.factor, found.text, name))
        if self._show != "price":
            for name, steps in self._steps(taxed).items():
                yield self._line(name, steps)

    def _rates(self, measured: Measured) -> list[tuple[Tax, Rated]]:
        dates = measured["dates"]
        whose = window_of(dates) if self.across == "days" else bill_of(dates)
        deciding, energy = whose.deciding(self.across), self._energy(measured)
        found = [(tax, tax.rated(deciding, energy)) for tax in self.taxes]
        return [(tax, rated) for tax, rated in found if rated.value]

    def _energy(self, measured: Measured) -> Fraction:
        """Return the energy of the whole bill, of which the window has its days' share."""
        if "energy" not in measured:
            return Fraction(0)
        exact = Fraction(measured["energy"]["total"], MICRO) / share_of(measured["dates"])
        if self.energy_rounding == "none":
            return exact
        return Fraction(rounded(exact, 0, self.energy_rounding))

    def _burden(self, line: Line, rates: list[tuple[Tax, Rated]]) -> Burden:
        dues = [
            Due(tax.name, tax.group or tax.name, rated)
            for tax, rated in rates
            if tax.applies_to(line)
        ]
        return burden(self.form, dues)

    def _steps(self, taxed: list[tuple[Line, Burden]]) -> Mapping[str, list[Step]]:
        """Return what each tax is of each line, by its name; a tax of nothing is there too."""
        found: dict[str, list[Step]] = {tax.name: [] for tax in self.taxes}
        for line, one in taxed:
            for part in one.parts:
                base = self._net(line) * part.base
                expression = f"{decimal_text(base)} x {part.due.rated.text}"
                step = Step(line.description, expression, base * part.due.rated.value)
                found[part.due.name].append(step)
        return found

    def _net(self, line: Line) -> Fraction:
        """Return the amount that is taxed: that of a line that stays, or of one at its next rate.

        What is grossed up is the rate before it is rounded.
        """
        if self._show == "information" and is_multiplied(line):
            return fraction(line.quantity or 0) * fraction(line.rate or 0)
        return amount_of(line)

    def _line(self, name: str, steps: list[Step]) -> Line:
        """Return the line of a tax; where the tax is inside the prices it is of no amount."""
        value = sum((fraction(step.value) for step in steps), Fraction(0))
        description = f"{self.description or self.code or self.kind} {name}"
        if self._show == "lines":
            line = self.line(amount=value, component=name, steps=tuple(steps))
        else:
            inside = Step("inside the prices already", decimal_text(-value), -value)
            steps = [*steps, inside] if steps else []
            line = self.line(value, amount=0, component=name, steps=tuple(steps))
        return attrs.evolve(line, description=description)


def _overlap(one: Tax, other: Tax) -> bool:
    """Tell whether two taxes are both taken on some day."""
    first = max(one.from_ or date.min, other.from_ or date.min)
    past = min(one.to or date.max, other.to or date.max)
    return first < past
