"""Decimal numbers in columns: they are what their texts are."""

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from energia.metering.decoders import Decimals, Readings

#: Digits with their sign, and how many of them are behind the point.
NUMBERS = st.lists(
    st.tuples(st.integers(-(10**15) + 1, 10**15 - 1), st.integers(0, 15)), min_size=1, max_size=20
)


def _column(numbers: list[tuple[int, int]]) -> Decimals:
    units, places = zip(*numbers, strict=True)
    return Decimals(np.array(units, np.int64), np.array(places, np.int8))


@given(NUMBERS)
def test_numbers_of_a_column_are_those_of_their_texts(numbers: list[tuple[int, int]]) -> None:
    """Digits, trailing zeros too, and the nearest float of each, alone and in a part."""
    column = _column(numbers)
    expected = [Decimal(f"{units}e-{places}") for units, places in numbers]

    assert [str(number) for number in column] == [str(number) for number in expected]
    assert [column[at] for at in range(len(column))] == expected
    assert list(column[1:]) == expected[1:]
    assert column.floats.tolist() == [float(str(number)) for number in expected]


def test_parts_are_joined() -> None:
    """The numbers of one part come after those of the other."""
    parts = [_column([(125, 2)]), _column([(5, 0), (-10, 1)])]

    assert list(map(str, Decimals.joined(parts))) == ["1.25", "5", "-1.0"]


def test_readings_of_columns_are_readings() -> None:
    """What has no objects gives ordinary numbers one by one."""
    first, _ = Readings(range(2, 4), _column([(125, 2), (5, 0)]), [0, 900]).readings()

    assert (first.line, first.value, first.start) == (2, Decimal("1.25"), 0)
