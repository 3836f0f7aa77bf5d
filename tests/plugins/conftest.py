"""What tests of several plugins use."""

from typing import Any

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from energia import Delivery
from tests.plugins.sources import NOW, Read, feed, fetched, source


@pytest.fixture(name="read")
def _read(aiohttp_server: AiohttpServer) -> Read:
    """Give what reads a JSON document by a feed of a shape."""

    async def read(document: Any, now: str = NOW, **shape: Any) -> Delivery:
        async with source(aiohttp_server, web.json_response(document)) as found:
            return await fetched(feed(found.url, shape=shape), now)

    return read
