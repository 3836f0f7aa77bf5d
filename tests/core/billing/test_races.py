"""Requests that cross each other: each is done or refused, and none fails."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.core.billing.setting import CHANNEL, CONTRACT, SITE, meter, tariff
from tests.core.pricing.asking import answer_of
from tests.serving import Client

#: The last one gets no readings, so that it can be deleted.
METERS = ("a", "b", "c")
NAMES = ("import", "export")
CHANNELS = [{**CHANNEL, "id": name, "direction": name} for name in NAMES]
#: A method, a path and a body.
Request = tuple[str, str, Any]
#: How often each of the requests that cross each other is sent.
ROUNDS = 6


async def crossed(client: Client, *lanes: Sequence[Request]) -> Counter[tuple[str, int]]:
    """Send each lane's requests in their order, all lanes at once; return how often what came."""
    found: Counter[tuple[str, int]] = Counter()

    async def send(lane: Sequence[Request]) -> None:
        for _ in range(ROUNDS):
            for method, path, body in lane:
                status, _answer = await answer_of(client, method, path, body)
                found[f"{method} {path.split('/')[2]}", status] += 1

    await asyncio.gather(*map(send, lanes))
    return found


async def test_a_tariff_is_deleted_or_has_a_contract(household: Client) -> None:
    """A tariff that goes while a contract of it is made: one of the two is refused."""
    contract = {**CONTRACT, "tariff": "other", "start": "2020-01-01", "end": "2020-02-01"}
    found = await crossed(
        household,
        [("PUT", "/v1/tariffs/other", tariff()), ("DELETE", "/v1/tariffs/other", None)],
        [("PUT", "/v1/contracts/other", contract), ("DELETE", "/v1/contracts/other", None)],
        [("PUT", "/v1/contracts/other", contract), ("PUT", "/v1/tariffs/other", tariff())],
    )

    assert {status for _, status in found} <= {200, 201, 204, 404, 409, 422}, found


async def test_meters_change_while_they_get_readings(client: Client) -> None:
    """Replaced, deleted and written to in any order, none waits for another that waits for it."""
    await answer_of(client, "PUT", "/v1/sites/home", SITE)
    for name in METERS:
        await meter(client, name, *CHANNELS)
    lanes = [_changes(name) for name in (*METERS, METERS[-1])]
    found = await crossed(client, *lanes, WRITES, WRITES[::-1])

    assert {status for _, status in found} <= {200, 201, 204, 404, 409, 422}, found


def _changes(name: str) -> list[Request]:
    path, body = f"/v1/meters/{name}", {"site": "home", "channels": CHANNELS}
    return [("PUT", path, body), ("DELETE", path, None), ("PUT", path, body)]


def _readings(first: str, second: str) -> Request:
    """Return a body of both forms, each with a meter of its own."""
    start = {"start": "2025-03-01T00:00:00Z"}
    items = [{"meter": first, "channel": channel, "value": 1, **start} for channel in NAMES]
    series = {"meter": second, "channel": "import", "interval": "PT1H", "values": [1], **start}
    return "POST", "/v1/readings", {"readings": items, "series": [series]}


WRITES = [_readings("a", "b"), _readings("b", "a"), _readings("a", "b")]
