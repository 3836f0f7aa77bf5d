"""Schedules: which gaps are found, and which periods slots fall into."""

from typing import Any

import numpy as np
import pytest

from energia.pricing import calendar
from energia.pricing.cache import CACHE
from energia.pricing.calendar import Grid, compiled
from energia.pricing.schedule import DayTypes, Schedule, gaps
from energia.time import DAY, Zone
from tests.core.pricing.documents import CONVERTER, instant

WEEK = ["weekday", "weekend", "holiday"]


def schedule(*rules: dict[str, Any], **more: Any) -> Schedule:
    """Return the schedule of these rules, of the period `a` unless they say so."""
    named = [{"period": "a", **rule} for rule in rules]
    return CONVERTER.structure({"rules": named, **more}, Schedule)


@pytest.mark.parametrize(
    "rules",
    [
        [{}],
        [{"days": WEEK}],
        [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}],
        [{"from": "22:00", "to": "06:00"}, {"from": "06:00", "to": "22:00"}],
        [{"from": "00:01", "to": "00:00"}, {"to": "00:01"}],
        [
            {"season": {"from": "11-15", "to": "02-29"}},
            {"season": {"from": "03-01", "to": "11-14"}},
        ],
        [{"days": ["weekend"]}, {"days": ["mon", "tue", "wed", "thu", "fri"]}],
    ],
)
def test_rules_that_cover_every_minute_need_no_default(rules: list[dict[str, Any]]) -> None:
    """Complete rules have no gap."""
    assert gaps(schedule(*rules), DayTypes()) == []


@pytest.mark.parametrize(
    ("rules", "gap"),
    [
        ([], "from 00:00 to 24:00 on a Monday, for example 01-01"),
        ([{"to": "23:59"}], "from 23:59 to 24:00 on a Monday, for example 01-01"),
        (
            [{"days": ["weekday", "weekend"]}],
            "from 00:00 to 24:00 on a Monday that is a holiday, for example 01-01",
        ),
        (
            [{"season": {"from": "03-01", "to": "02-28"}}],
            "from 00:00 to 24:00 on a Monday, for example 02-29",
        ),
        # The night before Monday begins on Sunday, which the first rule leaves out.
        (
            [
                {
                    "days": ["mon", "tue", "wed", "thu", "fri", "sat"],
                    "from": "22:00",
                    "to": "06:00",
                },
                {"days": ["sun"], "from": "22:00", "to": "24:00"},
                {"from": "06:00", "to": "22:00"},
            ],
            "from 00:00 to 06:00 on a Monday, for example 01-01",
        ),
        # The last night of the season ends on the first day that is out of it.
        (
            [
                {"season": {"from": "03-01", "to": "02-29"}, "from": "12:00", "to": "24:00"},
                {"season": {"from": "01-01", "to": "02-28"}, "to": "12:00"},
                {"season": {"from": "03-01", "to": "12-31"}, "to": "12:00"},
            ],
            "from 00:00 to 12:00 on a Monday, for example 02-29",
        ),
    ],
)
def test_a_gap_is_named(rules: list[dict[str, Any]], gap: str) -> None:
    """The first gap says when in the day, on what day."""
    assert gaps(schedule(*rules), DayTypes())[0] == f"no period {gap}"


def test_what_the_weekend_is_decides_what_is_covered() -> None:
    """The check takes the weekend days of the version."""
    rules = [{"days": ["weekend"]}, {"days": ["mon", "tue", "wed", "thu", "fri"]}]
    friday_and_saturday = DayTypes(weekend_days=frozenset({"fri", "sat"}))

    (gap,) = gaps(schedule(*rules), friday_and_saturday)

    assert gap == "no period from 00:00 to 24:00 on a Sunday, for example 01-01"


def periods(
    given: Schedule,
    zone: str,
    start: str,
    interval: int,
    count: int,
    types: DayTypes = DayTypes(),  # noqa: B008
) -> list[str]:
    """Return the period of each slot."""
    found = compiled(given, types, Zone.named(zone), Grid(instant(start), interval, count))
    lengths = np.diff(np.append(found.bounds, count))
    return [found.periods[key] for key in np.repeat(found.keys, lengths).tolist()]


def test_the_first_rule_that_matches_wins() -> None:
    """Later rules and the default take what is left."""
    given = schedule(
        {"period": "b", "from": "01:00", "to": "03:00"},
        {"period": "c", "from": "02:00", "to": "04:00"},
        default="d",
    )

    assert periods(given, "UTC", "2026-01-01T00:00:00Z", 3600, 5) == ["d", "b", "b", "c", "d"]


def test_a_window_across_midnight_belongs_to_the_day_it_begins_on() -> None:
    """Friday's night goes on into Saturday; Saturday's own does not begin."""
    given = schedule({"period": "n", "days": ["fri"], "from": "22:00", "to": "02:00"}, default="d")

    saturday = periods(given, "UTC", "2026-01-02T21:00:00Z", 3600, 7)
    sunday = periods(given, "UTC", "2026-01-03T21:00:00Z", 3600, 7)

    assert saturday == ["d", "n", "n", "n", "n", "d", "d"]
    assert set(sunday) == {"d"}


