"""Price feeds over HTTP, against a real server."""

from typing import Any

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from energia import FeedFailed
from energia.errors import ConfigurationError
from energia.plugins import Plugins
from energia.settings import PluginSelection
from tests.plugins.sources import NOW, SHAPE, feed, fetched, settings, source, utc

ROWS = [{"t": "2026-03-02T00:00:00", "p": 61.2}, {"t": "2026-03-02T01:00:00", "p": "58.94"}]


@pytest.mark.parametrize(
    ("answer", "reason", "wanted"),
    [
        (web.Response(status=429, headers={"Retry-After": "120"}), "answered 429", 120),
        (web.Response(status=503), "answered 503", 0),
        (web.Response(status=500, headers={"Retry-After": "soon"}), "answered 500", 0),
        (web.Response(text="<html>"), "the answer is not JSON", 0),
        (web.Response(body=b"[" + b" " * 5000), "over body_bytes (1000)", 0),
        (web.Response(status=302, headers={"Location": "http://169.254.169.254/"}),
         "answered 302", 0),
        (web.Response(status=404), "there is nothing for 2026-03-01", 0),
    ],
)  # fmt: skip
async def test_what_is_no_answer(
    answer: web.Response, reason: str, wanted: float, aiohttp_server: AiohttpServer
) -> None:
    """The source's wish to be left alone is kept; redirects are not followed."""
    async with source(aiohttp_server, answer) as found:
        with pytest.raises(FeedFailed) as failed:
            await fetched(feed(found.url, shape=SHAPE, body_bytes=1000), NOW)

    assert reason in failed.value.reason
    assert failed.value.retry_after == wanted


async def test_a_date_to_retry_after_is_read(aiohttp_server: AiohttpServer) -> None:
    """RFC 9110 has both forms."""
    late = {"Retry-After": "Fri, 31 Dec 2199 23:59:59 GMT"}
    async with source(aiohttp_server, web.Response(status=503, headers=late)) as found:
        with pytest.raises(FeedFailed) as failed:
            await fetched(feed(found.url, shape=SHAPE), NOW)

    assert failed.value.retry_after > 86_400


async def test_a_source_that_is_away_fails_without_telling_its_url() -> None:
    """The URL may have a token."""
    with pytest.raises(FeedFailed) as failed:
        await fetched(feed("http://127.0.0.1:1/?key={token}", token="hush", shape=SHAPE), NOW)

    assert failed.value.reason == "cannot be asked: ClientConnectorError"


async def test_the_url_has_dates_and_the_headers_a_token(aiohttp_server: AiohttpServer) -> None:
    """From yesterday, for corrections, to the end of tomorrow, in the zone of the shape."""
    async with source(aiohttp_server, web.json_response(ROWS)) as found:
        query = "from={start:%Y-%m-%dT%H:%M}&to={end}&s={start:epoch}&k={token}"
        more = {"token": "hush", "headers": {"X-Key": "Token {token}"}, "shape": SHAPE}
        await fetched(feed(f"{found.url}/x?{query}", **more), NOW)

    (asked,) = found.asked
    assert dict(asked.query) == {
        "from": "2026-03-01T00:00",
        "to": "2026-03-04",
        "s": "1772319600",
        "k": "hush",
    }
    assert asked.headers["X-Key"] == "Token hush"


async def test_the_first_fetch_begins_where_it_is_told(aiohttp_server: AiohttpServer) -> None:
    """Day by day, no more requests at once than allowed: then the rest is asked for at once."""
    rows = [{"t": "2026-02-28T00:00:00", "p": 1}]
    async with source(aiohttp_server, web.json_response(rows)) as found:
        more = {"since": "2026-02-27", "days_per_request": 1, "requests": 3, "shape": SHAPE}
        delivery = await fetched(feed(f"{found.url}/{{start}}", **more), NOW)

    assert [one.path for one in found.asked] == ["/2026-02-27", "/2026-02-28", "/2026-03-01"]
    assert delivery.ask_at == utc(NOW)


async def test_days_that_are_missing_are_fetched_from_the_horizon_on(
    aiohttp_server: AiohttpServer,
) -> None:
    """After an outage: from the day before the last known price."""
    async with source(aiohttp_server, web.json_response(ROWS)) as found:
        of = feed(f"{found.url}/{{start}}/{{end}}", shape=SHAPE)
        await fetched(of, NOW, "2026-02-20T00:00:00+01:00")

    assert [one.path for one in found.asked] == ["/2026-02-19/2026-03-04"]


