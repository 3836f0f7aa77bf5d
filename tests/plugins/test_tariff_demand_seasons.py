"""Demand from meter-read day to meter-read day: maxima of seasons, of days, and what counts."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.pricing.engine import Cost, price
from energia.pricing.usage import Terms
from energia.time import DAY, HOUR, Zone
from tests.core.pricing.documents import faults, line, series, tariff

CHICAGO = "America/Chicago"
SUMMER = {"from": "06-01", "to": "09-30"}
SEASONS = {"default": "winter", "rules": [{"period": "summer", "season": SUMMER}]}
MARCH = {
    "default": "cold",
    "rules": [{"period": "mild", "season": {"from": "03-01", "to": "04-15"}}],
}
NIGHTS = {
    "default": "day",
    "rules": [
        {"period": "summer_night", "season": SUMMER, "from": "22:00", "to": "06:00"},
        {"period": "night", "from": "22:00", "to": "06:00"},
    ],
}


def cost(
    charge: dict[str, Any],
    first: str,
    last: str,
    peaks: dict[str, int] | None = None,
    base: int = 100,
    zone: str = CHICAGO,
    clock: str | None = None,
) -> Cost:
    """Price hours of *base* kW from one date to another, but for *peaks* at local hours.

    Schedules are on the *clock* of the tariff's zone, which is that of the days unless told.
    """
    of = Zone.named(zone)
    start, end = of.midnight(date.fromisoformat(first)), of.midnight(date.fromisoformat(last))
    values = [base * 10**6] * -((start - end) // HOUR)
    for time, kw in (peaks or {}).items():
        day, hour = time.split("T")
        values[(of.midnight(date.fromisoformat(day)) - start) // HOUR + int(hour)] = kw * 10**6
    one = tariff([{"kind": "demand", "interval": "PT1H", **charge}], clock or zone).at(of)
    return price(one, {"import": series(start, HOUR, values)}, start, end)


def exact(found: Cost) -> Fraction:
    """Return what a cost is before amounts are written as decimals."""
    return sum((Fraction(one.exact) for one in found.lines), Fraction(0))


def seasonal(reset: str = "season", **more: Any) -> dict[str, Any]:
    """Return a charge with a price of each season."""
    return {"schedule": MARCH, "rates": {"cold": "1", "mild": "1"}, "reset": reset, **more}


@pytest.mark.parametrize(
    ("first", "last"), [("2026-02-15", "2026-03-15"), ("2026-03-15", "2026-04-15")]
)
def test_a_constant_load_is_billed_its_level(first: str, last: str) -> None:
    """100 kW are 100 kW, wherever the season begins: not 95.16 or 101.5 kW."""
    assert Fraction(cost(seasonal(), first, last).total) == 100


def test_each_season_has_a_maximum_that_counts_by_its_days() -> None:
    """200 kW in 14 days of February at 6.50, 300 kW in 14 of March at 9: of 28 days."""
    charge = seasonal(rates={"cold": "6.5", "mild": "9"})

    found = cost(charge, "2026-02-15", "2026-03-15", {"2026-02-20T5": 200, "2026-03-14T23": 300})

    assert Fraction(line(found, "demand.cold").exact) == 200 * Fraction("6.5") / 2
    assert Fraction(line(found, "demand.mild").exact) == 300 * Fraction(9) / 2
    assert [step.expression for detail in found.details for step in detail.steps] == [
        "(200 at 2026-02-20T05:00:00-06:00) x 14/28 days",
        "(300 at 2026-03-14T23:00:00-05:00) x 14/28 days",
    ]


def test_a_season_is_charged_as_versions_are_that_say_the_same() -> None:
    """A price that changes with the season, or with a version that charges its part: one bill."""
    peaks = {"2026-05-20T5": 200, "2026-06-14T23": 300}
    season = {"schedule": SEASONS, "rates": {"winter": "6.5", "summer": "9"}, "reset": "season"}

    found = cost(season, "2026-05-15", "2026-06-15", peaks)

    assert exact(found) == (200 * 17 * Fraction("6.5") + 300 * 14 * 9) / 31


def test_a_period_of_both_seasons_has_a_maximum_in_each() -> None:
    """The nights of May and June, and the days, of which each season has its own."""
    charge = {
        "schedule": NIGHTS,
        "reset": "season",
        "rates": {"summer_night": "2", "night": "1", "day": "10"},
    }

    found = cost(charge, "2026-05-15", "2026-06-15", {"2026-05-20T12": 200, "2026-05-20T23": 150})

    assert Fraction(line(found, "demand.day").exact) == 10 * (
        200 * Fraction(17, 31) + 100 * Fraction(14, 31)
    )
    assert Fraction(line(found, "demand.night").exact) == 150 * Fraction(17, 31)
    assert Fraction(line(found, "demand.summer_night").exact) == 2 * 100 * Fraction(14, 31)


def test_a_night_is_of_the_season_in_which_it_began() -> None:
    """The first morning of October is of September's last night; without it, of no one."""
    charge = {
        "schedule": NIGHTS,
        "reset": "season",
        "rates": {"summer_night": "2", "night": "1", "day": "0"},
    }
    morning = {"2026-10-01T2": 500}

    across = cost(charge, "2026-09-15", "2026-10-15", morning)
    after = cost(charge, "2026-10-01", "2026-10-31", morning)

    assert Fraction(line(across, "demand.summer_night").exact) == 2 * 500 * Fraction(16, 30)
    assert Fraction(line(across, "demand.night").exact) == 100 * Fraction(14, 30)
    assert [(one.code, one.exact) for one in after.lines if one.exact != "0"] == [
        ("demand.night", "100")
    ]


