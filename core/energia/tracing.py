"""Spans: what the service does and how long each part takes, for whoever records it.

A trace is a tree of spans that share an id: a request is the root, or goes on from the span of
whoever asks; the statements, the pricing and the requests to others within it are its branches. The
core says where spans begin and end (`span`). Whether they are recorded, and where they go, is the
matter of a plugin that registers a `Tracer`; without one, a span costs less than a microsecond.

The present tracer and the present span are context variables: tasks that a task begins, and work
that goes to a thread by `off_loop`, are within the span that began them.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Literal, Protocol

import attrs

if TYPE_CHECKING:
    from types import TracebackType

__all__ = (
    "NOTHING",
    "Attribute",
    "Span",
    "SpanKind",
    "TraceIds",
    "Tracer",
    "headers",
    "ids",
    "span",
)

#: What a span may say of itself.
Attribute = str | int | float | bool
#: How a span stands to others: it answers a request (`server`) or sends one (`client`), hands over
#: work that is done later (`producer`) or does it (`consumer`), or is a part of one of these.
SpanKind = Literal["internal", "server", "client", "producer", "consumer"]


class Span(Protocol):
    """Something that goes on."""

    def note(self, attributes: Mapping[str, Attribute], /) -> None:
        """Say more about it."""
        ...

    def fail(self, error: str, /) -> None:
        """Say that it failed, and the kind of the error; an error that leaves `span` does so."""
        ...


@attrs.frozen
class TraceIds:
    """Which span is the present one, in hexadecimal digits as W3C Trace Context has them.

    Attributes:
        trace_id: 32 digits, the same for all spans of a trace.
        span_id: 16 digits.
        is_sampled: Whether the trace is recorded.

    """

    trace_id: str
    span_id: str
    is_sampled: bool = True


class Tracer(Protocol):
    """Records spans; `register_tracers` offers it, and one plugin at most may.

    None of its methods may raise, wait, or ask anybody: they are called within every request.

    Example:
        class Printed:
            @contextmanager
            def span(self, name, attributes, kind, headers):
                started = time.perf_counter()
                with NOTHING as span:
                    yield span
                print(name, time.perf_counter() - started)

            def ids(self):
                return None

            def headers(self):
                return {}

    """

    def span(
        self,
        name: str,
        attributes: Mapping[str, Attribute],
        kind: SpanKind,
        headers: Mapping[str, str] | None,
        /,
    ) -> AbstractContextManager[Span]:
        """Return a span that lasts as long as the context; `span` says what the arguments are."""
        ...

    def ids(self) -> TraceIds | None:
        """Return which span is the present one, if there is one."""
        ...

    def headers(self) -> Mapping[str, str]:
        """Return what tells another service, or a later job, which span is the present one."""
        ...


class _Nothing:
    """A span that nobody records."""

    def __enter__(self) -> Span:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: "TracebackType | None",
    ) -> None:
        """End nothing."""

    def note(self, attributes: Mapping[str, Attribute], /) -> None:
        """Say nothing more."""

    def fail(self, error: str, /) -> None:
        """Say nothing of it."""


#: What `span` gives where nothing is recorded.
NOTHING: Final = _Nothing()
_NO_ATTRIBUTES: Final[Mapping[str, Attribute]] = {}
_TRACER: Final[ContextVar[Tracer | None]] = ContextVar("energia_tracer", default=None)
#: Whether what goes on is recorded as one span, without those within.
_AS_ONE: Final[ContextVar[bool]] = ContextVar("energia_traced_as_one", default=False)


def span(
    name: str,
    attributes: Mapping[str, Attribute] = _NO_ATTRIBUTES,
    *,
    kind: SpanKind = "internal",
    headers: Mapping[str, str] | None = None,
) -> AbstractContextManager[Span]:
    """Return a context that is recorded as a span within the present one, if anything records.

    Args:
        name: What goes on, in few words: never an id, or a trace could not be found by it.
        attributes: What else there is to say; ids and personal data have no place here either.
        kind: How it stands to others.
        headers: What `headers()` gave to whoever asked for this: the span goes on from theirs.

    Example:
        with span("acme.forecast", {"acme.days": 7}) as forecast:
            values = await model.run(days=7)
            forecast.note({"acme.values": len(values)})

    """
    tracer = _TRACER.get()
    if tracer is None or _AS_ONE.get():
        return NOTHING
    return tracer.span(name, attributes, kind, headers)


def ids() -> TraceIds | None:
    """Return which span is the present one; None where nothing is recorded."""
    tracer = _TRACER.get()
    return None if tracer is None else tracer.ids()


def headers() -> Mapping[str, str]:
    """Return the headers that tell another service which span is the present one (`traceparent`).

    Work that is done later keeps them with it, and hands them to `span` when it is done.
    """
    tracer = _TRACER.get()
    return _NO_HEADERS if tracer is None else tracer.headers()


_NO_HEADERS: Final[Mapping[str, str]] = {}


def record(tracer: Tracer | None) -> None:
    """Let *tracer* record what this task does from now on, and the tasks that it begins."""
    _TRACER.set(tracer)


@contextmanager
def recording(tracer: Tracer | None) -> Iterator[None]:
    """Let *tracer* record what is done, and begun, until the context is left."""
    before = _TRACER.get()
    record(tracer)
    try:
        yield
    finally:
        # Not by a token: another task than the one that entered may leave.
        record(before)


@contextmanager
def as_one(times: int) -> Iterator[None]:
    """Begin no span within if that is done more than once: all of it is in the span around it.

    A bill run prices thousands of contracts: a trace with a few spans for each tells nothing.
    """
    token = _AS_ONE.set(times > 1 or _AS_ONE.get())
    try:
        yield
    finally:
        _AS_ONE.reset(token)
