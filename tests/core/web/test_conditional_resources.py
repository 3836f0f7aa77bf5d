"""Every resource that is written as a whole is written over only as it was seen."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.plugins import Plugins
from energia.pricing.holidays.lists import HolidayList
from energia.pricing.holidays.store import HolidayLists
from energia_plugins import meter_csv, tariff_flat
from tests.core.web.test_conditions import CHANNEL, SITE, waiting
from tests.core.web.test_patches import CONTRACT, METER, TARIFF
from tests.serving import Client, Serving, make_core

HOLIDAYS = {"name": "Brazil", "country": "BR", "dates": ["2026-04-21"]}
SPOT = {"currency": "BRL", "unit": "kWh", "interval": "PT1H", "timezone": "UTC"}


@attrs.frozen
class Resource:
    """A resource, and what it is changed to."""

    path: str
    body: dict[str, Any]
    change: dict[str, Any]


RESOURCES = [
    Resource("sites/home", SITE, {"name": "Casa"}),
    Resource("meters/m", METER, {"channels": [CHANNEL, CHANNEL | {"id": "more"}]}),
    Resource(
        "tariffs/t", TARIFF, {"versions": [{**TARIFF["versions"][0], "valid_to": "2030-01-01"}]}
    ),
    Resource("contracts/c", CONTRACT, {"end": "2027-01-01"}),
    Resource("holiday-lists/br", HOLIDAYS, {"dates": ["2026-04-21", "2026-05-01"]}),
    Resource("csv-mappings/own", {"options": {"timezone": "UTC"}}, {"about": "Ours"}),
    Resource("price-series/spot", SPOT, {"timezone": "America/Sao_Paulo"}),
]


@pytest.fixture(name="api")
async def _api(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Serve one of each."""
    core = make_core(pool=pool, plugins=Plugins.of(flat=tariff_flat, meter_csv=meter_csv))
    async with serving(core) as client:
        for one in RESOURCES:
            made = await client.put(f"/v1/{one.path}", json=one.body)
            assert made.status == 201, await made.text()
        yield client


@pytest.mark.parametrize("one", RESOURCES, ids=lambda one: one.path.partition("/")[0])
async def test_what_was_seen_is_written_over(api: Client, one: Resource) -> None:
    """With the tag of what there is it is replaced, and by the old tag it is not, nor deleted."""
    path, changed = f"/v1/{one.path}", one.body | one.change
    async with api.get(path) as answer:
        seen = {"If-Match": answer.headers["ETag"]}
    async with api.put(path, json=changed, headers=seen) as first:
        assert first.status == 200, await first.text()
        assert "ETag" not in first.headers
    async with api.put(path, json=one.body, headers=seen) as second:
        assert second.status == 412
    async with api.delete(path, headers=seen) as third:
        assert third.status == 412
    async with api.get(path) as answer:
        now = {"If-None-Match": answer.headers["ETag"]}
    async with api.get(path, headers=now) as same:
        assert same.status == 304


async def test_a_version_that_is_added_meanwhile_is_seen(api: Client, tenant: Tenant) -> None:
    """A list of holidays grows by rows: who adds one waits for who compares, and is waited for."""
    path = "/v1/holiday-lists/br"
    async with api.get(path) as answer:
        seen = {"If-Match": answer.headers["ETag"]}
    theirs = HolidayList(id="br", name="Theirs", country="BR", dates=())
    async with tenant.transaction() as queries:
        stored = attrs.evolve(theirs, dates=(datetime(2026, 12, 25, tzinfo=UTC).date(),))
        await HolidayLists(queries).put(stored, datetime.now(UTC))
        mine = asyncio.create_task(api.put(path, json=HOLIDAYS | {"name": "Mine"}, headers=seen))
        await waiting(tenant)

    async with await mine as answer:
        assert answer.status == 412