def test_a_season_begins_by_the_clock_of_its_tariff() -> None:
    """23:00 of the last of May on the Canary Islands is June in Madrid, whose tariff it is."""
    weekends = [{"period": "weekend", "season": SUMMER, "days": ["weekend"]}]
    schedule = {"default": "all", "rules": weekends}
    rates = {"all": "1", "weekend": "0"}
    charge = {"schedule": schedule, "rates": rates, "reset": "season"}

    found = cost(
        charge,
        "2026-05-15",
        "2026-06-15",
        {"2026-05-31T23": 300},
        zone="Atlantic/Canary",
        clock="Europe/Madrid",
    )

    assert exact(found) == 100 * Fraction(17, 31) + 300 * Fraction(14, 31)


@given(
    st.dates(date(2023, 1, 1), date(2026, 12, 1)),
    st.integers(1, 70),
    st.sampled_from([CHICAGO, "Europe/London", "Australia/Lord_Howe", "America/Sao_Paulo", "UTC"]),
)
def test_whatever_the_days_a_constant_load_is_billed_its_level(
    first: date, days: int, zone: str
) -> None:
    """Seasons on the local clock or on another: the weights add up to 1."""
    for clock in ("local", "+00:00"):
        charge = {
            "schedule": {**SEASONS, "clock": clock},
            "rates": {"winter": "1", "summer": "1"},
            "reset": "season",
        }

        found = cost(charge, f"{first}", f"{first + timedelta(days)}", zone=zone)

        assert Fraction(found.total) == 100


def test_each_day_may_have_its_maximum() -> None:
    """As-used demand: 28 days of 100 kW, but one of 250 kW, at 0.5 each."""
    found = cost({"rate": "0.5", "reset": "day"}, "2026-02-01", "2026-03-01", {"2026-02-14T9": 250})

    assert (found.lines[0].quantity, found.lines[0].unit) == ("2950", "kW.day")
    assert Fraction(found.total) == (27 * 100 + 250) / Fraction(2)
    assert found.details[0].steps[13].description == "2026-02-14"


def test_days_of_maxima_add_up() -> None:
    """Two halves of a bill are the whole of it."""
    charge = {"rate": "0.5", "reset": "day"}
    peaks = {"2026-03-10T9": 250}
    whole = cost(charge, "2026-02-20", "2026-03-20", peaks)
    halves = [
        cost(charge, "2026-02-20", "2026-03-01"),
        cost(charge, "2026-03-01", "2026-03-20", peaks),
    ]

    assert Fraction(whole.total) == sum(Fraction(half.total) for half in halves)


