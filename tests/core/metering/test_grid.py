"""Slots and blocks of arrays."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from energia.metering import blocks
from energia.metering.merge import Blocks
from energia.metering.series import MISSING, NEVER_SENT, ChannelGrid

INTERVALS = st.sampled_from([60, 300, 900, 1800, 2700, 3600])
INSTANTS = st.integers(-(2**31), 2**33)


@st.composite
def grids(draw: st.DrawFn) -> ChannelGrid:
    """Draw a grid with an offset."""
    interval = draw(INTERVALS)
    return ChannelGrid(interval, draw(st.integers(0, interval - 1)))


@given(grids(), INSTANTS)
def test_an_instant_lies_in_one_slot(grid: ChannelGrid, instant: int) -> None:
    """The slot that starts last at or before an instant ends after it."""
    (slot,) = grid.slots(instant - grid.interval + 1, instant + 1)

    start = grid.start(slot)
    assert start <= instant < start + grid.interval
    assert (grid.start(slot + 1), grid.slots(start, start)) == (
        start + grid.interval,
        range(slot, slot),
    )


@given(grids(), INSTANTS, st.integers(0, 10_000))
def test_days_of_slots(grid: ChannelGrid, start: int, length: int) -> None:
    """The days of some slots begin at or before the first, and end at or after the last."""
    slots = grid.slots(start, start + length)

    days = grid.days(slots)

    assert bool(days) == bool(slots)
    if days:
        assert grid.day_start(days[0]) <= grid.start(slots[0]) < grid.day_start(days[0] + 1)
        assert grid.day_start(days[-1]) <= grid.start(slots[-1]) < grid.day_start(days[-1] + 1)
        assert slots[0] - days[0] * grid.per_day in range(grid.per_day)


@given(grids(), INSTANTS, st.integers(-10, 100_000))
def test_slots_of_a_window(grid: ChannelGrid, start: int, length: int) -> None:
    """A window holds just the slots that start in it."""
    slots = grid.slots(start, start + length)

    assert grid.start(slots.start) >= start > grid.start(slots.start - 1)
    if slots:
        assert grid.start(slots[-1]) < start + length <= grid.start(slots.stop)


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
