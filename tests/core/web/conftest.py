"""A service with the fake routes."""

from collections.abc import AsyncIterator

import attrs
import pytest

from energia.plugins import Plugins
from energia.settings import Limits, Settings
from tests.core.web import fakes
from tests.serving import Client, Serving, make_core

#: Small, so that a test can go beyond them.
LIMITS = Limits(body_bytes=10_000, import_bytes=20_000, problems=5)


@pytest.fixture
async def client(serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service whose database is away."""
    settings = attrs.evolve(Settings(), limits=LIMITS)
    async with serving(make_core(plugins=Plugins.of(fakes=fakes), settings=settings)) as client:
        yield client
