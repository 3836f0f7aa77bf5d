"""Traces, against the SDK's exporter in memory, and against a collector over HTTP."""

import gzip
import json
import logging
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from pytest_aiohttp import AiohttpServer

from energia import Core, hookimpl, log, span, tracing
from energia.db.pool import Pool
from energia.errors import PluginError
from energia.jobs.tasks import Task
from energia.metering.sources import Emit, Source
from energia.plugins import Plugins
from energia.settings import Jobs, PluginSelection
from energia.settings import Settings as ServiceSettings
from energia.web.routes import Routes
from energia_plugins import meter_csv, tariff_flat
from energia_plugins.metrics_prometheus import Metrics
from energia_plugins.traces_opentelemetry import TracesOpentelemetry
from energia_plugins.traces_opentelemetry.settings import Settings, destination
from tests.plugins.sources import feed, source
from tests.plugins.test_price_feeds import SHAPE, Feeding, rows, until
from tests.serving import LOOPBACK, Serving, make_core

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"
COST = {
    "usage": {
        "timezone": "America/Sao_Paulo",
        "interval": "PT1H",
        "channels": {
            "import": {
                "start": "2026-03-31T22:00:00-03:00",
                "unit": "kWh",
                "values": [1.5, 2.5, 1.25],
            }
        },
    },
    "tariff": {
        "name": "Flat",
        "currency": "BRL",
        "timezone": "America/Sao_Paulo",
        "versions": [
            {"valid_from": "2026-01-01", "charges": [{"kind": "energy.flat", "rate": "0.5"}]}
        ],
    },
}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no variable of OpenTelemetry that is set here reach a test."""
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


class Traces(TracesOpentelemetry):
    """The plugin, whose spans stay in memory; they are all there when the service has ended."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(Settings(endpoint="http://collector.test:4318", **settings))
        self.memory = InMemorySpanExporter()

    def exporter(self, endpoint: str) -> SpanExporter:
        """Keep spans."""
        return self.memory

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """All spans."""
        return self.memory.get_finished_spans()

    def named(self, name: str) -> list[ReadableSpan]:
        """Return the spans of one name."""
        return [span for span in self.spans if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        """Return the only span of a name."""
        (found,) = self.named(name)
        return found

    def path(self, span: ReadableSpan) -> list[str]:
        """Return the names from the root of a trace to *span*."""
        by_id = {one.context.span_id: one for one in self.spans}
        path = [span.name]
        while span.parent is not None and (outer := by_id.get(span.parent.span_id)):
            span = outer
            path.insert(0, span.name)
        return path


routes = Routes()


@routes.get("/v1/told")
async def get_told(core: Core, url: str) -> str:
    """Ask another service, and return what it was told."""
    async with core.outgoing.session(5) as session:
        return (await session.get(url)).body.decode()


@routes.get("/v1/broken")
async def get_broken() -> str:
    """Fail, with something that must stay here."""
    raise RuntimeError("password=hunter2")


class Routed:
    """A plugin with routes."""

    @hookimpl
    def register_routes(self) -> Routes:
        """Return them."""
        return routes


def core_of(
    traces: Traces, pool: Pool | None = None, core: ServiceSettings | None = None, **plugins: Any
) -> Core:
    """Return a core with traces, the flat charge and these plugins."""
    loaded = Plugins.of(traces=traces, tariff_flat=tariff_flat, routed=Routed(), **plugins)
    return make_core(plugins=loaded, pool=pool, settings=core)


async def test_a_price_is_a_trace(serving: Serving) -> None:
    """The request, its pricing and the stages of that in a thread are one tree."""
    traces = Traces()
    async with serving(core_of(traces)) as client, client.post("/v1/costs", json=COST) as answer:
        assert answer.status == 200, await answer.text()
    request, charges = traces.one("POST /v1/costs"), traces.one("pricing.charges")

    assert request.parent is None
    assert request.kind is SpanKind.SERVER
    assert request.attributes is not None
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["energia.request_id"] == answer.headers["X-Request-Id"]
    assert traces.path(charges) == ["POST /v1/costs", "pricing.cost", "pricing.charges"]
    assert traces.path(traces.one("pricing.segments"))[:-1] == ["POST /v1/costs", "pricing.cost"]
    assert charges.attributes == {"energia.lines": 1}
    assert {span.context.trace_id for span in traces.spans} == {request.context.trace_id}


async def test_many_prices_are_one_span(serving: Serving) -> None:
    """Of bill periods that are priced one after another the stages are not told apart."""
    traces = Traces()
    body = {**COST, "group": "P1M"}  # the usage reaches into another month
    async with serving(core_of(traces)) as client, client.post("/v1/costs", json=body) as answer:
        assert len((await answer.json())["groups"]) == 2

    assert traces.named("pricing.cost")
    assert traces.named("pricing.segments") == []


async def test_statements_are_spans(serving: Serving, pool: Pool) -> None:
    """Their SQL is told, and neither values nor who asks."""
    traces = Traces()
    site = {"name": "Casa verde", "timezone": "UTC", "country": "BR", "currency": "BRL"}
    async with (
        serving(core_of(traces, pool)) as client,
        client.put("/v1/sites/casa-verde", json=site) as answer,
    ):
        assert answer.status == 201, await answer.text()
    request = next(one for one in traces.spans if one.kind is SpanKind.SERVER)
    statements = [one for one in traces.spans if (one.attributes or {}).get("db.query.text")]
    texts = [str((one.attributes or {})["db.query.text"]) for one in statements]

    assert statements
    assert {traces.path(one)[0] for one in statements} == {request.name}
    assert any("insert into site" in text.lower() for text in texts)
    assert not any("Casa verde" in text or "set_config" in text for text in texts)
    assert all((one.attributes or {})["db.system.name"] == "postgresql" for one in statements)


async def test_statements_may_be_left_out(serving: Serving, pool: Pool) -> None:
    """With `statements = false` a request is one span, whatever it asks the database."""
    traces = Traces(statements=False)
    async with serving(core_of(traces, pool)) as client, client.get("/v1/sites") as answer:
        assert answer.status == 200

    assert [one.name for one in traces.spans] == ["GET /v1/sites"]


async def test_nothing_is_recorded_of_a_ping(serving: Serving, pool: Pool) -> None:
    """A statement that is within nothing is no trace."""
    traces = Traces()
    async with serving(core_of(traces, pool)):
        await pool.ping()

    assert traces.spans == ()


async def test_a_trace_goes_on_from_the_caller(serving: Serving) -> None:
    """`traceparent` names the span that the request is within."""
    traces = Traces()
    async with serving(core_of(traces)) as client:
        await client.get("/v1/charge-kinds", headers={"traceparent": PARENT})
    (request,) = traces.spans

    assert request.parent is not None
    assert (request.context.trace_id, request.parent.span_id) == (int(TRACE, 16), int(SPAN, 16))


@pytest.mark.parametrize("parent", ["", "00-zz-1-01", f"00-{'0' * 32}-{SPAN}-01", "00"])
async def test_what_names_no_span_is_passed_over(serving: Serving, parent: str) -> None:
    """A request with a `traceparent` that is not one begins a trace of its own."""
    traces = Traces()
    async with (
        serving(core_of(traces)) as client,
        client.get("/v1/charge-kinds", headers={"traceparent": parent}) as answer,
    ):
        assert answer.status == 200

    assert [one.parent for one in traces.spans] == [None]


async def test_strangers_do_not_choose_the_trace(serving: Serving) -> None:
    """With `incoming = false` a request begins a trace, which has a link to the caller's."""
    traces = Traces(incoming=False)
    async with serving(core_of(traces)) as client:
        await client.get("/v1/charge-kinds", headers={"traceparent": PARENT})
    (request,) = traces.spans

    assert request.parent is None
    assert request.context.trace_id != int(TRACE, 16)
    assert [link.context.span_id for link in request.links] == [int(SPAN, 16)]


async def test_a_caller_that_records_nothing_is_followed(serving: Serving) -> None:
    """The flag of a `traceparent` says whether the trace is recorded anywhere."""
    traces = Traces()
    async with serving(core_of(traces)) as client:
        await client.get("/v1/charge-kinds", headers={"traceparent": f"{PARENT[:-2]}00"})

    assert traces.spans == ()


@asynccontextmanager
async def listener(server: AiohttpServer) -> AsyncIterator[str]:
    """Serve what answers with the `traceparent` of a request, and give its URL."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=request.headers.get("traceparent", ""))

    app = web.Application()
    app.router.add_get("/hook", answer)
    yield str((await server(app)).make_url("/hook"))


async def test_others_are_told(serving: Serving, aiohttp_server: AiohttpServer) -> None:
    """A request that is sent to others is a span, and names itself as the parent of theirs."""
    traces = Traces()
    async with (
        listener(aiohttp_server) as url,
        serving(core_of(traces)) as client,
        client.get("/v1/told", params={"url": f"{url}?token=s3cret"}) as answer,
    ):
        header = await answer.json()
    sent = traces.one("GET")

    assert header.startswith(f"00-{sent.context.trace_id:032x}-{sent.context.span_id:016x}-")
    assert sent.kind is SpanKind.CLIENT
    assert sent.attributes == {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "http.response.status_code": 200,
    }


async def test_without_traces_others_are_told_nothing(
    serving: Serving, aiohttp_server: AiohttpServer
) -> None:
    """No header is sent that means nothing."""
    core = make_core(plugins=Plugins.of(routed=Routed()))
    async with (
        listener(aiohttp_server) as url,
        serving(core) as client,
        client.get("/v1/told", params={"url": url}) as answer,
    ):
        assert await answer.json() == ""


async def test_an_error_is_told_by_its_class(serving: Serving) -> None:
    """What it says may quote a customer, and stays in the log."""
    traces = Traces()
    async with serving(core_of(traces)) as client, client.get("/v1/broken") as answer:
        assert answer.status == 500
    (request,) = traces.spans

    assert request.status.status_code is StatusCode.ERROR
    assert (request.attributes or {})["error.type"] == "RuntimeError"
    assert "hunter2" not in request.to_json()


async def test_what_a_client_does_wrong_is_no_error(serving: Serving) -> None:
    """A 404 is an answer."""
    traces = Traces()
    async with serving(core_of(traces)) as client:
        await client.get("/v1/nowhere")
    (request,) = traces.spans

    assert request.status.status_code is StatusCode.UNSET
    assert (request.attributes or {})["http.response.status_code"] == 404


async def test_health_and_metrics_are_no_traces(serving: Serving) -> None:
    """What is asked every few seconds tells nothing."""
    traces = Traces()
    async with serving(core_of(traces, metrics=Metrics)) as client:
        for path in ("/health", "/health/live", "/metrics"):
            async with client.get(path) as answer:
                assert answer.status in (200, 503)

    assert traces.spans == ()


async def test_log_lines_name_the_span(
    serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line of a request has the ids of its span; a line that is within none has none."""
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    log.configure()
    try:
        traces = Traces()
        async with serving(core_of(traces)) as client:
            await client.get("/v1/charge-kinds")
            await client.get("/health")
            structlog.get_logger("test").info("alone")
    finally:
        logging.getLogger().handlers[:] = handlers
        logging.getLogger().setLevel(level)
        structlog.reset_defaults()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    written = next(line for line in lines if line.get("route") == "/v1/charge-kinds")
    alone = next(line for line in lines if line["event"] == "alone")
    (request,) = traces.spans

    assert written["trace_id"] == f"{request.context.trace_id:032x}"
    assert written["span_id"] == f"{request.context.span_id:016x}"
    assert "trace_id" not in alone


# Work in the background.


#: Works off what is deferred, and asks this machine.
WORKING = ServiceSettings(outgoing=LOOPBACK, jobs=Jobs(poll=0.1, grace=0.1))


async def test_a_fetch_of_prices_is_a_trace(
    serving: Serving, pool: Pool, aiohttp_server: AiohttpServer
) -> None:
    """What is asked and what is stored are within it, and it is within its task."""
    traces = Traces()
    async with source(aiohttp_server, web.json_response(rows(1))) as found:
        feeding = Feeding(feed(found.url, shape=SHAPE, period=30, timeout=5))
        async with serving(core_of(traces, pool, WORKING, feeding=feeding)):
            await until(lambda: bool(feeding.heard))
    fetch, within = traces.one("price_feed.fetch"), ["task price-feed-spot", "price_feed.fetch"]
    inserts = [one for one in traces.spans if traces.path(one)[:-1] == within]

    assert traces.path(fetch) == within
    assert fetch.attributes == {"energia.feed": "spot"}
    assert traces.path(traces.one("GET")) == [*within, "GET"]
    assert len(inserts) > 2
    assert fetch.status.status_code is StatusCode.UNSET


async def test_a_fetch_that_fails_says_so(
    serving: Serving, pool: Pool, aiohttp_server: AiohttpServer
) -> None:
    """The answer of 503 and the fetch that it spoils are both marked."""
    traces = Traces()
    async with source(aiohttp_server, web.Response(status=503)) as found:
        feeding = Feeding(feed(found.url, shape=SHAPE, period=30, timeout=5))
        async with serving(core_of(traces, pool, WORKING, feeding=feeding)):
            await until(lambda: bool(feeding.heard))

    assert (traces.named("GET")[0].attributes or {})["error.type"] == "503"
    assert (traces.named("price_feed.fetch")[0].attributes or {})["error.type"] == "FeedFailed"


async def test_what_a_source_brings_is_a_trace(serving: Serving, pool: Pool) -> None:
    """Readings that are stored in the background are stored within a span of their own."""

    class Thermometer:
        name = "thermometer"

        async def run(self, emit: Emit, /) -> None:
            await emit.file([b"garbage"], "csv", {})

    class Sourced:
        @hookimpl
        def register_sources(self) -> list[Source]:
            return [Thermometer()]

    traces = Traces()
    core = core_of(traces, pool, sourced=Sourced(), meter_csv=meter_csv)
    async with serving(core):
        await until(lambda: core.sources["thermometer"].failures > 0)

    assert traces.named("source.store")[0].attributes is not None
    assert traces.named("source.store")[0].parent is None


async def test_a_task_goes_on_from_the_request_that_deferred_it(
    serving: Serving, pool: Pool
) -> None:
    """Whichever worker does it, and whenever: the trace waits in the database with the task."""
    done: list[Mapping[str, Any]] = []

    class Greeting:
        name = "acme-greeting"

        async def run(self, core: Core, arguments: Mapping[str, Any]) -> None:
            done.append(arguments)

    later = Routes()

    @later.post("/v1/greetings")
    async def post_greeting(core: Core) -> str:
        """Greet later."""
        await core.jobs.defer("acme-greeting", {"name": "Ana"})
        return "later"

    class Greetings:
        @hookimpl
        def register_routes(self) -> Routes:
            return later

        @hookimpl
        def register_tasks(self) -> list[Task]:
            return [Greeting()]

    traces, quick = Traces(), ServiceSettings(jobs=Jobs(poll=0.1))
    async with serving(core_of(traces, pool, quick, greetings=Greetings())) as client:
        await client.post("/v1/greetings")
        await until(lambda: bool(done))
    task = traces.one("task acme-greeting")

    assert done == [{"name": "Ana"}]
    assert traces.path(task) == ["POST /v1/greetings", "task acme-greeting"]
    assert task.kind is SpanKind.CONSUMER
    assert task.attributes == {"energia.task": "acme-greeting", "energia.tries": 1}


async def test_each_round_of_a_task_is_a_trace(serving: Serving, pool: Pool) -> None:
    """A task that is done again and again begins anew, even where one round defers the next."""
    rounds: list[Mapping[str, Any]] = []

    class Tide:
        name, period = "acme-tide", 60.0

        async def run(self, core: Core, arguments: Mapping[str, Any]) -> None:
            rounds.append(arguments)
            await core.jobs.defer(self.name, once=self.name, lock=self.name)

    class Tides:
        @hookimpl
        def register_tasks(self) -> list[Task]:
            return [Tide()]

    traces = Traces()
    async with serving(core_of(traces, pool, WORKING, tides=Tides())):
        await until(lambda: len(rounds) > 2)
    tasks = traces.named("task acme-tide")

    assert len(tasks) > 1
    assert [task.parent for task in tasks] == [None] * len(tasks)
    assert len({task.context.trace_id for task in tasks}) == len(tasks)


async def test_work_goes_on_in_another_process() -> None:
    """What was kept with it is the parent of its span."""
    asking, working = Traces(), Traces()

    async with _at_work(asking) as tracer:
        with tracing.recording(tracer), span("queue", kind="producer"):
            kept = dict(tracing.headers())
    async with _at_work(working) as tracer:
        with tracing.recording(tracer), span("bill run", kind="consumer", headers=kept):
            pass
    queued, done = asking.one("queue"), working.one("bill run")

    assert done.parent is not None
    assert done.parent.span_id == queued.context.span_id
    assert done.context.trace_id == queued.context.trace_id


@asynccontextmanager
async def _at_work(traces: Traces) -> AsyncIterator[Any]:
    plugins = Plugins.of(traces=traces)
    async with plugins.lifespans(make_core(plugins=plugins)):
        yield plugins.tracer()


# Where traces go.


@pytest.mark.parametrize(
    ("endpoint", "variables", "where"),
    [
        (None, {}, None),
        ("http://collector:4318", {}, "http://collector:4318/v1/traces"),
        ("http://collector:4318/", {}, "http://collector:4318/v1/traces"),
        ("https://otel.example/in/traces", {}, "https://otel.example/in/traces"),
        (
            None,
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/otlp/"},
            "http://c:4318/otlp/v1/traces",
        ),
        (None, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/x"}, "http://c:4318/x"),
        ("http://c", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://d"}, "http://c/v1/traces"),
        ("http://c", {"OTEL_SDK_DISABLED": "true"}, None),
        ("http://c", {"OTEL_TRACES_EXPORTER": "none"}, None),
        ("http://c", {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "http://c/v1/traces"),
    ],
)
def test_where_traces_go(
    endpoint: str | None, variables: Mapping[str, str], where: str | None
) -> None:
    """The setting goes before the variables; without either there are no traces."""
    assert destination(Settings(endpoint=endpoint), variables) == where


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER=zipkin"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(
    variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service whose traces would go nowhere does not start, and says why."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(PluginError, match=said):
        Plugins.installed(PluginSelection(enabled=("traces-opentelemetry",)))


def test_without_a_place_to_go_to_there_is_no_tracer() -> None:
    """The plugin is loaded and does nothing: it is off until it is told where traces go."""
    plugins = Plugins.installed(PluginSelection(enabled=("traces-opentelemetry",)))

    assert plugins.names == ("traces-opentelemetry",)
    assert plugins.tracer() is None


async def test_a_collector_receives_spans(
    serving: Serving, aiohttp_server: AiohttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come as OTLP, with what the variables say of the service and of how they are sent."""
    bodies: list[ExportTraceServiceRequest] = []
    keys: list[str | None] = []

    async def received(request: web.Request) -> web.Response:
        body = await request.read()
        keys.append(request.headers.get("X-Key"))
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        bodies.append(ExportTraceServiceRequest.FromString(body))
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", received)
    collector = await aiohttp_server(app)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "energia-norte")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "region=sa-east")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "X-Key=abc")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", str(collector.make_url("/")))
    core = make_core(plugins=Plugins.of(traces=TracesOpentelemetry))
    async with serving(core) as client:
        await client.get("/v1/charge-kinds")
    (resource_spans,) = bodies[0].resource_spans
    resource = {one.key: one.value.string_value for one in resource_spans.resource.attributes}
    names = [one.name for scope in resource_spans.scope_spans for one in scope.spans]

    assert names == ["GET /v1/charge-kinds"]
    assert keys == ["abc"]
    assert resource["service.name"] == "energia-norte"
    assert resource["region"] == "sa-east"
    assert resource["deployment.environment.name"] == "development"


async def test_a_collector_that_is_away_harms_nothing(
    serving: Serving, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests are answered, the service ends in time, and the log says so in a few lines."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    plugin = TracesOpentelemetry(Settings(endpoint="http://127.0.0.1:1"))
    log.configure()
    logging.getLogger("aiohttp.access").disabled = True
    try:
        async with serving(make_core(plugins=Plugins.of(traces=plugin))) as client:
            for _ in range(20):
                async with client.get("/v1/charge-kinds") as answer:
                    assert answer.status == 200
            begun = time.monotonic()
        ended = time.monotonic() - begun
    finally:
        logging.getLogger("aiohttp.access").disabled = False
        logging.getLogger().handlers[:] = []
        structlog.reset_defaults()
    events = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]

    assert ended < 20  # it gives up after three seconds; a slow machine is no reason to wait
    told = [event for event in events if event not in ("probe", "request")]
    assert set(told) <= {"traces_not_sent", "traces_lost"}
    assert len(told) <= 2


async def test_what_is_not_chosen_is_not_recorded(serving: Serving) -> None:
    """With `ratio = 0` no trace that begins here is recorded, and others are told as much."""
    traces = Traces(ratio=0)
    async with serving(core_of(traces)) as client:
        await client.get("/v1/charge-kinds")
        await client.get("/v1/charge-kinds", headers={"traceparent": PARENT})

    assert [one.context.trace_id for one in traces.spans] == [int(TRACE, 16)]


# Exemplars.


async def exemplars(client: Any) -> dict[str, Mapping[str, str]]:
    """Return the labels of an exemplar of each metric that has one."""
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    async with client.get("/metrics", headers=accept) as answer:
        text = await answer.text()
        families = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    return {
        sample.name: sample.exemplar.labels
        for family in families
        for sample in family.samples
        if sample.exemplar
    }


async def test_metrics_lead_to_traces(serving: Serving, pool: Pool) -> None:
    """Requests, statements and pricing have exemplars, in OpenMetrics."""
    traces = Traces()
    async with serving(core_of(traces, pool, metrics=Metrics)) as client:
        await client.get("/v1/sites")
        await client.post("/v1/costs", json=COST)
        found = await exemplars(client)
    ids = {f"{one.context.trace_id:032x}": one.context.span_id for one in traces.spans}
    spans = {f"{one.context.span_id:016x}" for one in traces.spans}

    assert found.keys() == {
        "http_request_duration_seconds_bucket",
        "db_query_duration_seconds_bucket",
        "energia_pricing_duration_seconds_bucket",
    }
    assert {labels["trace_id"] for labels in found.values()} <= ids.keys()
    assert {labels["span_id"] for labels in found.values()} <= spans


async def test_metrics_lead_nowhere_else(serving: Serving) -> None:
    """Without traces, and for those that are not recorded, there are no exemplars."""
    for plugins in (
        Plugins.of(metrics=Metrics),
        Plugins.of(metrics=Metrics, traces=Traces(ratio=0)),
    ):
        async with serving(make_core(plugins=plugins)) as client:
            await client.get("/v1/charge-kinds")

            assert await exemplars(client) == {}
