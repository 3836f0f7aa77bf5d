"""A service with the console, and a browser."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from energia.db.pool import Pool
from energia.settings import Auth
from tests.plugins.console.browser import chromium
from tests.plugins.console.service import Service, serve
from tests.serving import Serving


@pytest.fixture(name="service")
async def _service(pool: Pool, serving: Serving) -> AsyncIterator[Service]:
    """Give a service that needs tokens."""
    async with serve(serving, pool) as service:
        yield service


@pytest.fixture(name="open_service")
async def _open_service(pool: Pool, serving: Serving) -> AsyncIterator[Service]:
    """Give a service that needs none, as in development."""
    async with serve(serving, pool, auth=Auth(required=False)) as service:
        yield service


@pytest.fixture(name="browser")
async def _browser() -> AsyncIterator[Browser]:
    """Give Chromium; what uses it is marked `needs("chromium")`."""
    async with chromium() as browser:
        yield browser
