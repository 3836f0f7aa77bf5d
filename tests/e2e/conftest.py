"""A service on a fresh database, and a client of it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.e2e.service import Service, serving


@pytest.fixture(name="service")
async def _service(database: str) -> AsyncIterator[Service]:
    """Run the service with every bundled plugin."""
    async with serving(database) as service:
        yield service


@pytest.fixture(name="api")
async def _api(service: Service) -> AsyncIterator[aiohttp.ClientSession]:
    """Talk to the service."""
    async with aiohttp.ClientSession(service.url) as session:
        yield session
