"""Gas in cubic metres becomes energy only where it is said how much heat it has."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia_plugins import meter_csv
from tests.serving import Client, Serving, make_core

SITE = {"name": "Home", "timezone": "Europe/London", "country": "GB", "currency": "GBP"}
CHANNEL = {
    "id": "gas",
    "quantity": "heat",
    "direction": "import",
    "unit": "kWh",
    "interval": "PT1H",
}
HEAT = {"calorific_value": "39.3", "correction_factor": "1.02264"}


@pytest.fixture(name="api")
async def _api(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Serve a home with a meter of gas, in kWh and in cubic metres."""
    core = make_core(pool=pool, plugins=Plugins.of(meter_csv=meter_csv))
    volume = {**CHANNEL, "id": "volume", "quantity": "gas_volume", "unit": "m3"}
    async with serving(core) as client:
        await client.put("/v1/sites/home", json=SITE)
        body = {"site": "home", "channels": [CHANNEL, volume]}
        assert (await client.put("/v1/meters/m", json=body)).status == 201
        yield client


async def send(
    api: Client, value: str, channel: str = "gas", **said: str
) -> tuple[int, dict[str, Any]]:
    """Import one hour of gas; return the status and the answer."""
    query = {"format": "csv", "meter": "m", "channel": channel, **said}
    data = f"start,value\n2026-01-05T00:00:00Z,{value}\n"
    async with api.post("/v1/imports", params=query, data=data) as answer:
        return answer.status, await answer.json()


async def stored(api: Client, channel: str = "gas") -> list[float]:
    """Return the readings of that hour."""
    window = "start=2026-01-05T00:00:00Z&end=2026-01-05T01:00:00Z"
    async with api.get(f"/v1/meters/m/readings?channel={channel}&{window}") as answer:
        values: list[float] = (await answer.json())["values"]
    return values


@pytest.mark.parametrize(
    ("value", "unit", "heat", "kwh"),
    [
        # The worked examples of envantage.co.uk, and of a supplier's help page (2 m3 are 22 kWh).
        ("100", "m3", HEAT, 1116.382),
        ("283", "m3", HEAT, 3159.361),
        ("2", "m3", HEAT, 22.32764),
        # By the exact foot, not by 2.83.
        ("1", "ccf", HEAT, 31.612426),
        ("1", "m3", {"calorific_value": "3.6", "correction_factor": "1"}, 1.0),
    ],
)
async def test_gas_becomes_energy_by_the_formula_of_the_uk(
    api: Client, value: str, unit: str, heat: dict[str, str], kwh: float
) -> None:
    """Cubic metres x correction x calorific value / 3.6."""
    status, answer = await send(api, value, unit=unit, **heat)

    assert status == 200, answer
    assert (await stored(api))[0] == pytest.approx(kwh, abs=0.0005)


async def test_gas_without_its_heat_is_refused(api: Client) -> None:
    """The message names what is needed."""
    status, answer = await send(api, "100", unit="m3")

    assert (status, answer["errors"][0]["code"]) == (422, "wrong_unit")
    for name in HEAT:
        assert name in answer["errors"][0]["message"]


@pytest.mark.parametrize("name", sorted(HEAT))
async def test_half_of_it_is_refused(api: Client, name: str) -> None:
    """Neither is assumed."""
    other = {key: value for key, value in HEAT.items() if key != name}

    status, answer = await send(api, "100", unit="m3", **other)

    assert (status, answer["errors"][0]["pointer"]) == (422, f"/query/{name}")


@pytest.mark.parametrize("value", ["0", "-1", "1001", "NaN", "x"])
async def test_no_gas_has_such_heat(api: Client, value: str) -> None:
    """It is a positive number."""
    assert (await send(api, "1", unit="m3", **{**HEAT, "calorific_value": value}))[0] == 422


async def test_volumes_stay_volumes(api: Client) -> None:
    """A channel of cubic metres stores them, whatever heat they have; kWh are refused there."""
    kept, _ = await send(api, "100", "volume", unit="m3", **HEAT)
    refused, answer = await send(api, "100", "volume", unit="kWh", **HEAT)

    assert (kept, refused) == (200, 422)
    assert await stored(api, "volume") == [100]
    assert answer["errors"][0]["message"] == "gas_volume is not measured in kWh"


async def test_energy_stays_energy(api: Client) -> None:
    """What is in kWh already has its heat."""
    assert (await send(api, "100", unit="kWh", **HEAT))[0] == 200
    assert await stored(api) == [100]
