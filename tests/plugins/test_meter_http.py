"""Readings that a web service has: fetched with their pages, politely, by their format."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from energia import SourceFailed
from energia.configuration.values import structure
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Health
from energia.settings import Settings as Service
from energia.testing import Gathered, gathered
from energia_plugins import meter_octopus
from energia_plugins.meter_http import MeterHttp
from energia_plugins.meter_http.settings import Settings
from energia_plugins.meter_http.source import HttpSource
from tests.core.metering.test_endpoints import CHANNEL, SITE, answer
from tests.core.metering.test_sources import check, until
from tests.plugins.sources import source
from tests.serving import LOOPBACK, Serving, make_core

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OCTOPUS = {
    "format": "octopus",
    "options": {"meter": "m", "unit": "kWh"},
    "next": "next",
    "username": "sk_live_secret",
}


@attrs.frozen
class Noon:
    """A clock that stands still."""

    def now(self) -> datetime:
        """Return the same time."""
        return NOW


def fetch(url: str, **more: Any) -> HttpSource:
    """Return a source of what is at *url*."""
    table = {"url": url, "format": "octopus", **more}
    settings = structure({"fetches": {"home": table}}, Settings, "plugins.meter-http")
    return HttpSource("home", settings.fetches["home"])


def page(*hours: int, next_: str | None = None) -> web.Response:
    """Return a page of consumption: half-hours from these hours of the first of March on."""
    results = [
        {
            "consumption": 0.25 + hour,
            "interval_start": f"2026-03-01T{hour:02}:00:00Z",
            "interval_end": f"2026-03-01T{hour:02}:30:00Z",
        }
        for hour in hours
    ]
    return web.json_response({"count": 2, "next": next_, "previous": None, "results": results})


async def test_the_last_days_are_asked_for(aiohttp_server: AiohttpServer) -> None:
    """By the places of the URL, in a zone; with a name, a token and headers."""
    more = {"token": "t", "headers": {"X-Key": "{token}"}, "timezone": "America/Sao_Paulo"}
    async with source(aiohttp_server, page(1)) as found:
        url = f"{found.url}/readings?from={{start:%Y-%m-%dT%H:%M}}&to={{end:epoch}}&key={{token}}"
        await gathered(fetch(url, username="me", password="pw", **more), clock=Noon())

    (asked,) = found.asked
    assert dict(asked.query) == {
        "from": "2026-02-19T09:00",
        "to": str(int(NOW.timestamp())),
        "key": "t",
    }
    assert asked.headers["X-Key"] == "t"
    assert asked.headers["Authorization"] == "Basic bWU6cHc="


async def test_all_pages_are_stored(aiohttp_server: AiohttpServer) -> None:
    """Each is a file; only then is it noted that they were fetched."""
    async with source(aiohttp_server, page(1, next_="/more?page=2"), page(2)) as found:
        emit = await gathered(fetch(found.url, next="next"), count=2, clock=Noon())
        await asyncio.sleep(0.05)

    assert [asked.path_qs for asked in found.asked] == ["/", "/more?page=2"]
    assert [(format_, b'"results"' in data) for data, format_, _ in emit.files] == [
        ("octopus", True)
    ] * 2


@pytest.mark.parametrize(
    ("response", "more", "reason", "retry_after"),
    [
        (web.Response(status=429, headers={"Retry-After": "900"}), {}, "answered 429", 900),
        (web.Response(status=503), {}, "answered 503", 300),
        (web.Response(status=503), {"period": 60}, "answered 503", 60),
        (page(1, next_="https://elsewhere.example/"), {}, "on another host", 21_600),
        (page(1, next_="/again"), {"pages": 3}, "more than `pages`", 21_600),
        (page(*range(20)), {"body_bytes": 100}, "over body_bytes", 21_600),
        (web.Response(text="<html>"), {}, "the answer is", 300),
    ],
)
async def test_what_a_service_does_wrong_is_told(
    aiohttp_server: AiohttpServer,
    response: web.Response,
    more: Mapping[str, Any],
    reason: str,
    retry_after: float,
) -> None:
    """And it is left alone for a while."""
    async with source(aiohttp_server, response) as found:
        with pytest.raises(SourceFailed, match=reason) as failed:
            await gathered(fetch(found.url, next="next", **more), count=9)

    assert failed.value.retry_after == retry_after


async def test_a_service_that_is_away_is_told() -> None:
    """The source fails, without its URL, which may have a secret."""
    with pytest.raises(SourceFailed) as failed:
        await gathered(fetch("http://127.0.0.1:1/?key=secret"))

    assert "secret" not in failed.value.reason


async def test_a_restart_asks_no_sooner(aiohttp_server: AiohttpServer) -> None:
    """What was fetched an hour ago is not due, and all is well."""
    state = {"fetched": int((NOW - timedelta(hours=1)).timestamp())}
    emit = Gathered(dict(state), clock=Noon())
    async with source(aiohttp_server, page(1)) as found:
        running = asyncio.create_task(fetch(found.url).run(emit))
        await asyncio.sleep(0.1)
        running.cancel()

    assert found.asked == []
    assert emit.is_connected


async def test_consumption_is_fetched_into_a_service(
    pool: Pool, serving: Serving, aiohttp_server: AiohttpServer
) -> None:
    """Two pages of half-hours, of which one comes again a second later: it is stored once."""
    async with source(aiohttp_server, page(1, 2, next_="/2"), page(2, 3)) as found:
        table = {"fetches": {"home": {**OCTOPUS, "url": found.url}}}
        plugin = MeterHttp(structure(table, Settings, "plugins.meter-http"))
        plugins = Plugins.of(meter_http=plugin, meter_octopus=meter_octopus)
        settings = Service(outgoing=LOOPBACK, health=Health(period=0.05))
        core = make_core(plugins=plugins, pool=pool, settings=settings)
        channel = {**CHANNEL, "interval": "PT30M"}
        async with serving(make_core(pool=pool)) as client:
            await client.put("/v1/sites/home", json=SITE)
            await client.put("/v1/meters/m", json={"site": "home", "channels": [channel]})
        async with serving(core) as client:
            await check(client, "pass", "http-home")
            await until(lambda: core.sources["http-home"].readings["unchanged"])
            query = {"start": "2026-03-01T01:00:00Z", "end": "2026-03-01T04:00:00Z"}
            kept = await answer(await client.get("/v1/meters/m/readings", params=query))

    assert kept["values"] == [1.25, None, 2.25, None, 3.25, None]
    assert core.sources["http-home"].readings["unchanged"] == 1
