"""Exact arithmetic: sums of arrays, fractions as text, and how rates are rounded."""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import Annotated, Final, Literal, TypeAlias

import attrs
import numpy as np
from msgspec import Meta

from energia.errors import Inexact
from energia.metering.series import Micro
from energia.time import Int64

__all__ = [
    "Exact",
    "Mode",
    "RateRounding",
    "as_exact",
    "decimal_text",
    "exact_sum",
    "exact_text",
    "fixed",
    "fraction",
    "merged",
    "rounded",
    "sums",
    "total",
    "whole",
]

#: An exact number.
Exact: TypeAlias = int | Fraction | Decimal
#: How a number between two others is rounded; `down` is towards zero.
Mode = Literal["half_up", "half_even", "down"]

_LIMIT: Final = 2**63 - 1
# Values are cut into a high and a low part of so many bits where sums may not fit 64 bits.
_LOW_BITS: Final = 31
_NUMBER: Final = re.compile(r"[0-9]{1,300}(\.[0-9]{1,300}|/[0-9]{1,300})?")


def sums(values: Micro, largest: int, bounds: Int64, order: Int64, starts: Int64) -> list[int]:
    """Sum runs of *values*, then groups of runs.

    Args:
        values: int64[n].
        largest: A bound of the magnitudes of *values*.
        bounds: Where each run begins; the first at 0.
        order: The runs, in the order of their groups.
        starts: Where each group begins in *order*.

    """
    if largest * len(values) <= _LIMIT:
        runs = np.add.reduceat(values, bounds)
        totals: list[int] = np.add.reduceat(runs[order], starts).tolist()
        return totals
    # A high part is at most 2**32 in magnitude, a low part below 2**31: sums of so many still fit.
    if len(values) > _LIMIT >> (_LOW_BITS + 2):
        raise OverflowError("too many slots to sum exactly")
    low, high = values & (2**_LOW_BITS - 1), values >> _LOW_BITS
    parts = [np.add.reduceat(np.add.reduceat(part, bounds)[order], starts) for part in (high, low)]
    return [
        (above << _LOW_BITS) + below
        for above, below in zip(parts[0].tolist(), parts[1].tolist(), strict=True)
    ]


def total(values: Micro, largest: int) -> int:
    """Return the exact sum of *values*, whose magnitudes *largest* bounds."""
    if not len(values):
        return 0
    zero = np.zeros(1, np.int64)
    return sums(values, largest, zero, zero, zero)[0]


def merged(earlier: Mapping[str, int], later: Mapping[str, int]) -> dict[str, int]:
    """Return sums of one window and of the next, label by label."""
    return {label: earlier.get(label, 0) + later.get(label, 0) for label in {**earlier, **later}}


def fraction(value: Exact) -> Fraction:
    """Return *value* as a fraction; anything that is not exact raises `Inexact`, a `TypeError`."""
    if type(value) is Fraction:  # the usual ones first: what is exact is asked for very often
        return value
    if type(value) is int or (type(value) is Decimal and value.is_finite()):
        return Fraction(value)
    if isinstance(value, bool) or not isinstance(value, int | Fraction | Decimal):
        raise Inexact(
            f"{value!r} is not an exact number but of type {type(value).__name__}: "
            "use int, Fraction or Decimal"
        )
    if isinstance(value, Decimal) and not value.is_finite():
        raise Inexact(f"{value} is no number")
    return Fraction(value)


def whole(value: int) -> int:
    """Return *value* if it is a Python int; a float, or an integer of numpy, raises `Inexact`.

    An integer of numpy would overflow without a word in what is worked out with it.
    """
    if type(value) is not int:
        raise Inexact(f"{value!r} is not a Python int but of type {type(value).__name__}")
    return value