async def test_tomorrow_may_not_be_published_yet(aiohttp_server: AiohttpServer) -> None:
    """404 for the day after is no failure where days are asked for one by one."""
    today = [web.json_response([]), web.json_response(ROWS), web.Response(status=404)]
    async with source(aiohttp_server, *today) as found:
        of = feed(f"{found.url}/{{start}}", shape=SHAPE, days_per_request=1)
        delivery = await fetched(of, NOW)

    assert isinstance(delivery.prices, tuple)
    assert len(delivery.prices) == 2


async def test_an_answer_that_has_not_changed_is_not_sent_again(
    aiohttp_server: AiohttpServer,
) -> None:
    """ETag and Last-Modified are told to the source; 304 is no news."""
    headers = {"ETag": '"v1"', "Last-Modified": "Mon, 02 Mar 2026 00:00:00 GMT"}
    answers = (web.json_response(ROWS, headers=headers), web.Response(status=304))
    async with source(aiohttp_server, *answers) as found:
        of = feed(found.url, shape=SHAPE)
        first = await fetched(of, NOW)
        second = await fetched(of, NOW, memo=dict(first.memo))

    assert found.asked[1].headers["If-None-Match"] == '"v1"'
    assert found.asked[1].headers["If-Modified-Since"] == headers["Last-Modified"]
    assert (second.prices, second.memo) == (None, first.memo)


@pytest.mark.parametrize(
    ("now", "horizon", "expected", "late"),
    [
        # Before the publication of tomorrow's, with today's: until then.
        ("10:00", "2026-03-03", "2026-03-02T13:15", False),
        # Before, without today's: yesterday's publication is late.
        ("10:00", "2026-03-02", "2026-03-01T13:15", True),
        # After, with tomorrow's: the next day's.
        ("14:00", "2026-03-04", "2026-03-03T13:15", False),
        # After, without tomorrow's: today's is late.
        ("14:00", "2026-03-03", "2026-03-02T13:15", True),
    ],
)
async def test_the_next_prices_are_expected_when_they_are_published(
    now: str, horizon: str, expected: str, late: bool, aiohttp_server: AiohttpServer
) -> None:
    """What is late is asked for soon, and the rest shortly after its publication."""
    async with source(aiohttp_server, web.json_response([])) as found:
        of = feed(found.url, shape=SHAPE, publication="13:15", late_period=300)
        at = f"2026-03-02T{now}:00+01:00"
        delivery = await fetched(of, at, f"{horizon}T00:00:00+01:00")

    assert delivery.next_update == utc(f"{expected}:00+01:00")
    assert delivery.ask_at is not None
    since = utc(at) if late else delivery.next_update
    pause = (delivery.ask_at - since).total_seconds()
    assert pause == 300 if late else 0 < pause <= 20


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"url": "ftp://x/"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "http://x/{yesterday}"}, "{start:<format>}"),
        ({"url": "http://x/", "shape": {"times": "moon"}}, "times"),
        ({"url": "http://x/", "shape": {"times": "consecutive"}}, "interval"),
        ({"url": "http://x/", "publication": "25:00"}, "publication"),
    ],
)
def test_settings_that_do_not_fit(more: dict[str, Any], fault: str) -> None:
    """Refused when the service starts, by name; only http and https are asked."""
    with pytest.raises(ConfigurationError) as refused:
        settings(**more)

    assert fault in str(refused.value.faults)


async def test_odd_headers_are_left_out(aiohttp_server: AiohttpServer) -> None:
    """What the database and the next request could not take is not remembered."""
    odd = {"ETag": '"\u00e9"', "Last-Modified": "Mon, 02 Mar 2026 12:02:00 -0000"}
    async with source(aiohttp_server, web.json_response(ROWS, headers=odd)) as found:
        delivery = await fetched(feed(found.url, shape=SHAPE), NOW)

    assert list(delivery.memo.values()) == [{"modified": odd["Last-Modified"]}]


def test_a_feed_for_each_table() -> None:
    """The name of a feed is that of its series, unless told otherwise."""
    table = {"currency": "EUR", "url": "http://x/"}
    feeds = {"spot": table, "other": {**table, "series": "elsewhere"}}
    own = {"price-feed-http": {"feeds": feeds}}
    plugins = Plugins.installed(PluginSelection(enabled=("price-feed-http",), settings=own))

    found = {one.name: (one.series.id, one.series.unit) for one in plugins.price_feeds()}

    assert found == {"spot": ("spot", "MWh"), "other": ("elsewhere", "MWh")}
