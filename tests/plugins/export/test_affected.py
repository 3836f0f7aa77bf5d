"""Affected bills of a bank: what one month's correction leaves the next months."""

from collections.abc import AsyncIterator

import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia_plugins import tariff_export, tariff_flat
from tests.core.billing.setting import (
    CHANNEL,
    CONTRACT,
    FLAT,
    SITE,
    corrected,
    hours,
    issued,
    meter,
    success,
    tariff,
)
from tests.serving import Client, Serving, make_core

EXPORT = {**CHANNEL, "id": "export", "direction": "export"}
BANK = {"kind": "export", "scheme": "net_metering"}


@pytest.fixture(name="client")
async def _client(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a home that imports 24 kWh a day at 0.50, and exported 24 on the first."""
    loaded = Plugins.of(tariff_flat=tariff_flat, tariff_export=tariff_export)
    async with serving(make_core(plugins=loaded, pool=pool)) as client:
        await success(client, "PUT", "/v1/sites/home", SITE)
        await meter(client, "m", CHANNEL, EXPORT)
        await hours(client, 1, 1, 1, 1, channel="import")
        await hours(client, 1, 1, 0, 0, channel="export")
        await success(client, "PUT", "/v1/tariffs/flat", tariff(FLAT, BANK))
        await success(client, "PUT", "/v1/contracts/c", CONTRACT)
        yield client


async def test_a_bank_that_grows_affects_the_bills_after_it(client: Client) -> None:
    """60 kWh were exported, not 24: the first bill stays at 0.00, the next two have 36 of bank.

    24 of them make the second 0.00, and 12 leave 12 kWh of the third: 6.00.
    """
    totals = [(await issued(client, f"b{first}", first))["total"] for first in (1, 2, 3)]
    await hours(client, 1, 2.5, channel="export")

    items = (await success(client, "GET", "/v1/bills?affected=true"))["items"]

    assert totals == ["0.00", "12.00", "12.00"]
    assert [(bill["id"], bill["impact"]["difference"]) for bill in items] == [
        ("b1", "0.00"),
        ("b2", "-12.00"),
        ("b3", "-6.00"),
    ]
    for bill in items:
        new = await corrected(client, bill["id"], f"new-{bill['id']}")
        assert new["difference"] == bill["impact"]["difference"]
    assert (await success(client, "GET", "/v1/bills?affected=true"))["items"] == []
