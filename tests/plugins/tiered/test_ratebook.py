"""Tiers by period against ratebook, whose arithmetic is decimal: every line of every bill."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from energia.pricing.engine import price
from tests.core.pricing.documents import instant, series, tariff
from tests.imports import ROOT
from tests.plugins.tiered import urdb
from tests.shared import SHARED

KEPT = ROOT / "tests/data"


def bills(path: Path) -> list[Any]:
    """Return the bills of a file."""
    if not path.exists():
        return []
    return [
        pytest.param(bill, id=f"{bill['tariff'].removesuffix('.json')}-{bill['start']}")
        for bill in json.loads(path.read_text())["bills"]
    ]


def charge(path: Path) -> dict[str, Any]:
    """Return the energy charge of one of ratebook's tariffs."""
    found = json.loads(path.read_text(), parse_float=Decimal)
    structure = [
        [{**tier, "unit": tier.get("max_unit")} for tier in period["tiers"]]
        for period in found["energy"]["periods"]
    ]
    hours = found["schedule"]
    return urdb.energy(structure, hours["weekday"], hours["weekend"], scope="per_period")


def lines(bill: dict[str, Any], path: Path, loads: Path) -> list[tuple[str, Decimal, Decimal]]:
    """Price the energy of a bill: the period, the kWh and the amount of each line."""
    values = [int(row) * 1000 for row in (loads / "res_h.csv").read_text().split()[1:]]
    start = instant(f"{bill['start']}T00:00:00Z")
    usage = {"import": series("2018-01-01T00:00:00Z", 3600, values)}
    cost = price(tariff([charge(path)]), usage, start, start + bill["days"] * 86_400)
    found = sorted(cost.lines, key=lambda line: int(str(line.period)[1:]))
    return [
        (str(line.period), Decimal(str(line.quantity)), Decimal(line.exact))
        for line in found
        if line.quantity != "0"
    ]


def expected(bill: dict[str, Any]) -> list[tuple[str, Decimal, Decimal]]:
    """Return what ratebook says."""
    return [
        (f"p{period}", Decimal(kwh), Decimal(amount))
        for period, _, kwh, _, amount in bill["lines"]
        if period >= 0 and Decimal(kwh)
    ]


def offset(bill: dict[str, Any]) -> int:
    """Return how many hours of the year are before a bill."""
    return (date.fromisoformat(bill["start"]) - date(2018, 1, 1)).days * 24


@pytest.mark.parametrize("bill", bills(KEPT / "ratebook/expected_bills.json"))
def test_every_line_is_what_ratebook_says(bill: dict[str, Any]) -> None:
    """Bills that cross from a season to another, with bounds by the bill and by the day."""
    path = KEPT / "ratebook/tariffs" / bill["tariff"]

    assert offset(bill) == bill["load_offset_hours"]
    assert lines(bill, path, KEPT / "pysam/loads") == expected(bill)


@pytest.mark.shared_data
@pytest.mark.parametrize("bill", bills(SHARED / "ratebook/expected_bills_nonaligned_windows.json"))
def test_every_line_of_all_bills_is_what_ratebook_says(bill: dict[str, Any]) -> None:
    """45 tariffs over four windows each, where the shared data are at hand."""
    path = SHARED / "ratebook/ratebook-data/dataset/tariffs" / bill["tariff"]

    assert lines(bill, path, SHARED / "pysam/loads") == expected(bill)
