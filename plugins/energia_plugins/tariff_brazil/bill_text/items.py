"""A line of a bill: its description, and which of its numbers are quantity, price and amount."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Final

import attrs

from energia import parse, structure
from energia_plugins.tariff_brazil.portuguese import folded, number

__all__ = ["PrintedLine", "code_of", "item"]

_NUMBER: Final = re.compile(r"-?(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?-?%?")
_UNITS: Final = frozenset({"kwh", "kw", "kvarh", "kvar", "mwh", "un"})
_MONTH: Final = re.compile(r"(?:[a-zç]{3,9}|\d{1,2})/\d{2,4}", re.IGNORECASE)
#: By how much a product may differ from a printed amount: distributors multiply hidden parts of the
#: price one by one, each rounded; Cemig's lines are up to a thousandth off.
_EXACT: Final = Decimal("0.02")
_NEAR: Final = Decimal("0.002")
#: A number with more decimals than these is a price.
_FINE: Final = 3


@attrs.frozen(kw_only=True)
class PrintedLine:
    """A line that a distributor printed.

    Attributes:
        description: What is printed.
        code: Which line of the kit's tariffs it is, where that is known.
        quantity: How much; below zero where the amount is.
        unit: `kWh`, `kW`, `kvarh`.
        price: Of one unit, with taxes.
        amount: R$.
        icms: The rate of ICMS that is printed beside, a part of one.

    """

    description: str
    code: str | None = None
    quantity: Decimal | None = None
    unit: str | None = None
    price: Decimal | None = None
    amount: Decimal
    icms: Decimal | None = None


@attrs.frozen(kw_only=True)
class _Label:
    """What a description has where a line is of a code; words are matched at their beginnings.

    Attributes:
        code: The code; None is no line.
        any: One of these.
        all: All of these.
        none: None of these.
        first: Whether it must begin with it.

    """

    code: str | None
    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    first: bool = False

    def fits(self, description: str) -> bool:
        """Return whether a folded description is called so."""

        def has(words: str) -> bool:
            if self.first:
                return description.split()[:1] == [words]
            # `te` is a whole word: other words begin with it.
            end = r"\b" if len(words) <= 3 and words not in _STEMS else ""
            return re.search(rf"\b{re.escape(words)}{end}", description) is not None

        return (
            (not self.any or any(map(has, self.any)))
            and all(map(has, self.all))
            and not any(map(has, self.none))
        )


#: Short words that others begin with.
_STEMS: Final = frozenset({"inj"})


@cache
def _labels() -> tuple[_Label, ...]:
    data = (files("energia_plugins.tariff_brazil") / "tables" / "labels.json").read_bytes()
    labels: tuple[_Label, ...] = structure(parse(data), tuple[_Label, ...])
    return labels


def _label(description: str) -> _Label | None:
    plain = folded(description)
    return next((label for label in _labels() if label.fits(plain)), None)


def code_of(description: str) -> str | None:
    """Return which line of the kit's tariffs a description is of, where that is known."""
    label = _label(description)
    return label.code if label else None


def item(text: str) -> PrintedLine | None:
    """Return the line that a row of text is; None where it is none."""
    words = re.sub(r"R\$|[;|\t]", " ", text).split()
    at = len(words)
    while at and _is_tail(words[at - 1]):
        at -= 1
    description, tail = " ".join(words[:at]).strip(" :-"), words[at:]
    label = _label(description)
    if not any(map(str.isalpha, description)) or (label is not None and label.code is None):
        return None
    printed = [(word, _value(word)) for word in tail if _NUMBER.fullmatch(word)]
    values = [value for _, value in printed]
    cents = [index for index, (word, _) in enumerate(printed) if _has_cents(word)]
    if not cents:
        return None
    quantity, price, last = _product(values, cents) or _alone(values, cents[0])
    amount = values[last]
    units = [word for word in tail if folded(word) in _UNITS]
    return PrintedLine(
        description=description,
        code=label.code if label else None,
        quantity=None if quantity is None else abs(quantity).copy_sign(amount),
        unit=units[0] if units else None,
        price=None if price is None else abs(price),
        amount=amount,
        icms=_icms(values[last + 1 :]),
    )


def _is_tail(word: str) -> bool:
    return bool(
        _NUMBER.fullmatch(word) or folded(word) in _UNITS or _MONTH.fullmatch(word) or word == "%"
    )


def _has_cents(word: str) -> bool:
    _, comma, decimals = word.strip("-").partition(",")
    return bool(comma) and len(decimals) == 2


def _value(word: str) -> Decimal:
    plain = number(word.strip("-%"))
    return -plain if word.startswith("-") or word.rstrip("%").endswith("-") else plain


def _product(
    values: Sequence[Decimal], cents: Sequence[int]
) -> tuple[Decimal, Decimal, int] | None:
    """Return the quantity, the price and where the amount is: the first that is their product."""
    for tolerance in (Decimal(0), _NEAR):
        for last in cents:
            for first, second in _pairs(last):
                product, amount = values[first] * values[second], abs(values[last])
                if amount and abs(abs(product) - amount) <= max(_EXACT, amount * tolerance):
                    return values[first], values[second], last
    return None


def _alone(values: Sequence[Decimal], last: int) -> tuple[Decimal | None, Decimal | None, int]:
    """Return the one number before the amount as the quantity, or as the price if it is fine."""
    if last != 1:
        return None, None, last
    fine = -int(values[0].as_tuple().exponent) > _FINE
    return (None, values[0], last) if fine else (values[0], None, last)


def _pairs(last: int) -> Iterator[tuple[int, int]]:
    """Yield where quantity and price may stand: the price is nearest to the amount."""
    for second in range(last - 1, -1, -1):
        for first in range(second - 1, -1, -1):
            yield first, second


def _icms(values: Sequence[Decimal]) -> Decimal | None:
    """Return the rate that stands between its base and its value."""
    for base, rate, tax in zip(values, values[1:], values[2:], strict=False):
        if base and abs(base * rate / 100 - tax) <= Decimal("0.011") and rate < 100:
            return (rate / 100).normalize() if tax else None
    return None
