"""Serve an application in a test as the service does: over real HTTP, with its own inflater."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from energia.core import Core
from energia.db.pool import Pool
from energia.health.state import Phase, State
from energia.plugins import Plugins
from energia.settings import Settings
from energia.time import SystemClock
from energia.web.app import create_app, started

#: A database that is away: nobody listens on this port.
AWAY = "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1"

Client = TestClient[web.Request, web.Application]


def make_core(
    *,
    plugins: Plugins | None = None,
    settings: Settings | None = None,
    pool: Pool | None = None,
    phase: Phase = Phase.READY,
) -> Core:
    """Return a service's core; without *pool* its database is away."""
    settings = settings or Settings()
    return Core(
        settings=settings,
        clock=SystemClock(),
        pool=pool or Pool(AWAY, settings.database),
        state=State(phase),
        plugins=plugins or Plugins.of(),
    )


@asynccontextmanager
async def client_of(app: web.Application) -> AsyncIterator[Client]:
    """Serve *app* and give a client of it."""
    server = TestServer(app)
    await server.start_server(auto_decompress=False)
    async with TestClient(server) as client:
        yield client


@asynccontextmanager
async def serving(core: Core) -> AsyncIterator[Client]:
    """Serve *core*, its plugins at work, and give a client of it."""
    app = create_app(core)
    async with started(app), client_of(app) as client:
        yield client
