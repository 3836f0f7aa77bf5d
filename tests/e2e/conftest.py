"""A service on a fresh database, and a client of it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from tests.e2e import service as processes
from tests.e2e.service import Service
from tests.serving import make_core, serving


@pytest.fixture(name="service")
async def _service(database: str) -> AsyncIterator[Service]:
    """Run the service with every bundled plugin."""
    async with processes.serving(database) as service:
        yield service


@pytest.fixture(name="api")
async def _api(service: Service) -> AsyncIterator[aiohttp.ClientSession]:
    """Talk to the service."""
    async with aiohttp.ClientSession(service.url) as session:
        yield session


@pytest.fixture(name="api_here")
async def _api_here(pool: Pool) -> AsyncIterator[aiohttp.ClientSession]:
    """Talk to a service with every bundled plugin that runs in this process: quicker to start."""
    core = make_core(plugins=Plugins.installed(), pool=pool)
    async with serving(core) as client, aiohttp.ClientSession(client.make_url("/")) as session:
        yield session
