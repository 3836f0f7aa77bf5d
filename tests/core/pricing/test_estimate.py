"""Estimates of missing readings: the means of slots that are alike."""

from collections.abc import Sequence
from datetime import date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.metering.series import MISSING
from energia.pricing.calendar import Grid
from energia.pricing.schedule import DayTypes
from energia.pricing.usage import estimated
from energia.time import Zone
from tests.core.pricing.documents import instant

X = MISSING
HOUR = 3600
LARGEST = 2**62
FRIDAY = "2026-03-06T00:00:00Z"


def filled(
    values: Sequence[int],
    start: str | int = FRIDAY,
    interval: int = 8 * HOUR,
    zone: str = "UTC",
    types: DayTypes = DayTypes(),  # noqa: B008
) -> list[int]:
    """Return the values with estimates in the place of what is missing."""
    at = instant(start) if isinstance(start, str) else start
    grid = Grid(at, interval, len(values))
    found: list[int] = estimated(np.array(values, np.int64), grid, Zone.named(zone), types).tolist()
    return found


def test_working_days_are_estimated_by_working_days() -> None:
    """The mean of Friday and Monday at the same time; the weekend between does not count."""
    friday, saturday, sunday, monday, tuesday = (
        [10, 1, 2],
        [700, 1, 2],
        [700, 1, 2],
        [20, 1, 2],
        [X, 1, 2],
    )

    found = filled([*friday, *saturday, *sunday, *monday, *tuesday])

    assert found[12:] == [15, 1, 2]


def test_a_holiday_is_estimated_by_weekends() -> None:
    """Monday is a holiday: it is like Saturday and Sunday, and not like Friday."""
    types = DayTypes(frozenset({date(2026, 3, 9)}))

    found = filled([1, 5, 5, 10, 5, 5, 30, 5, 5, X, 5, 5], types=types)

    assert found[9] == 20


def test_the_weekend_is_what_the_tariff_says() -> None:
    """Where Friday is its only day, Saturday is like Sunday."""
    types = DayTypes(weekend_days=frozenset({"fri"}))

    assert filled([1, 0, 0, X, 0, 0, 9, 0, 0], types=types)[3] == 9


def test_without_such_a_day_any_day_counts() -> None:
    """Nothing is known of a weekend at this time: the mean of Friday and Monday."""
    assert filled([10, 1, 1, X, 7, 7, X, 7, 7, 20, 1, 1])[3:9] == [15, 7, 7, 15, 7, 7]


def test_at_a_time_of_which_nothing_is_known_all_slots_count() -> None:
    """The mean of what is known; no estimate is made from estimates."""
    assert filled([X, 1, X, X, 2, 9]) == [4, 1, 9, 4, 2, 9]


@pytest.mark.parametrize(
    ("known", "mean"), [([1, 2], 2), ([2, 3], 2), ([-1, -2], -2), ([0, 0, 1], 0), ([0, 1, 1], 1)]
)
def test_means_are_rounded_half_to_even(known: list[int], mean: int) -> None:
    """To the micro-unit."""
    assert filled([*known, X], "2026-03-02T00:00:00Z", 24 * HOUR)[-1] == mean


def test_means_are_exact_beyond_64_bits() -> None:
    """The sum of the largest values is larger than any of them."""
    values = [LARGEST, LARGEST - 1, LARGEST, X]

    assert filled(values, "2026-03-02T00:00:00Z", 24 * HOUR)[3] == LARGEST
    assert (
        filled([-one for one in values[:3]] + [X], "2026-03-02T00:00:00Z", 24 * HOUR)[3] == -LARGEST
    )


def test_the_time_is_that_of_the_wall_clock() -> None:
    """After the change to summer time noon is an hour earlier in UTC, and noon all the same."""
    day_before = [0] * 12 + [500] + [0] * 11  # 24 h, noon is the 13th hour
    day_of_change = [0] * 11 + [X] + [0] * 11  # 23 h, noon is the 12th

    found = filled(
        [*day_before, *day_of_change], "2026-03-28T00:00:00+01:00", HOUR, "Europe/Berlin"
    )

    assert found[24 + 11] == 500


def test_an_hour_that_comes_twice_is_estimated_twice() -> None:
    """Two o'clock of the Saturday tells of both on the Sunday that has 25 hours."""
    saturday = [0, 0, 80, *[0] * 21]
    sunday = [0, 0, X, X, *[0] * 21]

    found = filled([*saturday, *sunday], "2026-10-24T00:00:00+02:00", HOUR, "Europe/Berlin")

    assert found[24:29] == [0, 0, 80, 80, 0]


def test_an_hour_that_comes_twice_counts_twice() -> None:
    """Both are known at that time: Saturday's is their mean."""
    saturday = [0, 0, X, *[0] * 21]
    sunday = [0, 0, 60, 30, *[0] * 21]

    found = filled([*saturday, *sunday], "2026-10-24T00:00:00+02:00", HOUR, "Europe/Berlin")

    assert found[2] == 45


def brute(
    values: Sequence[int], start: int, interval: int, zone: str, holidays: set[date]
) -> list[int]:
    """Fill in slot by slot, with zoneinfo and Fraction."""
    moments = [
        datetime.fromtimestamp(start + at * interval, ZoneInfo(zone)) for at in range(len(values))
    ]
    free = [one.weekday() >= 5 or one.date() in holidays for one in moments]
    known = [at for at, value in enumerate(values) if value != X]
    found = list(values)
    for hole in set(range(len(values))) - set(known):
        same_time = [at for at in known if moments[at].time() == moments[hole].time()]
        alike = [at for at in same_time if free[at] == free[hole]]
        group = alike or same_time or known
        found[hole] = round(Fraction(sum(values[at] for at in group), len(group)))
    return found


@given(
    values=st.lists(st.one_of(st.just(X), st.integers(-9, 10**12)), min_size=1, max_size=150),
    start=st.integers(instant("2018-10-15T00:00:00Z") // 60, instant("2018-11-15T00:00:00Z") // 60),
    interval=st.sampled_from([900, 3600, 7200]),
    zone=st.sampled_from(["UTC", "America/Sao_Paulo", "Europe/Berlin", "Australia/Lord_Howe"]),
)
def test_estimates_are_those_of_a_slot_by_slot_loop(
    values: list[int], start: int, interval: int, zone: str
) -> None:
    """Known values stay, what is filled in lies between them, and every one is as by hand."""
    known = [value for value in values if value != X]
    if not known:
        return
    holidays = {date(2018, 11, 1), date(2018, 10, 16)}

    found = filled(values, start * 60, interval, zone, DayTypes(frozenset(holidays)))

    assert found == brute(values, start * 60, interval, zone, holidays)
    assert all(new == old for new, old in zip(found, values, strict=True) if old != X)
    assert all(min(known) <= one <= max(known) for one in found)
    if known == values:
        assert found == values
