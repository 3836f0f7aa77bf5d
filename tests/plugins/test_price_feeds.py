"""Price feeds in a service: asked in the background, by one replica, stubbornly and politely."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from pytest_aiohttp import AiohttpServer

from energia import PriceFeed, hookimpl
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.pricing.market.feeds import PricesFetched
from energia.settings import Feeds, Health, Jobs, Profile, Settings
from energia_plugins import tariff_dynamic
from energia_plugins.price_feed_http.feed import Feed
from tests.core.pricing.asking import answer_of
from tests.core.pricing.documents import document
from tests.plugins.sources import feed, source
from tests.serving import LOOPBACK, Client, Serving, make_core

SHAPE = {"start": "t", "price": "p", "interval": "PT1H"}
QUICK = Feeds(poll=0.05, retry_first=0.05, retry_most=0.1, retry_after_most=0.5)
HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def rows(*prices: float | str) -> list[dict[str, Any]]:
    """Return prices of the hours from this one on."""
    return [
        {"t": (HOUR + index * timedelta(hours=1)).isoformat(), "p": price}
        for index, price in enumerate(prices)
    ]


class Feeding:
    """A plugin with feeds that notes what became of them."""

    def __init__(self, *feeds: PriceFeed) -> None:
        self.feeds = feeds
        self.heard: list[PricesFetched] = []

    @hookimpl
    def register_price_feeds(self) -> list[PriceFeed]:
        """Offer the feeds."""
        return list(self.feeds)

    @hookimpl
    def prices_fetched(self, event: PricesFetched) -> None:
        """Note it."""
        self.heard.append(event)


@asynccontextmanager
async def service(
    serving: Serving, pool: Pool, *feeds: PriceFeed, profile: Profile = "development"
) -> AsyncIterator[tuple[Client, Feeding]]:
    """Serve with feeds."""
    jobs = Jobs(poll=0.05, grace=0.1, heartbeat=2)
    health = Health(period=0.05)
    settings = Settings(outgoing=LOOPBACK, feeds=QUICK, health=health, jobs=jobs, profile=profile)
    plugin = Feeding(*feeds)
    plugins = Plugins.of(feeding=plugin, tariff_dynamic=tariff_dynamic)
    async with serving(make_core(plugins=plugins, pool=pool, settings=settings)) as client:
        yield client, plugin


async def until(true: Callable[[], bool]) -> None:
    """Wait for something to be true."""
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.01)


def hourly(url: str, **more: Any) -> Feed:
    """Return a feed of a source, asked again soon."""
    return feed(url, shape=SHAPE, **{"period": 30, "timeout": 0.3, **more})


async def test_a_feed_recovers_from_all_that_a_source_does(
    pool: Pool, serving: Serving, aiohttp_server: AiohttpServer
) -> None:
    """429, 503, garbage and no answer at all; then it has prices, and stays asked seldom."""
    answers = (
        web.Response(status=429, headers={"Retry-After": "1"}),
        web.Response(status=503),
        web.Response(text="<html>busy</html>"),
        0.6,
        web.json_response(rows(61.2, "58.94")),
    )
    async with (
        source(aiohttp_server, *answers) as found,
        service(serving, pool, hourly(found.url)) as (client, plugin),
    ):
        await until(lambda: any(one.outcome == "stored" for one in plugin.heard))
        _, shown = await answer_of(client, "GET", "/v1/price-series/spot")

    assert [one.outcome for one in plugin.heard] == ["failed"] * 4 + ["stored"]
    assert plugin.heard[-1].created == 2
    assert shown["horizon"] == (HOUR + timedelta(hours=2)).isoformat().replace("+00:00", "Z")
    assert (shown["feed"]["name"], shown["feed"]["stale"]) == ("spot", False)
    assert shown["feed"]["age"] < 5
    assert "error" not in shown["feed"] or shown["feed"]["error"] is None


async def test_retry_after_is_kept_up_to_a_limit(
    pool: Pool, serving: Serving, aiohttp_server: AiohttpServer
) -> None:
    """A source that wants a day gets no more than `feeds.retry_after_most`, here half a second."""
    wants = web.Response(status=429, headers={"Retry-After": "86400"})
    async with (
        source(aiohttp_server, wants, web.json_response(rows(1))) as found,
        service(serving, pool, hourly(found.url)) as (_, plugin),
    ):
        await until(lambda: len(found.asked) >= 1)
        await asyncio.sleep(0.3)
        asked = len(found.asked)
        await until(lambda: len(plugin.heard) == 2)

    assert asked == 1
    assert plugin.heard[1].outcome == "stored"


async def test_one_replica_at_a_time_asks(
    pool: Pool, serving: Serving, aiohttp_server: AiohttpServer
) -> None:
    """Of three, one fetches; all of them tell the prices, and how the feed is doing."""
    async with (
        source(aiohttp_server, web.json_response(rows(1))) as found,
        service(serving, pool, hourly(found.url)) as (first, _),
        service(serving, pool, hourly(found.url)) as (second, _),
        service(serving, pool, hourly(found.url)) as (third, _),
    ):
        await until(lambda: bool(found.asked))
        await asyncio.sleep(0.5)
        shown = [
            (await answer_of(one, "GET", "/v1/price-series/spot"))[1]["feed"]["succeeded_at"]
            for one in (first, second, third)
        ]

    assert len(found.asked) == 1
    assert len(set(shown)) == 1
    assert shown[0] is not None


async def test_what_is_known_is_served_while_the_source_fails(
    pool: Pool, serving: Serving, aiohttp_server: AiohttpServer
) -> None:
    """Known prices do not go stale; that no more come is told, and `/health` warns."""
    answers = (web.json_response(rows("61.2")), web.Response(status=500))
    more = {"publication": "00:00", "late_period": 0.05, "timeout": 10}
    async with (
        source(aiohttp_server, *answers) as found,
        service(serving, pool, hourly(found.url, **more)) as (client, _),
    ):
        tariff = document([{"kind": "energy.dynamic", "series": "spot"}], "UTC", "EUR")
        await answer_of(client, "PUT", "/v1/tariffs/t", tariff)
        await until(lambda: len(found.asked) > 2)
        start, end = (
            (HOUR + timedelta(hours=at)).isoformat().replace("+00:00", "Z") for at in (0, 2)
        )
        status, shown = await answer_of(
            client, "GET", f"/v1/tariffs/t/prices?start={start}&end={end}"
        )
        _, series = await answer_of(client, "GET", "/v1/price-series/spot")
        check = await failing(client)

    assert (status, [one["price"] for one in shown["data"]]) == (200, ["0.0612"])
    assert [one["code"] for one in shown["assumptions"]] == ["beyond_horizon"]
    assert shown["stale"]
    assert shown["next_update"] == series["feed"]["next_update"]
    assert series["feed"]["error"] == "answered 500"
    assert check["status"] == "warn"


async def failing(client: Client) -> dict[str, Any]:
    """Return the check of the feed once it is not well; the service is ready all the while."""
    async with asyncio.timeout(60):
        while True:
            async with client.get("/health") as answer:
                assert answer.status == 200
                checks = json.loads(await answer.text())["checks"]
            (check,) = next(one for name, one in checks.items() if "price-feed-spot" in name)
            if check["status"] != "pass":
                found: dict[str, Any] = check
                return found
            await asyncio.sleep(0.05)


async def test_two_prices_for_one_slot_of_a_feed_are_refused(
    pool: Pool, serving: Serving, aiohttp_server: AiohttpServer
) -> None:
    """By the same intake as what clients send: nothing of the delivery is stored."""
    twice = [*rows(1, 2), {**rows(1)[0], "p": 3}]
    async with (
        source(aiohttp_server, web.json_response(twice)) as found,
        service(serving, pool, hourly(found.url)) as (client, plugin),
    ):
        await until(lambda: bool(plugin.heard))
        _, shown = await answer_of(client, "GET", "/v1/price-series/spot")

    assert plugin.heard[0].outcome == "failed"
    assert shown["horizon"] is None
    assert "has two prices" in shown["feed"]["error"]


async def test_a_correction_of_a_feed_is_a_revision(
    pool: Pool, serving: Serving, aiohttp_server: AiohttpServer
) -> None:
    """The same prices again are none."""
    answers = [web.json_response(rows(*prices)) for prices in ([1, 2], [1, 2], [1, 5])]
    async with (
        source(aiohttp_server, *answers) as found,
        service(serving, pool, hourly(found.url, period=0.05)) as (
            _,
            plugin,
        ),
    ):
        await until(lambda: len(plugin.heard) >= 3)

    told = [(one.outcome, one.created, one.corrected) for one in plugin.heard[:3]]
    assert told == [("stored", 2, 0), ("unchanged", 0, 0), ("stored", 0, 1)]


async def test_a_preview_asks_nobody(
    pool: Pool, serving: Serving, aiohttp_server: AiohttpServer
) -> None:
    """Its platform has copied the settings of production."""
    async with (
        source(aiohttp_server, web.json_response(rows(1))) as found,
        service(serving, pool, hourly(found.url), profile="preview"),
    ):
        await asyncio.sleep(0.3)

    assert found.asked == []
