"""Statements to the database as spans, within the spans of what sends them."""

import re
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace

from energia.db.connection import Result
from energia.db.pool import PoolStats
from energia.db.tenant import statement_of

#: So much of a statement is told.
_LONGEST: Final = 2000
_SPACE: Final = re.compile(r"\s+")
_KIND: Final = trace.SpanKind.CLIENT


class Statements:
    """Records statements, and waits for a connection where all are taken.

    What nobody is within, such as a ping now and then, is no trace of its own.
    """

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def timing(self, stats: PoolStats) -> Iterator[None]:
        """Record what is sent through a pool until the context is left."""
        self._stats = stats
        stats.statement_timers.append(self._statement)
        stats.wait_timers.append(self._wait)
        yield
        stats.statement_timers.remove(self._statement)
        stats.wait_timers.remove(self._wait)

    def _statement(self, message: str, answer: Awaitable[Result]) -> Awaitable[Result]:
        return self._sent(message, answer) if _is_recorded() else answer

    async def _sent(self, message: str, answer: Awaitable[Result]) -> Result:
        # Values are parameters: no statement has any, and what says who asks is cut off.
        text = _SPACE.sub(" ", statement_of(message)).strip()
        operation = text.partition(" ")[0].upper()
        said = {
            "db.system.name": "postgresql",
            "db.operation.name": operation,
            "db.query.text": text[:_LONGEST],
        }
        with self._tracer.start_as_current_span(
            operation, None, _KIND, said, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                result = await answer
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(trace.StatusCode.ERROR)
                raise
            if result.rows is not None:
                span.set_attribute("db.response.returned_rows", len(result.rows))
            return result

    def _wait(self, wait: Awaitable[None]) -> Awaitable[None]:
        is_busy = self._stats.used >= self._stats.limit
        return self._waited(wait) if is_busy and _is_recorded() else wait

    async def _waited(self, wait: Awaitable[None]) -> None:
        with self._tracer.start_as_current_span("wait for a connection"):
            await wait


def _is_recorded() -> bool:
    return trace.get_current_span().is_recording()
