"""A service with every bundled plugin on a fresh database: in this process, or in its own."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Jobs, Settings
from tests.e2e import service as processes
from tests.e2e.service import Service
from tests.serving import LOOPBACK, Serving, make_core


@pytest.fixture(name="service")
async def _service(database: str) -> AsyncIterator[Service]:
    """Run the service as a process, for tests of what only a process does."""
    async with processes.serving(database) as service:
        yield service


@pytest.fixture(name="url")
async def _url(pool: Pool, serving: Serving) -> AsyncIterator[str]:
    """Serve in this process, which starts far sooner, and give the URL."""
    settings = Settings(outgoing=LOOPBACK, jobs=Jobs(grace=1))
    core = make_core(plugins=Plugins.installed(), pool=pool, settings=settings)
    async with serving(core) as client:
        yield str(client.make_url("")).rstrip("/")


@pytest.fixture(name="api")
async def _api(url: str) -> AsyncIterator[aiohttp.ClientSession]:
    """Talk to the service in this process."""
    async with aiohttp.ClientSession(url) as session:
        yield session
