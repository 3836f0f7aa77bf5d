"""Limits of what a request may ask for: each is met, and named."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Limits, Settings
from energia_plugins import meter_csv, tariff_flat
from tests.core.metering.setting import meter
from tests.core.web import fakes
from tests.serving import Client, Serving, make_core

JSON = {"Content-Type": "application/json"}
TARIFF = {
    "name": "Flat",
    "currency": "EUR",
    "timezone": "UTC",
    "versions": [{"valid_from": "2026-01-01", "charges": [{"kind": "energy.flat", "rate": "1"}]}],
}


@asynccontextmanager
async def limited(
    serving: Serving, limits: Limits, pool: Pool | None = None
) -> AsyncIterator[Client]:
    """Serve with *limits*."""
    plugins = Plugins.of(fakes=fakes, csv=meter_csv, flat=tariff_flat)
    settings = attrs.evolve(Settings(), limits=limits)
    async with serving(make_core(plugins=plugins, settings=settings, pool=pool)) as client:
        yield client


async def refusal(client: Client, path: str, **sent: Any) -> tuple[int, str, str]:
    """Return the status, the code and the detail of a refusal."""
    async with client.post(path, **sent) as answer:
        problem = await answer.json(content_type="application/problem+json")
        return answer.status, problem["code"], problem["detail"]


@pytest.mark.parametrize(("deep", "status"), [(5, 422), (6, 413)])
async def test_depth(deep: int, status: int, serving: Serving) -> None:
    """What is nested as deep as the limit is read; one deeper is refused."""
    value: Any = "x"
    for _ in range(deep - 1):
        value = [value]
    async with limited(serving, Limits(depth=5)) as client:
        found = await refusal(client, "/v1/things", json={"name": value})

    assert found[0] == status
    assert ("limits.depth (5)" in found[2]) == (status == 413)


@pytest.mark.parametrize(("marks", "status"), [(10, 413), (11, 422)])
async def test_marks(marks: int, status: int, serving: Serving) -> None:
    """What a body is made of is counted before anything is made of it."""
    body = '{"name" : ["a", {}, []]}'
    async with limited(serving, Limits(marks=marks)) as client:
        found = await refusal(client, "/v1/things", data=body, headers=JSON)

    assert found[0] == status
    assert (f"limits.marks ({marks})" in found[2]) == (status == 413)


@pytest.mark.parametrize(("slots", "status"), [(1999, 413), (2000, 200)])
async def test_numbers(slots: int, status: int, serving: Serving) -> None:
    """Readings that come with a request are no marks, but slots, and counted as such."""
    channel = {"start": "2026-03-01T00:00:00Z", "values": [1] * 2000}
    usage = {"timezone": "UTC", "interval": "PT1H", "channels": {"import": channel}}
    async with (
        limited(serving, Limits(slots=slots, marks=200)) as client,
        client.post("/v1/costs", json={"usage": usage, "tariff": TARIFF}) as answer,
    ):
        assert answer.status == status


async def test_brackets_of_readings(serving: Serving) -> None:
    """An array of nothing is no reading, however many there are: they are not even parsed."""
    async with limited(serving, Limits(marks=100)) as client:
        status, _, detail = await refusal(client, "/v1/readings", json={"readings": [[]] * 100})

    assert status == 413
    assert "limits.marks (100)" in detail


async def test_inflation(serving: Serving) -> None:
    """Two megabytes of zeros are a thousand times what was sent; a smaller body may be."""
    large, small = (gzip.compress(bytes(n)) for n in (2_000_000, 1_000_000))
    headers = {"Content-Encoding": "gzip"}
    async with limited(serving, Limits(inflation=100)) as client:
        for path in ("/v1/files", "/v1/blocking"):
            status, code, detail = await refusal(client, path, data=large, headers=headers)
            async with client.post(path, data=small, headers=headers) as answer:
                accepted = answer.status

            assert (status, code) == (413, "too_large")
            assert "limits.inflation (100)" in detail
            assert accepted == 200


async def stalling(pause: float) -> AsyncIterator[bytes]:
    """Send a body in two parts."""
    yield b'{"name":'
    await asyncio.sleep(pause)
    yield b'"a"}'


@pytest.mark.parametrize("path", ["/v1/things", "/v1/files", "/v1/blocking"])
async def test_stall(path: str, serving: Serving) -> None:
    """A body that pauses for too long is 408, and its connection is closed."""
    async with (
        limited(serving, Limits(stall=0.2)) as client,
        client.post(path, data=stalling(3), headers=JSON) as answer,
    ):
        problem = await answer.json(content_type="application/problem+json")

        assert (answer.status, problem["code"]) == (408, "too_slow")
        assert "limits.stall (0.2 s)" in problem["detail"]
        assert answer.headers["Connection"] == "close"


async def test_a_slow_body_that_goes_on_is_read(serving: Serving) -> None:
    """Only a pause counts, not how long it takes in all."""

    async def slowly() -> AsyncIterator[bytes]:
        for part in (b'{"na', b'me":', b'"a"', b"}"):
            yield part
            await asyncio.sleep(0.1)

    async with (
        limited(serving, Limits(stall=0.3)) as client,
        client.post("/v1/things", data=slowly(), headers=JSON) as answer,
    ):
        assert answer.status == 201


@pytest.mark.parametrize(("rows", "status"), [(3, 200), (2, 413)])
async def test_rows(pool: Pool, rows: int, status: int, serving: Serving) -> None:
    """Readings are counted in both forms of JSON and in files; over the limit nothing is stored."""
    start = "2026-03-01T00:00:00Z"
    series = {"meter": "m", "start": start, "interval": "PT15M", "values": [1, 2]}
    one = {"meter": "m", "start": "2026-03-01T01:00:00Z", "value": 3}
    csv = "start,value\n" + "".join(f"2026-03-02T0{hour}:00:00Z,1\n" for hour in range(3))
    query = {"format": "csv", "meter": "m"}
    async with limited(serving, Limits(rows=rows), pool) as client:
        await meter(pool.tenant(), interval="PT15M")
        body = {"series": [series], "readings": [one]}
        sent = [
            await client.post("/v1/readings", json=body),
            await client.post("/v1/imports", params=query, data=csv),
        ]
        answers = [(answer.status, await answer.json(content_type=None)) for answer in sent]

    for found, answer in answers:
        assert found == status, answer
        if status == 413:
            assert f"limits.rows ({rows})" in answer["detail"]


async def test_bodies_take_room_together(serving: Serving) -> None:
    """A body that others leave no room for is refused while it comes; it may come again."""
    begun, over = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b'{"name": "' + b"x" * 3000
        begun.set()
        await over.wait()
        yield b'"}'

    async with limited(serving, Limits(memory_bytes=4000)) as client:
        first = asyncio.create_task(refusal(client, "/v1/things", data=slow(), headers=JSON))
        await begun.wait()
        await asyncio.sleep(0.1)
        body = {"name": "x" * 2000}
        second = await refusal(client, "/v1/things", json=body)
        over.set()
        await first
        third = await refusal(client, "/v1/things", json=body)

    assert (second[0], second[1]) == (503, "busy")
    assert "limits.memory_bytes (4000)" in second[2]
    assert third[0] == 422
