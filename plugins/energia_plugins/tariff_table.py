"""The charge `table`: what a table of bands says, such as municipal street lighting.

The band of a bill is found by its energy or by what was charged before; its row states an amount, a
rate, or a part of the base, and may differ by class of customer.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

import attrs
from msgspec import Meta

from energia import (
    BaseCharge,
    BillSoFar,
    Charge,
    Energy,
    Fault,
    Invalid,
    Line,
    Measure,
    Measured,
    Name,
    Rules,
    Selection,
    Step,
    Texts,
    enforce,
    hookimpl,
    unit_of,
)
from energia.pricing.bands import Bound, band_of
from energia.pricing.dates import BillDates, Month, bill_of, share_of
from energia.pricing.exact import RateRounding, decimal_text, exact_sum, fraction, rounded
from energia.units import MICRO

Classes = Annotated[tuple[Name, ...], Meta(min_length=1, max_length=100)]


def _charges_something(
    amount: Decimal | None,
    rate: Decimal | None,
    percent: Decimal | None,
    coefficient: Decimal | None,
) -> Iterator[Fault]:
    if all(value is None for value in (amount, rate, percent, coefficient)):
        message = "the row charges nothing: give amount (it may be 0), rate, percent or coefficient"
        yield Fault("empty_row", message, "/amount")


@attrs.frozen
class Row:
    """What is charged in a band. Its parts add up.

    Attributes:
        up_to: The end of the band, which is still in it.
        classes: The classes of customers that it is for; all without.
        amount: An amount of money for a bill.
        rate: The price of each unit of energy of the bill.
        percent: A percentage of the selected lines.
        coefficient: What the base is multiplied by, for a bill.

    """

    __rules__: ClassVar[Rules] = (_charges_something,)

    up_to: Bound | None = None
    classes: Classes | None = None
    amount: Decimal | None = None
    rate: Decimal | None = None
    percent: Decimal | None = None
    coefficient: Decimal | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse a row that charges nothing."""
        enforce(self)

    @property
    def is_sum(self) -> bool:
        """Whether there is more in it than a rate."""
        return any(value is not None for value in (self.amount, self.percent, self.coefficient))

    def is_for(self, name: str | None) -> bool:
        """Tell whether the row is for the customers of a class."""
        return self.classes is None or name in self.classes

    def covers(self, other: "Row") -> bool:
        """Tell whether the row holds wherever *other* would."""
        for_all = self.classes is None
        if not for_all and not (other.classes and set(other.classes) <= set(self.classes or ())):
            return False
        return self.up_to is None or (other.up_to is not None and other.up_to <= self.up_to)


Rows = Annotated[tuple[Row, ...], Meta(min_length=1, max_length=1000)]


@attrs.frozen
class DatedRows:
    """The rows from one date on, up to those that follow."""

    from_: date
    rows: Rows


def _rows_or_tables(
    rows: tuple[Row, ...] | None, tables: tuple[DatedRows, ...] | None
) -> Iterator[Fault]:
    if (rows is None) == (tables is None):
        yield Fault("rows_or_tables", "give either rows, or tables of rows by date", "/rows")
    yield from faults_of_rows(rows or (), "/rows")
    for index, table in enumerate(tables or ()):
        yield from faults_of_rows(table.rows, f"/tables/{index}/rows")
    for index, (before, after) in enumerate(pairwise(tables or ()), 1):
        if after.from_ <= before.from_:
            message = f"the table begins on {after.from_}, not after the one before it"
            yield Fault("dates_not_increasing", message, f"/tables/{index}/from")


def _value_is_of_bands(by: str, value: Decimal | None) -> Iterator[Fault]:
    if (by == "value") != (value is not None):
        yield Fault("value_by", "give `value` where bands are by value, and only there", "/value")


def _class_is_known(
    rows: tuple[Row, ...] | None, tables: tuple[DatedRows, ...] | None, class_: str | None
) -> Iterator[Fault]:
    """Refuse a table that has no row at all for the class, whatever the band."""
    for listed in [*([rows] if rows else []), *(table.rows for table in tables or ())]:
        if not any(row.is_for(class_) for row in listed):
            message = f"no row is for the class {class_}" if class_ else "every row is for a class"
            yield Fault("unknown_class", message, "/class")
            return


