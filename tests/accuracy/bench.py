"""The benchmark: three tariffs, exact to the last digit in each month."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from tests.accuracy import pricing
from tests.accuracy.outcomes import Outcome, Source, compared


def source(folder: Path) -> Source:
    """Price the three tariffs over hours and quarters of hours."""
    expected = pricing.read(folder / "expected_exact.json")
    rates = pricing.read(folder / "tariffs_urdb.json")
    outcomes = [
        _case(folder, f"{name}_{minutes}min", rates[name], minutes, expected)
        for minutes in (60, 15)
        for name in rates
    ]
    about = "energy and demand of 12 months, and the year, to the last digit"
    return Source("bench (fractions in Python)", about, outcomes)


def _case(
    folder: Path, name: str, rate: object, minutes: int, expected: Mapping[str, Any]
) -> Outcome:
    load = pricing.watt_hours(folder / f"load_{minutes}min_wh.csv")
    usage = {"import": pricing.series(pricing.instant(pricing.YEAR), minutes * 60, load)}
    costs = pricing.monthly(pricing.document(rate, demand_interval=minutes), usage)
    found = {
        "energy": pricing.parts(costs, "energy"),
        "flat_demand": pricing.parts(costs, "demand_flat"),
        "tou_demand": pricing.parts(costs, "demand_tou"),
        "fixed_annual": [sum(pricing.parts(costs, "fixed"), Fraction(0))],
        "annual": [sum(pricing.totals(costs), Fraction(0))],
    }
    values = expected[name]
    wanted = {what: values[what] for what in ("energy", "flat_demand", "tou_demand")}
    wanted |= {what: [values[what]] for what in ("fixed_annual", "annual")}
    return compared(name, found, wanted, exact=True)
