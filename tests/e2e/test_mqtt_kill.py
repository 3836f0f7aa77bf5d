"""The service killed while messages flow: all that the broker accepted are stored, each once."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.brokers import Broker, broker
from tests.core.metering.test_endpoints import CHANNEL, SITE
from tests.e2e.service import Service, serving

#: 2026-01-01T00:00:00Z; slots are minutes.
START = 1_767_225_600
METERS = 10
MINUTES = {**CHANNEL, "interval": "PT1M"}
CONFIGURATION = """
[sources]
lease = 1.0

[plugins.meter-mqtt]
broker = "127.0.0.1"
port = {port}
batch = {batch}

[plugins.meter-mqtt.topics.slots]
topic = "meters/+/energy"
meter = "{{2}}"
values = {{import = "kwh"}}
unit = "kWh"
counter = false
time = "end"
times = "epoch"
"""


def messages(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield messages of consecutive slots of the meters, each with its number for a value."""
    for number in range(count):
        end = START + (number // METERS + 1) * 60
        payload = json.dumps({"end": end, "kwh": number}).encode()
        yield f"meters/m{number % METERS}/energy", payload


@asynccontextmanager
async def service(
    database: str, of: Broker, batch: int
) -> AsyncIterator[tuple[Service, aiohttp.ClientSession]]:
    """Run the service with its source, and give a client of it."""
    path = of.folder / "energia.toml"
    path.write_text(CONFIGURATION.format(port=of.port, batch=batch))
    async with (
        serving(database, ENERGIA_CONFIG=str(path)) as running,
        aiohttp.ClientSession(running.url) as client,
    ):
        yield running, client


async def set_up(client: aiohttp.ClientSession) -> None:
    """Make the meters, and wait until the source is connected: the broker then knows it."""
    await client.put("/v1/sites/home", json=SITE)
    for number in range(METERS):
        body = {"site": "home", "channels": [MINUTES]}
        await client.put(f"/v1/meters/m{number}", json=body)
    status = ""
    while status != "pass":
        async with client.get("/health") as answer:
            checks = json.loads(await answer.text())["checks"]
        status = checks["source-mqtt:age"][0]["status"]


async def values(client: aiohttp.ClientSession, meter: int) -> list[float]:
    """Return the stored values of a meter."""
    query = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-03T00:00:00Z"}
    async with client.get(f"/v1/meters/m{meter}/readings", params=query) as answer:
        found = json.loads(await answer.text())["values"]
    return [value for value in found if value is not None]


async def until_stored(client: aiohttp.ClientSession, count: int) -> None:
    """Wait until so many messages are stored, or nearly so many."""
    async with asyncio.timeout(120):
        while len(await values(client, METERS - 1)) < count // METERS:
            await asyncio.sleep(0.02)


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize(
    ("count", "kills", "batch"),
    [(1000, 1, 50), pytest.param(10_000, 4, 100, marks=pytest.mark.long)],
)
async def test_a_service_that_is_killed_loses_no_message(
    database: str, tmp_path: Path, count: int, kills: int, batch: int
) -> None:
    """Killed with -9 again and again; the corrections that a doubled reading would be are none."""
    async with broker(tmp_path) as found:
        async with service(database, found, batch) as (running, client):
            await set_up(client)
            sending = asyncio.create_task(found.publish(messages(count)))
            await until_stored(client, count // 10)
            running.process.kill()
            await running.process.wait()
        for kill in range(2, kills + 1):
            async with service(database, found, batch) as (running, client):
                await until_stored(client, count * kill // (kills + 2))
                running.process.kill()
                await running.process.wait()
        async with service(database, found, batch) as (_, client):
            await sending
            await until_stored(client, count)
            stored = [await values(client, meter) for meter in range(METERS)]
            async with client.get("/v1/imports", params={"limit": "1000"}) as answer:
                imports = json.loads(await answer.text())["items"]

    assert stored == [list(map(float, range(meter, count, METERS))) for meter in range(METERS)]
    assert sum(one["created"] for one in imports) == count
    assert sum(one["corrected"] + one["rejected"] for one in imports) == 0


@pytest.mark.long
@pytest.mark.needs("mosquitto")
async def test_another_replica_takes_over_within_seconds(database: str, tmp_path: Path) -> None:
    """Two serve; the one that has the session is killed, and the other one goes on."""
    count = 300
    async with broker(tmp_path) as found, service(database, found, 50) as (first, client):
        await set_up(client)
        async with service(database, found, 50) as (_, other):
            await found.publish(messages(count))
            await until_stored(other, count)
            first.process.kill()
            begun = time.monotonic()
            await found.publish(messages(2 * count))
            await until_stored(other, 2 * count)
            seconds = time.monotonic() - begun
            stored = [await values(other, meter) for meter in range(METERS)]

    assert stored == [list(map(float, range(meter, 2 * count, METERS))) for meter in range(METERS)]
    assert seconds < 10, seconds
