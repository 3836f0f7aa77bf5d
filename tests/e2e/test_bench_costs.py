"""The benchmark load under two tariffs, over HTTP; expected values from `tests/data/bench`."""

import csv
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

DATA = Path(__file__).parents[1] / "data" / "bench"
EXPECTED = json.loads((DATA / "expected_exact.json").read_text())

FLAT = [
    {"kind": "energy.flat", "rate": "0.15"},
    {"kind": "fixed", "amount": "10.00", "per": "month"},
]
SUMMER = {"from": "06-01", "to": "09-30"}
TIME_OF_USE = [
    {
        "kind": "energy.time_of_use",
        "schedule": {
            "default": "winter_off",
            "rules": [
                {
                    "period": "summer_peak",
                    "days": ["weekday"],
                    "from": "16:00",
                    "to": "21:00",
                    "season": SUMMER,
                },
                {
                    "period": "summer_mid",
                    "days": ["all"],
                    "from": "07:00",
                    "to": "23:00",
                    "season": SUMMER,
                },
                {
                    "period": "summer_off",
                    "days": ["all"],
                    "from": "00:00",
                    "to": "24:00",
                    "season": SUMMER,
                },
                {"period": "winter_peak", "days": ["weekday"], "from": "16:00", "to": "21:00"},
                {"period": "winter_mid", "days": ["all"], "from": "07:00", "to": "23:00"},
            ],
        },
        "rates": {
            "winter_off": "0.11",
            "winter_mid": "0.17",
            "winter_peak": "0.29",
            "summer_off": "0.13",
            "summer_mid": "0.22",
            "summer_peak": "0.41",
        },
    },
    {"kind": "fixed", "amount": "12.00", "per": "month"},
]


def document(charges: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a tariff in UTC, unrounded, with the given charges."""
    version = {
        "valid_from": "2018-01-01",
        "rounding": {"amount_decimals": None},
        "charges": charges,
    }
    return {"name": "bench", "currency": "USD", "timezone": "UTC", "versions": [version]}


def load(minutes: int) -> list[float]:
    """Return the load of the benchmark in kWh (the file has integer Wh)."""
    with (DATA / f"load_{minutes}min_wh.csv").open() as file:
        return [int(row["wh"]) / 1000 for row in csv.DictReader(file)]


@pytest.mark.parametrize(("name", "charges"), [("flat", FLAT), ("tou", TIME_OF_USE)])
@pytest.mark.parametrize(("minutes", "interval"), [(60, "PT1H"), (15, "PT15M")])
async def test_the_year_is_right_digit_by_digit(
    api: aiohttp.ClientSession,
    name: str,
    charges: list[dict[str, Any]],
    minutes: int,
    interval: str,
) -> None:
    """A year under a tariff costs what independent engines and exact fractions say."""
    start = "2018-01-01T00:00:00Z"
    channels = {"import": {"start": start, "unit": "kWh", "values": load(minutes)}}
    body = {
        "usage": {"timezone": "UTC", "interval": interval, "channels": channels},
        "tariff": document(charges),
    }

    async with api.post("/v1/costs", json=body) as answer:
        assert answer.status == 200, await answer.text()
        cost = await answer.json()

    assert cost["total"] == EXPECTED[f"{name}_{minutes}min"]["annual"]
