"""Bills of a contract with exports: the ledger goes from one to the next, and is explained."""

from collections.abc import AsyncIterator

import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from tests.core.billing.setting import (
    CHANNEL,
    CONTRACT,
    SITE,
    hours,
    issued,
    meter,
    refusal,
    success,
    tariff,
)
from tests.plugins.export.sites import export
from tests.serving import Client, Serving, make_core

EXPORT = {**CHANNEL, "id": "export", "direction": "export"}
ENERGY = {"kind": "energy.flat", "code": "energy", "rate": "0.50"}
ACCOUNT = ("carried_in", "earned", "used", "expired", "lost", "paid", "carried_out")


@pytest.fixture
async def client(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service that knows all bundled charges."""
    core = make_core(plugins=Plugins.installed(hook="register_charges"), pool=pool)
    async with serving(core) as client:
        yield client


async def settle(client: Client) -> None:
    """Make a home that imports 24 kWh on each of two days, and exports 48 and 0."""
    await success(client, "PUT", "/v1/sites/home", SITE)
    await meter(client, "m", CHANNEL, EXPORT)
    await hours(client, 1, 1, 1, channel="import")
    await hours(client, 1, 2, 0, channel="export")
    await success(client, "PUT", "/v1/tariffs/flat", tariff(ENERGY, export("net_metering")))
    await success(client, "PUT", "/v1/contracts/c", CONTRACT)


async def test_the_ledger_is_the_state_of_the_contract(client: Client) -> None:
    """24 kWh are left of the first day, and used on the second."""
    await settle(client)
    first = await issued(client, "b1", 1)
    kept = await success(client, "GET", "/v1/contracts/c/state")
    second = await issued(client, "b2", 2)

    assert (first["total"], second["total"]) == ("0.00", "0.00")
    account = dict.fromkeys(ACCOUNT, "0")
    assert kept["state"]["export"] == {
        "month": "2025-03",
        "ledger": [{"month": "2025-03", "kwh": "24"}],
        "last": {"kwh": account | {"earned": "48", "used": "24", "carried_out": "24"}},
    }
    assert (await success(client, "GET", "/v1/bills/b2"))["state"]["export"]["ledger"] == []


async def test_each_credit_is_explained(client: Client) -> None:
    """The steps name the month whose energy was used, and the measures are reproduced."""
    await settle(client)
    await issued(client, "b1", 1)

    lines = (await success(client, "GET", "/v1/bills/b1/explain"))["lines"]

    credit, bank = lines[1], lines[2]
    assert credit["charge"] == "export"
    assert credit["arithmetic"]["steps"] == [
        {"description": "exported in 2025-03", "expression": "-24 kWh", "value": "-24"}
    ]
    assert [step["value"] for step in bank["arithmetic"]["steps"]] == ["48", "-24"]
    assert all(line["reproduced"] for line in lines)


async def test_a_first_bill_may_bring_a_ledger(client: Client) -> None:
    """One that cannot be read is refused with its place."""
    await settle(client)
    body = {"id": "b1", "contract": "c", "start": "2025-03-02", "end": "2025-03-03"}
    ledger = [{"month": "2025-02", "kwh": "4"}]

    bad = {"export": {"ledger": [{"month": "2025-02", "kwh": 4}]}}
    assert (await refusal(client, "POST", "/v1/bills", {**body, "state": bad}))[2] == {
        "/state": "bad_state"
    }
    good = {**body, "state": {"export": {"ledger": ledger}}}
    assert (await success(client, "POST", "/v1/bills", good))["total"] == "10.00"
