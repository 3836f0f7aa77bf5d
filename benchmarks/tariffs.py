"""The tariffs and loads of the shared benchmark, for Energia."""

import csv
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from energia.plugins import Plugins
from energia.pricing.tariffs import Tariff, tariff_converter

DATA: Final = Path(__file__).parents[1] / "tests/data/bench"
#: 2018-01-01T00:00Z and a year later.
YEAR: Final = (1_514_764_800, 1_546_300_800)
NAMES: Final = ("flat", "tou", "tier_demand")
_SUMMER: Final = {"from": "06-01", "to": "09-30"}
_SEASONS: Final = {"default": "winter", "rules": [{"period": "summer", "season": _SUMMER}]}
_RULES: Final = (
    ("peak", ["weekday"], "16:00", "21:00"),
    ("middle", ["all"], "07:00", "23:00"),
    ("low", ["all"], "00:00", "24:00"),
)
_RATES: Final = {
    "summer": {"peak": "0.41", "middle": "0.22", "low": "0.13"},
    "winter": {"peak": "0.29", "middle": "0.17", "low": "0.11"},
}


def tariff(name: str, minutes: int) -> Tariff:
    """Return one of the tariffs, for a load of slots of so many minutes; nothing is rounded."""
    charges = {"flat": _flat(), "tou": _time_of_use(), "tier_demand": _tiers(minutes)}[name]
    version = {
        "valid_from": "2018-01-01",
        "charges": charges,
        "rounding": {"amount_decimals": None},
    }
    document = {"name": name, "currency": "USD", "timezone": "UTC", "versions": [version]}
    return tariff_converter(Plugins.installed().charges()).structure(document, Tariff)


def load(minutes: int) -> npt.NDArray[np.int64]:
    """Return the load in Wh."""
    with (DATA / f"load_{minutes}min_wh.csv").open(encoding="utf-8") as file:
        return np.array([int(row["wh"]) for row in csv.DictReader(file)], np.int64)


def expected(name: str, minutes: int) -> dict[str, Any]:
    """Return what the load costs, exactly."""
    found: dict[str, dict[str, Any]] = json.loads((DATA / "expected_exact.json").read_text())
    return found[f"{name}_{minutes}min"]


def _flat() -> list[dict[str, Any]]:
    return [{"kind": "energy.flat", "rate": "0.15"}, _fixed("10.00")]


def _time_of_use() -> list[dict[str, Any]]:
    rules = [
        {"period": f"{season}_{name}", "days": days, "from": begins, "to": ends, **limits}
        for season, limits in (("summer", {"season": _SUMMER}), ("winter", {}))
        for name, days, begins, ends in _RULES
    ]
    rates = {f"{season}_{name}": rate for season, of in _RATES.items() for name, rate in of.items()}
    return [
        {"kind": "energy.time_of_use", "schedule": {"rules": rules}, "rates": rates},
        _fixed("12.00"),
    ]


def _tiers(minutes: int) -> list[dict[str, Any]]:
    rates = {"winter": ("0.10", "0.15", "0.22"), "summer": ("0.12", "0.19", "0.28")}
    peak = {"period": "peak", "days": ["weekday"], "from": "16:00", "to": "21:00"}
    demand = {"kind": "demand", "interval": f"PT{minutes}M", "reset": "month"}
    return [
        {
            "kind": "energy.tiered",
            "reset": "month",
            "schedule": _SEASONS,
            "rates": {
                season: [
                    {"up_to": "400", "rate": low},
                    {"up_to": "900", "rate": middle},
                    {"rate": high},
                ]
                for season, (low, middle, high) in rates.items()
            },
        },
        {
            **demand,
            "code": "flat",
            "schedule": _SEASONS,
            "rates": {"winter": "6.5", "summer": "9.0"},
        },
        {
            **demand,
            "code": "evening",
            "schedule": {"default": "rest", "rules": [peak]},
            "rates": {"peak": "4.25", "rest": "0"},
        },
        _fixed("15.00"),
    ]


def _fixed(amount: str) -> dict[str, Any]:
    return {"kind": "fixed", "amount": amount, "per": "month"}
