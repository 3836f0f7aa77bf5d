"""Metrics, with just their plugin and one that has a collector."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import attrs
import pytest
from aiohttp import web
from prometheus_client import Counter
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

import energia
from energia.core import Core
from energia.health.probes import Criticality
from energia.health.state import Phase
from energia.hookspecs import hookimpl
from energia.metering.outcome import Counts, ReadingsStored
from energia.plugins import Plugins
from energia.web.app import create_app, started
from energia.web.routes import Routes
from energia_plugins.metrics_prometheus import Metrics
from energia_plugins.metrics_prometheus.requests import REQUEST_BUCKETS
from tests.serving import Client, Serving, make_core

routes = Routes()


@routes.get("/v1/greetings/{name}")
async def get_greeting(name: str) -> str:
    """Return a greeting."""
    if name == "nobody":
        raise web.HTTPForbidden
    if name == "broken":
        raise RuntimeError
    if name == "slow":
        await asyncio.sleep(2)
    return f"hello {name}"


class Greeter:
    """A plugin with a route and a collector."""

    def __init__(self) -> None:
        self.greetings = Counter("greetings", "Greetings.", registry=None)

    @hookimpl
    def register_routes(self) -> Routes:
        """Return the route."""
        return routes

    @hookimpl
    def register_collectors(self) -> list[Collector]:
        """Return the collector."""
        return [self.greetings]


@pytest.fixture
def plugins() -> Plugins:
    """Give metrics, and a plugin that is measured."""
    return Plugins.of(metrics_prometheus=Metrics, greeter=Greeter())


@pytest.fixture
async def client(plugins: Plugins, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service with these plugins."""
    async with serving(make_core(plugins=plugins)) as client:
        yield client


async def scrape(client: Client) -> Callable[..., float]:
    """Return the value of a sample by its name and labels, or *missing* if there is none."""
    async with client.get("/metrics") as answer:
        text = await answer.text()
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]

    def value(name: str, missing: float = 0.0, **labels: str) -> float:
        found: list[float] = [
            one.value for one in samples if one.name == name and _has(one.labels, labels)
        ]
        assert len(found) <= 1
        return found[0] if found else missing

    return value


def _has(labels: Mapping[str, str], wanted: Mapping[str, Any]) -> bool:
    return all(labels.get(name) == value for name, value in wanted.items())


async def test_requests_are_timed(client: Client) -> None:
    """A request is timed under its method, the template of its route and its status."""
    for name in ("ann", "bob", "nobody", "broken"):
        (await client.get(f"/v1/greetings/{name}")).release()
    value = await scrape(client)
    count, route = "http_request_duration_seconds_count", "/v1/greetings/{name}"

    assert value(count, method="GET", route=route, status="200") == 2
    assert value(count, method="GET", route=route, status="403") == 1
    assert value(count, method="GET", route=route, status="500") == 1
    assert value("http_requests_in_flight") == 0


async def test_clients_that_went_away(client: Client) -> None:
    """A request whose client is gone before the answer counts as 499, and as no error."""
    request = asyncio.create_task(client.get("/v1/greetings/slow"))
    async with asyncio.timeout(60):
        while (await scrape(client))("http_requests_in_flight") == 0:
            await asyncio.sleep(0.01)
        request.cancel()
        while (await scrape(client))("http_requests_in_flight") == 1:
            await asyncio.sleep(0.01)
    value = await scrape(client)
    name, route = "http_request_duration_seconds_count", "/v1/greetings/{name}"

    assert value(name, method="GET", route=route, status="499") == 1
    assert value(name, missing=-1, method="GET", route=route, status="200") == -1
    assert value("http_requests_in_flight") == 0


async def test_few_labels(client: Client) -> None:
    """Unknown paths and methods do not make new series, and /metrics is not measured."""
    for number, method in enumerate(("PURGE", "REPORT", "LINK", "SEARCH")):
        (await client.request(method, f"/none/{number}")).release()
        (await client.request("PUT", "/v1/greetings/ann")).release()
        await scrape(client)
    async with client.get("/metrics") as answer:
        text = await answer.text()
    labels = set(re.findall(r"http_request_duration_seconds_count\{(.*)\}", text))

    assert labels == {
        'method="_OTHER",route="unmatched",status="404"',
        'method="PUT",route="method_not_allowed",status="405"',
    }


