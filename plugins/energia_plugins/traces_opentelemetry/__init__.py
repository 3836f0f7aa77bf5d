"""Traces for OpenTelemetry: what the core tells of spans, sent to a collector (OTLP over HTTP).

Nothing of the SDK is imported, and no span begun, until somebody says where traces go.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from energia import Core, Tracer, hookimpl
from energia_plugins.traces_opentelemetry.settings import Settings, destination

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

    from energia_plugins.traces_opentelemetry.recorder import Recorder


class TracesOpentelemetry:
    """The plugin: one recorder for each service, or none."""

    def __init__(self, settings: Settings) -> None:
        self._where = destination(settings, os.environ)
        self._recorder = None if self._where is None else _recorder(settings)

    def exporter(self, endpoint: str) -> "SpanExporter":
        """Return what sends spans to *endpoint*; a test returns what keeps them."""
        from energia_plugins.traces_opentelemetry.export import exporter_to

        return exporter_to(endpoint)

    @hookimpl
    def register_tracers(self) -> list[Tracer]:
        """Offer the recorder, if traces go anywhere."""
        return [] if self._recorder is None else [self._recorder]

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, core: Core) -> AsyncIterator[None]:
        """Record while the service runs, and send what is left when it ends."""
        if self._recorder is None or self._where is None:
            yield
            return
        async with self._recorder.at_work(core, self.exporter(self._where)):
            yield


def _recorder(settings: Settings) -> "Recorder":
    from energia_plugins.traces_opentelemetry.recorder import Recorder

    return Recorder(settings)
