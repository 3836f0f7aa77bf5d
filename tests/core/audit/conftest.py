"""A service with a household, whose audit log is read."""

from collections.abc import AsyncIterator

import pytest

from energia.db.pool import Pool
from tests.core.billing.fakes import Heard, plugins
from tests.core.billing.setting import store_household
from tests.serving import Client, Serving, make_core


@pytest.fixture
async def client(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service with an empty database."""
    async with serving(make_core(plugins=plugins(Heard()), pool=pool)) as client:
        yield client


@pytest.fixture
async def household(client: Client) -> Client:
    """Give a client of a service with a home, a meter, a tariff and the contract `c`."""
    await store_household(client)
    return client
