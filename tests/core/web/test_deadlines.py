"""How long a request may take, `limits.request_time`, until its answer begins."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import attrs

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Database, Limits, Settings
from tests.core.web import fakes
from tests.serving import Client, Serving, make_core

#: How many statements still sleep.
_SLEEPING = (
    "select count(*)::int from pg_stat_activity where datname = current_database() "
    "and state = 'active' and query like '%%from pg_sleep%%' and pid <> pg_backend_pid()"
)


@asynccontextmanager
async def limited(
    serving: Serving, seconds: float, pool: Pool | None = None
) -> AsyncIterator[Client]:
    """Serve the fake routes, each request at most so long."""
    settings = attrs.evolve(Settings(), limits=Limits(request_time=seconds))
    core = make_core(plugins=Plugins.of(fakes=fakes), settings=settings, pool=pool)
    async with serving(core) as client:
        yield client


async def refusal(answer: aiohttp.ClientResponse) -> tuple[int, str, str]:
    """Return the status, the code and the detail of a problem document."""
    problem = await answer.json(content_type="application/problem+json")
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    return answer.status, problem["code"], problem["detail"]


async def test_a_body_that_trickles(serving: Serving) -> None:
    """A body that keeps coming is 408 once the time of the request is over."""

    async def trickle() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" "
            await asyncio.sleep(0.05)

    async with limited(serving, 0.3) as client:
        answer = await client.post("/v1/files", data=trickle())

        assert await refusal(answer) == (
            408,
            "too_slow",
            "the body did not come within limits.request_time (0.3 s)",
        )


async def test_an_answer_that_takes_too_long(serving: Serving) -> None:
    """An answer that has not begun in time is 503 and may be tried again; the next one is well."""
    async with limited(serving, 0.1) as client:
        answer = await client.get("/v1/slow", params={"seconds": 5})

        assert int(answer.headers["Retry-After"]) > 0
        assert await refusal(answer) == (
            503,
            "timed_out",
            "no answer within limits.request_time (0.1 s)",
        )
        assert (await client.get("/v1/slow", params={"seconds": 0})).status == 200


async def test_a_statement_that_takes_too_long(database: str, serving: Serving) -> None:
    """It is cancelled with its request: the one connection is free for the next request."""
    pool = Pool(database, Database(pool_size=1, acquire_timeout=5))
    async with limited(serving, 0.5, pool) as client:
        for _ in range(3):
            late = await client.get("/v1/asleep", params={"seconds": 20})
            assert (await refusal(late))[:2] == (503, "timed_out")
            quick = await client.get("/v1/asleep", params={"seconds": 0})
            assert await quick.json() == [1]
        async with asyncio.timeout(60):  # the server notices within a second or so
            while await pool.tenant().fetch(int, _SLEEPING) != [0]:
                await asyncio.sleep(0.1)
    await pool.close()


async def test_an_answer_that_has_begun_is_not_cut(serving: Serving) -> None:
    """A streamed answer may take longer than a request."""
    async with (
        limited(serving, 0.1) as client,
        client.get("/v1/drops", params={"seconds": 0.4}) as answer,
    ):
        assert await answer.text() == "drop\n1\n2\n"
