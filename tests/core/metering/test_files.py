"""Files that come slowly, break off or are broken: they hold nothing and store nothing."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from aiohttp import ClientError

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Database, Settings
from energia_plugins import meter_csv
from tests.core.metering.setting import meter, series
from tests.serving import Client, Serving, make_core

#: More readings than are stored at a time.
ROWS = [
    f"{(datetime(2010, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * n)).isoformat()},1\n"
    for n in range(60_000)
]
FILE = ("start,value\n" + "".join(ROWS)).encode()
QUERY = {"format": "csv", "meter": "m"}


@pytest.fixture(name="api")
async def _api(database: str, serving: Serving) -> AsyncIterator[Client]:
    """Serve a meter with a single connection to the database."""
    settings = Settings(database=Database(pool_size=1, acquire_timeout=0.5, lock_timeout=0.5))
    pool = Pool(database, settings.database)
    await meter(pool.tenant(), interval="PT15M")
    core = make_core(pool=pool, settings=settings, plugins=Plugins.of(meter_csv=meter_csv))
    async with serving(core) as client:
        yield client
    await pool.close()


async def test_slow_clients_hold_nothing_that_others_need(api: Client) -> None:
    """While many files are on their way, the same meter takes readings, in a thread too."""
    finish = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield FILE
        await finish.wait()

    uploads = [
        asyncio.create_task(api.post("/v1/imports", params=QUERY, data=slowly())) for _ in range(40)
    ]
    await asyncio.sleep(0.5)

    sent = await api.post("/v1/readings", json=series([1.5] * 40_000, interval="PT15M"))

    assert (sent.status, (await sent.json())["created"]) == (200, 40_000)
    for upload in uploads[1:]:
        upload.cancel()
    finish.set()
    assert (await (await uploads[0]).json())["created"] == 60_000


async def test_a_client_that_leaves_stores_nothing(api: Client) -> None:
    """A file of which only a part comes is not stored."""

    async def part() -> AsyncIterator[bytes]:
        yield FILE
        raise ConnectionResetError

    with pytest.raises(ClientError):
        await api.post("/v1/imports", params=QUERY, data=part())

    assert await _kept(api) == []


@pytest.mark.parametrize("cut", [-1, -9, -2000])
async def test_a_truncated_file_stores_nothing(api: Client, cut: int) -> None:
    """A compressed file that breaks off is refused as a whole."""
    data, headers = gzip.compress(FILE)[:cut], {"Content-Encoding": "gzip"}

    answer = await api.post("/v1/imports", params=QUERY, data=data, headers=headers)

    assert (answer.status, (await answer.json())["code"]) == (400, "malformed")
    assert await _kept(api) == []


async def test_a_file_with_a_fault_holds_nothing(api: Client, database: str) -> None:
    """A file that is refused anyway does not wait for a writer of its meter."""
    pool = Pool(database, Database())
    async with pool.tenant().transaction() as writer:
        await writer.execute("select from channel for update")

        answer = await api.post("/v1/imports", params=QUERY, data=BytesIO(FILE + b"x,1\n"))

        assert answer.status == 422
        assert [fault["line"] for fault in (await answer.json())["errors"]] == [60_002]
    await pool.close()


async def _kept(api: Client) -> list[object]:
    """Return the imports that are kept."""
    answer = await api.get("/v1/imports")
    found: list[object] = (await answer.json())["items"]
    return found
