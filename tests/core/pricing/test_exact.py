"""Sums that cannot overflow, rounding, and numbers as text."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.codes import CODES, minor_digits
from energia.metering.series import BOUND
from energia.pricing.exact import (
    Mode,
    RateRounding,
    decimal_text,
    exact_text,
    fixed,
    fraction,
    padded,
    rounded,
    shortest,
    sums,
    total,
)


@given(st.integers(-(10**20), 10**20), st.integers(0, 12))
def test_the_shortest_text_of_a_scaled_number_is_that_of_its_fraction(
    scaled: int, decimals: int
) -> None:
    """Zeros at the end are left out, and the sign stays."""
    assert shortest(scaled, decimals) == exact_text(Fraction(scaled, 10**decimals))


@given(st.integers(-(10**6), 10**6), st.integers(0, 4), st.integers(0, 4))
def test_an_amount_is_padded_to_the_decimals_of_its_currency(
    scaled: int, has: int, decimals: int
) -> None:
    """It keeps its value, and decimals beyond these."""
    found = padded(fixed(scaled, has), decimals)

    assert found == fixed(scaled * 10 ** max(0, decimals - has), max(decimals, has))


def test_a_sum_beyond_64_bits_is_exact() -> None:
    """The largest values of a year of quarter hours add up exactly."""
    values = np.full(35_040, BOUND, np.int64)

    assert total(values, BOUND) == 35_040 * BOUND
    assert total(-values, BOUND) == -35_040 * BOUND


@given(
    st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=30),
    st.lists(st.integers(0, 2), min_size=1, max_size=30),
)
def test_groups_of_runs_sum_exactly(values: list[int], keys: list[int]) -> None:
    """Sums of groups equal those of Python's integers, whatever the size of the values."""
    keys = (keys * len(values))[: len(values)]
    array, groups = np.array(values, np.int64), np.array(keys)
    bounds = np.arange(len(values), dtype=np.int64)
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))

    found = sums(array, 2**62, bounds, order, starts)

    expected = [
        sum(v for v, k in zip(values, keys, strict=True) if k == key) for key in sorted(set(keys))
    ]
    assert found == expected


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("half_up", [-3, -2, -1, 0, 1, 2, 3]),
        ("half_even", [-2, -2, 0, 0, 0, 2, 2]),
        ("down", [-2, -1, 0, 0, 0, 1, 2]),
    ],
)
def test_ties_are_rounded_as_the_mode_says(mode: Mode, expected: list[int]) -> None:
    """Half up is away from zero, half even to the even neighbour, down towards zero."""
    halves = [Fraction(number, 2) for number in (-5, -3, -1, 0, 1, 3, 5)]

    assert [rounded(half, 0, mode) for half in halves] == expected


@given(st.fractions(), st.integers(0, 8))
def test_rounding_is_that_of_decimals(value: Fraction, decimals: int) -> None:
    """What is rounded is within half a unit, and symmetric about zero."""
    found = Fraction(rounded(value, decimals, "half_up"), 10**decimals)

    assert abs(found - value) <= Fraction(1, 2 * 10**decimals)
    assert rounded(-value, decimals, "half_up") == -rounded(value, decimals, "half_up")


@pytest.mark.parametrize(
    ("scaled", "decimals", "text"),
    [(2330, 2, "23.30"), (-5, 2, "-0.05"), (0, 2, "0.00"), (7, 0, "7"), (-12, 0, "-12")],
)
def test_amounts_have_all_their_decimals(scaled: int, decimals: int, text: str) -> None:
    """An amount is written with the decimals of its currency."""
    assert fixed(scaled, decimals) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(1, 3), "1/3"),
        (Fraction(-22, 7), "-22/7"),
        (Fraction(1, 1024), "0.0009765625"),
        (Fraction(23), "23"),
        (Fraction("1994.4399"), "1994.4399"),
    ],
)
def test_exact_text_is_a_decimal_where_one_ends(value: Fraction, text: str) -> None:
    """Other fractions are written as n/d."""
    assert exact_text(value) == text


def test_what_never_ends_is_cut_where_that_is_asked_for() -> None:
    """A third of a month is shown rounded to some decimals, or else exactly."""
    assert decimal_text(Fraction(2, 3), 6) == "0.666667"
    assert decimal_text(Fraction(2, 3)) == "2/3"
    assert decimal_text(Decimal("38.20")) == "38.2"


@pytest.mark.parametrize("value", [0.5, True, "1"])
def test_what_is_not_exact_is_refused(value: object) -> None:
    """No float gets into a bill."""
    with pytest.raises(TypeError):
        fraction(value)  # type: ignore[arg-type]


def test_rates_are_rounded_before_they_are_multiplied() -> None:
    """Without `unit_price_decimals` a rate is written as the document has it."""
    assert RateRounding().rate(Decimal("0.61000")) == (Fraction("0.61"), "0.61000")
    assert RateRounding(unit_price_decimals=3).rate(Decimal("0.61251")) == (
        Fraction("0.613"),
        "0.613",
    )


@pytest.mark.parametrize(
    ("currency", "digits"), [("BRL", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("CLP", 0)]
)
def test_currencies_have_their_minor_units(currency: str, digits: int) -> None:
    """The decimals of amounts are those of ISO 4217."""
    assert currency in CODES
    assert minor_digits(currency) == digits
