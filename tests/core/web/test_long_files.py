"""Files of long windows: made piece by piece, so that memory stays flat."""

import tracemalloc
from collections.abc import AsyncIterator

import pytest

from energia.db.pool import Pool
from tests.serving import Client, Serving, make_core

PATH = "/v1/meters/m/readings?start=2026-01-01&end="
#: One and four of the pieces in which a window is read have about 50,000 minutes each.
SHORT, LONG = ("2026-02-05", 35 * 1440), ("2026-07-15", 195 * 1440)


@pytest.fixture(name="api")
async def _api(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Serve a meter of minutes without readings."""
    site = {"name": "Home", "timezone": "UTC", "country": "GB", "currency": "GBP"}
    channel = {"id": "import", "quantity": "active_energy", "direction": "import", "unit": "kWh"}
    async with serving(make_core(pool=pool)) as client:
        await client.put("/v1/sites/s", json=site)
        made = {"site": "s", "channels": [{**channel, "interval": "PT1M"}]}
        assert (await client.put("/v1/meters/m", json=made)).status == 201
        yield client


async def peak(api: Client, end: str, accept: str) -> tuple[int, int]:
    """Return how many lines a file has, and the most memory that was taken meanwhile."""
    lines = 0
    tracemalloc.start()
    async with api.get(PATH + end, headers={"Accept": accept}) as answer:
        assert answer.status == 200
        async for chunk in answer.content.iter_chunked(1 << 16):
            lines += chunk.count(b"\n")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return lines, most


@pytest.mark.parametrize(("accept", "header"), [("text/csv", 1), ("application/x-ndjson", 0)])
async def test_memory_stays_flat(api: Client, accept: str, header: int) -> None:
    """Five times as many rows take no more memory."""
    await peak(api, "2026-01-02", accept)  # what is made once is made now

    few, short = await peak(api, SHORT[0], accept)
    many, long = await peak(api, LONG[0], accept)

    assert (few, many) == (SHORT[1] + header, LONG[1] + header)
    assert long < 1.3 * short
