"""Log lines on the standard error stream: one JSON object each, or plain text on a terminal."""

import logging
import os
import sys
from collections.abc import Iterable
from typing import Final

import structlog
from aiohttp import ClientConnectionError, web
from aiohttp.http_exceptions import HttpProcessingError
from structlog.typing import EventDict, Processor

from energia.redact import redacted
from energia.settings import Log

#: What every line gets, ours and those of the libraries.
_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


#: Of a list in a line for people, so many items are shown.
_ITEMS: Final = 3
#: What a client does wrong below HTTP: no fault of the service, so no error in its log.
_CLIENTS_FAULTS = (
    HttpProcessingError,
    web.RequestPayloadError,
    ClientConnectionError,
    ConnectionError,
)


def configure(settings: Log | None = None) -> None:
    """Log from now on, what the libraries log included, as the settings say."""
    settings = settings or Log()
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _without_secrets,
                *_rendering(settings.format),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("aiohttp.server").addFilter(_calmed)
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def warn(about: Iterable[str]) -> None:
    """Log what was set and is ignored."""
    for detail in about:
        structlog.get_logger(__name__).warning("configuration", detail=detail)


def _rendering(form: str) -> list[Processor]:
    terminal = sys.stderr.isatty()
    if form == "json" or (form == "auto" and not terminal):
        return [structlog.processors.JSONRenderer(default=str)]
    console = structlog.dev.ConsoleRenderer(
        colors=terminal and "NO_COLOR" not in os.environ,
        # A traceback with the values of variables would show secrets.
        exception_formatter=structlog.dev.plain_traceback,
    )
    return [_brief, console]


def _brief(_: object, __: str, line: EventDict) -> EventDict:
    """Let a line fit a screen: a long list is its first items, and how many more there are."""
    for key, value in line.items():
        if isinstance(value, list | tuple):
            more = len(value) - _ITEMS
            shown = value if more <= 1 else [*value[:_ITEMS], f"and {more} more"]
            line[key] = ", ".join(map(str, shown)) or "none"
    return line


def _without_secrets(_: object, __: str, line: EventDict) -> EventDict:
    """Mask passwords in what a line quotes: errors of libraries, tracebacks."""
    for key, value in line.items():
        # Most texts have none, and a line is written for every request.
        if isinstance(value, str) and ("://" in value or "password" in value.lower()):
            line[key] = redacted(value)
    return line


def _calmed(record: logging.LogRecord) -> bool:
    """Report as information, in one line, what a client did wrong."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, _CLIENTS_FAULTS):
        record.levelno, record.levelname = logging.INFO, "INFO"
        record.msg, record.args = "bad request: %s", (type(error).__name__,)
        record.exc_info = None
    return True
