"""How spans leave: in batches, from a thread of their own, which nothing waits for."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from threading import Thread
from typing import Final

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from energia.redact import redacted

#: Seconds for what is left to be sent when the service ends.
LAST: Final = 3.0
#: Who logs, for each try, that a collector is away.
_LOGGER: Final = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
#: So much of a reason is told.
_LONGEST: Final = 300
log = structlog.get_logger(__name__)


def exporter_to(endpoint: str) -> SpanExporter:
    """Return what sends spans to a collector, as OpenTelemetry's variables say."""
    logging.getLogger(_LOGGER).addFilter(_REASONS)
    return Telling(OTLPSpanExporter(endpoint))


class Telling(SpanExporter):
    """An exporter that says once that it fails, and once that it works again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._fails = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; those that cannot be sent are gone."""
        _REASONS.first = ""
        result = self._exporter.export(spans)
        fails = result is not SpanExportResult.SUCCESS
        if fails and not self._fails:
            log.warning("traces_not_sent", reason=redacted(_REASONS.first)[:_LONGEST])
        elif self._fails and not fails:
            log.info("traces_sent")
        self._fails = fails
        return result

    def shutdown(self) -> None:
        """End what is being tried again."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Hold nothing back: batches are made elsewhere."""
        return self._exporter.force_flush(timeout_millis)


class _Reasons(logging.Filter):
    """Keeps what the library says of a failure, and lets none of it into the log.

    Attributes:
        first: What it said first of the batch that is sent.

    """

    first = ""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the line, for whoever tells why."""
        self.first = self.first or record.getMessage()
        return False


_REASONS: Final = _Reasons()


async def end(provider: TracerProvider, exporter: SpanExporter) -> None:
    """Send what is left, and wait for that no longer than `LAST` seconds."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()

    def shut_down() -> None:
        provider.shutdown()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_done, ended)

    # Not of the pool, whose threads are waited for when the process ends.
    Thread(target=shut_down, name="traces-end", daemon=True).start()
    try:
        async with asyncio.timeout(LAST):
            await ended
    except TimeoutError:
        log.warning("traces_lost", reason=f"the last were not sent within {LAST:g} s")
        exporter.shutdown()


def _done(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
