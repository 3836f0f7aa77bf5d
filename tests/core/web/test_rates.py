"""How fast a caller may ask, and how many may at once."""

import asyncio
from collections.abc import AsyncIterator

import attrs
import pytest

from energia import hookimpl
from energia.access.callers import Authenticator, Caller
from energia.core import Core
from energia.plugins import Plugins
from energia.settings import Limits, Rate, Settings
from energia.spending import spend
from energia.web.rates import Bucket, Quotas
from energia.web.routes import Routes
from tests.core.web import fakes
from tests.serving import Client, Serving, make_core

routes = Routes()


@routes.get("/v1/costly")
async def get_costly(units: float) -> str:
    """Cost something, in a thread."""
    await asyncio.to_thread(spend, units)
    return "done"


class Costly:
    """A plugin with a route that costs, and callers whose names are their tokens."""

    name = "named"

    @hookimpl
    def register_routes(self) -> Routes:
        """Return the route."""
        return routes

    @hookimpl
    def register_authenticators(self) -> list[Authenticator]:
        """Return what knows the callers: itself."""
        return [self]

    async def authenticate(self, bearer: str, core: Core) -> Caller:
        """Take the token for the caller."""
        return Caller(f"named:{bearer}", bearer)


def core_of(*, limits: Limits | None = None, rate: Rate | None = None) -> Core:
    """Return a service with some limits."""
    settings = attrs.evolve(Settings(), limits=limits or Limits(), rate=rate or Rate())
    return make_core(plugins=Plugins.of(fakes=fakes, costly=Costly()), settings=settings)


async def ask(
    client: Client, path: str, caller: str = "", **headers: str
) -> tuple[int, dict[str, str], str]:
    """Return the status, the headers and the text of an answer to *caller*, if it has a name."""
    if caller:
        headers["Authorization"] = f"Bearer {caller}"
    async with client.get(path, headers=headers) as answer:
        return answer.status, dict(answer.headers), await answer.text()


async def test_too_many_requests(serving: Serving) -> None:
    """After its burst a caller waits, and is told for how long; others are not affected."""
    async with serving(core_of(rate=Rate(requests=0.1, burst=20))) as client:
        first = [await ask(client, "/v1/costly?units=0", caller="a") for _ in range(2)]
        status, headers, text = await ask(client, "/v1/costly?units=0", caller="a")
        other, _, _ = await ask(client, "/v1/costly?units=0", caller="b")

    assert [(status, headers["RateLimit-Remaining"]) for status, headers, _ in first] == [
        (200, "1"),
        (200, "0"),
    ]
    assert first[0][1]["RateLimit-Limit"] == "2"
    assert status == 429
    assert '"too_fast"' in text
    assert "rate.requests (0.1 a second, 2 at once)" in text
    assert 8 <= int(headers["Retry-After"]) <= 10
    assert headers["RateLimit-Remaining"] == "0"
    assert 16 <= int(headers["RateLimit-Reset"]) <= 20
    assert other == 200


async def test_what_a_request_costs(serving: Serving) -> None:
    """It is known afterwards; what is more than there is, the next request waits for."""
    async with serving(core_of(rate=Rate(cost=100, burst=10))) as client:
        first, told, _ = await ask(client, "/v1/costly?units=900")
        second, _, _ = await ask(client, "/v1/costly?units=5100")
        third, headers, text = await ask(client, "/v1/costly?units=1")

    assert (first, told["RateLimit-Limit"], told["RateLimit-Remaining"]) == (200, "1000", "100")
    assert (second, third) == (200, 429)
    assert "rate.cost (100 a second, 1000 at once)" in text
    assert 45 <= int(headers["Retry-After"]) <= 50


async def test_bodies_cost(serving: Serving) -> None:
    """A unit is 100 bytes, after inflation, also of what is inflated in a thread."""
    async with serving(core_of(rate=Rate(cost=100, burst=10))) as client:
        for path, left in (("/v1/files", 900), ("/v1/blocking", 800)):
            async with client.post(path, data=b"x" * 10_000) as answer:
                pass
            _, told, _ = await ask(client, "/v1/costly?units=0")
            assert answer.status == 200
            assert left <= int(told["RateLimit-Remaining"]) <= left + 90


async def test_the_tightest_limit_is_told(serving: Serving) -> None:
    """The headers are of the limit of which least is left."""
    async with serving(core_of(rate=Rate(requests=10, cost=100, burst=10))) as client:
        _, cheap, _ = await ask(client, "/v1/costly?units=0")
        _, costly, _ = await ask(client, "/v1/costly?units=500")

    assert (cheap["RateLimit-Limit"], costly["RateLimit-Limit"]) == ("100", "1000")


