"""Slots and blocks of arrays."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from energia.metering import blocks
from energia.metering.merge import Blocks
from energia.metering.series import MISSING, NEVER_SENT, Grid

INTERVALS = st.sampled_from([60, 300, 900, 1800, 2700, 3600])
INSTANTS = st.integers(-(2**31), 2**33)


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """Draw a grid with an offset."""
    interval = draw(INTERVALS)
    return Grid(interval, draw(st.integers(0, interval - 1)))


@given(grids(), INSTANTS)
def test_an_instant_lies_in_its_slot(grid: Grid, instant: int) -> None:
    """The slot of an instant starts at or before it and ends after it."""
    start = grid.start(grid.slot(instant))

    assert start <= instant < start + grid.interval
    assert grid.on_grid(np.array([instant, start])).tolist() == [instant == start, True]


@given(grids(), INSTANTS)
def test_days_and_indices(grid: Grid, instant: int) -> None:
    """Day and index name the same slot as its number, and its start."""
    day, index = (int(part[0]) for part in grid.places(np.array([instant])))

    assert day * grid.per_day + index == grid.slot(instant)
    assert grid.day_start(day) + index * grid.interval == grid.start(grid.slot(instant))


@given(grids(), INSTANTS, st.integers(-10, 100_000))
def test_windows(grid: Grid, start: int, length: int) -> None:
    """A window holds just the slots that start in it."""
    first, past = grid.window(start, start + length)

    assert grid.start(first) >= start > grid.start(first - 1)
    if past > first:
        assert grid.start(past - 1) < start + length <= grid.start(past)


VALUES = st.one_of(st.just(MISSING), st.integers(-(10**15), 10**15))


@given(st.lists(st.lists(VALUES, min_size=3, max_size=3), min_size=1, max_size=5))
def test_value_literals(rows: list[list[int]]) -> None:
    """The literal of blocks names every value, and NULL for a missing one."""
    literal = blocks.value_literals(np.array(rows, np.int64))

    parsed = [
        [MISSING if item == "NULL" else int(item) for item in row.split(",")]
        for row in literal[3:-3].split('}","{')
    ]
    assert parsed == rows


def test_quality_literals() -> None:
    """A block of nothing but actual values needs no qualities."""
    codes = np.array([[1, NEVER_SENT], [1, 0], [NEVER_SENT, 7]], np.int8)

    assert blocks.quality_literals(codes) == '{NULL,"{1,0}","{NULL,7}"}'
    assert blocks.quality_literals(codes[:1]) == "{NULL}"


def test_last_filled() -> None:
    """The last filled slot is the last with a value; marks do not count."""
    blocks = Blocks.empty(3, 4)
    blocks.values[0, 1] = blocks.values[1, 3] = 0
    blocks.quality[0, 2] = 0

    assert blocks.last_filled.tolist() == [1, 3, -1]
