"""What the overview works out by itself: windows, forecasts, bars."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from energia_plugins.console.overview.bars import Day, DayBars, Peak, PeakBars
from energia_plugins.console.overview.costs import Cost
from energia_plugins.console.overview.figures import change
from energia_plugins.console.overview.forecast import (
    WorkingDays,
    filled,
    mean_days,
    whole_month,
)
from energia_plugins.console.overview.windows import Month, newest
from energia_plugins.console.periods import periods_of
from energia_plugins.console.words import words

ZONE = ZoneInfo("Europe/Madrid")
EN = words("en")


def month(until: str) -> Month:
    """Return the month in which a local time lies."""
    return Month.of(datetime.fromisoformat(until).replace(tzinfo=ZONE))


# Windows.


def test_the_midnight_after_a_month_is_of_that_month() -> None:
    """What ends then is the month as a whole."""
    found = month("2026-04-01T00:00")

    assert (found.first, found.past, found.is_over) == (date(2026, 3, 1), date(2026, 4, 1), True)


@pytest.mark.parametrize(
    ("until", "months", "first", "then"),
    [
        ("2026-03-19T10:15", 1, "2026-02-01", "2026-02-19T10:15"),
        ("2026-03-19T10:15", 12, "2025-03-01", "2025-03-19T10:15"),
        ("2026-03-31T10:15", 1, "2026-02-01", "2026-03-01T00:00"),
        ("2026-04-01T00:00", 1, "2026-02-01", "2026-03-01T00:00"),
        ("2026-01-05T00:00", 1, "2025-12-01", "2025-12-05T00:00"),
    ],
)
def test_the_same_days_of_another_month(until: str, months: int, first: str, then: str) -> None:
    """Up to the same time of the same day; a shorter month, and a whole one, to its end."""
    found = month(until).earlier(months)

    assert (found.first.isoformat(), f"{found.until:%Y-%m-%dT%H:%M}") == (first, then)


def test_a_month_of_a_contract_begins_with_it() -> None:
    """And so do the same days of other months."""
    found = month("2026-03-19T10:15").since(date(2026, 3, 10))

    assert (found.first, found.earlier(1).first) == (date(2026, 3, 10), date(2026, 2, 10))


def test_a_month_ends_with_its_contract() -> None:
    """It is over then; the same days of another month are as many."""
    found = month("2026-03-11T00:00").before(date(2026, 3, 11))

    assert (found.past, found.is_over) == (date(2026, 3, 11), True)
    assert found.earlier(1).until.date() == date(2026, 2, 11)
    assert month("2026-03-11T00:00").before(date(2027, 1, 1)).past == date(2026, 4, 1)


def test_the_newest_reading_ends_where_its_slot_does() -> None:
    """What is missing after it does not count."""
    readings = {
        "start": "2026-03-01T00:00:00+01:00",
        "end": "2026-03-01T04:00:00+01:00",
        "values": [1.0, None, 2.0, None],
    }

    assert newest(readings, ZONE) == datetime(2026, 3, 1, 3, tzinfo=ZONE)
    assert newest({**readings, "values": [None] * 4}, ZONE) is None


# Forecasts.


def test_what_is_to_come_is_the_mean_of_its_like() -> None:
    """The same time of day: on a working day of these, on a weekend of those."""
    friday = datetime(2026, 3, 6, 12, tzinfo=ZONE)
    local = [friday + timedelta(days=days) for days in (0, 1, 3, 4, 8)]

    assert filled([2.0, 8.0, 4.0, None, None], local, WorkingDays()) == [2.0, 8.0, 4.0, 3.0, 8.0]


def test_what_has_no_like_is_the_mean_of_what_there_is() -> None:
    """Of the same time of day first; of all of them then."""
    saturday = datetime(2026, 3, 7, 12, tzinfo=ZONE)
    local = [saturday, saturday + timedelta(days=2), saturday + timedelta(hours=1)]

    assert filled([6.0, None, None], local, WorkingDays()) == [6.0, 6.0, 6.0]


def test_a_month_whose_clocks_change_has_an_hour_less() -> None:
    """March 2026 has 743 hours in Madrid: as many are priced."""
    readings = {
        "start": "2026-03-01T00:00:00+01:00",
        "end": "2026-03-06T00:00:00+01:00",
        "values": [1.0] * 120,
        "unit": "kWh",
    }

    found = whole_month(readings, month("2026-03-06T00:00"), ZONE, WorkingDays())

    assert found is not None
    assert (len(found["values"]), sum(found["values"])) == (743, 743.0)


def test_of_two_days_nothing_is_foretold() -> None:
    """Nobody knows a month by them."""
    readings = {
        "start": "2026-03-01T00:00:00+01:00",
        "end": "2026-03-02T12:00:00+01:00",
        "values": [1.0] * 36,
        "unit": "kWh",
    }

    assert whole_month(readings, month("2026-03-02T12:00"), ZONE, WorkingDays()) is None


def test_holidays_of_a_tariff_are_no_working_days() -> None:
    """Nor are its days of the weekend, whichever these are."""
    working = WorkingDays.of({"holidays": ["2026-03-02", {"list": "br"}], "weekend_days": ["fri"]})

    assert date(2026, 3, 2) not in working  # a Monday
    assert date(2026, 3, 6) not in working  # a Friday
    assert date(2026, 3, 7) in working  # a Saturday


def test_days_are_alike_by_kind() -> None:
    """Where there are none of a kind, all of them stand for it."""
    days = {date(2026, 3, 2): 10.0, date(2026, 3, 3): 20.0}

    assert mean_days(days, WorkingDays()) == {True: 15.0, False: 15.0}
    assert mean_days({}, WorkingDays()) == {}


# Costs.


def test_a_cost_is_told_apart_by_what_it_is_for() -> None:
    """Power, the excess of it, and what a kWh costs in each period, and in all of them."""
    lines = [
        {"code": "e.p.tusd", "unit": "kWh", "period": "ponta", "rate": "1.5", "amount": "15.00"},
        {"code": "e.p.te", "unit": "kWh", "period": "ponta", "rate": "0.5", "amount": "5.00"},
        {"code": "flag", "unit": "kWh", "rate": "0.25", "amount": "2.50"},
        {"code": "demand", "unit": "kW", "rate": "10", "amount": "60.00"},
        {"code": "demand.overrun", "unit": "kW", "rate": "20", "amount": "20.00"},
    ]
    filled_in = {"code": "missing_estimated", "slots": 3, "message": "..."}
    cost = Cost.of({"total": "102.50", "lines": lines, "assumptions": [filled_in]})

    assert (cost.total, cost.of_demand, cost.overrun) == tuple(
        map(Decimal, ("102.50", "80.00", "20.00"))
    )
    assert cost.rates("kWh") == {"ponta": 2.0, "": 0.25}
    assert (cost.energy("kWh"), cost.estimated) == (Decimal("22.50"), 3)


@pytest.mark.parametrize(
    ("now", "then", "said"),
    [
        ("11", "10", "+10%"),
        ("9", "10", "\N{MINUS SIGN}10%"),
        ("999", "1000", "0%"),
        ("1", "0", "\N{EN DASH}"),
    ],
)
def test_a_change_has_its_sign(now: str, then: str, said: str) -> None:
    """Nothing has none, and there is no change from nothing."""
    assert change(EN, Decimal(now), Decimal(then)) == said


# Pictures.


def _bars(*days: Day) -> str:
    periods = periods_of(EN, ["ponta", "intermediario", "fora_ponta"])
    return str(
        DayBars(
            days=days,
            periods=periods,
            today=days[-1].day,
            running="today",
            unit="BRL a day",
            title="Energy by day",
            description="The most: 5 on 1 Mar.",
        ).drawn(EN)
    )


def test_a_day_has_a_part_for_each_period() -> None:
    """The one between has dots; what is missing is framed, what is estimated hatched."""
    drawn = _bars(
        Day(date(2026, 3, 1), {"ponta": 2.0, "intermediario": 5.0, "fora_ponta": 3.0}),
        Day(date(2026, 3, 2), {"fora_ponta": 3.0}, is_missing=True),
        Day(date(2026, 3, 3), {"fora_ponta": 3.0}, is_estimated=True, forecast=9.0),
    )

    for expected in ('class="p"', 'class="i"', 'class="f"', 'class="dots"', 'class="missing"'):
        assert expected in drawn
    assert 'fill="url(#days-358)"' in drawn
    assert 'class="forecast"' in drawn
    assert ">today<" in drawn
    assert drawn.count("<title>Energy by day</title>") == 2
    assert "style=" not in drawn


def test_the_day_that_is_running_is_named_within_the_picture() -> None:
    """On the last of a month its name ends where the axis does."""
    drawn = _bars(*(Day(date(2026, 11, day), {"ponta": 5.0}) for day in range(1, 31)))
    phone, wide = re.findall(r"<svg[^>]*>.*?</svg>", drawn, re.DOTALL)

    for picture in (phone, wide):
        (width,) = re.findall(r'viewBox="0 0 (\d+)', picture)
        (named,) = re.findall(r"<text[^>]*>today</text>", picture)
        assert 'text-anchor="end"' in named
        assert float(re.findall(r'x="([\d.]+)"', named)[0]) <= float(width)


def test_a_forecast_below_what_was_is_not_drawn() -> None:
    """What was is more than what was foretold."""
    assert 'class="forecast"' not in _bars(Day(date(2026, 3, 1), {"ponta": 5.0}, forecast=4.0))


def test_only_months_over_the_contract_are_dark() -> None:
    """They have their number; a month without readings has its place."""
    peaks = [
        Peak(date(2026, 1, 1), 41.5, "41.5"),
        Peak(date(2026, 3, 1), 44.0, "44.0"),
        Peak(date(2026, 4, 1), 30.0, "30.0"),
    ]
    drawn = str(
        PeakBars(
            peaks=peaks, limit=40.0, over=42.0, unit="kW", title="Peaks", description=""
        ).drawn(EN)
    )

    assert (drawn.count('class="ink"'), drawn.count('class="grey"')) == (2, 4)
    assert ">44.0<" in drawn
    assert ">41.5<" not in drawn
    assert ">Feb<" in drawn
    assert drawn.count('class="limit"') == 2
