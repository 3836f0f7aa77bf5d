"""Rows of tables: for whom and in which band they hold, and what they charge."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, ClassVar

import attrs
from msgspec import Meta

from energia.convert.rules import Rules, enforce
from energia.errors import Fault
from energia.pricing.bands import Bound, band_of
from energia.pricing.charges import Name

Classes = Annotated[tuple[Name, ...], Meta(min_length=1, max_length=100)]


def _charges_something(
    amount: Decimal | None,
    rate: Decimal | None,
    percent: Decimal | None,
    coefficient: Decimal | None,
) -> Iterator[Fault]:
    if all(one is None for one in (amount, rate, percent, coefficient)):
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
        return any(one is not None for one in (self.amount, self.percent, self.coefficient))

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


def faults_of_rows(rows: Sequence[Row], at: str) -> Iterator[Fault]:
    """Yield the rows that never hold, as one before them does; *at* is the pointer of the rows."""
    for index, row in enumerate(rows):
        for before, other in enumerate(rows[:index]):
            if other.covers(row):
                message = f"row {before} always comes before this one: order bands by their ends"
                yield Fault("never_reached", message, f"{at}/{index}")
                break


def row_of(rows: Sequence[Row], name: str | None, quantity: Fraction) -> Row | None:
    """Return the row that holds for a class and a quantity; None if there is none."""
    mine = [row for row in rows if row.is_for(name)]
    at = band_of(mine, quantity)
    return None if at is None else mine[at]
