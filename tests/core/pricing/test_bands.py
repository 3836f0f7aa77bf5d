"""Bands of a quantity."""

from decimal import Decimal
from fractions import Fraction

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.pricing.bands import band_of, blocks, faults_of_bands


@attrs.frozen
class Band:
    """A band of nothing."""

    up_to: Decimal | None


def bands(*ends: int | None) -> list[Band]:
    """Return bands up to these ends."""
    return [Band(None if end is None else Decimal(end)) for end in ends]


@pytest.mark.parametrize(
    ("quantity", "band"), [("1.999", 0), (2, 1), ("4.99", 1), (5, 2), (10, None)]
)
def test_a_bound_may_be_in_the_next_band(quantity: object, band: int | None) -> None:
    """As in Norway's capacity fee, where 5.00 kWh/h is in the step from 5 to 10."""
    assert band_of(bands(2, 5, 10), Fraction(str(quantity)), at_bound="upper") == band


@pytest.mark.parametrize(
    ("quantity", "band"), [(-5, 0), (0, 0), (10, 0), ("10.1", 1), (20, 1), (21, 2)]
)
def test_a_bound_is_in_its_band(quantity: object, band: int) -> None:
    """Up to and including."""
    assert band_of(bands(10, 20, None), Fraction(str(quantity))) == band


def test_above_all_bands_is_none() -> None:
    """The last one is closed."""
    assert band_of(bands(10, 20), Fraction(21)) is None
    assert blocks(bands(10, 20), Fraction(25)) == [10, 10]


@given(st.sets(st.integers(1, 100), max_size=5), st.fractions(0, 200), st.fractions(0, 200))
def test_blocks_add_up_and_only_grow(ends: set[int], one: Fraction, other: Fraction) -> None:
    """All of a quantity is in some block; more of it makes no block smaller."""
    some = bands(*sorted(ends), None)
    less, more = (blocks(some, quantity) for quantity in sorted((one, other)))

    assert sum(less) == min(one, other)
    assert all(low <= high for low, high in zip(less, more, strict=True))


@given(st.sets(st.integers(1, 100), max_size=5), st.fractions(-50, 0))
def test_what_is_not_above_zero_is_in_the_first_block(ends: set[int], quantity: Fraction) -> None:
    """A net export has no other."""
    some = bands(*sorted(ends), None)

    assert blocks(some, quantity) == [quantity] + [0] * len(ends)


@pytest.mark.parametrize(
    ("ends", "closed", "expected"),
    [
        ((10, None), False, []),
        ((10, 20), True, []),
        ((10, 20), False, ["/b/1/up_to closed_band"]),
        ((10, None, 5), True, ["/b/1/up_to missing_bound", "/b/2/up_to bounds_not_increasing"]),
        ((10, 10, None), False, ["/b/1/up_to bounds_not_increasing"]),
    ],
)
def test_faults_of_bands(ends: tuple[int | None, ...], closed: bool, expected: list[str]) -> None:
    """Each has its place."""
    found = faults_of_bands(bands(*ends), "/b", closed=closed)

    assert [f"{fault.pointer} {fault.code}" for fault in found] == expected
