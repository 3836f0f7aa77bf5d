"""A source of prices on loopback that answers as it is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import attrs
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from energia import Delivery, FeedRequest, Outgoing
from energia.configuration.values import structure
from energia_plugins.price_feed_http.feed import Feed
from energia_plugins.price_feed_http.settings import HttpFeed, Settings
from tests.serving import LOOPBACK

#: Returns what a feed makes of a document.
Read = Callable[..., Awaitable[Delivery]]
NOW = "2026-03-02T10:00:00+01:00"
#: Where the prices of most answers are.
SHAPE: dict[str, Any] = {
    "start": "t",
    "price": "p",
    "interval": "PT1H",
    "timezone": "Europe/Madrid",
}


@attrs.define
class Source:
    """What is asked, and what is answered: a number is a pause in seconds before the next one."""

    url: str = ""
    answers: list[web.Response | float] = attrs.Factory(list)
    asked: list[web.Request] = attrs.Factory(list)

    async def answer(self, request: web.Request) -> web.Response:
        """Give the next answer; the last one again and again."""
        self.asked.append(request)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, float):
            await asyncio.sleep(found)
            return web.Response(status=504)
        assert isinstance(found, web.Response)
        return web.Response(body=found.body, status=found.status, headers=found.headers)


@asynccontextmanager
async def source(
    aiohttp_server: AiohttpServer, *answers: web.Response | float
) -> AsyncIterator[Source]:
    """Serve answers."""
    found = Source(answers=list(answers))
    app = web.Application()
    app.router.add_get("/{path:.*}", found.answer)
    server = await aiohttp_server(app)
    found.url = str(server.make_url("")).rstrip("/")
    try:
        yield found
    finally:
        await server.close()


def settings(url: str, **more: Any) -> HttpFeed:
    """Return the settings of a feed as a configuration has them."""
    table = {"currency": "EUR", "url": url, **more}
    found = structure({"feeds": {"spot": table}}, Settings, "plugins.price-feed-http")
    return found.feeds["spot"]


def feed(url: str, **more: Any) -> Feed:
    """Return a feed of a source."""
    return Feed("spot", settings(url, **more))


async def fetched(
    of: Feed, now: str, horizon: str | None = None, memo: dict[str, Any] | None = None
) -> Delivery:
    """Let a feed fetch at an instant."""
    until = None if horizon is None else utc(horizon)
    return await of.fetch(FeedRequest(utc(now), until, memo or {}, Outgoing(LOOPBACK)))


def utc(text: str) -> datetime:
    """Return an instant, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)