@pytest.mark.parametrize("path", ["/health", "/health/live", "/openapi.json", "/nothing"])
async def test_not_all_is_counted(serving: Serving, path: str) -> None:
    """Health and documentation are answered however fast one asks."""
    async with serving(core_of(rate=Rate(requests=0.1, burst=10))) as client:
        for _ in range(3):
            status, headers, _ = await ask(client, path)
            assert status in (200, 404)
            assert "RateLimit-Limit" not in headers


async def test_by_default_nothing_is_counted(client: Client) -> None:
    """Rates are for operators to choose."""
    _, headers, _ = await ask(client, "/v1/long")

    assert "RateLimit-Limit" not in headers


def test_a_bucket_fills() -> None:
    """At its rate, up to its size, also from below nothing."""
    bucket = Bucket("rate.cost", 2.0, 10.0, -4.0, 100.0)
    assert bucket.wait(0) == 2.0

    bucket.fill(103.0)
    assert bucket.level == 2.0
    bucket.fill(1000.0)
    assert (bucket.level, bucket.wait(10)) == (10.0, 0.0)


def test_callers_are_forgotten() -> None:
    """However many come: who was not heard of for longest is forgotten first."""
    quotas = Quotas(Rate(requests=1))
    for number in range(10_001):
        quotas.of(f"address:{number}").take()

    assert len(quotas) == 10_000


async def test_what_a_client_says_of_itself_is_not_believed(serving: Serving) -> None:
    """Without a name, the address counts; no header makes it another one."""
    async with serving(core_of(rate=Rate(requests=0.1, burst=10))) as client:
        first, _, _ = await ask(client, "/v1/long", **{"X-Forwarded-For": "10.0.0.1"})
        second, _, _ = await ask(client, "/v1/long", **{"X-Forwarded-For": "10.0.0.2"})

    assert (first, second) == (200, 429)


# How many at once.


async def test_too_many_at_once(serving: Serving) -> None:
    """One more is refused at once, and health is not; when one ends, there is a place again."""
    async with serving(core_of(limits=Limits(concurrency=2))) as client:
        slow = [asyncio.create_task(ask(client, "/v1/slow?seconds=1")) for _ in range(2)]
        await asyncio.sleep(0.3)
        status, headers, text = await ask(client, "/v1/long")
        live, _, _ = await ask(client, "/health/live")
        assert [status for status, _, _ in await asyncio.gather(*slow)] == [200, 200]
        after, _, _ = await ask(client, "/v1/long")

    assert (status, headers["Retry-After"]) == (503, "1")
    assert '"busy"' in text
    assert "limits.concurrency (2)" in text
    assert (live, after) == (200, 200)


async def test_too_many_of_one_caller(serving: Serving) -> None:
    """Others still have places."""
    async with serving(core_of(limits=Limits(caller_concurrency=1))) as client:
        slow = asyncio.create_task(ask(client, "/v1/slow?seconds=1", caller="a"))
        await asyncio.sleep(0.3)
        same, _, text = await ask(client, "/v1/long", caller="a")
        other, _, _ = await ask(client, "/v1/long", caller="b")
        await slow

    assert (same, other) == (503, 200)
    assert "limits.caller_concurrency (1)" in text


async def test_it_is_refused_before_its_body_is_read(serving: Serving) -> None:
    """A client that sends slowly holds a place, and one beyond is answered without its body."""
    async with serving(core_of(limits=Limits(concurrency=1))) as client:
        begun = asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            begun.set()
            yield b"x"
            await asyncio.sleep(1)

        async def send() -> int:
            async with client.post("/v1/files", data=body()) as answer:
                return answer.status

        first = asyncio.create_task(send())
        await begun.wait()
        await asyncio.sleep(0.3)
        loop = asyncio.get_running_loop()
        start = loop.time()
        assert await send() == 503
        assert loop.time() - start < 0.8
        assert await first == 200


async def test_a_client_that_leaves_frees_its_place(serving: Serving) -> None:
    """Also one that is cancelled."""
    async with serving(core_of(limits=Limits(concurrency=1))) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await ask(client, "/v1/slow?seconds=30")
        deadline = asyncio.get_running_loop().time() + 5
        while (await ask(client, "/v1/long"))[0] == 503:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.1)
