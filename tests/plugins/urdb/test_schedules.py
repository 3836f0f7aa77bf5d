"""Schedules by month and hour become rules of which each hour is the period it was."""

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from energia import convert
from energia.pricing.calendar import Grid, compiled
from energia.pricing.schedule import DayTypes, Schedule
from energia.time import Zone
from energia_plugins.tariff_urdb.schedules import Matrix
from tests.core.pricing.documents import instant
from tests.plugins.urdb.rates import charges, rate, refused

UTC = Zone.named("UTC")
#: A leap year and a common one.
START, END = instant("2024-01-01T00:00:00Z"), instant("2026-01-01T00:00:00Z")


def periods(schedule: dict[str, Any], step: int) -> list[str]:
    """Return the period of each slot of two years."""
    read = convert.structure(schedule, Schedule)
    grid = Grid(START, step, (END - START) // step)
    found = compiled(read, DayTypes(), UTC, grid)
    lengths = np.diff(np.append(found.bounds, grid.count))
    return [found.periods[key] for key in np.repeat(found.keys, lengths).tolist()]


@st.composite
def matrices(draw: st.DrawFn) -> tuple[Matrix, int]:
    """Draw tables of a few kinds of days, by hours or half hours."""
    columns = draw(st.sampled_from([24, 48]))
    row = st.lists(st.integers(0, 3), min_size=columns, max_size=columns).map(tuple)
    kinds = draw(st.lists(row, min_size=1, max_size=3))
    table = st.lists(st.sampled_from(kinds), min_size=12, max_size=12).map(tuple)
    return Matrix(draw(table), draw(table)), columns


@given(matrices())
def test_each_hour_keeps_its_period(drawn: tuple[Matrix, int]) -> None:
    """A rule may be of many months and of all days; no hour is lost by that."""
    matrix, columns = drawn
    names = {index: f"p{index}" for index in range(4)}
    step = 86400 // columns
    days = np.arange(START // 86400, END // 86400)
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
    weekend = (days + 3) % 7 >= 5

    schedule = matrix.schedule(names)
    assume(len(schedule["rules"]) <= 500)
    found = periods(schedule, step)

    expected = [
        names[period]
        for month, rest in zip(months.tolist(), weekend.tolist(), strict=True)
        for period in (matrix.weekend if rest else matrix.weekday)[month]
    ]
    assert found == expected


def test_half_hours_are_read() -> None:
    """Some publishers have 48 columns."""
    halves = [[int(13 <= half < 20) for half in range(48)] for _ in range(12)]
    document = rate(
        [{"rate": 1}], [{"rate": 2}], energyweekdayschedule=halves, energyweekendschedule=halves
    )

    assert charges(document)["energy"]["schedule"]["rules"] == [
        {"period": "period_1", "from": "06:30", "to": "10:00"}
    ]


def test_a_season_may_run_over_the_end_of_the_year() -> None:
    """November to February is one season, with the leap day."""
    rows = tuple((int(month in (0, 1, 10, 11)),) for month in range(12))

    rules = Matrix(rows, rows).schedule({0: "summer", 1: "winter"})["rules"]

    assert rules == [{"period": "winter", "season": {"from": "11-01", "to": "02-29"}}]


@pytest.mark.parametrize("missing", ["energyweekdayschedule", "energyweekendschedule"])
def test_one_schedule_is_of_all_days(missing: str) -> None:
    """The other is taken for both."""
    document = rate([{"rate": 1}], [{"rate": 2}], energyweekendschedule=[[0] * 12 + [1] * 12] * 12)
    document["energyweekdayschedule"] = document["energyweekendschedule"]
    del document[missing]

    (rule,) = charges(document)["energy"]["schedule"]["rules"]

    assert "days" not in rule


def test_a_schedule_without_any_order_is_refused() -> None:
    """It would need more rules than a tariff may have, or than a person reads."""
    dice = Random(5)
    table, mirrored = (
        [[dice.randrange(4) for _ in range(48)] for _ in range(12)] for _ in range(2)
    )
    periods_ = [[{"rate": index}] for index in range(1, 5)]

    document = rate(*periods_, energyweekdayschedule=table, energyweekendschedule=mirrored)

    assert refused(document) == {"/energyweekdayschedule": "too_many_rules"}
