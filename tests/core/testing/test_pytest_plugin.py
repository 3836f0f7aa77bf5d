"""The fixtures of `energia.testing`, and what a pytest run pays that uses none."""

import os
import subprocess
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from energia import Charge
from energia.metering.series import Series
from energia.pricing.market.series import Price
from energia.testing import ClockChange, Pricing
from energia.testing.pricing import Usage
from energia.testing.usage import instant
from energia.time import DAY, Zone
from tests.core.testing.broken import Right

SOURCE = """
import sys

def test_nothing_is_loaded():
    heavy = {"numpy", "attrs", "hypothesis", "energia.pricing", "energia.plugins", "psycopg2"}
    assert heavy & set(sys.modules) == set()
    assert "energia.testing.plugin" in sys.modules
"""
WITHOUT = """
import sys
import energia.testing
from energia.testing import Pricing, check_charge, outcomes
assert {"pytest", "hypothesis", "psycopg2", "aiohttp"} & set(sys.modules) == set()
"""


@pytest.fixture(scope="module")
def energia_charges() -> Sequence[type[Charge]]:
    """Name a kind that no plugin offers; the fixture of the same name is overridden."""
    return (Right,)


def test_a_charge_is_priced_over_numbers(energia_price: Pricing) -> None:
    """Hours of a day in 2026, in kWh."""
    cost = energia_price({"kind": "energy.flat", "rate": "0.5"}, [1, "0.5", 2])

    assert [(line.quantity, line.amount) for line in cost.lines] == [("3.5", "1.75")]


def test_a_kind_of_ones_own_is_known(energia_price: Pricing) -> None:
    """Overriding `energia_charges` is enough; no plugin need be installed."""
    assert energia_price({"kind": "test.right", "rate": "2"}, [4]).total == "8.00"


def test_windows_zones_and_roles_may_be_said(energia_price: Pricing) -> None:
    """March of Madrid has 743 hours; what it remembers and how it rounds may be said too."""
    charges = [
        {"kind": "energy.flat", "code": "bought", "rate": "1"},
        {"kind": "energy.flat", "code": "sold", "channel": "export", "rate": "-1"},
    ]
    usage: dict[str, Usage] = {"import": [1] * 743, "export": ["0.1"] * 743}

    cost = energia_price(
        charges,
        usage,
        start="2026-03-01",
        end="2026-04-01",
        zone="Europe/Madrid",
        rounding={"amount_decimals": 1},
    )

    assert [line.amount for line in cost.lines] == ["743.0", "-74.3"]


def test_prices_of_a_series_may_be_said(energia_price: Pricing) -> None:
    """Two hours at prices of their own: 2 kWh at 0.10 and 1 kWh at -0.02."""
    start = instant("2026-03-02")
    spot = [
        Price(start, start + 3600, Decimal("0.10")),
        Price(start + 3600, start + 7200, Decimal("-0.02")),
    ]

    cost = energia_price({"kind": "energy.dynamic", "series": "s"}, [2, 1], prices={"s": spot})

    assert cost.total == "0.18"


def test_bills_follow_each_other(energia_price: Pricing, energia_year: Series) -> None:
    """A year of a household in twelve bills."""
    tariff = energia_price.tariff({"kind": "test.right", "rate": "0.1"})
    dates = [f"2025-{month:02}-01" for month in range(1, 13)] + ["2026-01-01"]

    bills = energia_price.bills(tariff, {"import": energia_year}, dates)

    assert len(bills) == 12
    assert all(float(bill.total) > 0 for bill in bills)


def test_the_household_has_a_day_and_a_year(energia_day: Series, energia_year: Series) -> None:
    """Quarter-hours, which nobody can change."""
    assert (len(energia_day.values), len(energia_year.values)) == (96, 35_040)
    with pytest.raises(ValueError, match="read-only"):
        energia_day.values[0] = 1


def test_every_clock_change_is_a_day_of_other_length(energia_clock_change: ClockChange) -> None:
    """Each has the hours that it says, and the clock is changed on that day or at its end."""
    first, last = energia_clock_change.midnight(0), energia_clock_change.midnight(1)

    assert last - first == energia_clock_change.hours * 3600
    assert first <= energia_clock_change.at <= last
    assert last - first != DAY
    for name, at in zip(energia_clock_change.offsets, (first - 1, last), strict=True):
        zone, fixed = Zone.named(energia_clock_change.zone), Zone.named(name)
        assert zone.datetime(at).utcoffset() == fixed.datetime(at).utcoffset()


def test_other_runs_pay_nothing(tmp_path: Path) -> None:
    """A run of pytest that asks for no fixture imports neither the core nor numpy."""
    (tmp_path / "test_other.py").write_text(SOURCE)

    found = _run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", *_without_others())

    assert "1 passed" in found


def test_the_kit_needs_neither_pytest_nor_hypothesis(tmp_path: Path) -> None:
    """Nor a database, nor a web server: they come with an extra, and for who uses them."""
    assert _run(tmp_path, "-c", WITHOUT) == ""


def _without_others() -> list[str]:
    """Return options that keep other plugins of pytest out: they import what they like."""
    names = ("hypothesispytest", "schemathesis", "asyncio", "aiohttp", "anyio")
    return [option for name in names for option in ("-p", f"no:{name}")]


def _run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
