"""The slots and days of a channel's grid."""

from hypothesis import given
from hypothesis import strategies as st

from energia.metering.series import ChannelGrid

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
