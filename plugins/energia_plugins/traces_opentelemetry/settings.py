"""`[plugins.traces-opentelemetry]`, and what OpenTelemetry's own variables add to it."""

from collections.abc import Mapping
from typing import Annotated, Final

import attrs
from msgspec import Meta
from yarl import URL

from energia import Invalid

#: The path of a collector that takes traces.
PATH: Final = "/v1/traces"
#: What exports traces by the variable `OTEL_TRACES_EXPORTER`: `none` switches them off.
EXPORTERS: Final = ("otlp", "none")
#: The variables that say where traces go; the first goes before the second.
ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL: Final = "http/protobuf"


@attrs.frozen
class Settings:
    """Where traces go, and what is in them. Without a place to go to there are none.

    OpenTelemetry's variables hold as well: `OTEL_EXPORTER_OTLP_ENDPOINT`, `_HEADERS`, `_TIMEOUT`,
    `_COMPRESSION` and `_CERTIFICATE`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`,
    `OTEL_TRACES_SAMPLER`, `OTEL_BSP_*`, `OTEL_SDK_DISABLED`.

    Attributes:
        endpoint: The URL of a collector; `/v1/traces` is added to one without a path.
        ratio: The share of traces that are recorded, of those that begin here; without it what
            `OTEL_TRACES_SAMPLER` says, which is all of them.
        incoming: Whether a request goes on with the trace that its `traceparent` names; where
            anybody may send requests, that lets strangers choose what is recorded. Without, a trace
            of our own begins, with a link to theirs.
        statements: Whether statements to the database are spans, with their SQL; never with values.
        skip: The routes whose requests are not recorded; those about health never are.

    """

    endpoint: (
        Annotated[
            str,
            Meta(
                pattern=r"^https?://[^/?#]",
                extra={"words": "a URL that begins with http:// or https://"},
            ),
        ]
        | None
    ) = None
    ratio: Annotated[float, Meta(ge=0, le=1)] | None = None
    incoming: bool = True
    statements: bool = True
    skip: tuple[str, ...] = ("/metrics",)


def destination(settings: Settings, variables: Mapping[str, str]) -> str | None:
    """Return the URL that traces are sent to; None where there shall be none.

    Raises:
        Invalid: They shall go where, or in a way that, this plugin cannot send them.

    """
    if variables.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    if (exporter := variables.get("OTEL_TRACES_EXPORTER") or "otlp") not in EXPORTERS:
        raise Invalid(f"OTEL_TRACES_EXPORTER={exporter} is none of {', '.join(EXPORTERS)}")
    where = settings.endpoint or _stated(variables)
    if exporter == "none" or where is None:
        return None
    protocol = next((variables[name] for name in _PROTOCOLS if variables.get(name)), _PROTOCOL)
    if protocol != _PROTOCOL and settings.endpoint is None:
        raise Invalid(f"OTEL_EXPORTER_OTLP_PROTOCOL={protocol}: traces are sent by {_PROTOCOL}")
    return where if settings.endpoint is None else _complete(where)


def _stated(variables: Mapping[str, str]) -> str | None:
    """Return what the variables say: of all traces verbatim, of all signals without the path."""
    of_traces, of_all = (variables.get(name, "").strip() for name in ENDPOINTS)
    return of_traces or (of_all.rstrip("/") + PATH if of_all else None)


def _complete(endpoint: str) -> str:
    """Return the URL of a collector with the path that all collectors have."""
    url = URL(endpoint)
    return str(url.with_path(PATH)) if url.path == "/" else endpoint
