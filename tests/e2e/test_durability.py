"""Acknowledged means durable."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import aiohttp
import msgspec

from energia.db.tenant import Tenant
from tests.e2e.service import serving
from tests.e2e.test_household import set_up


async def test_acknowledged_readings_survive_kill(database: str) -> None:
    """What was answered 200 is there after `kill -9` of the service under load."""
    acknowledged: list[int] = []
    async with serving(database) as service, aiohttp.ClientSession(service.url) as api:
        await set_up(api, "PT1H")
        sender = asyncio.create_task(_send_days(api, acknowledged))
        while len(acknowledged) < 20:
            await asyncio.sleep(0.01)
        service.process.kill()
        await service.process.wait()
        with contextlib.suppress(aiohttp.ClientError):
            await sender

    async with serving(database) as service, aiohttp.ClientSession(service.url) as api:
        query = {"start": "2020-01-01T00:00:00Z", "end": "2021-01-01T00:00:00Z"}
        async with api.get("/v1/meters/main/readings", params=query) as answer:
            values = msgspec.json.decode(await answer.read())["values"]

    assert len(acknowledged) >= 20
    assert all(values[24 * day : 24 * day + 24] == [float(day)] * 24 for day in acknowledged)


async def _send_days(api: aiohttp.ClientSession, acknowledged: list[int]) -> None:
    """Send one day after the other and note which were acknowledged."""
    for day in range(366):
        start = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=day)
        series = {
            "meter": "main",
            "start": start.isoformat(),
            "interval": "PT1H",
            "values": [day] * 24,
        }
        async with api.post("/v1/readings", json={"series": [series]}) as answer:
            if answer.status == 200:
                acknowledged.append(day)


async def test_a_key_makes_one_thing_whatever_is_killed(database: str, tenant: Tenant) -> None:
    """After `kill -9` each key is sent again: there is one site of each, where it was said."""
    keys, told = [f"key-{number}" for number in range(400)], dict[str, str]()
    async with serving(database) as service, aiohttp.ClientSession(service.url) as api:
        senders = [asyncio.create_task(_make_sites(api, keys[n::4], told)) for n in range(4)]
        while len(told) < 20:
            await asyncio.sleep(0.01)
        service.process.kill()
        await service.process.wait()
        await asyncio.gather(*senders, return_exceptions=True)
    before = dict(told)
    # In place of half a minute: what was worked on is left behind.
    await tenant.execute("update idempotency_key set held_until = '-infinity'")

    async with serving(database) as service, aiohttp.ClientSession(service.url) as api:
        await _make_sites(api, keys, told)
    made = await tenant.fetch(str, "select '/v1/sites/' || id from site")

    assert 20 <= len(before) < len(keys)
    assert before.items() <= told.items()
    assert sorted(made) == sorted(told.values())
    assert len(told) == len(keys)


async def _make_sites(api: aiohttp.ClientSession, keys: list[str], told: dict[str, str]) -> None:
    """Make a site by each key, and note where it is; the service chooses the ids."""
    site = {"name": "Home", "timezone": "UTC", "country": "GB", "currency": "GBP"}
    for key in keys:
        headers = {"Idempotency-Key": key}
        async with api.post("/v1/sites", json=site, headers=headers) as answer:
            assert answer.status == 201, await answer.text()
            location = answer.headers["Location"]
            assert told.setdefault(key, location) == location
