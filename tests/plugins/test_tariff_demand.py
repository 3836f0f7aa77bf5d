"""The charge `demand`: what independent engines charge, and its own rules."""

import csv
import gzip
import json
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from energia.costing.groups import price_groups
from energia.metering.series import Series
from energia.pricing.engine import Cost
from energia.pricing.usage import Terms
from tests.core.pricing.documents import instant, series, tariff
from tests.core.pricing.test_bench import EXPECTED as BENCH
from tests.core.pricing.test_bench import load
from tests.imports import ROOT
from tests.shared import SHARED

DATA = ROOT / "tests/data/demand"
PYSAM = SHARED / "pysam"
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


@pytest.mark.shared_data
def test_flat_and_evening_demand_are_what_pysam_charges() -> None:
    """The case c028: quarters of an hour, a season's rate and an evening's."""
    values = numbers(PYSAM / "loads/com_15.csv", 1000)
    usage = series("2018-01-01T00:00:00Z", 900, values)
    expected = json.loads((PYSAM / "cases/c028.json").read_text())["expected"]
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
