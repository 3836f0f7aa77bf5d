"""What surrounds every request: its id, its log line, and problem documents for its errors."""

import re
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import web

from energia.errors import EnergiaError, Malformed
from energia.web import problems
from energia.web.compression import compress
from energia.web.deadlines import unhurried
from energia.web.keys import CORE, ERROR, IN_FLIGHT, REQUEST_ID
from energia.web.problems import new_id

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
#: These are answered whatever the plugins' middlewares do, and logged only when debugging.
_HEALTH: Final = frozenset({"/health", "/health/ready", "/health/live"})

log = structlog.get_logger(__name__)


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, answer whatever goes wrong, and log one line about it."""
    given = request.headers.get("X-Request-Id", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else new_id()
    request[REQUEST_ID] = request_id
    started = time.perf_counter()
    bound = structlog.contextvars.bound_contextvars(request_id=request_id)
    if route_of(request) in _HEALTH:
        handler = request.match_info.handler
    with request.app[IN_FLIGHT].one(), bound:
        response = await answered(request, handler)
        compress(request, response)
        _log(request, response.status, time.perf_counter() - started)
    return response


@web.middleware
async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn an error into a problem document; the middlewares around find it in the request."""
    try:
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
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Server"] = "energia"
    if request_id := request.get(REQUEST_ID):
        response.headers["X-Request-Id"] = request_id
    if request.app[CORE].state.closing:
        # The headers are made by now, so the connection's one is set as well.
        response.headers["Connection"] = "close"
        response.force_close()


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
    )
