"""A receiver of webhooks, and a service that tells it."""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from energia.convert import structure
from energia.core import Core
from energia.db.pool import Pool
from energia.settings import Jobs, Profile, Settings, Webhooks
from energia.webhooks.events import DATA
from tests.core.billing.fakes import Heard, plugins
from tests.core.billing.setting import success
from tests.serving import LOOPBACK, Client, make_core

#: Tells at once, and again soon.
QUICK = Webhooks(timeout=5, pauses=(0.02, 0.02, 0.02), period=0.1)
WORKING = Jobs(poll=0.1, grace=0.1, heartbeat=2)


@attrs.define(eq=False)
class Receiver:
    """Gets events, and answers as it is told.

    Attributes:
        url: Where it listens.
        answers: What it answers, or with which status; 204 once there is nothing left.
        got: The headers and the body of each request.

    """

    url: str = ""
    answers: list[int | web.Response] = attrs.Factory(list)
    got: list[tuple[Mapping[str, str], bytes]] = attrs.Factory(list)

    async def take(self, request: web.Request) -> web.Response:
        """Note a request."""
        self.got.append((request.headers, await request.read()))
        answer = self.answers.pop(0) if self.answers else 204
        return web.Response(status=answer) if isinstance(answer, int) else answer

    async def until(self, count: int) -> list[Any]:
        """Wait until so many have come, and return their bodies."""
        await until(lambda: len(self.got) >= count)
        return [fitting(json.loads(body)) for _, body in self.got]

    @property
    def ids(self) -> list[str]:
        """The ids of what has come."""
        return [headers["webhook-id"] for headers, _ in self.got]


def fitting(body: Any) -> Any:
    """Return the body of an event, which must be as the document says."""
    assert list(body) == ["type", "timestamp", "data"]
    assert datetime.fromisoformat(body["timestamp"]).tzinfo is not None
    structure(body["data"], DATA[body["type"]])
    return body


async def listening(server: AiohttpServer) -> Receiver:
    """Return a receiver that listens."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    receiver.url = str((await server(app)).make_url("/hook"))
    return receiver


@attrs.define
class Clock:
    """A clock that is set forward."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC) + self.ahead


def telling(
    pool: Pool,
    webhooks: Webhooks = QUICK,
    profile: Profile = "development",
    concurrency: int = 2,
) -> Core:
    """Return a service that tells receivers on this machine; without *concurrency* none yet."""
    jobs = attrs.evolve(WORKING, concurrency=concurrency)
    settings = Settings(outgoing=LOOPBACK, webhooks=webhooks, jobs=jobs, profile=profile)
    return make_core(plugins=plugins(Heard()), pool=pool, settings=settings)


async def webhook(client: Client, url: str, *events: str, **more: Any) -> Any:
    """Make a webhook, and return it with its secret."""
    body = {"url": url, "events": events or ["bill.issued"], **more}
    return await success(client, "POST", "/v1/webhooks", body)


async def until(true: Callable[[], bool]) -> None:
    """Wait for something to be true."""
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.01)


async def until_answer(client: Client, path: str, true: Callable[[Any], bool]) -> Any:
    """Wait until what is found at a path is as it should be, and return it."""
    async with asyncio.timeout(60):
        while not true(answer := await success(client, "GET", path)):
            await asyncio.sleep(0.02)
    return answer
