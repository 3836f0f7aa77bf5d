"""Spans, with a tracer that a third party might write."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import attrs
import pytest

from energia import Tracer, hookimpl, tracing
from energia.errors import PluginError
from energia.plugins import Plugins
from energia.tracing import NOTHING, Attribute, Span, SpanKind, TraceIds
from energia.work import off_loop
from tests.serving import Serving, make_core


@attrs.define
class Kept:
    """A span that is kept."""

    name: str
    said: dict[str, Attribute]
    failures: list[str] = attrs.Factory(list)

    def note(self, attributes: Mapping[str, Attribute], /) -> None:
        """Keep more."""
        self.said.update(attributes)

    def fail(self, error: str, /) -> None:
        """Keep the failure."""
        self.failures.append(error)


class Notebook:
    """A tracer that keeps spans in the order in which they end, and knows one place only."""

    def __init__(self) -> None:
        self.spans: list[Kept] = []

    def span(
        self,
        name: str,
        attributes: Mapping[str, Attribute],
        kind: SpanKind,
        headers: Mapping[str, str] | None,
        /,
    ) -> AbstractContextManager[Span]:
        """Keep a span."""
        return self._kept(Kept(name, dict(attributes)))

    @contextmanager
    def _kept(self, span: Kept) -> Iterator[Span]:
        yield span
        self.spans.append(span)

    def ids(self) -> TraceIds | None:
        """Return the only place."""
        return TraceIds("ab" * 16, "cd" * 8)

    def headers(self) -> Mapping[str, str]:
        """Return the only place, as another service is told of it."""
        return {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"}

    @property
    def names(self) -> list[str]:
        """The names of the spans."""
        return [span.name for span in self.spans]


class Plugin:
    """A plugin with tracers."""

    def __init__(self, *tracers: Any) -> None:
        self.tracers = tracers

    @hookimpl
    def register_tracers(self) -> list[Tracer]:
        """Offer them."""
        return list(self.tracers)


def test_without_a_tracer_there_is_nothing() -> None:
    """The span takes what is said of it, and nobody is told of anything."""
    with tracing.span("a", {"b": 1}) as span:
        span.note({"c": 2})
        span.fail("ValueError")

        assert span is NOTHING
        assert tracing.ids() is None
        assert tracing.headers() == {}


def test_an_error_passes_a_span_that_nobody_records() -> None:
    """What goes wrong within is not swallowed."""
    with pytest.raises(ZeroDivisionError), tracing.span("a"):
        raise ZeroDivisionError


def test_recording_ends_with_its_block() -> None:
    """Within it the tracer is asked, after it whatever was asked before."""
    outer, inner = Notebook(), Notebook()
    with tracing.recording(outer):
        with tracing.recording(inner), tracing.span("within"):
            assert tracing.headers() == inner.headers()
        with tracing.span("after"):
            pass

    assert (outer.names, inner.names) == (["after"], ["within"])
    assert tracing.ids() is None


async def test_tasks_and_threads_that_are_begun_within_are_recorded() -> None:
    """A context goes along with what it begins."""
    notebook = Notebook()

    def work() -> None:
        with tracing.span("in a thread"):
            pass

    async def task() -> None:
        with tracing.span("in a task"):
            await off_loop(work)

    with tracing.recording(notebook):
        begun = asyncio.create_task(task())
    await begun

    assert notebook.names == ["in a thread", "in a task"]


@pytest.mark.parametrize(("times", "names"), [(1, ["inner", "outer"]), (2, ["outer"])])
def test_what_is_done_often_is_one_span(times: int, names: list[str]) -> None:
    """Spans within are recorded where they are few."""
    notebook = Notebook()
    with (
        tracing.recording(notebook),
        tracing.span("outer"),
        tracing.as_one(times),
        tracing.as_one(1),
        tracing.span("inner"),
    ):
        pass

    assert notebook.names == names


def test_there_is_one_tracer() -> None:
    """Two plugins cannot both record, as spans of one go on from those of the other."""
    with pytest.raises(PluginError) as refused:
        Plugins.of(one=Plugin(Notebook()), two=Plugin(Notebook()))

    assert refused.value.detail == "plugins 'one' and 'two' both offer a tracer"


@pytest.mark.parametrize(
    ("offer", "detail"),
    [
        (Notebook, "it is a class: a tracer must be an instance"),
        (object(), "a tracer must have a method `span`"),
    ],
)
def test_what_is_no_tracer_is_refused(offer: object, detail: str) -> None:
    """It would fail within every request."""
    with pytest.raises(PluginError) as refused:
        Plugins.of(mine=Plugin(offer))

    assert refused.value.detail.endswith(detail)


async def test_requests_are_recorded_but_for_those_about_health(serving: Serving) -> None:
    """A span has the route and the status, and neither the path nor the query."""
    notebook = Notebook()
    async with serving(make_core(plugins=Plugins.of(mine=Plugin(notebook)))) as client:
        await client.get("/health/live")
        await client.get("/v1/tariffs/branca/prices?start=2026-01-01&end=2026-01-02")
        await client.request("PROPFIND", "/health")
    found, refused = notebook.spans

    assert found.name == "GET /v1/tariffs/{tariff}/prices"
    assert found.said["http.response.status_code"] == 503
    assert found.failures == ["DatabaseAway"]
    assert "branca" not in str(found.said)
    assert "2026" not in str(found.said)
    assert refused.name == "_OTHER method_not_allowed"
    assert refused.failures == []
