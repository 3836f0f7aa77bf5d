"""A receiver, and a service that tells it."""

from collections.abc import AsyncIterator

import pytest
from pytest_aiohttp import AiohttpServer

from energia.core import Core
from energia.db.pool import Pool
from tests.core.billing.setting import store_household
from tests.core.webhooks.receiver import Receiver, listening, telling
from tests.serving import Client, Serving


@pytest.fixture
async def receiver(aiohttp_server: AiohttpServer) -> Receiver:
    """Give a receiver that listens."""
    return await listening(aiohttp_server)


@pytest.fixture
def core(pool: Pool) -> Core:
    """Give a service that tells at once."""
    return telling(pool)


@pytest.fixture
async def client(core: Core, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of it."""
    async with serving(core) as client:
        yield client


@pytest.fixture
async def household(client: Client) -> Client:
    """Give a client of a service with a home, a meter, a tariff and the contract `c`."""
    await store_household(client)
    return client
