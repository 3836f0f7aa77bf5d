"""The plugin `bill-webhook` in a preview, which has the settings of production."""

import asyncio

import aiohttp
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from energia.db.migrate import CORE_MIGRATIONS, migrate
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import PluginSelection, Profile, Settings
from tests.plugins.test_bill_webhook import WORKING, issue
from tests.serving import LOOPBACK, Serving, make_core


async def told(
    serving: Serving, aiohttp_server: AiohttpServer, pool: Pool, database: str, profile: Profile
) -> int:
    """Issue a bill in a profile, and return how often its receiver was told."""
    got = asyncio.Queue[web.BaseRequest]()

    async def take(request: web.Request) -> web.Response:
        got.put_nowait(request)
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    receiver = await aiohttp_server(app)
    configured = {"bill-webhook": {"url": str(receiver.make_url("/")), "poll": 0.05}}
    plugins = Plugins.installed(PluginSelection(settings=configured))
    await migrate(database, {**CORE_MIGRATIONS, **plugins.migrations()})
    core = make_core(
        plugins=plugins,
        pool=pool,
        settings=Settings(profile=profile, outgoing=LOOPBACK, jobs=WORKING),
    )
    async with serving(core) as client, aiohttp.ClientSession(client.make_url("/")) as api:
        await issue(api, 1)
        if profile == "production":
            async with asyncio.timeout(60):
                while not got.qsize():
                    await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
    return got.qsize()


async def test_production_tells_its_bills(
    pool: Pool, database: str, serving: Serving, aiohttp_server: AiohttpServer
) -> None:
    """As it is configured."""
    assert await told(serving, aiohttp_server, pool, database, "production") == 1


async def test_a_preview_tells_nobody(
    pool: Pool, database: str, serving: Serving, aiohttp_server: AiohttpServer
) -> None:
    """Its platform has copied the URL of production's receiver to it."""
    assert await told(serving, aiohttp_server, pool, database, "preview") == 0
