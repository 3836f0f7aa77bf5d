"""What surrounds every request: its id, log line, problem documents, and deadline."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import hdrs, web

from energia import tracing
from energia.access.callers import ANYBODY, NOBODY
from energia.db.undertaking import CURRENT, Undertaking
from energia.errors import EnergiaError, Malformed, TimedOut, TooSlow
from energia.web import problems
from energia.web.headers import secure, share
from energia.web.keys import (
    CALLER,
    CORE,
    DEADLINE,
    ERROR,
    IN_FLIGHT,
    READ_FROM,
    REQUEST_ID,
    UNDERTAKING,
    WORKERS,
)
from energia.web.problems import new_request_id
from energia.web.proxies import prefixed
from energia.web.rates import settle
from energia.web.representations import compress
from energia.work import ASKER, Asker, staying

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
#: The ids of requests that are taken over from a client; others are replaced.
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
#: These are answered whatever the plugins' middlewares do, and logged only when debugging.
_HEALTH: Final = frozenset({"/health", "/health/ready", "/health/live"})
#: OpenTelemetry's name for the status of an answer.
_STATUS: Final = "http.response.status_code"
log = structlog.get_logger(__name__)


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, answer whatever goes wrong, and log one line about it."""
    theirs = request.headers.get("X-Request-Id", "")
    request_id = theirs if _REQUEST_ID.fullmatch(theirs) else new_request_id()
    request[REQUEST_ID] = request_id
    request[UNDERTAKING] = Undertaking(asyncio.current_task())
    CURRENT.set(request[UNDERTAKING])  # for this task, which is the request's
    start = time.perf_counter()
    context = structlog.contextvars.bound_contextvars(request_id=request_id)
    is_about_health = route_of(request) in _HEALTH
    if is_about_health:
        # Past the middlewares of plugins: none of them can make the platform restart the service.
        handler = request.match_info.handler
    tracing.record(None if is_about_health else request.app[CORE].plugins.tracer())
    with request.app[IN_FLIGHT].one(), context, _span_of(request) as recorded:
        try:
            response = await answered(request, handler)
        except asyncio.CancelledError:
            log.info("abandoned", method=request.method, route=route_of(request))
            raise
        compress(request, response)
        _log(request, response.status, time.perf_counter() - start)
        _note(request, response.status, recorded)
    return response


@contextmanager
def _span_of(request: web.Request) -> Iterator[tracing.Span]:
    """Record a request as a span, by OpenTelemetry's names; a redirection is no failure.

    The path and the query are left out, as they have ids and times of customers: the log line of
    the request, which has the same `trace_id`, has neither.
    """
    route, redirection = route_of(request), None
    method = request.method if request.method in hdrs.METH_ALL else "_OTHER"
    said = {
        "http.request.method": method,
        "http.route": route,
        "url.scheme": request.scheme,
        "energia.request_id": request[REQUEST_ID],
    }
    with tracing.span(
        f"{method} {route}", said, kind="server", headers=request.headers
    ) as recorded:
        try:
            yield recorded
        except web.HTTPException as raised:
            redirection = raised
            recorded.note({_STATUS: raised.status})
    if redirection is not None:
        raise redirection


def _note(request: web.Request, status: int, recorded: tracing.Span) -> None:
    """Say how a request was answered; what a client did wrong is no failure of ours."""
    recorded.note({_STATUS: status})
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        error = request.get(ERROR)
        recorded.fail(str(status) if error is None else type(error).__name__)


@web.middleware
async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn an error into a problem document; the middlewares around find it in the request."""
    try:
        with staying():
            return await handler(request)
    except Exception as error:
        request[ERROR] = error
        if isinstance(error, web.HTTPException) and error.status < 400:
            raise
        return _answer(request, error)


def _answer(request: web.Request, error: Exception) -> web.Response:
    request_id = request[REQUEST_ID]
    match error:
        case EnergiaError():
            if error.status >= 500:
                log.warning("failed", code=error.code, detail=error.detail, exc_info=_cause(error))
            return problems.of_error(error, request_id, request.app[CORE].settings.limits.problems)
        case web.HTTPException():
            return problems.of_http(error, request_id)
        case web.RequestPayloadError() | ConnectionError():
            return problems.of_error(Malformed("the body ended too early"), request_id, 0)
    log.error("unhandled", method=request.method, route=route_of(request), exc_info=error)
    return problems.unexpected(request_id)


def _cause(error: EnergiaError) -> BaseException | None:
    """Return what to log in full: only what is not expected to happen."""
    return error if error.status == 500 else None


def _log(request: web.Request, status: int, seconds: float) -> None:
    route = route_of(request)
    write = log.debug if route in _HEALTH else log.info
    write(
        "request",
        method=request.method,
        route=route,
        status=status,
        seconds=round(seconds, 6),
        client=request.remote,
        **_caller(request),
    )


def _caller(request: web.Request) -> dict[str, str]:
    """Return who asked, where that is somebody."""
    caller = request.get(CALLER)
    return {} if caller in (None, ANYBODY, NOBODY) else {"caller": caller.id}


def route_of(request: web.Request) -> str:
    """Return the template of the path, never the path: there are few of them, and no id in any."""
    if request.match_info.http_exception is not None:
        allowed = request.match_info.http_exception.status != HTTPStatus.METHOD_NOT_ALLOWED
        return "unmatched" if allowed else "method_not_allowed"
    resource = request.match_info.route.resource
    return "unmatched" if resource is None else resource.canonical


async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
    """Give every answer its headers; while the service stops, close the connection after it."""
    unhurried(request)
    settings = request.app[CORE].settings
    secure(response, settings.server.https_only)
    share(request, response, settings.cors)
    prefixed(request, response)
    response.headers.update(settle(request))
    response.headers["Server"] = "energia"
    if read_from := request.get(READ_FROM):
        response.headers["Energia-Read-From"] = read_from
    if request_id := request.get(REQUEST_ID):
        response.headers["X-Request-Id"] = request_id
    if request.app[CORE].state.closing:
        # The headers are made by now, so the connection's one is set as well.
        response.headers["Connection"] = "close"
        response.force_close()


# The deadline of an answer.


@web.middleware
async def in_time(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Cancel what takes too long; an answer that has begun is not cut.

    Raises:
        TooSlow: The body had not come in time.
        TimedOut: The answer had not begun in time.

    """
    seconds = request.app[CORE].settings.limits.request_time
    deadline = request[DEADLINE] = asyncio.timeout(seconds)
    caller = request.get(CALLER, ANYBODY)
    ASKER.set(Asker(request.app[WORKERS], caller.id))
    try:
        async with deadline:
            try:
                return await handler(request)
            finally:
                del request[DEADLINE]
    except TimeoutError:
        if not deadline.expired():
            raise
        raise _late(request, seconds) from None


def unhurried(request: web.Request) -> None:
    """Let an answer that begins take its time."""
    if (deadline := request.get(DEADLINE)) is not None:
        deadline.reschedule(None)


def _late(request: web.Request, seconds: float) -> EnergiaError:
    if request.content.is_eof():
        return TimedOut(f"no answer within limits.request_time ({seconds:g} s)")
    return TooSlow(f"the body did not come within limits.request_time ({seconds:g} s)")
