"""The charge `demand`: what independent engines charge, and its own rules."""

import csv
import gzip
import json
import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from energia.metering.series import Series
from energia.pricing.engine import Cost, price
from energia.pricing.groups import price_groups
from energia.pricing.terms import Terms
from tests.core.pricing.documents import instant, series, tariff
from tests.core.pricing.test_bench import EXPECTED as BENCH
from tests.core.pricing.test_bench import load
from tests.imports import ROOT

DATA = ROOT / "tests/data/demand"
SHARED = Path(os.environ.get("ENERGIA_SHARED", ROOT.parent / "shared")) / "data/tariffs/pysam"
EXPECTED = json.loads((DATA / "expected.json").read_text())
FIRSTS = [instant(f"2018-{month:02}-01T00:00:00Z") for month in range(1, 13)]
BOUNDS = [*FIRSTS, instant("2019-01-01T00:00:00Z")]
SUMMER = {"from": "06-01", "to": "09-30"}
SEASONS = {"default": "winter", "rules": [{"period": "summer", "season": SUMMER}]}
EVENING = {
    "default": "rest",
    "rules": [{"period": "peak", "days": ["weekday"], "from": "16:00", "to": "21:00"}],
}
BEFORE = {f"2017-{month:02}": "150" for month in range(1, 13)}
#: 100 kW in the first 100 kW, and so on: what a plain ladder costs is easy to see.
LADDER = [{"up_to": "100", "rate": "4"}, {"rate": "6.46"}]


def numbers(path: Path, scale: int) -> list[int]:
    """Return the only column of a file, in micro-units."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        return [int(Fraction(row[0]) * scale) for row in list(csv.reader(file))[1:]]


def months(
    usage: Series, charge: dict[str, Any], state: dict[str, Any] | None = None
) -> list[Cost]:
    """Price each month of 2018 under one charge; what it remembers goes on."""
    found = tariff([{"kind": "demand", "interval": "PT1H", **charge}])
    terms = Terms(state={"demand": state or {}})
    return [one.cost for one in price_groups(found, {"import": usage}, BOUNDS, terms)]


def exact(costs: Iterable[Cost]) -> list[Fraction]:
    """Return the totals."""
    return [Fraction(cost.total) for cost in costs]


def agree(found: list[Fraction], expected: list[float]) -> bool:
    """Tell whether all numbers agree to nine digits: the others calculate with doubles."""
    return all(abs(one - two) <= 1e-9 * two for one, two in zip(found, expected, strict=True))


COMMERCIAL = series("2018-01-01T00:00:00Z", 3600, numbers(DATA / "com_h.csv.gz", 1000))


@pytest.mark.parametrize(
    ("case", "charge"),
    [
        ("c026", {"schedule": SEASONS, "rates": {"summer": "9", "winter": "6.5"}}),
        ("c029", {"tiers": LADDER}),
        ("c031", {"tiers": [LADDER[0], {"up_to": "150", "rate": "6.46"}], "last": "closed"}),
        ("c032", {"rate": "10.5", "ratchet": {"percent": "60"}}),
        (
            "c034",
            {
                "rate": "10.5",
                "ratchet": {"percent": "80", "back": 3, "current_in_full": False},
            },
        ),
    ],
)
def test_every_month_is_what_pysam_charges(case: str, charge: dict[str, Any]) -> None:
    """Seasons, tiers (open and closed) and ratchets of a year, after one with 150 kW each month."""
    found = exact(months(COMMERCIAL, charge, {"peaks": BEFORE}))

    assert agree(found, EXPECTED[case])


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data are not here")
def test_flat_and_evening_demand_are_what_pysam_charges() -> None:
    """The case c028: quarters of an hour, a season's rate and an evening's."""
    values = numbers(SHARED / "loads/com_15.csv", 1000)
    usage = series("2018-01-01T00:00:00Z", 900, values)
    expected = json.loads((SHARED / "cases/c028.json").read_text())["expected"]
    quarter = {"interval": "PT15M"}

    flat = months(usage, {"schedule": SEASONS, "rates": {"summer": "9", "winter": "6.5"}} | quarter)
    evening = months(usage, {"schedule": EVENING, "rates": {"peak": "4.25", "rest": "0"}} | quarter)

    assert agree(exact(flat), expected["monthly_demand_flat_charge"])
    assert agree(exact(evening), expected["monthly_demand_tou_charge"])


@pytest.mark.parametrize("minutes", [15, 60])
def test_the_bench_is_right_digit_by_digit(minutes: int) -> None:
    """Each month's demand is the exact fraction, flat by season and in the evening."""
    interval = {"interval": f"PT{minutes}M"}
    rates = {"summer": "9.0", "winter": "6.5"}

    flat = months(load(minutes), {"schedule": SEASONS, "rates": rates} | interval)
    evening = months(
        load(minutes), {"schedule": EVENING, "rates": {"peak": "4.25", "rest": "0"}} | interval
    )

    expected = BENCH[f"tier_demand_{minutes}min"]
    assert exact(flat) == [Fraction(one) for one in expected["flat_demand"]]
    assert exact(evening) == [Fraction(one) for one in expected["tou_demand"]]