def test_holidays_are_days_of_their_weekday_but_no_weekdays() -> None:
    """`mon` matches a holiday on Monday, `weekday` does not, `weekend` matches one on Sunday."""
    holidays = DayTypes(
        frozenset(map(np.datetime64.item, np.array(["2026-01-04", "2026-01-05"], "datetime64[D]")))
    )
    start = "2026-01-04T00:00:00Z"
    found = [
        periods(schedule({"days": [kind]}, default="d"), "UTC", start, 3600 * 24, 2, holidays)
        for kind in ("weekday", "weekend", "holiday", "mon")
    ]

    assert found == [["d", "d"], ["a", "d"], ["a", "a"], ["d", "a"]]


def test_a_fixed_clock_has_no_daylight_saving() -> None:
    """A night on GMT begins at one in summer, by the wall clock of London."""
    given = schedule({"period": "n", "from": "00:00", "to": "07:00"}, default="d", clock="+00:00")

    summer = periods(given, "Europe/London", "2021-07-01T00:00:00+01:00", 3600, 9)

    assert summer == ["d", *"nnnnnnn", "d"]


@pytest.mark.parametrize(
    ("zone", "start", "hours", "in_window"),
    [
        ("America/Sao_Paulo", "2018-11-04T01:00:00-02:00", 23, 1),
        ("America/Sao_Paulo", "2019-02-16T00:00:00-02:00", 25, 2),
        ("Australia/Lord_Howe", "2018-10-07T00:00:00+10:30", 23.5, 2),
        ("Australia/Lord_Howe", "2019-04-07T00:00:00+11:00", 24.5, 2.5),
        ("Asia/Kathmandu", "2019-04-07T00:00:00+05:45", 24, 2),
    ],
)
def test_days_on_which_the_clock_changes(
    zone: str, start: str, hours: float, in_window: float
) -> None:
    """The hours that the wall clock shows decide, however often it shows them."""
    given = schedule(
        {"period": "b", "from": "00:00", "to": "02:00"}
        if zone != "America/Sao_Paulo"
        else {"period": "b", "from": "23:00", "to": "24:00"},
        default="d",
    )

    found = periods(given, zone, start, 1800, int(hours * 2))

    assert found.count("b") / 2 == in_window


def test_slots_with_a_boundary_inside_are_counted() -> None:
    """An hour that a period begins in the middle of is counted once; others are not."""
    given = schedule({"period": "b", "from": "17:30", "to": "20:00"}, default="d")
    grid = Grid(instant("2026-01-01T00:00:00Z"), 3600, 48)

    assert compiled(given, DayTypes(), Zone.named("UTC"), grid).split == 2


@pytest.mark.parametrize(
    ("rule", "zone", "start", "split"),
    [
        # 23:30 to 00:30: the period changes at midnight.
        ({"days": ["fri"]}, "UTC", "2026-01-02T23:30:00Z", 1),
        ({"days": ["fri"]}, "UTC", "2026-01-03T23:30:00Z", 0),
        # 01:30 to 03:00, half an hour of which the clock skips, and with it the whole period.
        ({"from": "02:00", "to": "02:30"}, "Australia/Lord_Howe", "2018-10-06T15:00:00Z", 0),
        # 01:30 to 02:00 to 01:30 to 02:00: the period comes twice, with a pause of nothing.
        ({"from": "01:30", "to": "02:00"}, "Australia/Lord_Howe", "2019-04-06T14:30:00Z", 0),
        # 01:45 to 02:00 to 01:30 to 02:15: the period is left and comes back.
        ({"from": "01:30", "to": "01:50"}, "Australia/Lord_Howe", "2019-04-06T14:45:00Z", 1),
    ],
)
def test_boundaries_at_midnight_and_at_changes_of_the_clock(
    rule: dict[str, Any], zone: str, start: str, split: int
) -> None:
    """What the wall clock shows within an hour decides whether it is split."""
    grid = Grid(instant(start), 3600, 1)
    given = schedule({"period": "b", **rule}, default="d")

    assert compiled(given, DayTypes(), Zone.named(zone), grid).split == split


def test_a_calendar_is_compiled_once() -> None:
    """Meters with the same window share one calendar."""
    given = schedule({"period": "b", "from": "17:30", "to": "20:00"}, default="d")
    grid = Grid(instant("2026-01-01T00:00:00Z"), DAY // 24, 48)
    first = compiled(given, DayTypes(), Zone.named("UTC"), grid)

    again = schedule({"period": "b", "from": "17:30", "to": "20:00"}, default="d")
    assert compiled(again, DayTypes(), Zone.named("UTC"), grid) is first


@pytest.mark.parametrize("part", [1, 7, 95, 96, 1000])
@pytest.mark.parametrize("zone", ["Europe/Madrid", "Asia/Kathmandu"])
def test_a_long_grid_is_compiled_part_by_part(
    zone: str, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its runs, and its slots with a boundary inside, are those of the whole."""
    given = schedule(
        {"from": "22:10", "to": "06:00"}, {"period": "b", "days": ["sun"]}, default="c"
    )
    grid = Grid(instant("2026-03-27T00:00:00Z"), 900, 4 * 96)
    whole = compiled(given, DayTypes(), Zone.named(zone), grid)
    CACHE.clear()
    monkeypatch.setattr(calendar, "_PART", part)

    parts = compiled(given, DayTypes(), Zone.named(zone), grid)

    assert parts.bounds.tolist() == whole.bounds.tolist()
    assert parts.keys.tolist() == whole.keys.tolist()
    assert parts.split == whole.split > 0
