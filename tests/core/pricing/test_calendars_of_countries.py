"""Calendars of real tariffs, hour by hour, beside those that others have worked out."""

import csv
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from energia.pricing.calendar import Grid, compiled
from energia.pricing.engine import price
from energia.pricing.holidays.lists import easter, expanded
from energia.pricing.prices import prices
from energia.pricing.schedule import DayTypes, Schedule
from energia.time import Zone
from tests.core.pricing.documents import CONVERTER, instant, series, tariff

DATA = Path(__file__).parents[2] / "data"
#: Periods of the tariff 2.0TD on working days; all else is P3.
SPAIN = [
    ("1", "10:00", "14:00"),
    ("1", "18:00", "22:00"),
    ("2", "08:00", "10:00"),
    ("2", "14:00", "18:00"),
    ("2", "22:00", "24:00"),
]
BRAZIL = json.loads((DATA / "brazil-aneel/tarifa_branca_postos.json").read_text())
CPFL = json.loads((DATA / "brazil-aneel/tarifa_branca_cases.json").read_text())
BRANCA: Mapping[str, Mapping[str, str]] = CPFL["cpfl_piratininga_b1"]["branca"]
RATEBOOK = json.loads((DATA / "ratebook-holidays/holidays.json").read_text())


def rule(period: str, begin: str, end: str) -> dict[str, Any]:
    """Return a rule of working days."""
    return {"period": period, "days": ["weekday"], "from": begin, "to": end}


def at_hours(
    schedule: object, holidays: list[date], zone: str, first: int, hours: int
) -> list[str]:
    """Return the period of each of consecutive hours."""
    types = DayTypes(frozenset(holidays))
    read = CONVERTER.structure(schedule, Schedule)
    found = compiled(read, types, Zone.named(zone), Grid(first, 3600, hours))
    assert not found.unlisted
    lengths = np.diff([*found.bounds.tolist(), hours])
    names = [found.periods[key] for key in found.keys.tolist()]
    return [name for name, count in zip(names, lengths, strict=True) for _ in range(count)]


def test_spain_hour_by_hour() -> None:
    """Every hour of four and a half years, days of 23 and 25 hours and holidays included.

    But for Good Fridays: they have no fixed date, so they are working days (the README tells).
    """
    text = (DATA / "spain-2.0td/periods_peninsula_2021-06_2025-12.csv").read_text()
    rows = dict(csv.reader(text.splitlines()[1:]))
    good_fridays = [f"{easter(year) - timedelta(days=2)}" for year in range(2022, 2026)]
    assert [rows[day] for day in good_fridays] == ["3" * 24] * 4
    rows |= dict.fromkeys(good_fridays, rows["2021-06-01"])
    zone = ZoneInfo("Europe/Madrid")
    first = int(datetime(2021, 6, 1, tzinfo=zone).timestamp())
    hours = (int(datetime(2026, 1, 1, tzinfo=zone).timestamp()) - first) // 3600
    local = [datetime.fromtimestamp(first + 3600 * hour, zone) for hour in range(hours)]
    schedule = {"default": "3", "rules": [rule(*one) for one in SPAIN]}
    holidays = list(expanded("ES", range(2021, 2026)).dates)

    found = at_hours(schedule, holidays, "Europe/Madrid", first, hours)

    assert (len(rows), hours) == (1675, 1675 * 24 + 1)
    assert found == [rows[f"{at:%Y-%m-%d}"][at.hour] for at in local]


def test_the_national_holidays_of_brazil() -> None:
    """The rule gives just the dates of ANEEL's list: Carnival, Corpus Christi, 20 November."""
    years = BRAZIL["holidays"]

    found = expanded("BR", [int(year) for year in years])

    assert len(years) == 16
    assert [day.isoformat() for day in found.dates] == [
        day for year in years.values() for day in year
    ]


@pytest.mark.parametrize("distributor", BRAZIL["distributors"], ids=lambda one: one["id"])
def test_brazil_hour_by_hour(distributor: dict[str, Any]) -> None:
    """Each half hour of 2026 in the period of the distributor's windows; no peak on holidays."""
    windows = {name: distributor[name] or [] for name in ("ponta", "intermediario")}
    rules = [rule(name, *one) for name, some in windows.items() for one in some]
    holidays = BRAZIL["holidays"]["2026"]
    zone = ZoneInfo("America/Sao_Paulo")
    first = int(datetime(2026, 1, 1, tzinfo=zone).timestamp())
    rates = {name: "1" for name, some in windows.items() if some} | {"fora_ponta": "0"}
    charge = {
        "kind": "energy.time_of_use",
        "schedule": {"default": "fora_ponta", "rules": rules},
        "rates": rates,
    }
    one = tariff([charge], "America/Sao_Paulo", holidays=holidays)

    runs = prices(one, "import", Grid(first, 1800, 365 * 48), {}).runs

    found = [run.period for run in runs for _ in range(run.first, run.past)]
    starts = [datetime.fromtimestamp(first + 1800 * slot, zone) for slot in range(365 * 48)]
    assert found == [_posto(at, windows, holidays) for at in starts]


