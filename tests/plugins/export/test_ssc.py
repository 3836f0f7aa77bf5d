"""Exports as the System Advisor Model bills them: a year in twelve bills, credit carried over.

The expected bills come from PySAM and from NREL's own tests; data and licence in
tests/data/ssc_export.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from energia.metering.series import Series
from energia.plugins import Plugins
from energia.pricing.engine import Cost, price
from energia.pricing.tariffs import Tariff, tariff_converter
from energia.pricing.usage import Terms
from energia_plugins import (
    tariff_demand,
    tariff_export,
    tariff_fixed,
    tariff_minimum,
    tariff_tiered,
    tariff_time_of_use,
)
from tests.core.pricing.documents import document, instant, series

DATA = Path(__file__).parents[2] / "data" / "ssc_export"
CASES = {case["id"]: case for case in json.loads((DATA / "cases.json").read_text())}
CONVERTER = tariff_converter(
    Plugins.of(
        tariff_demand=tariff_demand,
        tariff_export=tariff_export,
        tariff_fixed=tariff_fixed,
        tariff_minimum=tariff_minimum,
        tariff_tiered=tariff_tiered,
        tariff_time_of_use=tariff_time_of_use,
    ).charges()
)
MONTHS = [instant(f"2018-{month:02}-01T00:00:00Z") for month in range(1, 13)]
MONTHS.append(instant("2019-01-01T00:00:00Z"))
LAST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
#: Energy of April's second period was exported when May's first is: SSC matches times of day.
SEASONS = {"2": "1", "3": "4", "4": "3"}


def schedule(case: dict[str, Any]) -> dict[str, Any]:
    """Return the schedule of two tables of 12 months x 24 hours."""
    return {"rules": [*_rules(case["weekend"], "weekend"), *_rules(case["weekday"], "all")]}


def _rules(table: list[str], days: str) -> Iterator[dict[str, Any]]:
    for month, row in enumerate(table, 1):
        hour = 0
        for period, run in groupby(row):
            end = hour + len(list(run))
            season = {"from": f"{month:02}-01", "to": f"{month:02}-{LAST[month - 1]:02}"}
            yield {"period": period, "days": [days], "from": f"{hour:02}:00", "to": f"{end:02}:00",
                   "season": season}  # fmt: skip
            hour = end


def scale(case: dict[str, Any]) -> int:
    """Return by how much usage is multiplied, and prices are divided.

    SSC's own loads have more digits than a micro-kWh.
    """
    return 1 if case["source"] == "pysam" else 1000


def scaled(case: dict[str, Any], rates: dict[str, str]) -> dict[str, str]:
    """Return prices that fit the scaled usage."""
    return {name: f"{Decimal(rate) / scale(case):f}" for name, rate in rates.items()}


def export(case: dict[str, Any]) -> dict[str, Any]:
    """Return the charge for one of the five metering options of SSC."""
    month = case["credit_month"]
    price: dict[str, Any] = {"like_import": True}
    if "tiers" in case:
        price = {"tiers": tiers(case, 2)}
    elif not case["sell_is_buy"]:
        price = {"rates": scaled(case, case["sell"])}
    charges: tuple[dict[str, Any], ...] = (
        {
            "scheme": "net_metering",
            "true_up": {
                "month": month,
                **scaled(case, {"rate": case["year_end_rate"]}),
                "basis": "net",
                "pay": "credit" if case["credit_rollover"] else "cash",
            },
            **({"becomes": SEASONS} if len(case.get("buy", ())) == 4 else {}),
        },
        {
            "scheme": "net_metering",
            "rollover": "money",
            "true_up": {"month": month},
            **price,
        },
        {"scheme": "net_billing", **price},
        {
            "scheme": "net_billing",
            "rollover": "money",
            "apply": "this_bill" if case["apply_now"] else "next_bill",
            "true_up": {"month": month, "pay": "lost" if case["expire"] else "cash"},
            **price,
        },
        {"scheme": "buy_all_sell_all", "schedule": schedule(case), **price},
    )
    return {"kind": "export", **charges[case["metering"]]}


def tariff(case: dict[str, Any]) -> Tariff:
    """Return the tariff of a case."""
    fixed = {"kind": "fixed", "amount": case["fixed"], "per": "month", "proration": "none"}
    charges = [energy(case), export(case), *demand(case), fixed, *minimums(case)]
    return CONVERTER.structure(document(charges, rounding={"amount_decimals": None}), Tariff)


def energy(case: dict[str, Any]) -> dict[str, Any]:
    """Return the energy charge: by period, or by tiers of all energy."""
    if "tiers" not in case:
        rates = scaled(case, case["buy"])
        return {"kind": "energy.time_of_use", "schedule": schedule(case), "rates": rates}
    return {"kind": "energy.tiered", "tiers": tiers(case, 1)}


def tiers(case: dict[str, Any], column: int) -> list[dict[str, Any]]:
    """Return the tiers with what is bought (1) or sold (2)."""
    return [
        {
            **({"up_to": f"{Decimal(tier[0]) * scale(case):f}"} if tier[0] else {}),
            **scaled(case, {"rate": tier[column]}),
        }
        for tier in case["tiers"]
    ]


def demand(case: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield tiers of the highest net import of an hour in each period, if they are charged."""
    if "demand" in case:
        rates: dict[str, list[dict[str, str]]] = {}
        for period, up_to, rate in case["demand"]["tiers"]:
            bound = {"up_to": f"{Decimal(up_to) * scale(case):f}"} if up_to else {}
            rates.setdefault(period, []).append({**bound, **scaled(case, {"rate": rate})})
        periods = schedule(case["demand"])
        yield {"kind": "demand", "schedule": periods, "interval": "PT1H", "rates": rates}


