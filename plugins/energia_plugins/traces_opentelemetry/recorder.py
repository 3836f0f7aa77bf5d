"""What records spans: `energia.tracing.Tracer`, by OpenTelemetry's SDK."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from types import TracebackType
from typing import Final, Self

from opentelemetry import context, trace
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import energia
from energia import Core
from energia.tracing import NOTHING, Attribute, Span, SpanKind, TraceIds
from energia_plugins.traces_opentelemetry.export import end
from energia_plugins.traces_opentelemetry.settings import Settings
from energia_plugins.traces_opentelemetry.statements import Statements

_W3C: Final = TraceContextTextMapPropagator()
_KINDS: Final[Mapping[SpanKind, trace.SpanKind]] = {
    "internal": trace.SpanKind.INTERNAL,
    "server": trace.SpanKind.SERVER,
    "client": trace.SpanKind.CLIENT,
    "producer": trace.SpanKind.PRODUCER,
    "consumer": trace.SpanKind.CONSUMER,
}


class Recorder:
    """The tracer of one service; before it has started, and after its end, it records nothing."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._skip = frozenset(settings.skip)
        self._tracer: trace.Tracer | None = None

    def span(
        self,
        name: str,
        attributes: Mapping[str, Attribute],
        kind: SpanKind,
        headers: Mapping[str, str] | None,
        /,
    ) -> AbstractContextManager[Span]:
        """Return a span that lasts as long as the context."""
        if self._tracer is None or attributes.get("http.route") in self._skip:
            return NOTHING
        parent, links = self._origin(headers, kind)
        return Recorded(
            self._tracer.start_span(name, parent, _KINDS[kind], attributes=attributes, links=links)
        )

    def ids(self) -> TraceIds | None:
        """Return which span is the present one."""
        present = trace.get_current_span().get_span_context()
        if not present.is_valid:
            return None
        return TraceIds(
            f"{present.trace_id:032x}", f"{present.span_id:016x}", present.trace_flags.sampled
        )

    def headers(self) -> Mapping[str, str]:
        """Return `traceparent`, and `tracestate` where there is one."""
        carrier: dict[str, str] = {}
        _W3C.inject(carrier)
        return carrier

    @asynccontextmanager
    async def at_work(self, core: Core, exporter: SpanExporter) -> AsyncIterator[None]:
        """Record until the context is left; then what is left is sent."""
        ratio = self._settings.ratio
        provider = TracerProvider(
            sampler=None if ratio is None else ParentBasedTraceIdRatio(ratio),
            resource=_resource(core),
            shutdown_on_exit=False,  # ours has a limit
        )
        provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = provider.get_tracer("energia", energia.__version__)
        statements = Statements(self._tracer)
        try:
            if self._settings.statements:
                with statements.timing(core.pool.stats):
                    yield
            else:
                yield
        finally:
            self._tracer = None
            await end(provider, exporter)

    def _origin(
        self, headers: Mapping[str, str] | None, kind: SpanKind
    ) -> tuple[context.Context | None, list[trace.Link]]:
        """Return what a span goes on from, and what it only has to do with."""
        if headers is None:
            return None, []  # the present span
        theirs = _W3C.extract(headers, context.Context())
        if kind != "server" or self._settings.incoming:
            return theirs, []
        caller = trace.get_current_span(theirs).get_span_context()
        return context.Context(), [trace.Link(caller)] if caller.is_valid else []


class Recorded:
    """A span: the present one while its context lasts."""

    __slots__ = ("_span", "_token")

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def __enter__(self) -> Self:
        self._token = context.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it; of an error only the class is kept, as what it says may quote a customer."""
        if kind is not None:
            self.fail(kind.__name__)
        context.detach(self._token)
        self._span.end()

    def note(self, attributes: Mapping[str, Attribute], /) -> None:
        """Say more about it."""
        self._span.set_attributes(attributes)

    def fail(self, error: str, /) -> None:
        """Say that it failed, and the kind of the error."""
        self._span.set_attribute("error.type", error)
        self._span.set_status(trace.StatusCode.ERROR)


def _resource(core: Core) -> Resource:
    """Return what a collector is told of this service; its variables go before."""
    own = {
        "service.name": "energia",
        "service.version": energia.__version__,
        "deployment.environment.name": core.settings.profile,
    }
    if commit := os.environ.get("SOURCE_COMMIT"):
        own["vcs.ref.head.revision"] = commit
    return Resource.create({**own, **OTELResourceDetector().detect().attributes})
