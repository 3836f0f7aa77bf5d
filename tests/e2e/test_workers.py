"""Workers as an operator runs them: processes beside a service, stopped and killed."""

import asyncio
import io
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from energia.db.embedded import Embedded
from tests.core.billing.setting import SITE
from tests.e2e.outages import kill
from tests.e2e.service import Service, serving
from tests.rehearsals.bill_workers import rehearse

CHANNEL = {"id": "import", "quantity": "active_energy", "direction": "import", "unit": "kWh"}
METER = {"site": "home", "channels": [{**CHANNEL, "interval": "PT1M"}]}
IMPORT = "/v1/imports?format=csv&meter=m"
ROWS = 60_000


def file(rows: int) -> io.BytesIO:
    """Return a file of minutes."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    lines = (
        f"{(start + timedelta(minutes=minute)).isoformat()},{minute % 7}.5"
        for minute in range(rows)
    )
    return io.BytesIO("\n".join(["start,value", *lines]).encode())


def worker_of(database: str) -> AbstractAsyncContextManager[Service]:
    """Run a worker; it is dead after three heartbeats."""
    settings = {"ENERGIA_JOBS__HEARTBEAT": "0.3", "ENERGIA_JOBS__GRACE": "0.1"}
    return serving(
        database, command="worker", wait=True, python=sys.executable, port=None, **settings
    )


@pytest.fixture(name="service")
async def _service(database: str) -> AsyncIterator[Service]:
    """Run a service that works nothing off, with a meter of minutes."""
    async with serving(database, ENERGIA_JOBS__CONCURRENCY="0") as service:
        yield service


@pytest.fixture(name="client")
async def _client(service: Service) -> AsyncIterator[aiohttp.ClientSession]:
    """Give a client of it."""
    async with aiohttp.ClientSession(service.url) as client:
        await client.put("/v1/sites/home", json=SITE)
        async with client.put("/v1/meters/m", json=METER) as answer:
            assert answer.status == 201
        yield client


async def begun(client: aiohttp.ClientSession, rows: int) -> str:
    """Begin a job that stores so many readings, and return its id."""
    async with client.post(IMPORT, data=file(rows), headers={"Prefer": "respond-async"}) as answer:
        assert answer.status == 202, await answer.text()
        return str((await answer.json())["id"])


async def job(client: aiohttp.ClientSession, id_: str, *statuses: str) -> Mapping[str, Any]:
    """Return a job once it has one of some statuses."""
    async with asyncio.timeout(60):
        while True:
            async with client.get(f"/v1/jobs/{id_}") as answer:
                found: Mapping[str, Any] = await answer.json()
            if found["status"] in statuses:
                return found
            await asyncio.sleep(0.01)


async def test_a_worker_does_what_the_service_leaves(
    database: str, client: aiohttp.ClientSession
) -> None:
    """It answers how it is, and nothing of the API; SIGTERM ends it."""
    id_ = await begun(client, 100)
    async with worker_of(database) as worker:
        done = await job(client, id_, "succeeded", "failed")
        async with aiohttp.ClientSession(worker.url) as other:
            statuses = {}
            for path in ("/health/ready", "/metrics", "/v1/jobs"):
                async with other.get(path) as answer:
                    statuses[path] = answer.status
        ended = await worker.stop(signal.SIGTERM)
        assert worker.tracebacks() == []

    assert done["result"]["created"] == 100
    assert statuses == {"/health/ready": 200, "/metrics": 200, "/v1/jobs": 404}
    assert ended == 0


@pytest.mark.parametrize(
    "number", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.long)]
)
async def test_what_a_worker_has_begun_is_finished_by_another(
    database: str, client: aiohttp.ClientSession, number: signal.Signals
) -> None:
    """Killed or stopped in the middle of a file: all of it is stored, once."""
    async with worker_of(database) as first:
        id_ = await begun(client, ROWS)
        begun_by_first = await job(client, id_, "running", "succeeded")
        await first.stop(number)
    async with worker_of(database):
        done = await job(client, id_, "succeeded", "failed")

    assert begun_by_first["tries"] == 1
    assert done["status"] == "succeeded"
    assert done["result"]["created"] == ROWS
    async with client.get("/v1/imports") as answer:
        (stored,) = (await answer.json())["items"]
    assert stored["import"] == done["result"]["import"]


async def test_a_run_survives_its_workers(database: str) -> None:
    """Killed three times in the middle: each contract is billed once, right, and counted once."""
    verdict = await rehearse(database, contracts=300, kills=3)

    assert verdict.is_good(contracts=300), verdict


@pytest.fixture(name="own")
def _own(open_folder: Path) -> Iterator[Embedded]:
    """Give a running server that a test may kill."""
    with tempfile.TemporaryDirectory(dir=open_folder) as folder:
        Path(folder).chmod(0o755)
        server = Embedded(Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.mark.parametrize("away", [0.3, pytest.param(5.0, marks=pytest.mark.long)])
async def test_a_worker_comes_back_with_its_database(own: Embedded, away: float) -> None:
    """Killed in the middle of a file, for a moment or for long: it is stored, and what follows."""
    async with (
        serving(own.dsn(), ENERGIA_JOBS__CONCURRENCY="0") as service,
        aiohttp.ClientSession(service.url) as client,
        worker_of(own.dsn()) as worker,
    ):
        await client.put("/v1/sites/home", json=SITE)
        await client.put("/v1/meters/m", json=METER)
        id_ = await begun(client, ROWS)
        await job(client, id_, "running", "succeeded")
        await kill(own, asyncio.sleep(away))
        await until_answered(client)
        done = await job(client, id_, "succeeded", "failed")
        after = await job(client, await begun(client, 10), "succeeded", "failed")
        assert worker.process.returncode is None

    assert (done["status"], done["result"]["created"]) == ("succeeded", ROWS)
    assert (after["status"], after["result"]["unchanged"]) == ("succeeded", 10)


async def until_answered(client: aiohttp.ClientSession) -> None:
    """Wait until a service has its database again."""
    async with asyncio.timeout(60):
        while True:
            async with client.get("/v1/jobs") as answer:
                if answer.status == HTTPStatus.OK:
                    return
            await asyncio.sleep(0.05)
