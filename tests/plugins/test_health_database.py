"""The probe of the database, with just its plugin."""

import asyncio
from collections.abc import AsyncIterator

import attrs
import pytest

from energia.db.connection import Connection
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Database, Health, Settings
from energia_plugins import health_database
from tests.serving import Client, make_core, serving

SETTINGS = attrs.evolve(Settings(), health=Health(period=0.05, timeout=1, database_grace=0.3))


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
        return str(body["checks"]["database"][0]["status"])


async def test_passes(small: Pool) -> None:
    """A database that answers is passed."""
    core = make_core(plugins=Plugins.of(health_database=health_database), pool=small)
    async with serving(core) as client:
        assert await database_status(client) == "pass"


async def test_away() -> None:
    """A database that is away fails, and readiness says that it is the database."""
    core = make_core(plugins=Plugins.of(health_database=health_database), settings=SETTINGS)
    async with serving(core) as client:
        assert await database_status(client) == "fail"
        async with client.get("/health/ready") as answer:
            assert answer.status == 503
            assert (await answer.json(content_type=None))["reason"] == "database"


async def test_exhausted_pool_is_no_outage(small: Pool) -> None:
    """When requests have taken every connection the database is not away: that is a warning."""
    core = make_core(
        plugins=Plugins.of(health_database=health_database), pool=small, settings=SETTINGS
    )
    async with serving(core) as client:
        taken = await small.take()
        waiting = asyncio.gather(*(small.take() for _ in range(3)), return_exceptions=True)
        seen = set()
        for _ in range(10):
            seen.add(await database_status(client))
            await asyncio.sleep(0.02)
        await waiting
        small.give(taken)
        await asyncio.sleep(0.6)

        assert seen <= {"pass", "warn"}
        assert "warn" in seen
        assert await database_status(client) == "pass"


class CountingPool(Pool):
    """A pool that counts how often it was used."""

    used: int = 0

    async def ping(self) -> None:
        """Ask the server for an answer."""
        self.used += 1
        await super().ping()

    async def take(self) -> Connection:
        """Return a connection."""
        self.used += 1
        return await super().take()


async def test_many_readers_cost_one_query(database: str) -> None:
    """A thousand questions in a period reach the database once at most."""
    # Longer than the slowest machine needs for the questions.
    settings = attrs.evolve(Settings(), health=Health(period=3600))
    pool = CountingPool(database, Database(pool_size=1))
    plugins = Plugins.of(health_database=health_database)
    async with serving(make_core(plugins=plugins, pool=pool, settings=settings)) as client:
        answers = await asyncio.gather(*(client.get("/health") for _ in range(1000)))
        for answer in answers:
            answer.release()
    await pool.close()

    assert {answer.status for answer in answers} == {200}
    assert pool.used == 1
