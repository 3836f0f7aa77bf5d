"""The benchmark load: totals that independent engines agree on, digit by digit."""

import csv
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from energia.metering.series import Series
from energia.pricing.engine import price
from tests.core.pricing.documents import instant, series, tariff

DATA = Path(__file__).parents[2] / "data" / "bench"
EXPECTED = json.loads((DATA / "expected_exact.json").read_text())
SUMMER = {"from": "06-01", "to": "09-30"}
CHARGES: dict[str, list[dict[str, Any]]] = {
    "flat": [
        {"kind": "energy.flat", "rate": "0.15"},
        {"kind": "fixed", "amount": "10.00", "per": "month"},
    ],
    "tou": [
        {
            "kind": "energy.time_of_use",
            "schedule": {
                "default": "winter_low",
                "rules": [
                    {
                        "period": "summer_peak",
                        "days": ["weekday"],
                        "from": "16:00",
                        "to": "21:00",
                        "season": SUMMER,
                    },
                    {"period": "summer_middle", "from": "07:00", "to": "23:00", "season": SUMMER},
                    {"period": "summer_low", "season": SUMMER},
                    {"period": "winter_peak", "days": ["weekday"], "from": "16:00", "to": "21:00"},
                    {"period": "winter_middle", "from": "07:00", "to": "23:00"},
                ],
            },
            "rates": {
                "winter_low": "0.11",
                "winter_middle": "0.17",
                "winter_peak": "0.29",
                "summer_low": "0.13",
                "summer_middle": "0.22",
                "summer_peak": "0.41",
            },
        },
        {"kind": "fixed", "amount": "12.00", "per": "month"},
    ],
}
#: The energy of the tariff with demand: each month is a ladder.
TIERED = {
    "kind": "energy.tiered",
    "schedule": {"default": "winter", "rules": [{"period": "summer", "season": SUMMER}]},
    "rates": {
        season: [{"up_to": "400", "rate": low}, {"up_to": "900", "rate": middle}, {"rate": high}]
        for season, low, middle, high in (
            ("winter", "0.1", "0.15", "0.22"),
            ("summer", "0.12", "0.19", "0.28"),
        )
    },
}
YEAR = (instant("2018-01-01T00:00:00Z"), instant("2019-01-01T00:00:00Z"))


def load(minutes: int) -> Series:
    """Return the load of the benchmark."""
    with (DATA / f"load_{minutes}min_wh.csv").open() as file:
        values = [int(row["wh"]) * 1000 for row in csv.DictReader(file)]
    return series("2018-01-01T00:00:00Z", minutes * 60, values)


@pytest.mark.parametrize("minutes", [15, 60])
@pytest.mark.parametrize("name", ["flat", "tou"])
def test_the_year_is_right_digit_by_digit(name: str, minutes: int) -> None:
    """The year costs exactly what fractions and four other engines say."""
    cost = price(tariff(CHARGES[name]), {"import": load(minutes)}, *YEAR)

    assert cost.total == EXPECTED[f"{name}_{minutes}min"]["annual"]


@pytest.mark.parametrize("minutes", [15, 60])
@pytest.mark.parametrize("name", ["flat", "tou"])
def test_every_month_is_right_digit_by_digit(name: str, minutes: int) -> None:
    """Each month's energy costs exactly what it should, priced as a window of its own."""
    energy, usage = tariff(CHARGES[name][:1]), {"import": load(minutes)}
    firsts = [instant(f"2018-{month:02}-01T00:00:00Z") for month in range(1, 13)]

    months = [
        price(energy, usage, start, end).total
        for start, end in zip(firsts, [*firsts[1:], YEAR[1]], strict=True)
    ]

    assert months == EXPECTED[f"{name}_{minutes}min"]["energy"]


@pytest.mark.parametrize("minutes", [15, 60])
def test_every_month_of_tiers_is_right_digit_by_digit(minutes: int) -> None:
    """The energy of each month, one bill a month."""
    energy, usage = tariff([TIERED]), {"import": load(minutes)}
    firsts = [instant(f"2018-{month:02}-01T00:00:00Z") for month in range(1, 13)]

    months = [
        price(energy, usage, start, end).total
        for start, end in zip(firsts, [*firsts[1:], YEAR[1]], strict=True)
    ]

    assert months == EXPECTED[f"tier_demand_{minutes}min"]["energy"]


@pytest.mark.parametrize("minutes", [15, 60])
def test_a_year_of_monthly_tiers_is_the_sum_of_its_months(minutes: int) -> None:
    """Priced at once, with a ladder for each month."""
    monthly = tariff([{**TIERED, "reset": "month"}])

    year = price(monthly, {"import": load(minutes)}, *YEAR).total

    expected = map(Fraction, EXPECTED[f"tier_demand_{minutes}min"]["energy"])
    assert Fraction(year) == sum(expected, Fraction(0))


def test_the_fixed_charge_of_the_year_is_twelve_months() -> None:
    """The fixed part of the year is the expected one, and makes up the difference."""
    cost = price(tariff(CHARGES["flat"]), {"import": load(60)}, *YEAR)

    fixed = next(line for line in cost.lines if line.code == "fixed")
    assert Fraction(fixed.amount) == Fraction(EXPECTED["flat_60min"]["fixed_annual"])
    assert fixed.quantity == "12"
