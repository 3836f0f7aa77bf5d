"""Services with the bundled charges."""

from collections.abc import AsyncIterator

import attrs
import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Limits, Settings
from energia_plugins import tariff_fixed, tariff_flat, tariff_time_of_use
from tests.serving import Client, Serving, make_core


def plugins() -> Plugins:
    """Return the bundled charges."""
    return Plugins.of(
        tariff_fixed=tariff_fixed, tariff_flat=tariff_flat, tariff_time_of_use=tariff_time_of_use
    )


@pytest.fixture
async def client(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service with a fresh database."""
    async with serving(make_core(plugins=plugins(), pool=pool)) as client:
        yield client


@pytest.fixture
async def alone(serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service whose database is away."""
    settings = attrs.evolve(Settings(), limits=Limits(slots=100))
    async with serving(make_core(plugins=plugins(), settings=settings)) as client:
        yield client
