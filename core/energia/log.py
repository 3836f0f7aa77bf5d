"""Log lines on the standard error stream: one JSON object each, or plain text on a terminal."""

import json
import logging
import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from math import isfinite
from typing import Final, TextIO

from aiohttp import ClientConnectionError, web
from aiohttp.http_exceptions import HttpProcessingError

from energia import tracing
from energia.redact import redacted
from energia.settings import Log
from energia.unneeded import without

with without("better_exceptions", "rich"):
    import structlog
    from structlog.typing import EventDict, Processor


def _of_the_span(_: object, __: str, line: EventDict) -> EventDict:
    """Say in which span a line was written, where spans are recorded."""
    if (ids := tracing.ids()) is not None:
        line.update(trace_id=ids.trace_id, span_id=ids.span_id)
    return line


#: What every line gets, ours and those of the libraries.
_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    _of_the_span,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


_LEVELS: Final = frozenset(logging.getLevelNamesMapping().values())
#: The class of loggers that leaves lines of a level out.
_HIDDEN_BY: Final[dict[int, object]] = {}
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
    written: list[Processor] = [
        structlog.processors.format_exc_info,
        _without_secrets,
        *_rendering(settings.format),
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *written],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("aiohttp.server").addFilter(_calmed)
    lines, bound = _Lines(sys.stderr), structlog.make_filtering_bound_logger(level)
    _HIDDEN_BY.update((each, bound if each < level else None) for each in _LEVELS)
    structlog.configure(
        processors=[*_SHARED, *written] if written[-1] is not _as_json else [_at_once],
        wrapper_class=bound,
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )


class _Lines:
    """Writes our own lines: past the handlers of the standard library, which cost thrice the line.

    As these do, it goes on where a line cannot be written: on a full disk, for a reader that left.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        """Write a line."""
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return

    debug = info = warning = error = critical = msg


def is_logged(level: int) -> bool:
    """Tell whether lines of a level are written: cheaper than to make one that is not."""
    return structlog.get_config()["wrapper_class"] is not _HIDDEN_BY.get(level)


def warn(about: Iterable[str]) -> None:
    """Log what was set and is ignored."""
    for detail in about:
        structlog.get_logger(__name__).warning("configuration", detail=detail)


def _rendering(form: str) -> list[Processor]:
    terminal = sys.stderr.isatty()
    if form == "json" or (form == "auto" and not terminal):
        return [_as_json]
    console = structlog.dev.ConsoleRenderer(
        colors=terminal and "NO_COLOR" not in os.environ,
        # A traceback with the values of variables would show secrets.
        exception_formatter=structlog.dev.plain_traceback,
    )
    return [_brief, console]


_ENCODER: Final = json.JSONEncoder(default=str)
_text: Final = json.encoder.encode_basestring_ascii
#: The levels whose methods are called otherwise.
_NAMES: Final = {"warn": "warning", "exception": "error"}


def _as_json(_: object, __: str, line: EventDict) -> str:
    """Write a line as JSON, as `json.dumps` does, but for what it makes anew for each."""
    written = [f"{_text(key)}: {_json(value)}" for key, value in line.items()]
    return f"{{{', '.join(written)}}}"


def _json(value: object) -> str:
    """Write one value; most are texts, and most others whole numbers or seconds."""
    if type(value) is str:
        return _text(value)
    if type(value) is int or (type(value) is float and isfinite(value)):
        return repr(value)
    return _ENCODER.encode(value)


def _at_once(_: object, level: str, line: EventDict) -> str:
    """Write one of our own lines as JSON: all of the processors in one, for each request has one.

    What it does is what they do (`_SHARED`, and those after them).
    """
    line = _of_the_span(None, level, structlog.contextvars.merge_contextvars(None, level, line))
    line["level"] = _NAMES.get(level, level)
    line["timestamp"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    if line.get("exc_info"):
        line = structlog.processors.format_exc_info(None, level, line)
    else:
        line.pop("exc_info", None)
    return _as_json(None, level, _without_secrets(None, level, line))


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
    # Most texts have none, and a line is written for every request: all are looked at together.
    texts = "\n".join([value for value in line.values() if isinstance(value, str)])
    if "://" in texts or "password" in texts.lower():
        for key, value in line.items():
            if isinstance(value, str):
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