def minimums(case: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the minimums of a month and of a year; what is paid for the bank comes after them."""
    for per in ("month", "year"):
        amount = case["minimum" if per == "month" else "annual_minimum"]
        if amount != "0":
            yield {"kind": "minimum", "code": f"minimum-{per}", "amount": amount, "per": per,
                   "of": {"without_tags": ["true_up"]}}  # fmt: skip


def usage(case: dict[str, Any]) -> dict[str, Series]:
    """Return import and export of each slot: what crosses the meter, or load and generation."""
    load, generation = _read(case["load"]), _read(case["generation"])
    if len(load) < len(generation):
        load = np.repeat(load // 4, 4)
    if case["metering"] == 4:
        flows = {"import": load - np.minimum(generation, 0), "export": np.maximum(generation, 0)}
    else:
        net = load - generation
        flows = {"import": np.maximum(net, 0), "export": np.maximum(-net, 0)}
    step = case["interval"] * 60
    return {role: series(MONTHS[0], step, values.tolist()) for role, values in flows.items()}


def _read(name: str) -> "np.typing.NDArray[np.int64]":
    unit, *values = (DATA / f"{name}.csv").read_text().split()
    return np.array(values, np.int64) * (1000 if unit == "wh" else 1)


def year(case: dict[str, Any]) -> list[Cost]:
    """Return the bills of a year, each with the state that the one before gave."""
    found, of, flows = list[Cost](), tariff(case), usage(case)
    state: dict[str, Any] = {}
    for start, end in pairwise(MONTHS):
        found.append(price(of, flows, start, end, Terms(state=state)))
        state = {**found[-1].state}
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_year_is_billed_as_ssc_bills_it(name: str) -> None:
    """Twelve bills, each within a millionth."""
    case = CASES[name]

    totals = [float(Fraction(cost.total)) for cost in year(case)]

    expected = [float(one) for one in case["monthly_bill"]]
    assert totals == pytest.approx(expected, rel=1e-6, abs=1e-6)
