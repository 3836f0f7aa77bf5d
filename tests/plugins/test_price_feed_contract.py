"""What a plugin may offer as a price feed."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from energia import Delivery, FeedRequest, NewPriceSeries, PricePoint
from energia.db.pool import Pool
from energia.errors import PluginError
from energia.plugins import Plugins
from tests.core.pricing.asking import answer_of
from tests.plugins.sources import source
from tests.plugins.test_price_feeds import HOUR, Feeding, hourly, rows, service, until
from tests.serving import Serving


async def test_a_feed_that_breaks_does_not_stop_the_others(
    pool: Pool, serving: Serving, aiohttp_server: AiohttpServer
) -> None:
    """Whatever it raises is told, and it is asked again."""

    class Broken:
        name = "broken"
        series = NewPriceSeries(id="broken", currency="EUR")

        async def fetch(self, asked: FeedRequest) -> Delivery:
            raise ZeroDivisionError("oops")

    async with (
        source(aiohttp_server, web.json_response(rows(1))) as found,
        service(serving, pool, Broken(), hourly(found.url)) as (client, plugin),
    ):
        await until(lambda: {one.feed for one in plugin.heard} == {"broken", "spot"})
        _, shown = await answer_of(client, "GET", "/v1/price-series/broken")

    assert shown["feed"]["error"] == "ZeroDivisionError: oops"


async def test_a_feed_of_a_plugin_needs_no_http(pool: Pool, serving: Serving) -> None:
    """It gives prices one by one, and is told what it said before."""

    class Counting:
        name = "counting"
        series = NewPriceSeries(id="made", currency="EUR", unit="kWh")
        period = 0.05

        def __init__(self) -> None:
            self.memos: list[Any] = []

        async def fetch(self, asked: FeedRequest) -> Delivery:
            self.memos.append(asked.memo)
            start = HOUR + len(self.memos) * timedelta(hours=1)
            price = PricePoint(start=start, end=start + timedelta(hours=1), price=Decimal(1))
            return Delivery((price,), memo={"number": len(self.memos)})

    counting = Counting()
    async with service(serving, pool, counting):
        await until(lambda: len(counting.memos) >= 3)

    assert counting.memos[:3] == [{}, {"number": 1}, {"number": 2}]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fetch": None}, "coroutine function `fetch`"),
        ({"series": NewPriceSeries(currency="EUR")}, "NewPriceSeries with an id"),
        ({"timeout": 0}, "number of seconds above 0"),
        ({"name": ""}, "without a name"),
    ],
)
def test_what_is_no_feed_is_refused(changes: dict[str, Any], reason: str) -> None:
    """When the service starts, with the plugin."""

    class Made:
        name = "made"
        series = NewPriceSeries(id="made", currency="EUR")

        async def fetch(self, asked: FeedRequest) -> Delivery:
            return Delivery(None)

    made = Made()
    for name, value in changes.items():
        setattr(made, name, value)

    with pytest.raises(PluginError, match=reason):
        Plugins.of(feeding=Feeding(made))


async def test_a_series_of_another_currency_takes_no_prices(
    pool: Pool, serving: Serving, aiohttp_server: AiohttpServer
) -> None:
    """Euros are not stored as reals: the feed fails, and says so."""
    async with service(serving, pool) as (client, _):
        head = {"currency": "BRL", "unit": "kWh", "interval": "PT1H"}
        await answer_of(client, "PUT", "/v1/price-series/spot", head)
    answers = web.json_response(rows(1))
    async with (
        source(aiohttp_server, answers) as found,
        service(serving, pool, hourly(found.url)) as (client, plugin),
    ):
        await until(lambda: bool(plugin.heard))
        _, shown = await answer_of(client, "GET", "/v1/price-series/spot")

    assert plugin.heard[0].outcome == "failed"
    assert shown["feed"]["error"] == "the series 'spot' is in BRL, the prices in EUR"


async def test_a_feed_says_what_its_prices_are_for(
    pool: Pool, serving: Serving, aiohttp_server: AiohttpServer
) -> None:
    """Megawatt-hours, although the series is shown for a kWh since."""
    async with service(serving, pool) as (client, _):
        await answer_of(client, "PUT", "/v1/price-series/spot", {"currency": "EUR", "unit": "kWh"})
    answers = web.json_response(rows(61.2))
    async with (
        source(aiohttp_server, answers) as found,
        service(serving, pool, hourly(found.url)) as (client, plugin),
    ):
        await until(lambda: bool(plugin.heard))
        start, end = (
            (HOUR + timedelta(hours=at)).isoformat().replace("+00:00", "Z") for at in (0, 2)
        )
        _, shown = await answer_of(
            client, "GET", f"/v1/price-series/spot/prices?start={start}&end={end}"
        )

    assert [one["price"] for one in shown["data"]] == ["0.0612"]


async def test_a_series_that_is_deleted_is_made_anew(
    pool: Pool, serving: Serving, aiohttp_server: AiohttpServer
) -> None:
    """Its feed is still there."""
    answers = web.json_response(rows(1))
    async with (
        source(aiohttp_server, answers) as found,
        service(serving, pool, hourly(found.url)) as (client, plugin),
    ):
        await until(lambda: bool(plugin.heard))
        status, _ = await answer_of(client, "DELETE", "/v1/price-series/spot")
        await until(lambda: len(plugin.heard) == 2)

    assert status == 204
    assert [one.outcome for one in plugin.heard] == ["stored", "stored"]
