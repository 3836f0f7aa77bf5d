"""Many numbers as text at once: as each of them alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.pricing.digits import DIGITS, fixed_texts, shortest_texts
from energia.pricing.exact import Mode, fixed, rounded_ratio, rounded_ratios, shortest

#: Numbers of any length, many of them with zeros at the end, as readings have them.
NUMBERS = st.lists(
    st.builds(
        lambda number, zeros: number * 10**zeros,
        st.integers(-(10**9) + 1, 10**9 - 1) | st.sampled_from([0, 1, 9, 10]),
        st.integers(0, 9),
    ),
    max_size=20,
)


@given(NUMBERS, st.integers(0, 15))
def test_many_numbers_are_written_as_each_of_them(numbers: list[int], decimals: int) -> None:
    """With as few decimals as each has, and with all of them, whatever their signs."""
    scaled = np.array(numbers, np.int64)

    assert shortest_texts(scaled, decimals) == [shortest(each, decimals) for each in numbers]
    assert fixed_texts(scaled, decimals) == [fixed(each, decimals) for each in numbers]


def test_a_number_of_too_many_digits_is_refused() -> None:
    """Nothing is written that would lack its first digits."""
    with pytest.raises(OverflowError):
        fixed_texts(np.array([1, 10**DIGITS]), 2)


@given(
    NUMBERS,
    st.sampled_from([1, 3, 10, 100, 10**9]),
    st.sampled_from(["half_up", "half_even", "down"]),
)
def test_many_ratios_are_rounded_as_each_of_them(
    numbers: list[int], below: int, mode: Mode
) -> None:
    """Ties and signs are treated alike."""
    found = rounded_ratios(np.array(numbers, np.int64), below, mode)

    assert found.tolist() == [rounded_ratio(each, below, mode) for each in numbers]