async def test_buckets(client: Client) -> None:
    """The buckets are those of OpenTelemetry."""
    (await client.get("/v1/greetings/ann")).release()
    async with client.get("/metrics") as answer:
        text = await answer.text()
    found = re.findall(r'http_request_duration_seconds_bucket\{le="([0-9.]+)"', text)

    assert [float(bound) for bound in found] == list(REQUEST_BUCKETS)


async def test_collectors_of_plugins(client: Client, plugins: Plugins) -> None:
    """What another plugin collects is in the registry of this service."""
    value = await scrape(client)

    assert value("greetings_total") == 0
    assert value("app_ready") == 1
    assert value("db_pool_max") == 10
    assert value("process_resident_memory_bytes") > 0
    known = {"version": energia.__version__, "env": "development", "pr": ""}
    assert value("energia_build_info", **known) == 1


async def test_before_the_start(plugins: Plugins, serving: Serving) -> None:
    """While the database is away there are metrics of the service, and of the plugins later."""
    app = create_app(make_core(plugins=plugins, phase=Phase.STARTING))
    async with await serving.app(app) as client:
        before = await scrape(client)
        async with started(app):
            after = await scrape(client)
        again = await scrape(client)

    assert before("app_ready", missing=-1) == 0
    assert before("energia_build_info", version=energia.__version__) == 1
    assert before("db_pool_max") == 10
    assert before("db_pool_size", state="idle", missing=-1) == 0
    assert before("process_resident_memory_bytes") > 0
    assert before("greetings_total", missing=-1) == -1
    assert after("app_ready") == 1
    assert after("greetings_total", missing=-1) == 0
    assert again("greetings_total", missing=-1) == -1


@attrs.frozen
class OneProbe:
    """A probe that fails if it has an error."""

    name: str
    error: Exception | None = None
    criticality: Criticality = "degraded"

    async def check(self, _: Core) -> None:
        """Return or raise."""
        if self.error is not None:
            raise self.error


class Probing:
    """A plugin with two probes."""

    @hookimpl
    def register_probes(self) -> list[OneProbe]:
        """Return the probes."""
        return [OneProbe("well"), OneProbe("ill", OSError())]


async def test_health_checks(serving: Serving) -> None:
    """Each health check has its status and the time since it was made, once it was made."""
    plugins = Plugins.of(metrics_prometheus=Metrics, probing=Probing())
    app = create_app(make_core(plugins=plugins))
    async with await serving.app(app) as client:
        before = await scrape(client)
        async with started(app):
            after = await scrape(client)

    assert before("health_check_age_seconds", check="well", missing=-1) == -1
    assert after("health_check_status", check="well") == 1
    assert after("health_check_status", check="ill") == 0.5
    assert 0 <= after("health_check_age_seconds", check="ill", missing=-1) < 10


async def test_readings_are_counted(client: Client, plugins: Plugins) -> None:
    """Readings are counted by outcome."""
    counts = Counts(received=5, created=3, missing=2)
    plugins.readings_stored(ReadingsStored("imp_1", "json", counts, ("UC-1",)))
    value = await scrape(client)

    assert value("energia_readings_total", outcome="created") == 3
    assert value("energia_readings_total", outcome="missing") == 2
    assert value("energia_readings_total", outcome="received") == 0


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text; version=x", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text"),
    ],
)
async def test_formats(client: Client, accept: str, media_type: str) -> None:
    """A scraper gets the format that it asks for, without the series of creation times."""
    async with client.get("/metrics", headers={"Accept": accept}) as answer:
        text = await answer.text()

        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith(media_type)
        assert text.endswith("# EOF\n") == media_type.startswith("application/")
        assert "_created" not in text
