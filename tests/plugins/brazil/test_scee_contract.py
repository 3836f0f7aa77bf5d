"""A customer with generation, from the request for a tariff to the ledger of the contract."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from tests.core.billing.setting import success
from tests.serving import Client, Serving, make_core

CHANNEL = {"quantity": "active_energy", "unit": "kWh", "kind": "register", "digits": 6}


@pytest.fixture
async def client(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service with an empty database and all bundled plugins."""
    async with serving(make_core(plugins=Plugins.installed(), pool=pool)) as client:
        yield client


async def issued(client: Client, id_: str, **fields: Any) -> dict[str, Any]:
    """Draft a bill and issue it."""
    await success(client, "POST", "/v1/bills", {"id": id_, "contract": "casa", **fields})
    return await success(client, "POST", f"/v1/bills/{id_}/issue")


async def test_credit_is_carried_from_bill_to_bill(client: Client) -> None:
    """RGE, GD I: 426 kWh in May, 278 injected and 98 of December 2021, as printed; then June."""
    request = {
        "distributor": "rge",
        "subgroup": "B1",
        "phases": "bifasico",
        "generation": {"type": "gd1"},
        "from": "2023-04-15",
    }
    made = await success(client, "POST", "/v1/brazil/tariff", request)
    await success(client, "PUT", "/v1/tariffs/rge", made["tariff"])
    place = {
        "name": "Casa",
        "timezone": "America/Sao_Paulo",
        "country": "BR",
        "currency": "BRL",
    }
    await success(client, "PUT", "/v1/sites/casa", place)
    channels = [{**CHANNEL, "id": one, "direction": one} for one in ("import", "export")]
    await success(client, "PUT", "/v1/meters/m", {"site": "casa", "channels": channels})
    body = {"meter": "m", "tariff": "rge", "start": "2023-04-15"}
    await success(client, "PUT", "/v1/contracts/casa", body)
    days = ("2023-04-15", "2023-05-17", "2023-06-16")
    for channel, values in {"import": (1000, 1426, 1526), "export": (0, 278, 478)}.items():
        reads = [
            {"channel": channel, "at": day, "value": f"{value}"}
            for day, value in zip(days, values, strict=True)
        ]
        await success(client, "POST", "/v1/meters/m/registers", {"reads": reads})
    ledger = [{"month": "2021-12", "kwh": "98"}]
    state = {"scee": {"month": "2023-04", "ledger": ledger}}

    may = await issued(client, "may", start="2023-04-15", end="2023-05-17", state=state)
    june = await issued(client, "june", start="2023-05-17", end="2023-06-16")

    assert may["total"] == "79.85"
    found = {line["code"]: line.get("quantity") for line in june["lines"]}
    assert found["scee.2023-06.te"] == "-50"
    kept = (await success(client, "GET", "/v1/contracts/casa/state"))["state"]["scee"]
    assert (kept["month"], kept["ledger"]) == (
        "2023-06",
        [{"month": "2023-06", "kwh": "150", "type": "gd1", "expires": "2028-06"}],
    )
