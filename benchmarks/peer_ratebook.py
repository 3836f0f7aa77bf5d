"""Times ratebook on hourly loads; run by its own interpreter, it prints JSON (ms for a year).

It charges no demand: of the tariff with demand it is the energy and the fixed charge.
"""

import csv
import importlib
import json
import statistics
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "tests/data/bench"
YEAR = 2018


def hourly() -> list[Decimal]:
    """Return the load in kWh."""
    with (DATA / "load_60min_wh.csv").open(encoding="utf-8") as file:
        return [Decimal(int(row["wh"])) / 1000 for row in csv.DictReader(file)]


def main() -> None:
    """Measure all tariffs."""
    engine: Any = importlib.import_module("ratebook")
    read: Any = importlib.import_module("ratebook.urdb").tariff_from_v8
    tariffs = json.loads(
        (DATA / "tariffs_urdb.json").read_text(encoding="utf-8"), parse_float=Decimal
    )
    values, found = hourly(), {}
    for name, rates in tariffs.items():
        energy = {key: value for key, value in rates.items() if "demand" not in key}
        tariff, taken = read(energy), list[float]()
        year = engine.estimate_annual(tariff, values, YEAR)
        for _ in range(25):
            started = time.process_time()
            engine.estimate_annual(tariff, values, YEAR)
            taken.append((time.process_time() - started) * 1000)
        found[f"{name} 60"] = {
            "annual": str(year.total),
            "energy": str(year.energy_charge),
            "prepared": statistics.median(taken),
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
