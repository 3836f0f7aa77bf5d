"""Days that schedules name: seasons that follow the calendar, 29 February, lists of dates."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.pricing.engine import Cost, price
from energia.pricing.schedule import DayTypes, Schedule, gaps
from energia.time import day_number
from tests.core.pricing.documents import CONVERTER, faults, instant, line, read, series, tariff

HOUR = 3600
#: The tariff of case c01: the colour of a day lasts from 06:00 to 06:00.
TEMPO = {
    "kind": "energy.time_of_use",
    "code": "e",
    "schedule": {
        "default": "blue_hc",
        "rules": [
            {"period": "white_hp", "days": ["white"], "from": "06:00", "to": "22:00"},
            {"period": "white_hc", "days": ["white"], "from": "22:00", "to": "06:00"},
            {"period": "red_hp", "days": ["red"], "from": "06:00", "to": "22:00"},
            {"period": "red_hc", "days": ["red"], "from": "22:00", "to": "06:00"},
            {"period": "blue_hp", "from": "06:00", "to": "22:00"},
        ],
    },
    "rates": {
        "blue_hp": "0.1494",
        "blue_hc": "0.1232",
        "white_hp": "0.1730",
        "white_hc": "0.1391",
        "red_hp": "0.6468",
        "red_hc": "0.1460",
    },
}
COLOURS = {"white": ["2026-01-14", "2026-01-16"], "red": ["2026-01-05", "2026-02-02"]}


def by_season(season: dict[str, str], *, days: tuple[str, ...] = ("all",)) -> dict[str, Any]:
    """Return a charge of 2 in a season and of 1 else."""
    rule = {"period": "s", "days": list(days), "season": season}
    schedule = {"default": "o", "rules": [rule]}
    return {"kind": "energy.time_of_use", "schedule": schedule, "rates": {"s": "2", "o": "1"}}


def is_in(season: dict[str, str], day: date) -> bool:
    """Tell whether a day is in a season."""
    charge = by_season(season)
    schedule = CONVERTER.structure(charge["schedule"], Schedule)
    (matches,) = schedule.matches(DayTypes().days(days_of(day)))
    return bool(matches[0])


def days_of(day: date) -> Any:
    """Return a day as an array of its number."""
    return np.array([day_number(day)], np.int64)


def cost(charge: dict[str, Any], zone: str, first: str, hours: int, **version: Any) -> Cost:
    """Return what a kilowatt-hour in each hour from an instant on costs."""
    usage = {"import": series(first, HOUR, [1_000_000] * hours)}
    start = instant(first)
    return price(tariff([charge], zone, **version), usage, start, start + hours * HOUR)


@pytest.mark.parametrize("day", ["2024-10-26", "2025-10-25", "2030-10-26"])
def test_a_season_follows_the_clock_change(day: str) -> None:
    """The last Saturday of legal summer time is summer in every year (case r04)."""
    season = {"from": "last_sun_mar", "to": "last_sun_oct"}

    assert (
        cost(by_season(season, days=("sat",)), "Europe/Lisbon", f"{day}T00:00:00+01:00", 24).total
        == "48"
    )


def test_until_is_the_first_day_that_is_out() -> None:
    """Winter time begins on the last Sunday of October, a day that summer does not have."""
    season = {"from": "last_sun_mar", "until": "last_sun_oct"}
    days = [date(2025, 3, 29), date(2025, 3, 30), date(2025, 10, 25), date(2025, 10, 26)]

    assert [is_in(season, day) for day in days] == [False, True, True, False]


def nth(year: int, month: int, weekday: int, ordinal: str) -> date:
    """Return a day such as the last Sunday of October by looking at every day of the month."""
    first = date(year, month, 1)
    days = (first + timedelta(days=number) for number in range(31))
    hits = [day for day in days if day.month == month and day.weekday() == weekday]
    return hits[
        ("first", "second", "third", "fourth", "last").index(ordinal) if ordinal != "last" else -1
    ]


@given(
    day=st.dates(date(1990, 1, 1), date(2090, 12, 31)),
    begin=st.tuples(
        st.integers(1, 6), st.integers(0, 6), st.sampled_from(["first", "third", "last"])
    ),
    end=st.tuples(
        st.integers(7, 12), st.integers(0, 6), st.sampled_from(["second", "fourth", "last"])
    ),
    turned=st.booleans(),
)
def test_named_days_are_those_of_a_calendar(
    day: date, begin: tuple[int, int, str], end: tuple[int, int, str], turned: bool
) -> None:
    """A season from one named day until another has the days between, in any year."""
    months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    names = [f"{ordinal}_{weekdays[w]}_{months[month - 1]}" for month, w, ordinal in (begin, end)]
    low, high = (nth(day.year, month, w, ordinal) for month, w, ordinal in (begin, end))
    inside = low <= day < high

    if turned:
        assert is_in({"from": names[1], "until": names[0]}, day) is not inside
    else:
        assert is_in({"from": names[0], "until": names[1]}, day) is inside


def test_seasons_that_follow_each_other_leave_no_gap() -> None:
    """Summer until winter and winter until summer need no default, whatever day the change is."""
    rules = [
        {"period": "a", "season": {"from": "last_sun_feb", "until": "first_mon_nov"}},
        {"period": "a", "season": {"from": "first_mon_nov", "until": "last_sun_feb"}},
    ]
    apart = [
        rules[0],
        {"period": "a", "season": {"from": "first_mon_nov", "until": "third_sun_feb"}},
    ]

    assert gaps(CONVERTER.structure({"rules": rules}, Schedule), DayTypes()) == []
    assert gaps(CONVERTER.structure({"rules": apart}, Schedule), DayTypes())


@pytest.mark.parametrize(
    ("season", "total", "told"),
    [
        ({"from": "11-01", "to": "02-28"}, "4", ["leap_day"]),
        ({"from": "11-01", "to": "02-29"}, "5", []),
        ({"from": "11-01", "until": "03-01"}, "5", []),
    ],
)
def test_29_february_is_told(season: dict[str, str], total: str, told: list[str]) -> None:
    """A season to 02-28 leaves the day out and says so; two ways say the end (case e07b)."""
    days = [0] * 72
    days[12], days[36], days[60] = 1_000_000, 1_000_000, 1_000_000
    start = "2024-02-28T00:00:00-07:00"
    usage, begin = {"import": series(start, HOUR, days)}, instant(start)

    answer = price(tariff([by_season(season)], "America/Denver"), usage, begin, begin + 72 * HOUR)

    assert answer.total == total
    assert [each.code for each in answer.assumptions] == told


def test_29_february_is_not_told_where_it_does_not_matter() -> None:
    """Of a common year, and where another season begins on the day, there is nothing to say."""
    season = {"from": "11-01", "to": "02-28"}
    charge = by_season(season)
    charge["schedule"]["rules"].append({"period": "o", "season": {"from": "02-29", "to": "03-31"}})

    common = cost(by_season(season), "UTC", "2025-02-28T00:00:00Z", 48)
    meant = cost(charge, "UTC", "2024-02-28T00:00:00Z", 48)

    assert (common.assumptions, meant.assumptions) == ((), ())


def test_rules_name_lists_of_days() -> None:
    """Tempo: 32 hours are white and full, and the red days are a list (case c01)."""
    rounding = {"amount_decimals": 2}
    first = "2026-01-14T06:00:00+01:00"

    answer = cost(TEMPO, "Europe/Paris", first, 64, day_types=COLOURS, rounding=rounding)

    amounts = {each.code: each.amount for each in answer.lines}
    assert amounts == {
        "e.white_hp": "5.54",
        "e.white_hc": "1.11",
        "e.blue_hp": "2.39",
        "e.blue_hc": "0.99",
    }
    assert answer.total == "10.03"


def test_days_beyond_a_list_are_told() -> None:
    """White days are listed up to 16 January, so what comes later is not known to be blue."""
    answer = cost(TEMPO, "Europe/Paris", "2026-01-17T06:00:00+01:00", 24, day_types=COLOURS)

    (told,) = answer.assumptions
    assert told.code == "days_unknown"
    assert "white (from 2026-01-14 to 2026-01-16)" in told.message
    assert "red" not in told.message


def test_lists_of_days_have_names_of_their_own() -> None:
    """A list is not called as every schedule calls a day, and each name that is used is listed."""
    pointer = "/versions/0/charges/0/schedule/rules"

    assert faults(lambda: tariff([TEMPO], day_types={"white": [], "mon": []})) == {
        "/versions/0/day_types/mon": "reserved_name",
        f"{pointer}/2/days/0": "unknown_day_type",
        f"{pointer}/3/days/0": "unknown_day_type",
    }


def test_lists_of_days_are_those_of_the_version_in_force() -> None:
    """Where a bill crosses versions, what is worked out once takes each day as its version says."""
    days = {"default": "o", "rules": [{"period": "peak", "days": ["red"]}]}
    charge = {
        "kind": "demand",
        "interval": "PT1H",
        "schedule": days,
        "rates": {"peak": "1", "o": "0"},
        "across_versions": "last",
    }
    versions = [
        {
            "valid_from": "2026-01-01",
            "valid_to": "2026-01-02",
            "day_types": {"red": ["2026-01-01"]},
        },
        {"valid_from": "2026-01-02", "day_types": {"red": ["2026-01-03"]}},
    ]
    body = {
        "name": "test",
        "currency": "USD",
        "timezone": "UTC",
        "versions": [{**version, "charges": [charge]} for version in versions],
    }
    start = "2026-01-01T00:00:00Z"
    usage = {"import": series(start, HOUR, [7_000_000] * 24 + [9_000_000] * 24 + [3_000_000] * 24)}

    answer = price(read(body), usage, instant(start), instant(start) + 72 * HOUR)

    assert line(answer, "demand.peak").quantity == "7"