def test_the_commercial_bill_of_nrel_is_right() -> None:
    """A whole year's bill: energy by time of use, demand tiers by period, a fixed charge."""
    hours = {"days": ["weekday"], "from": "15:00", "to": "20:00"}
    dry = {"from": "05-01", "to": "10-31"}
    day = {"default": "rest", "rules": [{"period": "peak", **hours}]}
    found = tariff(
        [
            {
                "kind": "energy.time_of_use",
                "schedule": {
                    "default": "low",
                    "rules": [
                        {"period": "summer_peak", "season": dry, **hours},
                        {"period": "summer", "season": dry},
                        {"period": "peak", **hours},
                    ],
                },
                "rates": {"summer_peak": "0.05", "summer": "0.075", "peak": "0.06", "low": "0.05"},
            },
            {
                "kind": "demand",
                "interval": "PT1H",
                "schedule": day,
                "rates": {
                    "peak": [{"up_to": "100", "rate": "20"}, {"rate": "15"}],
                    "rest": [{"up_to": "100", "rate": "10"}, {"rate": "5"}],
                },
            },
            {"kind": "fixed", "amount": "30", "per": "month"},
        ]
    )
    usage = series("2018-01-01T00:00:00Z", 3600, numbers(DATA / "load_commercial.csv.gz", 10**6))

    costs = [one.cost for one in price_groups(found, {"import": usage}, BOUNDS, Terms())]

    demand = [
        sum(
            (Fraction(one.exact) for one in cost.lines if one.code.startswith("demand")),
            Fraction(0),
        )
        for cost in costs
    ]
    assert agree(demand, EXPECTED["commercial"]["monthly_dc_tou_wo_sys"])
    total = sum(exact(costs), Fraction(0))
    assert agree([total], [EXPECTED["commercial"]["utility_bill_wo_sys_year1"]])
    assert round(total, 1) == Fraction("104614.5")


