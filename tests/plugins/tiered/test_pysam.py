"""Tiers against PySAM 8: the energy of every month of every case that has tiers."""

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from energia.metering.series import Series
from energia.pricing.engine import Cost, price
from tests.core.pricing.documents import instant, series, tariff
from tests.imports import ROOT
from tests.plugins.tiered import urdb
from tests.shared import SHARED

PYSAM = SHARED / "pysam"
KEPT = ROOT / "tests/data/pysam"
BOUNDS = [
    *(instant(f"2018-{month:02}-01T00:00:00Z") for month in range(1, 13)),
    instant("2019-01-01T00:00:00Z"),
]
#: The engine charges nothing above a finite last tier; its README says so.
QUIRKS = {"c022"}


def has_tiers(case: dict[str, Any]) -> bool:
    """Tell whether some period of a case has tiers."""
    structure = case["urdb"].get("energyratestructure") or []
    return any(len(tiers) > 1 or "max" in tiers[0] for tiers in structure)


def found(folder: Path) -> list[Any]:
    """Return the paths of the cases with tiers in a folder."""
    paths = sorted((folder / "cases").glob("*.json"))
    return [
        pytest.param(path, id=path.stem)
        for path in paths
        if path.stem not in QUIRKS and has_tiers(json.loads(path.read_text()))
    ]


def load(path: Path, minutes: int) -> Series:
    """Return a load of whole Wh."""
    values = [int(row) * 1000 for row in path.read_text().split()[1:]]
    return series("2018-01-01T00:00:00Z", minutes * 60, values)


def months(case: dict[str, Any], usage: Series) -> list[Cost]:
    """Price the energy of each month of a case."""
    rates, demand = case["urdb"], {"interval": f"PT{case['interval_minutes']}M"}
    of_demand = "kW" in json.dumps(rates["energyratestructure"]).replace("kWh", "")
    charge = urdb.energy(
        rates["energyratestructure"],
        rates["energyweekdayschedule"],
        rates["energyweekendschedule"],
        **({"demand": demand} if of_demand else {}),
    )
    energy = tariff([charge])
    return [price(energy, {"import": usage}, start, end) for start, end in pairwise(BOUNDS)]


def agrees(path: Path, folder: Path) -> None:
    """Hold a case to what PySAM says, to a millionth."""
    case = json.loads(path.read_text())
    costs = months(case, load(folder / case["load"], case["interval_minutes"]))

    for cost, expected in zip(costs, case["expected"]["monthly_energy_charge_gross"], strict=True):
        assert abs(Fraction(cost.total) - Fraction(expected)) <= abs(Fraction(expected)) / 10**6


@pytest.mark.parametrize("path", found(KEPT))
def test_each_month_costs_what_pysam_says(path: Path) -> None:
    """Seasons, pooled periods, kWh a day, and kWh nested in hours of use."""
    agrees(path, KEPT)


@pytest.mark.shared_data
@pytest.mark.parametrize("path", found(PYSAM))
def test_each_month_of_all_cases_costs_what_pysam_says(path: Path) -> None:
    """All 27 cases with tiers, where the shared data are at hand."""
    agrees(path, PYSAM)
