"""Acknowledged means durable."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import aiohttp
import msgspec

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
