"""The load that rehearsals send: it must see what fails, or they would prove nothing."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from tests.e2e.load import Load

NEW_YEAR = datetime(2021, 1, 1, tzinfo=UTC)
FLAWS = ("none", "forgets", "refuses", "hangs up")


class Flawed:
    """A service that forgets, refuses and hangs up, each once in four POST requests.

    Attributes:
        did: How often it did what.
        answers: Set while it answers GET requests; else they wait.
        asked: How many GET requests have arrived.

    """

    def __init__(self) -> None:
        self.did: Counter[str] = Counter()
        self.answers = asyncio.Event()
        self.answers.set()
        self.asked = 0
        self._stored: dict[str, list[float | None]] = {}

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application()
        app.router.add_put("/v1/sites/{id}", self._put)
        app.router.add_put("/v1/meters/{id}", self._put)
        app.router.add_get("/v1/meters/{id}/readings", self._get)
        app.router.add_post("/v1/readings", self._post)
        return app

    async def _put(self, request: web.Request) -> web.Response:
        self._stored[request.match_info["id"]] = [None for _ in range(24 * 365)]
        return web.json_response({}, status=201)

    async def _get(self, request: web.Request) -> web.Response:
        self.asked += 1
        await self.answers.wait()
        return web.json_response({"values": self._stored[request.match_info["id"]]})

    async def _post(self, request: web.Request) -> web.Response:
        (series,) = (await request.json())["series"]
        flaw = FLAWS[self.did.total() % len(FLAWS)]
        self.did[flaw] += 1
        if flaw == "refuses":
            return web.Response(status=502, text="Bad Gateway")
        if flaw == "hangs up":
            assert request.transport is not None
            request.transport.abort()
        if flaw == "none":
            day = (datetime.fromisoformat(series["start"]) - NEW_YEAR).days
            self._stored[series["meter"]][24 * day : 24 * day + 24] = series["values"]
        return web.json_response({})

    async def until(self, posts: int, gets: int = 0) -> None:
        """Wait until so many requests have arrived."""
        async with asyncio.timeout(60):
            while self.did.total() < posts or self.asked < gets:
                await asyncio.sleep(0.01)


@pytest.fixture
def flawed() -> Flawed:
    """Give a service with flaws."""
    return Flawed()


@pytest.fixture
async def load(flawed: Flawed, aiohttp_server: AiohttpServer) -> Load:
    """Give a load on it that may begin."""
    server = await aiohttp_server(flawed.app())
    load = Load(str(server.make_url("")), rate=200, meters=2)
    await load.set_up()
    return load


async def test_every_failure_is_counted(flawed: Flawed, load: Load) -> None:
    """Refusals and broken connections are as many as the server made; none is acknowledged."""
    async with load.running():
        await flawed.until(posts=40)

    said = load.said()
    broken = [one for one in load.answered if one.method == "POST" and not one.said[0].isdigit()]
    assert len(broken) == flawed.did["hangs up"] >= 10
    assert said["POST 502 no problem document: b'Bad Gateway'"] == flawed.did["refuses"] >= 10
    assert said["POST 200"] == flawed.did["none"] + flawed.did["forgets"] >= 20
    assert len(load.acknowledged) == said["POST 200"]


async def test_what_was_acknowledged_and_forgotten_is_lost(flawed: Flawed, load: Load) -> None:
    """Each day that the server said it had stored is looked for afterwards."""
    async with load.running():
        await flawed.until(posts=40)

    assert len(await load.lost()) == flawed.did["forgets"] >= 10


async def test_a_slow_service_is_not_spared(flawed: Flawed, load: Load) -> None:
    """Requests leave at their time while the earlier ones still wait for their answers."""
    flawed.answers.clear()
    async with load.running():
        await flawed.until(posts=40, gets=40)
        answered = [one for one in load.answered if one.method == "GET"]
        flawed.answers.set()

    assert answered == []
