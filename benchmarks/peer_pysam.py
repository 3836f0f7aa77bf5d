"""Times PySAM's Utilityrate5; run by its own interpreter, it prints JSON.

`prepared` is one execution of an object that has everything; `new load` sets another load first,
as for another meter. Both are in ms for a year.
"""

import csv
import importlib
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "tests/data/bench"
OPEN = 1e38
UNITS = {"kWh": 0, "kWh/kW": 1, "kWh daily": 2, "kWh/kW daily": 3}


def model(rates: dict[str, Any], values: Sequence[float]) -> Any:
    """Return the module with a tariff and a load."""
    one = importlib.import_module("PySAM.Utilityrate5").new()
    flat = [[0] * 24] * 12
    inputs = {
        "en_electricity_rates": 1,
        "analysis_period": 1,
        "inflation_rate": 0,
        "degradation": [0],
        "rate_escalation": [0],
        "system_use_lifetime_output": 0,
        "load": values,
        "gen": [0] * len(values),
        "ur_metering_option": 0,
        "ur_en_ts_buy_rate": 0,
        "ur_en_ts_sell_rate": 0,
        "ur_sell_eq_buy": 0,
        "ur_nm_yearend_sell_rate": 0,
        "ur_nm_credit_month": 11,
        "ur_nm_credit_rollover": 0,
        "ur_monthly_fixed_charge": rates["fixedchargefirstmeter"],
        "ur_monthly_min_charge": 0,
        "ur_annual_min_charge": 0,
        "ur_ec_sched_weekday": numbered(rates.get("energyweekdayschedule", flat)),
        "ur_ec_sched_weekend": numbered(rates.get("energyweekendschedule", flat)),
        "ur_ec_tou_mat": [
            [
                period,
                tier,
                of.get("max", OPEN),
                UNITS[of.get("unit", "kWh")],
                of["rate"] + of.get("adj", 0),
                0,
            ]
            for period, tiers in enumerate(rates["energyratestructure"], 1)
            for tier, of in enumerate(tiers, 1)
        ],
        "ur_dc_enable": int("demandratestructure" in rates),
        "TOU_demand_single_peak": 0,
        "ur_enable_billing_demand": 0,
        **demand(rates),
    }
    for name, value in inputs.items():
        one.value(name, value)
    return one


def demand(rates: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs of demand."""
    if "demandratestructure" not in rates:
        return {}
    return {
        "ur_dc_sched_weekday": numbered(rates["demandweekdayschedule"]),
        "ur_dc_sched_weekend": numbered(rates["demandweekendschedule"]),
        "ur_dc_tou_mat": [
            [period, tier, of.get("max", OPEN), of["rate"]]
            for period, tiers in enumerate(rates["demandratestructure"], 1)
            for tier, of in enumerate(tiers, 1)
        ],
        "ur_dc_flat_mat": [
            [month, tier, of.get("max", OPEN), of["rate"]]
            for month, period in enumerate(rates["flatdemandmonths"])
            for tier, of in enumerate(rates["flatdemandstructure"][period], 1)
        ],
    }


def numbered(hours: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return a schedule whose periods count from 1."""
    return [[period + 1 for period in month] for month in hours]


def load(minutes: int) -> list[float]:
    """Return the load in kW."""
    with (DATA / f"load_{minutes}min_wh.csv").open(encoding="utf-8") as file:
        return [int(row["wh"]) / 1000 * 60 / minutes for row in csv.DictReader(file)]


def median(run: Callable[[], object], times: int) -> float:
    """Return the median of *times* runs, in milliseconds."""
    taken = []
    for _ in range(times):
        started = time.process_time()
        run()
        taken.append((time.process_time() - started) * 1000)
    return statistics.median(taken)


def main() -> None:
    """Measure all tariffs on both loads."""
    tariffs = json.loads((DATA / "tariffs_urdb.json").read_text(encoding="utf-8"))
    found = {}
    for name, rates in tariffs.items():
        for minutes in (60, 15):
            values = load(minutes)
            one = model(rates, values)
            one.execute()

            def another(one: Any = one, values: Sequence[float] = values) -> None:
                one.value("load", values)
                one.execute()

            found[f"{name} {minutes}"] = {
                "annual": one.Outputs.utility_bill_wo_sys_year1,
                "prepared": median(one.execute, 200),
                "new load": median(another, 200),
            }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
