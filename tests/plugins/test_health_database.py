"""The probe of the database, with just its plugin."""

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from itertools import cycle, islice

import aiohttp
import attrs
import psycopg2
import pytest

from energia.db.embedded import ADMIN, Embedded
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Database, Health, Settings
from energia_plugins import health_database
from energia_plugins.health_pool import PoolHealth
from tests.serving import Client, Serving, make_core

SETTINGS = attrs.evolve(Settings(), health=Health(period=0.05, timeout=1, database_grace=0.3))
#: How many ask at the same time, each on a connection of its own.
MANY = 400


@pytest.fixture
async def small(database: str) -> AsyncIterator[Pool]:
    """Give a pool of one connection."""
    pool = Pool(database, Database(pool_size=1, acquire_timeout=0.2))
    yield pool
    await pool.close()


async def database_status(client: Client) -> str:
    """Return what `/health` says of the database."""
    async with client.get("/health") as answer:
        body = await answer.json(content_type=None)
        assert (answer.status == 503) == (body["status"] == "fail")
        return str(body["checks"]["database:responseTime"][0]["status"])


async def test_passes(small: Pool, serving: Serving) -> None:
    """A database that answers is passed."""
    core = make_core(plugins=Plugins.of(health_database=health_database), pool=small)
    async with serving(core) as client:
        assert await database_status(client) == "pass"


async def test_away(serving: Serving) -> None:
    """A database that is away fails, and readiness says that it is the database."""
    core = make_core(plugins=Plugins.of(health_database=health_database), settings=SETTINGS)
    async with serving(core) as client:
        assert await database_status(client) == "fail"
        async with client.get("/health/ready") as answer:
            assert answer.status == 503
            assert (await answer.json(content_type=None))["reason"] == "database"


async def test_exhausted_pool_is_no_outage(small: Pool, serving: Serving) -> None:
    """When requests have taken every connection, the database still answers."""
    core = make_core(
        plugins=Plugins.of(health_database=health_database), pool=small, settings=SETTINGS
    )
    async with serving(core) as client:
        taken = await small.take()
        waiting = asyncio.gather(*(small.take() for _ in range(3)), return_exceptions=True)
        seen = set()
        for _ in range(30):  # for longer than the grace
            seen.add(await database_status(client))
            await asyncio.sleep(0.02)
        await waiting
        small.give(taken)

        assert seen == {"pass"}


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Allow both ends of many connections in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 3 * MANY)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Questions:
    """The questions of the probe that the server logs of one database.

    Not what a connection begins with: the probe opens one where the pool has none left.
    """

    def __init__(self, server: Embedded, dsn: str) -> None:
        self._log = server.folder / "server.log"
        name = dsn.partition("?")[0].rpartition("/")[2]
        with closing(psycopg2.connect(server.dsn(ADMIN, ADMIN))) as admin:
            admin.autocommit = True
            with admin.cursor() as cursor:
                cursor.execute(f"alter database {name} set log_statement = 'all'")
        self._start = self._log.stat().st_size

    def count(self) -> int:
        """Return how often it asked since the beginning."""
        with self._log.open("rb") as log:
            log.seek(self._start)
            return log.read().count(b"LOG:  statement: select 1\n")


@pytest.mark.usefixtures("descriptors")
async def test_many_readers_cost_one_query_a_period(
    server: Embedded, database: str, serving: Serving
) -> None:
    """Hundreds of questions at a time reach the database once a period at most: it counts."""
    questions, period = Questions(server, database), 0.2
    settings = attrs.evolve(Settings(), health=Health(period=period))
    pool = Pool(database, Database(pool_size=1))
    plugins = Plugins.of(health_database=health_database, health_pool=PoolHealth)
    paths = list(islice(cycle(["/health", "/health/ready", "/health/live"]), MANY))
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        serving(make_core(plugins=plugins, pool=pool, settings=settings)) as client,
        aiohttp.ClientSession(client.make_url("/"), connector=connector) as session,
    ):
        started, taken = time.monotonic(), await pool.take()

        async def status(path: str) -> int:
            async with session.get(path) as answer:
                return answer.status

        answers = [await asyncio.gather(*map(status, paths)) for _ in range(3)]
        periods = (time.monotonic() - started) / period
        pool.give(taken)
    await pool.close()

    assert [set(answer) for answer in answers] == [{200}] * 3
    assert 2 <= questions.count() <= periods + 2
