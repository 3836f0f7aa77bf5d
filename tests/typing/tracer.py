"""A tracer, typed against the public names: mypy checks it, nothing runs it."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from energia import Span
from energia.tracing import NOTHING, Attribute, SpanKind, TraceIds


class Printed:
    """Prints how long each span took."""

    @contextmanager
    def span(
        self,
        name: str,
        attributes: Mapping[str, Attribute],
        kind: SpanKind,
        headers: Mapping[str, str] | None,
        /,
    ) -> Iterator[Span]:
        """Print it when it is over."""
        started = time.perf_counter()
        with NOTHING as span:
            yield span
        print(name, time.perf_counter() - started)

    def ids(self) -> TraceIds | None:
        """Return none: what is printed cannot be looked up."""
        return None

    def headers(self) -> Mapping[str, str]:
        """Return none."""
        return {}