def exact_sum(values: Iterable[Exact]) -> Fraction:
    """Return the sum of *values*.

    They are brought to one denominator first: adding fraction to fraction reduces each sum, which
    takes three times as long.
    """
    pairs = [fraction(value).as_integer_ratio() for value in values]
    denominator = lcm(*(below for _, below in pairs))
    return Fraction(sum(above * (denominator // below) for above, below in pairs), denominator)


def rounded(value: Fraction, decimals: int, mode: Mode) -> int:
    """Return *value* in units of 10**-decimals, rounded."""
    return rounded_ratio(value.numerator * 10**decimals, value.denominator, mode)


def rounded_ratio(above: int, below: int, mode: Mode) -> int:
    """Return *above* / *below*, which is positive, rounded to a whole number."""
    # The magnitude is rounded: `divmod` of a negative number would round towards minus infinity.
    whole, rest = divmod(abs(above), below)
    twice = 2 * rest
    if (mode == "half_up" and twice >= below) or (
        mode == "half_even" and (twice > below or (twice == below and whole % 2))
    ):
        whole += 1
    return -whole if above < 0 else whole


def rounded_ratios(above: Int64, below: int, mode: Mode) -> Int64:
    """Return `rounded_ratio` of each of *above*; twice *below* fits 64 bits."""
    whole, rest = np.divmod(np.abs(above), below)
    twice = 2 * rest
    if mode == "half_up":
        whole += twice >= below
    elif mode == "half_even":
        whole += (twice > below) | ((twice == below) & (whole % 2 == 1))
    found: Int64 = np.where(above < 0, -whole, whole)
    return found


def fixed(scaled: int, decimals: int) -> str:
    """Return `scaled / 10**decimals` with so many decimals, such as `23.30`."""
    digits = f"{abs(scaled):0{decimals + 1}}"
    text = f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
    return f"-{text}" if scaled < 0 else text


def shortest(scaled: int, decimals: int) -> str:
    """Return `scaled / 10**decimals` with as few decimals as it has, such as `23.3`."""
    if scaled < 0:
        return f"-{shortest(-scaled, decimals)}"
    digits = str(scaled)
    if not decimals:
        return digits
    if len(digits) <= decimals:
        digits = digits.zfill(decimals + 1)
    ending = digits[-decimals:].rstrip("0")
    return f"{digits[:-decimals]}.{ending}" if ending else digits[:-decimals]


def padded(amount: str, decimals: int) -> str:
    """Return the text of an amount with zeros after it, if it has fewer decimals."""
    if amount[-1 - decimals : -decimals] == ".":  # as most amounts: those of its currency
        return amount
    whole, _, digits = amount.partition(".")
    return f"{whole}.{digits:0<{decimals}}" if len(digits) < decimals else amount


def exact_text(value: Fraction) -> str:
    """Return *value* as a decimal, or as `n/d` where no decimal ends."""
    decimals = _decimals(value.denominator)
    if decimals is None:
        return f"{value.numerator}/{value.denominator}"
    return fixed(value.numerator * (10**decimals // value.denominator), decimals)


def as_exact(text: object) -> Fraction:
    """Return the number of a text that `exact_text` has written, such as what a state keeps.

    Raises:
        ValueError: It is another text, or none; numbers below zero are.
        ZeroDivisionError: It is `n/0`.

    """
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise ValueError(f"{str(text)[:20]!r} is not a number in a string")
    return Fraction(text)


def decimal_text(value: Exact, decimals: int | None = None) -> str:
    """Return *value* as the shortest decimal.

    One that does not end is rounded half to even to so many decimals. Without a number of them it
    is written `n/d`, so that what is worked out with it, in a step or in a rate, is true.
    """
    exact = fraction(value)
    if decimals is None or decimals_of(exact) is not None:
        return exact_text(exact)
    return fixed(rounded(exact, decimals, "half_even"), decimals)


def endless_text(value: Exact) -> str | None:
    """Return *value* as `n/d`, if no decimal ends; None if one does."""
    exact = fraction(value)
    return None if decimals_of(exact) is not None else exact_text(exact)


#: A factor that does not end is shown with so many decimals, and with more where it takes more.
_FEWEST: Final = 6
_MOST: Final = 24


def factor_texts(quantity: Fraction, rate: Fraction, decimals: int) -> tuple[str, str]:
    """Return two factors as decimals, whose product is that of the exact ones.

    One that does not end is rounded, to six decimals or to as many more as it takes for the
    products to be equal when they are rounded to *decimals*.
    """
    product = rounded(quantity * rate, decimals, "half_up")
    for places in range(_FEWEST, _MOST):
        texts = decimal_text(quantity, places), decimal_text(rate, places)
        if rounded(Fraction(texts[0]) * Fraction(texts[1]), decimals, "half_up") == product:
            return texts
    # A product that is a tie is never reached from below: then this is near enough.
    return decimal_text(quantity, _MOST), decimal_text(rate, _MOST)


def added(amounts: Iterable[str]) -> str:
    """Return the sum of *amounts*, which are text, with as many decimals as they have."""
    texts = list(amounts)
    return _like(sum(map(Fraction, texts), Fraction(0)), texts)


def difference(total: str, base: str) -> str:
    """Return *total* less *base*, amounts as text, with as many decimals as they have."""
    return _like(Fraction(total) - Fraction(base), (total, base))


def _like(exact: Fraction, amounts: Sequence[str]) -> str:
    """Return the text of *exact*, which is made of *amounts*, with as many decimals as they have.

    Bills that were issued long ago may have amounts `n/d`: these count as if they had two decimals.
    """
    digits = max((_places(text) for text in amounts), default=0)
    return fixed(rounded(exact, digits, "half_up"), digits)


def _places(amount: str) -> int:
    return 2 if "/" in amount else len(amount.partition(".")[2])


def decimals_of(value: Fraction) -> int | None:
    """Return how many decimals *value* has; None if it never ends."""
    return _decimals(value.denominator)


@lru_cache(maxsize=1024)
def _decimals(denominator: int) -> int | None:
    """Return how many decimals a fraction with this denominator has; None if it never ends."""
    twos = fives = 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    return max(twos, fives) if denominator == 1 else None


# How a tariff rounds rates, before they are multiplied; amounts are rounded in `rounding.py`.

Decimals = Annotated[int, Meta(ge=0, le=12)]


@attrs.frozen
class RateRounding:
    """How the rates of a version are rounded before they are multiplied.

    Attributes:
        unit_price_decimals: To so many decimals; None leaves them as they are.
        mode: Ties away from zero, ties to even, or everything towards zero.

    """

    unit_price_decimals: Decimals | None = None
    mode: Mode = "half_up"

    def rate(self, rate: Exact) -> tuple[Fraction, str]:
        """Return the rate to multiply by, and its text: `n/d` where it is not rounded."""
        if self.unit_price_decimals is None:
            text = format(rate, "f") if isinstance(rate, Decimal) else decimal_text(rate)
            return fraction(rate), text
        scaled = rounded(fraction(rate), self.unit_price_decimals, self.mode)
        text = fixed(scaled, self.unit_price_decimals)
        return Fraction(scaled, 10**self.unit_price_decimals), text
