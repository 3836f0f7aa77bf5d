"""Bills over HTTP of meters that are read once a bill: one register, or one for each posto."""

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from tests.core.billing.setting import CONTRACT, SITE, success
from tests.serving import Client, Serving, make_core

HOME: dict[str, Any] = {"distributor": "light", "subgroup": "B1", "from": "2026-08-01"}
#: The day after each reading, with which a bill begins: read on 3 September and on 6 October.
READ = ("2026-09-04", "2026-10-07")


@pytest.fixture(name="client")
async def _client(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service with the bundled plugins."""
    async with serving(make_core(plugins=Plugins.installed(), pool=pool)) as client:
        yield client


async def billed(
    client: Client, request: Mapping[str, Any], kwh: Mapping[str, int], **contract: Any
) -> dict[str, Any]:
    """Bill a home whose registers measured so much from one read to the next."""
    answer = await success(client, "POST", "/v1/brazil/tariff", request)
    channel = {"quantity": "active_energy", "direction": "import", "unit": "kWh"}
    channels = [{"id": id_, **channel, "kind": "register"} for id_ in kwh]
    await success(client, "PUT", "/v1/sites/home", {**SITE, "timezone": "America/Sao_Paulo"})
    await success(client, "PUT", "/v1/meters/m", {"site": "home", "channels": channels})
    for id_, used in kwh.items():
        reads = [
            {"at": day, "value": f"{value}", "channel": id_}
            for day, value in zip(READ, (1000, 1000 + used), strict=True)
        ]
        await success(client, "POST", "/v1/meters/m/registers", {"reads": reads})
    await success(client, "PUT", "/v1/tariffs/light", answer["tariff"])
    body = {**CONTRACT, "meter": "m", "tariff": "light", "start": READ[0], **contract}
    await success(client, "PUT", "/v1/contracts/c", body)
    sent = {"contract": "c", "start": READ[0], "end": READ[1]}
    return await success(client, "POST", "/v1/bills", sent)


def by_code(bill: Mapping[str, Any]) -> dict[str, str]:
    """Return the amounts of a bill."""
    return {line["code"]: line["amount"] for line in bill["lines"]}


async def test_one_register_is_enough_for_the_convencional(client: Client) -> None:
    """Light's bill of October 2026: 540.38 without a debit of 2.08 that is no tariff."""
    request = {**HOME, "municipality": "Rio de Janeiro"}

    bill = await billed(
        client, request, {"import": 354}, parameters={"lighting_average_kwh": "425"}
    )

    assert by_code(bill)["iluminacao_publica"] == "64.60"
    assert abs(Decimal(bill["total"]) - Decimal("540.38")) <= Decimal("0.01")


async def test_the_branca_has_a_register_for_each_posto(client: Client) -> None:
    """The contract names the register of each, and all of them for what is of all energy."""
    request = {**HOME, "modality": "branca", "registers": True}
    kwh = {"p": 30, "i": 24, "fp": 300}
    channels = {
        "import": ["p", "i", "fp"],
        "import.ponta": ["p"],
        "import.intermediario": ["i"],
        "import.fora_ponta": ["fp"],
    }

    bill = await billed(client, request, kwh, channels=channels)

    # With 27 of 33 days of a yellow bandeira, and 24, 1.01 and 4.68 % of taxes inside.
    assert by_code(bill)["consumo.ponta"] == "73.47"
    quantities = {line["code"]: line["quantity"] for line in bill["lines"][:3]}
    assert quantities == {
        "consumo.ponta": "30",
        "consumo.intermediario": "24",
        "consumo.fora_ponta": "300",
    }