@pytest.mark.parametrize(
    "charge", [{"rate": "1"}, {"schedule": {"default": "all"}, "rates": {"all": "1"}}]
)
def test_a_maximum_of_seasons_needs_a_season(charge: dict[str, Any]) -> None:
    """A slip would be passed over."""
    found = faults(lambda: tariff([{"kind": "demand", "reset": "season", **charge}]))

    assert found == {"/versions/0/charges/0/reset": "no_season"}


def test_nights_may_count_half() -> None:
    """The mean of the three highest days, hours from 22 to 6 at half: 6, 5 and 12/2 (c10)."""
    nights = {"default": "day", "rules": [{"period": "night", "from": "22:00", "to": "06:00"}]}
    charge = {
        "schedule": nights,
        "weights": {"night": "0.5"},
        "rate": "81.25",
        "statistic": {"top": 3, "distinct_days": True},
    }
    peaks = {"2025-11-03T18": 6, "2025-11-05T8": 5, "2025-11-09T23": 12, "2025-11-20T3": 9}

    found = cost(charge, "2025-11-01", "2025-12-01", peaks, base=1, zone="Europe/Stockholm")

    assert exact(found) == Fraction(17, 3) * Fraction("81.25")
    assert "12 x 0.5 at 2025-11-09T23:00:00+01:00" in found.details[0].steps[0].expression


@pytest.mark.parametrize(
    ("charge", "pointer", "code"),
    [
        ({"rate": "1", "schedule": MARCH, "weights": {"x": "1"}}, "/weights/x", "unknown_period"),
        (seasonal("bill", weights={"mild": "2"}), "/weights", "weights_and_rates"),
        (
            {"rate": "1", "schedule": MARCH, "weights": {"mild": "2"}, "reset": "season"},
            "/reset",
            "weights_of_seasons",
        ),
        ({"tiers": [{"rate": "1"}], "at_bound": "upper"}, "/at_bound", "unused_bound"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(
    charge: dict[str, Any], pointer: str, code: str
) -> None:
    """Each at its place."""
    assert faults(lambda: tariff([{"kind": "demand", **charge}])) == {
        f"/versions/0/charges/0{pointer}": code
    }


@pytest.mark.parametrize(("at_bound", "amount"), [("lower", 317), ("upper", 439)])
def test_a_band_may_begin_at_its_bound(at_bound: str, amount: int) -> None:
    """Norway's step from 5 kW begins at 5: a demand of exactly 5 kW (c11c)."""
    tiers = [{"up_to": "2", "amount": "244"}, {"up_to": "5", "amount": "317"}, {"amount": "439"}]
    charge = {"tiers": tiers, "scope": "whole_band", "at_bound": at_bound}

    assert Fraction(cost(charge, "2026-08-01", "2026-09-01", base=5).total) == amount


@pytest.mark.parametrize(("kva", "billed"), [(120, 108), (110, 100)])
def test_the_greater_of_kw_and_of_a_part_of_kva_is_billed(kva: int, billed: int) -> None:
    """100 kW and 120 kVA are 108 kW, of 110 kVA 99 are less (n04: Ontario, BC, Quebec)."""
    charge = {
        "kind": "demand",
        "rate": "10",
        "at_least": {"channel": "apparent_energy.import", "percent": "90"},
    }
    start = 1_767_225_600
    usage = {
        "import": series(start, 900, [25_000_000] * 4),
        "apparent_energy.import": series(start, 900, [kva * 250_000] * 4),
    }

    found = price(tariff([charge]), usage, start, start + HOUR)

    assert Fraction(found.total) == 10 * billed


def test_every_mean_month_may_have_a_floor() -> None:
    """Belgium: each of 12 months counts as 2.5 kW at least, so 1, 1 and 4 kW are 9/3."""
    charge = {
        "kind": "demand",
        "interval": "PT1H",
        "rate": "4",
        "statistic": {"months": 12, "of_months": "mean", "minimum": "2.5"},
    }
    start = 1_772_323_200  # 2026-03-01T00:00Z
    usage = {"import": series(start, HOUR, [4_000_000] * 24)}
    terms = Terms(state={"demand": {"peaks": {"2026-01": "1", "2026-02": "1"}}})
    found = price(tariff([charge]), usage, start, start + DAY, terms)

    assert Fraction(found.total) == 4 * 3
    assert found.state["demand"]["peaks"]["2026-01"] == "1"
