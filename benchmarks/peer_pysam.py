"""Times PySAM's Utilityrate5; run by its own interpreter, it prints JSON.

`prepared` is one execution of an object that has everything; `new load` sets another load first,
as for another meter. Both are in ms for a year.
"""

import csv
import importlib
import json
import statistics
import sys
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


class Prepared:
    """The tariffs of the benchmark, each with a load; made when it is first asked for."""

    def __init__(self) -> None:
        self.rates = json.loads((DATA / "tariffs_urdb.json").read_text(encoding="utf-8"))
        self.made: dict[str, tuple[Any, list[float]]] = {}

    def of(self, key: str) -> tuple[Any, list[float]]:
        """Return the module and the load of `<tariff> <minutes>`."""
        if key not in self.made:
            name, minutes = key.split()
            values = load(int(minutes))
            one = model(self.rates[name], values)
            one.execute()
            self.made[key] = one, values
        return self.made[key]

    def measured(self, key: str, *, new_load: bool, times: int) -> dict[str, Any]:
        """Return the ms that a bill takes, and what the year costs."""
        one, values = self.of(key)

        def another() -> None:
            one.value("load", values)
            one.execute()

        taken = median(another if new_load else one.execute, times)
        return {"annual": one.Outputs.utility_bill_wo_sys_year1, "ms": taken}


def main() -> None:
    """Measure all tariffs on both loads; with `--answer` what each line of JSON asks for."""
    prepared = Prepared()
    if "--answer" in sys.argv[1:]:
        for line in sys.stdin:
            asked = json.loads(line)
            found = prepared.measured(asked["tariff"], new_load=asked["new_load"], times=5)
            print(json.dumps(found), flush=True)
        return
    found = {}
    for name in prepared.rates:
        for minutes in (60, 15):
            key = f"{name} {minutes}"
            ready = prepared.measured(key, new_load=False, times=200)
            new = prepared.measured(key, new_load=True, times=200)
            found[key] = {
                "annual": ready["annual"],
                "prepared": ready["ms"],
                "new load": new["ms"],
            }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