def _posto(at: datetime, windows: Mapping[str, Any], holidays: list[str]) -> str:
    if at.weekday() >= 5 or f"{at:%Y-%m-%d}" in holidays:
        return "fora_ponta"
    clock = f"{at:%H:%M}"
    inside = (name for name, some in windows.items() if any(a <= clock < b for a, b in some))
    return next(inside, "fora_ponta")


def test_tarifa_branca_by_period() -> None:
    """TE and TUSD of CPFL Piratininga add up to the published sums, on a working day."""
    (windows,) = (one for one in BRAZIL["distributors"] if one["id"] == "CPFL-PIRATINING")
    rules = [rule(name, *one) for name in ("ponta", "intermediario") for one in windows[name]]
    rates = {
        name: {"components": {"te": one["TE"], "tusd": one["TUSD"]}} for name, one in BRANCA.items()
    }
    charge = {
        "kind": "energy.time_of_use",
        "schedule": {"default": "fora_ponta", "rules": rules},
        "rates": rates,
    }
    first = instant("2026-11-19T00:00:00-03:00")

    found = prices(
        tariff([charge], "America/Sao_Paulo", holidays=BRAZIL["holidays"]["2026"]),
        "import",
        Grid(first, 3600, 48),
        {},
    )

    each = [(run.past - run.first, run.period, run.price) for run in found.runs]
    expected = {name: one["expected"] for name, one in BRANCA.items()}
    # The 20th is a holiday: from 22:00 on there is no other period.
    assert each == [
        (17, "fora_ponta", expected["fora_ponta"]),
        (1, "intermediario", expected["intermediario"]),
        (3, "ponta", expected["ponta"]),
        (1, "intermediario", expected["intermediario"]),
        (26, "fora_ponta", expected["fora_ponta"]),
    ]


#: What a utility of these vectors calls the holidays, in 2026 and 2027.
NAMED = {
    "labor_day": ["2026-09-07", "2027-09-06"],
    "thanksgiving": ["2026-11-26", "2027-11-25"],
    "day_after_thanksgiving": ["2026-11-27", "2027-11-26"],
    "independence_day": ["2026-07-04", "2027-07-04"],
}


def of_ratebook(case: dict[str, Any]) -> dict[str, Any]:
    """Return a case as the charge and the holidays of a version."""
    days = [NAMED[name] for name in case["holidays"] if name in NAMED]
    dates = {day for some in days for day in some}
    if case["holiday_observance"] != "actual_day":
        sundays = [day for day in dates if date.fromisoformat(day).weekday() == 6]
        dates |= {(date.fromisoformat(day) + timedelta(days=1)).isoformat() for day in sundays}
    if case["holiday_policy"] != "as_weekend":
        dates = set()
    rules = [
        {"period": str(period), "days": kinds, "from": f"{hour:02}:00", "to": f"{hour + 1:02}:00"}
        for kinds, hours in (
            (["weekday"], case["weekday"]),
            (["weekend", "holiday"], case["weekend"]),
        )
        for hour, period in enumerate(hours)
    ]
    charge = {
        "kind": "energy.time_of_use",
        "schedule": {"rules": rules},
        "rates": {str(index): rate for index, rate in enumerate(case["rates"])},
    }
    return {"charges": [charge], "holidays": sorted(dates)}


@pytest.mark.parametrize(
    "case", RATEBOOK["price_cases"] + RATEBOOK["bill_cases"], ids=lambda case: case["name"]
)
def test_holidays_are_as_weekends_where_a_utility_says_so(case: dict[str, Any]) -> None:
    """Each hour has the price that the vectors have, and a day of 24 kWh costs their total."""
    one = tariff(**of_ratebook(case))
    first = int(datetime.fromisoformat(case["window"]["start"]).replace(tzinfo=UTC).timestamp())
    usage = {"import": series(first, 3600, [1_000_000] * 24)}

    cost = price(one, usage, first, first + 86400)

    expected = case["expected"]
    if isinstance(expected, list):
        runs = prices(one, "import", Grid(first, 3600, 24), {}).runs
        assert [run.price for run in runs for _ in range(run.first, run.past)] == expected
    else:
        assert cost.total == expected["total"]
        told = "holidays_unknown" in [found.code for found in cost.assumptions]
        assert told == ("holidays_not_enumerated" in expected["warnings"])
