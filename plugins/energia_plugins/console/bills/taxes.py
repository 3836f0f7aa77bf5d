"""The taxes of a bill: what of each amount is tax, of which base, at which rate."""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Self

import attrs
from markupsafe import Markup

from energia_plugins.console import svg
from energia_plugins.console.bills.lines import Line
from energia_plugins.console.words import Words

_PRODUCT: Final = re.compile(r"(-?\d+(?:\.\d+)?(?:/\d+)?) x (\d+(?:\.\d+)?)")
#: What fills the parts of the bar: first what is no tax, then each tax.
_FILLS: Final = ("ink", "grey", "forecast", "area")
_HEIGHT: Final = 20
#: The width of one of two columns.
_WIDE: Final = 536


@attrs.frozen
class Tax:
    """A tax.

    Attributes:
        name: What it is called.
        base: What it is a share of; None where its parts do not tell.
        rate: The share; None where there are several.
        amount: How much it is.
        is_within: Whether it is within the prices already.

    """

    name: str
    base: Decimal | None
    rate: Decimal | None
    amount: Decimal
    is_within: bool


@attrs.frozen
class Taxes:
    """The taxes of a bill.

    Attributes:
        items: Each of them.
        total: What is to be paid.

    """

    items: Sequence[Tax]
    total: Decimal

    @classmethod
    def of(
        cls,
        bill: Mapping[str, Any],
        lines: Sequence[Line],
        explained: Sequence[Mapping[str, Any]],
    ) -> Self:
        """Return the taxes of a bill that is explained."""
        items = [_tax(line, explained[line.index]) for line in lines if line.group == "taxes"]
        return cls([tax for tax in items if tax.amount], Decimal(bill["total"]))

    @property
    def sum(self) -> Decimal:
        """All taxes together."""
        return sum((tax.amount for tax in self.items), Decimal(0))

    @property
    def of_hundred(self) -> Decimal:
        """What of each hundred that is paid is tax."""
        return self.sum * 100 / self.total

    @property
    def are_within(self) -> bool:
        """Whether all of them are within the prices."""
        return all(tax.is_within for tax in self.items)

    def parts(self, words: Words) -> list[tuple[str, str, Decimal]]:
        """Return what the bar is made of: the class, the name and the amount of each part."""
        first = (_FILLS[0], words.text("without taxes"), self.total - self.sum)
        fills = [_FILLS[min(index + 1, len(_FILLS) - 1)] for index in range(len(self.items))]
        each = zip(fills, self.items, strict=True)
        return [first, *((fill, tax.name, tax.amount) for fill, tax in each)]

    def picture(self, words: Words, currency: str) -> Markup:
        """Return the bar; nothing where a part is below zero."""
        parts = self.parts(words)
        if any(amount < 0 for _, _, amount in parts) or not self.total:
            return Markup("")
        told = ", ".join(f"{name} {words.money(amount, currency)}" for _, name, amount in parts)
        drawn = [
            _bar(width, parts, words.text("What of the total is tax"), told)
            for width in (svg.NARROW, _WIDE)
        ]
        return svg.both(*drawn)


def _bar(
    width: int, parts: Sequence[tuple[str, str, Decimal]], title: str, description: str
) -> Markup:
    scale = svg.Scale(0, float(sum(amount for _, _, amount in parts)), 1, width - 1)
    drawn, done = [], 0.0
    for fill, _, amount in parts:
        left, done = scale(done), done + float(amount)
        drawn.append(svg.rect(left, 1, scale(done) - left - 1, _HEIGHT - 2, fill))
    return svg.picture(width, _HEIGHT, drawn, title=title, description=description)


def _tax(line: Line, explained: Mapping[str, Any]) -> Tax:
    amount = Fraction(explained["line"].get("quantity_exact") or line.quantity or 0)
    if not line.is_within:
        amount = Fraction(line.amount)
    products = list(_products(explained["arithmetic"]["steps"]))
    rates = {rate for _, rate in products}
    base = sum((base for base, _ in products), Fraction(0)) if products else None
    return Tax(
        name=_name(explained["line"]),
        base=None if base is None else _decimal(base),
        rate=Decimal(rates.pop()) if len(rates) == 1 else None,
        amount=_decimal(amount),
        is_within=line.is_within,
    )


def _name(line: Mapping[str, Any]) -> str:
    """Return what a tax is called: its rate stands beside it."""
    component = line.get("component")
    return component.upper().replace("_", " ") if component else str(line["description"])


def _products(steps: Sequence[Mapping[str, str]]) -> Iterator[tuple[Fraction, str]]:
    """Yield the base and the rate of each part of a tax."""
    for step in steps:
        found = _PRODUCT.fullmatch(step["expression"])
        if found:
            yield Fraction(found[1]), found[2]


def _decimal(exact: Fraction) -> Decimal:
    return Decimal(exact.numerator) / Decimal(exact.denominator)