def stepped(base: int, peaks: dict[int, int]) -> Series:
    """Return a year of *base* kW, but for an hour at noon of the fifth day of some months."""
    values = [base * 10**6] * 8760
    for month, peak in peaks.items():
        values[(FIRSTS[month - 1] - FIRSTS[0]) // 3600 + 4 * 24 + 12] = peak * 10**6
    return series("2018-01-01T00:00:00Z", 3600, values)


def test_a_lookback_of_35_percent_is_what_reopt_charges() -> None:
    """100 (10.5 + 0.35 x 10.5 x 5 + 0.35 x 11.5 x 6): a peak in January is billed all year."""
    charge = {
        "schedule": {
            "default": "cold",
            "rules": [{"period": "warm", "season": {"from": "05-01", "to": "10-31"}}],
        },
        "rates": {"cold": "10.5", "warm": "11.5"},
    }
    usage = stepped(1, {1: 100})
    flat = {"rate": "1", "ratchet": {"percent": "35"}}

    billed = exact(months(usage, flat))

    assert billed == [100] + [35] * 11
    rates = [Fraction("11.5" if 5 <= month <= 10 else "10.5") for month in range(1, 13)]
    expected = 100 * (Fraction("10.5") * (1 + Fraction("0.35") * 5) + Fraction("0.35") * 69)
    assert sum(rate * kw for rate, kw in zip(rates, billed, strict=True)) == expected
    assert [line.period for line in months(usage, charge)[5].lines] == ["warm"]


@pytest.mark.parametrize(
    ("ratchet", "billed"),
    [
        (
            {"months": [1, 4, 12]},
            [300, 300, 300, 400, 300, 500, 300, 300, 300, 300, 300, 300],
        ),
        ({"back": 6}, [225, 225, 225, 400, 300, 500, 375, 375, 375, 375, 375, 375]),
    ],
)
def test_lookback_months_and_ranges_are_what_reopt_bills(
    ratchet: dict[str, Any], billed: list[int]
) -> None:
    """75 % of the highest peak of January, April and December, or of six months before.

    The year before had the same peaks.
    """
    peaks = {1: 200, 4: 400, 6: 500, 12: 300}
    before = {f"2017-{month:02}": str(peaks.get(month, 100)) for month in range(1, 13)}
    charge = {"rate": "1", "ratchet": {"percent": "75", **ratchet}}

    assert exact(months(stepped(100, peaks), charge, {"peaks": before})) == billed


@pytest.mark.parametrize(("year", "weekday"), [(2023, False), (2024, True)])
def test_leap_days_move_the_days_of_the_week(year: int, weekday: bool) -> None:
    """The hour 31 x 24 + 29 x 24 + 3 x 24 + 16 is a Sunday in 2023 and a Monday in 2024."""
    values = [0] * (8784 if year == 2024 else 8760)
    values[31 * 24 + 29 * 24 + 3 * 24 + 15] = 100 * 10**6
    hours = {"days": ["weekday"], "from": "14:00", "to": "20:00"}
    charge = {
        "kind": "demand",
        "interval": "PT1H",
        "schedule": {"default": "rest", "rules": [{"period": "peak", **hours}]},
        "rates": {"peak": "10", "rest": "0"},
    }
    usage = series(f"{year}-01-01T00:00:00Z", 3600, values)
    march = instant(f"{year}-03-01T00:00:00Z"), instant(f"{year}-04-01T00:00:00Z")

    found = price(tariff([charge]), {"import": usage}, *march)

    assert Fraction(found.total) == (1000 if weekday else 0)


def test_a_leap_day_is_of_february() -> None:
    """A peak on the 60th day of 2024 is billed in February; in 2023 that day is in March."""
    values = [0] * 8784
    values[59 * 24 + 12] = 50 * 10**6

    for year, february in ((2023, 0), (2024, 50)):
        usage = series(f"{year}-01-01T00:00:00Z", 3600, values)
        found = price(
            tariff([{"kind": "demand", "interval": "PT1H", "rate": "1"}]),
            {"import": usage},
            instant(f"{year}-02-01T00:00:00Z"),
            instant(f"{year}-03-01T00:00:00Z"),
        )
        assert Fraction(found.total) == february


def test_a_tiered_flat_load_is_what_reopt_charges() -> None:
    """1,000,000 kWh a year are 1000000/8760 kW: 100 kW at 10, the rest at 5, each month."""
    micro = 10**12 // 8760
    usage = series("2018-01-01T00:00:00Z", 3600, [micro] * 8760)

    found = sum(exact(months(usage, {"tiers": [{"up_to": "100", "rate": "10"}, {"rate": "5"}]})))

    assert abs(found - 12 * (100 * 10 + (Fraction(10**6, 8760) - 100) * 5)) < Fraction(1, 1000)
