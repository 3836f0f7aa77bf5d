"""Sums over windows of local time."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energia.metering import usage
from energia.metering.series import BOUND, MISSING, NEVER_SENT, Series
from energia.time import Granularity, Zone

HOUR = 3600


def at(*parts: int) -> int:
    """Return an instant of UTC in seconds."""
    year, month, day, *clock = parts
    hour, minute = (*clock, 0, 0)[:2]
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp())


def series(values: list[int], start: int = 0, interval: int = HOUR) -> Series:
    """Return a series of actual values; MISSING was never sent."""
    array = np.array(values, np.int64)
    quality = np.where(array == MISSING, NEVER_SENT, 1).astype(np.int8)
    return Series(start, interval, array, quality)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/London", date(2021, 3, 28), 23),
        ("Europe/London", date(2021, 10, 31), 25),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("America/Sao_Paulo", date(2019, 2, 16), 25),
    ],
)
def test_local_days(zone: str, day: date, hours: int) -> None:
    """A local day has the slots that its zone gives it, with or without a midnight."""
    local = Zone.named(zone)
    start, end = local.midnight(day - timedelta(1)), local.midnight(day + timedelta(2))

    bounds = usage.bounds(local, Granularity.parse("P1D"), start, end)
    found = usage.by_window(series([1] * ((end - start) // HOUR), start), bounds)

    assert [one.value for one in found] == [24, hours, 24]
    assert [one.coverage.expected for one in found] == [24, hours, 24]


@pytest.mark.parametrize(
    ("window", "hours"),
    [("PT6H", [6, 6, 6, 5]), ("PT10H", [10, 10, 3]), ("PT24H", [23]), ("PT1H", [1] * 23)],
)
def test_windows_of_a_short_day(window: str, hours: list[int]) -> None:
    """Windows below a day begin at local midnight, and the last ends with the day."""
    zone = Zone.named("Europe/London")
    start, end = zone.midnight(date(2021, 3, 28)), zone.midnight(date(2021, 3, 29))

    bounds = usage.bounds(zone, Granularity.parse(window), start, end)

    assert (np.diff(bounds) // HOUR).tolist() == hours


@pytest.mark.parametrize(("window", "number"), [("P1M", 3), ("P1Y", 2)])
def test_calendar_windows_are_cut_to_what_is_asked(window: str, number: int) -> None:
    """Months and years begin at local midnights; the first and the last may be parts."""
    zone = Zone.named("America/Sao_Paulo")
    start, end = at(2018, 12, 15), at(2019, 2, 3)

    bounds = usage.bounds(zone, Granularity.parse(window), start, end)

    assert (bounds[0], bounds[-1], len(bounds) - 1) == (start, end, number)
    assert zone.datetime(int(bounds[1])).isoformat() == "2019-01-01T00:00:00-02:00"


def test_a_day_that_does_not_exist() -> None:
    """Apia has no 2011-12-30, and no window of no length for it."""
    zone = Zone.named("Pacific/Apia")
    start, end = zone.midnight(date(2011, 12, 29)), zone.midnight(date(2012, 1, 1))

    bounds = usage.bounds(zone, Granularity.parse("P1D"), start, end)

    assert (np.diff(bounds) // HOUR).tolist() == [24, 24]


def test_coverage_adds_up() -> None:
    """Every quality counts as one of four, and they add up to what is expected."""
    codes = np.array([NEVER_SENT, 0, 1, 2, 3, 4, 5, 6, 7, 8], np.int8)
    values = np.where(codes > 0, 1, MISSING)

    (found,) = usage.by_window(Series(0, HOUR, values, codes), np.array([0, 10 * HOUR]))

    assert found.coverage == usage.Coverage(10, 3, 4, 1, 2)
    assert found.value == 8


def test_peaks() -> None:
    """The peak is the first largest slot that has a value."""
    found = usage.by_window(
        series([1, 3, 3, MISSING, MISSING, -2, -1]), np.array([0, 3, 5, 7]) * HOUR
    )

    assert [one.peak for one in found] == [1, None, 6]


def test_slots_belong_to_the_window_they_start_in() -> None:
    """Boundaries inside slots do not split them, and are counted."""
    found = series([1, 2, 4, 8], interval=HOUR)
    bounds = np.array([0, 5400, 5500, 4 * HOUR])

    assert [one.value for one in usage.by_window(found, bounds)] == [3, 0, 12]
    assert usage.split_slots(found, bounds) == 1


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.just(MISSING), st.integers(-BOUND, BOUND)), min_size=1, max_size=60),
    st.lists(st.integers(0, 60), max_size=5),
    st.integers(1, 2000),
)
def test_sums_are_exact(values: list[int], cuts: list[int], repeat: int) -> None:
    """Sums agree with Python's integers, beyond 64 bits as well."""
    whole = values * repeat
    bounds = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})

    found = usage.by_window(series(whole), np.array(bounds) * HOUR)

    assert [one.value for one in found] == [
        sum(v for v in whole[a:b] if v != MISSING) for a, b in pairwise(bounds)
    ]


def test_sums_beyond_64_bits() -> None:
    """A year of the largest values is summed exactly."""
    (found,) = usage.by_window(series([BOUND] * 35_040), np.array([0, 35_040 * HOUR]))

    assert found.value == BOUND * 35_040 > 2**63


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.just(MISSING), st.integers(-3, 3)), max_size=40),
    st.lists(st.integers(-HOUR, 41 * HOUR), min_size=2, max_size=12, unique=True),
)
def test_windows_are_those_of_each_slot(values: list[int], given: list[int]) -> None:
    """Whatever the edges: each window has the slots that start in it, and what is said of them."""
    found, edges = series(values), sorted(given)

    windows = usage.by_window(found, np.array(edges))

    inside = [edge // HOUR for edge in edges if edge % HOUR]
    assert usage.split_slots(found, np.array(edges)) == len(set(inside))
    for window, (start, end) in zip(windows, pairwise(edges), strict=True):
        slots = [slot for slot in range(len(values)) if start <= slot * HOUR < end]
        known = [slot for slot in slots if values[slot] != MISSING]
        expected = max(known, key=lambda slot: (values[slot], -slot), default=None)
        assert (window.start, window.end, window.peak) == (start, end, expected)
        assert window.value == sum(values[slot] for slot in known)
        absent = len(slots) - len(known)
        assert window.coverage == usage.Coverage(len(slots), len(known), 0, 0, absent)
