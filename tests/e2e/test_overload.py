"""More requests than can be answered: some are, the others are refused at once, and it passes."""

import asyncio
import time
from collections import Counter

import aiohttp
import attrs

from tests.attack import bodies
from tests.attack.target import pace
from tests.e2e.service import Service, ready

#: How many requests at once keep the service busy without overloading it.
CLOSED = 2
#: How many times as many as it can answer are sent, and for how many seconds at least and at most:
#: a machine that was busy while that was measured can answer more than it seemed.
TIMES, SECONDS, LONGEST = 5, 4, 60
#: In seconds: how soon a refusal comes, and how soon all is as before.
SOON = 1.0


def question() -> bytes:
    """Return a cost that takes some 50 ms: 30 charges on each of 60 days of readings that come."""
    return bodies.document(
        {"tariff": bodies.flats(30), "usage": bodies.usage(24 * 60), "group": "P1D"}
    )


@attrs.frozen
class Answer:
    """What was said to a request, after how many seconds, and when to come again."""

    status: int
    seconds: float
    retry_after: str | None


async def ask(api: aiohttp.ClientSession, body: bytes) -> Answer:
    """Ask once."""
    begun = time.monotonic()
    headers = {"Content-Type": "application/json"}
    async with api.post("/v1/costs", data=body, headers=headers) as answer:
        await answer.read()
        seconds = time.monotonic() - begun
        return Answer(answer.status, seconds, answer.headers.get("Retry-After"))


def is_refused(task: asyncio.Task[Answer]) -> bool:
    """Return whether a request has been answered, with a refusal."""
    return task.done() and task.result().status != 200


async def capacity(api: aiohttp.ClientSession, body: bytes) -> float:
    """Return how many requests a second are answered one after the other, by a few at once."""
    until, count = time.monotonic() + 2, 0

    async def again() -> None:
        nonlocal count
        while time.monotonic() < until:
            assert (await ask(api, body)).status == 200
            count += 1

    await asyncio.gather(*(again() for _ in range(CLOSED)))
    return count / 2


async def test_too_much_is_refused_and_passes(service: Service) -> None:
    """Five times what can be answered: 503 tells the rest to come again, health answers on."""
    body, slower = question(), pace()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(service.url, connector=connector) as api:
        await ask(api, body)  # which is warm then
        rate = TIMES * await capacity(api, body)
        begun, asked = time.monotonic(), list[asyncio.Task[Answer]]()
        health = list[float]()
        while (now := time.monotonic() - begun) < SECONDS or not (
            any(map(is_refused, asked)) or now > LONGEST
        ):
            while len(asked) < now * rate:
                asked.append(asyncio.create_task(ask(api, body)))
            since = time.monotonic()
            async with api.get("/health/live") as live:
                assert live.status == 200
            health.append(time.monotonic() - since)
            await asyncio.sleep(0.02)
        answers = await asyncio.gather(*asked)
        await ready(service, SOON * slower)
        after = await ask(api, body)

    said = Counter(answer.status for answer in answers)
    refused = [answer for answer in answers if answer.status != 200]
    assert set(said) == {200, 503}
    assert said[200] >= rate / TIMES  # at least a second's worth of four
    assert len(refused) > 0
    assert {answer.retry_after for answer in refused} == {"1"}
    assert sorted(answer.seconds for answer in refused)[len(refused) // 2] < SOON * slower
    assert sorted(health)[len(health) * 9 // 10] < SOON * slower
    assert after.status == 200
    assert after.seconds < SOON * slower
    assert service.tracebacks() == []
