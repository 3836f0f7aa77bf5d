"""Serve an application in a test as the service does: over real HTTP, with its own inflater."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import attrs
from aiohttp import web
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient, AiohttpServer

from energia.core import Core
from energia.db.pool import Pool
from energia.health.state import Phase, State
from energia.plugins import Plugins
from energia.settings import Jobs, Outgoing, Settings
from energia.time import SystemClock
from energia.web.app import create_app, started

#: A database that is away: nobody listens on this port.
AWAY = "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1"

#: What is asked in a test is on this machine.
LOOPBACK = Outgoing(allow=("127.0.0.0/8", "::1"))

Client = TestClient[web.Request, web.Application]


def make_core(
    *,
    plugins: Plugins | None = None,
    settings: Settings | None = None,
    pool: Pool | None = None,
    phase: Phase = Phase.READY,
) -> Core:
    """Return a service's core; without *pool* its database is away.

    It works no jobs off, unless its settings say how.
    """
    settings = settings or Settings(outgoing=LOOPBACK)
    if settings.jobs == Jobs():  # what nobody has asked for would take most tests longer
        settings = attrs.evolve(settings, jobs=Jobs(concurrency=0))
    return Core(
        settings=settings,
        clock=SystemClock(),
        pool=pool or Pool(AWAY, settings.database),
        state=State(phase),
        plugins=plugins or Plugins.of(),
    )


@attrs.frozen
class Serving:
    """Serves within this process; the fixture `serving` gives it to a test."""

    _server: AiohttpServer
    _client: AiohttpClient

    async def app(self, app: web.Application) -> Client:
        """Serve *app* until the test ends, its plugins asleep, and return a client of it."""
        server = await self._server(app, auto_decompress=False)
        # A client of a server is typed as if there were no application behind it.
        return cast(Client, await self._client(server))

    @asynccontextmanager
    async def __call__(self, core: Core) -> AsyncIterator[Client]:
        """Serve *core*, its plugins at work, while the block lasts, and give a client of it."""
        app = create_app(core)
        async with started(app):
            client = await self.app(app)
            try:
                yield client
            finally:
                await client.close()  # and its server: plugins end after the last request
