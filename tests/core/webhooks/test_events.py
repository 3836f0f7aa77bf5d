"""What is told: imports and bills with their transactions; gaps, prices, ends, effects once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from energia import Observed
from energia.core import Core
from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.settings import Webhooks
from energia.web.webhook_probe import WebhookProbe
from energia.webhooks.watch import watches
from tests.core.billing.setting import (
    CONTRACT,
    SITE,
    hours,
    issued,
    meter,
    store_household,
    success,
)
from tests.core.webhooks.receiver import Clock, Receiver, fitting, telling, until_answer, webhook
from tests.serving import Client, Serving


@attrs.frozen
class Told:
    """A service that sends nothing, so that what waits is what it tells."""

    core: Core
    client: Client

    async def listen(self, *events: str) -> None:
        """Make a webhook for some events."""
        await webhook(self.client, "https://erp.example/hook", *events)

    async def look(self) -> list[Any]:
        """Look for all that there is to look for; return what is told of all so far."""
        for watch in watches(self.core):
            await watch.run(self.core, {})
        return await self.so_far()

    async def so_far(self) -> list[Any]:
        """Return what is told so far, the oldest first."""
        (one,) = (await success(self.client, "GET", "/v1/webhooks"))["items"]
        path = f"/v1/webhooks/{one['id']}/deliveries?limit=1000"
        items = (await success(self.client, "GET", path))["items"]
        return [fitting(item["body"])["data"] for item in reversed(items)]

    def forward(self, by: timedelta) -> None:
        """Set the clock forward."""
        assert isinstance(self.core.clock, Clock)
        self.core.clock.ahead += by


@asynccontextmanager
async def silent(pool: Pool, serving: Serving, **webhooks: Any) -> AsyncIterator[Told]:
    """Serve without sending."""
    core = telling(pool, Webhooks(**webhooks), concurrency=0)
    core = attrs.evolve(core, clock=Clock())
    async with serving(core) as client:
        yield Told(core, client)


@pytest.fixture(name="told")
async def _told(pool: Pool, serving: Serving) -> AsyncIterator[Told]:
    """Give a service that tells of a gap after two hours."""
    async with silent(pool, serving, gap_after=7200) as told:
        yield told


# Imports.


async def test_an_import_is_told(told: Told) -> None:
    """With what became of its readings, and the meters that got them; once, if it changes any."""
    await told.listen("readings.imported")
    await store_household(told.client)
    await hours(told.client, 1, 1)
    await hours(told.client, 1, 2)
    (first, second) = await told.so_far()

    assert first["meters"] == ["m"]
    assert (first["format"], first["meter_count"]) == ("json", 1)
    assert (first["counts"]["created"], first["counts"]["corrected"]) == (240, 0)
    assert (second["counts"]["created"], second["counts"]["corrected"]) == (0, 24)
    kept = await success(told.client, "GET", f"/v1/imports/{first['id']}")
    assert kept["created"] == 240


async def test_what_a_limited_caller_imports_is_told(told: Told) -> None:
    """Though it sees no webhook itself; and it is limited all the same afterwards."""
    await told.listen("readings.imported")
    await store_household(told.client)
    made = await success(
        told.client,
        "POST",
        "/v1/tokens",
        {"name": "logger", "scopes": ["readings:write"], "meters": ["m"]},
    )
    headers = {"Authorization": f"Bearer {made['token']}"}
    body = {"readings": [{"meter": "m", "start": "2025-04-01T00:00:00Z", "value": 1}]}
    async with told.client.post("/v1/readings", json=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()

    assert [one["counts"]["created"] for one in await told.so_far()] == [240, 1]


async def test_a_dry_run_tells_nothing(told: Told, tenant: Tenant) -> None:
    """What is refused, or undone, has not happened."""
    await told.listen("readings.imported")
    await store_household(told.client)
    body = {"readings": [{"meter": "m", "start": "2025-04-01T00:00:01Z", "value": 1}]}
    async with told.client.post("/v1/readings", json=body) as answer:
        assert answer.status == 422

    assert len(await told.so_far()) == 1


# Gaps.


HOUR = timedelta(hours=1)


async def send(client: Client, start: datetime, count: int) -> None:
    """Send readings of so many hours from a moment on."""
    series = {"meter": "m", "start": start.isoformat(), "interval": "PT1H", "values": [1] * count}
    await success(client, "POST", "/v1/readings", {"series": [series]})


@pytest.fixture(name="now")
async def _now(told: Told) -> datetime:
    """Give the present hour at a home with a meter, with readings of a day up to it."""
    await success(told.client, "PUT", "/v1/sites/home", SITE)
    await meter(told.client)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    await send(told.client, now - 24 * HOUR, 24)
    return now


async def test_a_channel_that_falls_silent_is_told_once(told: Told, now: datetime) -> None:
    """After `gap_after`, with the slot that it begins with; and anew once it has recovered."""
    await told.listen("gap.opened")
    assert await told.look() == []
    told.forward(4 * HOUR)
    (gap,) = await told.look()
    told.forward(HOUR)
    again = await told.look()
    await send(told.client, now, 6)
    told.forward(12 * HOUR)
    (_, second) = await told.look()

    assert again == [gap]
    assert (gap["meter"], gap["channel"], gap["end"]) == ("m", "import", None)
    assert datetime.fromisoformat(gap["start"]) == now
    assert datetime.fromisoformat(second["start"]) == now + 6 * HOUR


async def test_a_gap_that_is_filled_in_part_is_the_same(told: Told, now: datetime) -> None:
    """It is not told anew for the part that is left; hours that are skipped are another gap."""
    await told.listen("gap.opened")
    told.forward(8 * HOUR)
    (first,) = await told.look()
    await send(told.client, now, 2)
    assert await told.look() == [first]
    await send(told.client, now + 4 * HOUR, 5)
    assert await told.look() == [first]
    await send(told.client, now + 2 * HOUR, 2)
    told.forward(8 * HOUR)
    await send(told.client, now + 12 * HOUR, 5)
    (_, second) = await told.look()

    assert datetime.fromisoformat(second["start"]) == now + 9 * HOUR
    assert datetime.fromisoformat(second["end"]) == now + 12 * HOUR


async def test_older_gaps_are_not_told(told: Told, now: datetime) -> None:
    """Nor channels that never had readings, nor what was sent as missing."""
    await send(told.client, now - 72 * HOUR, 24)
    series = {"meter": "m", "start": now.isoformat(), "interval": "PT1H", "values": [None] * 8}
    await success(told.client, "POST", "/v1/readings", {"series": [series]})
    await meter(told.client, "other")
    await told.listen("gap.opened")
    told.forward(8 * HOUR)

    assert await told.look() == []


# Prices.


async def test_a_stale_price_series_is_told_once(told: Told, tenant: Tenant) -> None:
    """For each update that does not come."""
    await told.listen("price.stale")
    await success(
        told.client,
        "PUT",
        "/v1/price-series/spot",
        {"currency": "EUR", "unit": "MWh", "timezone": "UTC"},
    )
    await tenant.execute(
        "insert into price_feed (organization_id, name, series_id, due_at, next_update)"
        " values (1, 'omie', 'spot', now(), now() + interval '1 hour')"
    )
    assert await told.look() == []
    told.forward(2 * HOUR)
    (stale,) = await told.look()
    assert await told.look() == [stale]
    await tenant.execute("update price_feed set next_update = now() + interval '1 day'")
    assert await told.look() == [stale]
    told.forward(timedelta(days=1))
    (_, second) = await told.look()

    assert (stale["series"], stale["feed"], stale["error"]) == ("spot", "omie", None)
    assert second["next_update"] > stale["next_update"]


# Contracts.


async def test_a_contract_that_ends_is_told_once(told: Told) -> None:
    """Thirty days before; and anew if it is to end on another day."""
    await told.listen("contract.ending")
    await store_household(told.client)
    now = told.core.clock.now()
    first, second = ((now + timedelta(days=days)).date().isoformat() for days in (40, 50))
    await success(told.client, "PUT", "/v1/contracts/c", {**CONTRACT, "end": first})
    assert await told.look() == []
    told.forward(timedelta(days=15))
    (ending,) = await told.look()
    assert await told.look() == [ending]
    await success(told.client, "PUT", "/v1/contracts/c", {**CONTRACT, "end": second})
    told.forward(timedelta(days=10))
    (_, anew) = await told.look()

    assert ending == {"contract": "c", "meter": "m", "tariff": "flat", "end": first}
    assert anew["end"] == second


# Bills.


async def test_an_affected_bill_is_told_once(told: Told) -> None:
    """For each cause: another correction is another one, and a bill that is right again none."""
    await told.listen("bill.affected")
    await store_household(told.client)
    await issued(told.client, "b1", 1)
    assert await told.look() == []
    await hours(told.client, 1, 2)
    (first,) = await told.look()
    assert await told.look() == [first]
    await hours(told.client, 1, 3)
    (_, second) = await told.look()
    await hours(told.client, 1, 1)
    assert await told.look() == [first, second]

    assert first == {
        "bill": "b1", "contract": "c", "start": "2025-03-01", "end": "2025-03-02",
        "reasons": ["readings"], "total": "24.00", "difference": "12.00",
    }  # fmt: skip
    assert (second["total"], second["difference"]) == ("36.00", "24.00")


# The service by itself.


async def test_it_is_looked_for_again_and_again(
    pool: Pool, serving: Serving, receiver: Receiver
) -> None:
    """A service finds by itself what nobody does, and tells it."""
    async with serving(telling(pool)) as client:
        await store_household(client)
        await webhook(client, receiver.url, "bill.affected")
        await issued(client, "b1", 1)
        await hours(client, 1, 2)
        (told,) = await receiver.until(1)

    assert (told["type"], told["data"]["bill"]) == ("bill.affected", "b1")


async def test_health_tells_of_receivers_that_fail(
    pool: Pool, serving: Serving, receiver: Receiver
) -> None:
    """With how many deliveries wait; a receiver that answers 410 is switched off."""
    receiver.answers = [500, 410]
    async with serving(telling(pool, Webhooks(pauses=(3600,)))) as client:
        id_ = (await webhook(client, receiver.url))["webhook"]["id"]
        await success(client, "POST", f"/v1/webhooks/{id_}/test")
        path = f"/v1/webhooks/{id_}"
        await until_answer(client, path, lambda one: one["failures"] == 1)
        probe = WebhookProbe()
        failing = await probe.check(telling(pool))
        delivery = (await success(client, "GET", f"{path}/deliveries"))["items"][0]
        await pool.tenant().execute("update webhook set quiet_until = null")
        await success(client, "POST", f"{path}/deliveries/{delivery['id']}/resend")
        await until_answer(client, path, lambda one: not one["active"])
        off = await probe.check(telling(pool))

    assert failing == Observed(1, "deliveries", "1 webhooks fail")
    assert off == Observed(0, "deliveries", "1 were switched off")
    assert probe.active(telling(pool))
    assert not probe.active(telling(pool, profile="preview"))
