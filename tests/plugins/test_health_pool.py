"""The probe of the connection pool, with just its plugin."""

import asyncio

import attrs

from energia.db.pool import Pool
from energia.health.probes import Observed
from energia.plugins import Plugins
from energia.settings import Database, Health, Settings
from energia_plugins.health_pool import PoolHealth
from tests.plugins.components import until
from tests.serving import Serving, make_core

SETTINGS = attrs.evolve(Settings(), health=Health(period=0.02))


async def test_saturation(database: str, serving: Serving) -> None:
    """Use is told in percent; who waits is a warning, and so is who waited in vain, once."""
    pool = Pool(database, Database(pool_size=2, acquire_timeout=0.3))
    core = make_core(plugins=Plugins.of(health_pool=PoolHealth), pool=pool, settings=SETTINGS)
    async with serving(core) as client:
        taken = [await pool.take()]
        await until(client, "pool", lambda one: one.observed == Observed(50, "percent"))
        taken.append(await pool.take())
        full = await until(client, "pool", lambda one: one.observed == Observed(100, "percent"))
        waiting = asyncio.gather(*(pool.take() for _ in range(3)), return_exceptions=True)
        busy = await until(client, "pool", lambda one: one.status == "warn")
        in_vain = await until(client, "pool", lambda one: "in vain" in (one.output or ""))
        for connection in taken:
            pool.give(connection)
        calm = await until(client, "pool", lambda one: one.observed == Observed(0, "percent"))
        await waiting
    await pool.close()

    assert full.status == "pass"
    assert busy.output == "3 wait for one of 2 connections"
    assert in_vain.output == "3 waited in vain since the last check"
    assert (calm.status, calm.output) == ("pass", None)
