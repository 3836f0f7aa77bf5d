"""Rows of tables: for whom and in which band they hold, and what they charge."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
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


Rows = Annotated[tuple[Row, ...], Meta(min_length=1, max_length=1000)]


@attrs.frozen
class DatedRows:
    """The rows from one date on, up to those that follow."""

    from_: date
    rows: Rows


def faults_of_rows(rows: Sequence[Row], at: str) -> Iterator[Fault]:
    """Yield what is wrong with the bands of each class; *at* is the pointer of the rows."""
    found: dict[tuple[str, str], None] = {}
    for name in _names(rows):
        mine = [(index, row) for index, row in enumerate(rows) if row.is_for(name)]
        for (_, before), (index, row) in pairwise(mine):
            pointer = f"{at}/{index}"
            if before.up_to is None:
                found[
                    f"a row before has no end, so this one is never reached{_of(name)}", pointer
                ] = None
            elif row.up_to is not None and row.up_to <= before.up_to:
                message = f"the band ends at {row.up_to}, not after {before.up_to}{_of(name)}"
                found[message, f"{pointer}/up_to"] = None
    for message, pointer in found:
        yield Fault("bounds_not_increasing", message, pointer)


def row_of(rows: Sequence[Row], name: str | None, quantity: Fraction) -> Row | None:
    """Return the row that holds for a class and a quantity; None if there is none."""
    mine = [row for row in rows if row.is_for(name)]
    at = band_of(mine, quantity)
    return None if at is None else mine[at]


def _names(rows: Sequence[Row]) -> list[str | None]:
    """Return the classes that rows name, and None for a customer of no class."""
    return [None, *dict.fromkeys(name for row in rows for name in row.classes or ())]


def _of(name: str | None) -> str:
    return "" if name is None else f", for the class {name}"