def _base_is_used(
    rows: tuple[Row, ...] | None,
    tables: tuple[DatedRows, ...] | None,
    base: Decimal | None,
    base_months: Mapping[Month, Decimal] | None,
) -> Iterator[Fault]:
    all_rows = [*(rows or ()), *(row for table in tables or () for row in table.rows)]
    uses = any(row.coefficient is not None for row in all_rows)
    if uses and base is None and base_months is None:
        message = "a row has a coefficient: say what it multiplies"
        yield Fault("missing_field", message, "/base")


@attrs.frozen
class TableCharge(BaseCharge):
    """What the row of a table says for the band and the class of a bill.

    Attributes:
        rows: The rows; or
        tables: rows by date; those that hold on the day of the bill that decides.
        by: What the bands are of: the energy of the channel, the sum of the selected lines, or
            a value.
        value: The value, such as a parameter: the mean energy of the last year.
        class_: The class of the customer.
        of: The lines, for bands by their sum and for percentages.
        base: What coefficients multiply.
        base_months: What is added to it in a bill of each month.
        base_month: Which month that is: of the last or first day of the bill, or the one before
            that of the last day.
        cap: It is at most this much money for a bill.
        at: Whether the first or the last day of the bill decides on the table.
        energy_rounding: How energy becomes a whole number, by which the band is found.

    """

    __rules__: ClassVar[Rules] = (
        _rows_or_tables,
        _value_is_of_bands,
        _class_is_known,
        _base_is_used,
    )

    kind: ClassVar[str] = "table"
    titles: ClassVar[Texts] = {"en": "Charge by table", "pt-BR": "Valor por tabela"}
    examples: ClassVar[tuple[Mapping[str, Any], ...]] = (
        {
            "kind": "table",
            "rows": [{"up_to": "100", "amount": "3.50"}, {"amount": "7.00", "rate": "0.01"}],
        },
        {"kind": "table", "rows": [{"rate": "0.02"}]},
    )

    rows: Rows | None = None
    tables: Annotated[tuple[DatedRows, ...], Meta(min_length=1, max_length=500)] | None = None
    by: Literal["energy", "amount", "value"] = "energy"
    value: Decimal | None = None
    class_: Name | None = None
    of: Selection = attrs.Factory(Selection)
    base: Decimal | None = None
    base_months: Annotated[dict[Month, Decimal], Meta(min_length=1, max_length=2400)] | None = None
    base_month: Literal["end", "start", "before_end"] = "end"
    cap: Decimal | None = None
    at: Literal["end", "start"] = "end"
    energy_rounding: Literal["none", "half_up", "down"] = "none"

    @property
    def _all_rows(self) -> tuple[Row, ...]:
        return (*(self.rows or ()), *(row for table in self.tables or () for row in table.rows))

    @property
    def across_versions(self) -> Literal["each", "last"]:
        """Where versions follow in a bill the last one charges once; lines are only its own."""
        of_lines = self.by == "amount" or any(row.percent is not None for row in self._all_rows)
        return "each" if of_lines else "last"

    def measures(self) -> dict[str, Measure]:
        """Measure the dates, and the energy where bands or rates are of it."""
        measures: dict[str, Measure] = {"dates": BillDates(prorates=True)}
        if self.by == "energy" or any(row.rate is not None for row in self._all_rows):
            measures["energy"] = Energy(self.channel)
        return measures

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
        """Charge what the row says."""
        selected = exact_sum(line.exact_amount for line in self.of.lines(bill))
        share = share_of(measured["dates"])
        row = self._row(measured, self._quantity(measured, selected) / share)
        if row.rate is not None and self.cap is None and not row.is_sum:
            yield self.metered(measured["energy"]["total"], row.rate)
            return
        steps = list(self._steps(row, measured, bill.rates, selected, share))
        amount = exact_sum(step.value for step in steps)
        cap = amount if self.cap is None else fraction(self.cap) * share
        if amount > cap:
            text = f"{decimal_text(cap)} - {decimal_text(amount)}"
            steps.append(Step(f"at most {self.cap:f} for a bill", text, cap - amount))
        yield self.line(amount=min(amount, cap), steps=tuple(steps))

    def _quantity(self, measured: Measured, selected: Fraction) -> Fraction:
        match self.by:
            case "energy":
                return _energy(measured)
            case "amount":
                return selected
            case "value":
                # It is of a whole bill already.
                return fraction(self.value or 0) * share_of(measured["dates"])

    def _row(self, measured: Measured, quantity: Fraction) -> Row:
        """Return the row that holds for a *quantity* of a whole bill; refuse if there is none."""
        if self.by == "energy" and self.energy_rounding != "none":
            quantity = Fraction(rounded(quantity, 0, self.energy_rounding))
        row = row_of(self._rows(measured), self.class_, quantity)
        if row is None:
            whose = f" for the class {self.class_}" if self.class_ else ""
            message = f"{self._name} has no row for {decimal_text(quantity)}{whose}"
            raise Invalid.of("outside_table", message)
        return row

    def _rows(self, measured: Measured) -> tuple[Row, ...]:
        if self.rows is not None:
            return self.rows
        day = bill_of(measured["dates"]).deciding(self.at).first
        holding = [table.rows for table in self.tables or () if table.from_ <= day]
        if not holding:
            message = f"{self._name} has no table on {day}"
            raise Invalid.of("no_table_in_force", message)
        return holding[-1]

    def _steps(
        self,
        row: Row,
        measured: Measured,
        rates: RateRounding,
        selected: Fraction,
        share: Fraction,
    ) -> Iterator[Step]:
        """Yield what the row charges, part by part."""
        band = "all" if row.up_to is None else f"up to {row.up_to:f}"
        part = "" if share == 1 else f" x {share.numerator}/{share.denominator}"
        if row.amount is not None:
            yield Step(f"amount, {band}", f"{row.amount:f}{part}", fraction(row.amount) * share)
        if row.rate is not None:
            energy, (rate, rate_text) = _energy(measured), rates.rate(row.rate)
            text = f"{decimal_text(energy)} {unit_of(self.channel)} x {rate_text}"
            yield Step(f"rate, {band}", text, energy * rate)
        if row.percent is not None:
            text = f"{decimal_text(selected)} x {row.percent:f} %"
            yield Step(f"percent, {band}", text, selected * fraction(row.percent) / 100)
        if row.coefficient is not None:
            base, added = self._base(measured)
            text = f"{row.coefficient:f} x {added}{part}"
            yield Step(f"formula, {band}", text, fraction(row.coefficient) * base * share)

    def _base(self, measured: Measured) -> tuple[Fraction, str]:
        """Return what a coefficient multiplies, and how that was worked out."""
        base = self.base or Decimal(0)
        if self.base_months is None:
            return fraction(base), decimal_text(base)
        dates = bill_of(measured["dates"])
        day = dates.first if self.base_month == "start" else dates.last
        if self.base_month == "before_end":
            day = day.replace(day=1) - timedelta(days=1)
        month = f"{day:%Y-%m}"
        if month not in self.base_months:
            message = f"{self._name} has no base for {month}: add it to base_months"
            raise Invalid.of("missing_month", message)
        more = self.base_months[month]
        return fraction(base) + fraction(more), f"({base:f} + {more:f})"

    @property
    def _name(self) -> str:
        return self.code or self.kind


def _energy(measured: Measured) -> Fraction:
    return Fraction(measured["energy"]["total"], MICRO)


def row_of(rows: Sequence[Row], name: str | None, quantity: Fraction) -> Row | None:
    """Return the row that holds for a class and a quantity; None if there is none."""
    mine = [row for row in rows if row.is_for(name)]
    index = band_of(mine, quantity)
    return None if index is None else mine[index]


def faults_of_rows(rows: Sequence[Row], pointer: str) -> Iterator[Fault]:
    """Yield the rows that never hold, as one before them does; *pointer* is that of the rows."""
    for index, row in enumerate(rows):
        for before, earlier in enumerate(rows[:index]):
            if earlier.covers(row):
                message = f"row {before} always comes before this one: order bands by their ends"
                yield Fault("never_reached", message, f"{pointer}/{index}")
                break


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [TableCharge]
