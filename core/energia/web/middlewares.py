"""What surrounds every request: its id, log line, problem documents, caller, rate, deadline."""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import hdrs, web

from energia import tracing
from energia.access.callers import ANYBODY, NOBODY
from energia.db.undertaking import CURRENT, Deadline, Undertaking
from energia.errors import EnergiaError, Malformed, TimedOut, TooSlow
from energia.log import is_logged
from energia.web import problems
from energia.web.access import identified
from energia.web.endpoints.health import liveness
from energia.web.headers import cross_origin, secure, share
from energia.web.keys import (
    CALLER,
    CORE,
    ERROR,
    IN_FLIGHT,
    MONITOR,
    READ_FROM,
    REQUEST_ID,
    UNDERTAKING,
    WORKERS,
)
from energia.web.problems import new_request_id
from energia.web.proxies import prefixed
from energia.web.rates import Rates, settle
from energia.web.representations import compress
from energia.web.routes import of_request
from energia.work import ASKER, Asker, staying

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
#: The ids of requests that are taken over from a client; others are replaced.
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
#: These are answered whatever the plugins' middlewares do, and logged only when debugging.
LIVE_PATH: Final = "/health/live"
_HEALTH: Final = frozenset({"/health", "/health/ready", LIVE_PATH})
#: Enumerations are slow to ask for their members in Python 3.11.
_FAILED: Final = int(HTTPStatus.INTERNAL_SERVER_ERROR)
#: OpenTelemetry's name for the status of an answer.
_STATUS: Final = "http.response.status_code"
log = structlog.get_logger(__name__)


class Surroundings:
    """All that is around a request, from the outside in, as its application has it.

    1. `observe`: its id, its span, its log line, the compression of its answer.
    2. The middlewares of plugins; not around health, which none of them can hold up.
    3. `admit`: who asks, how fast, for how long.
    4. `prepare`, once there is an answer: its headers.

    What goes wrong is an answer from 3 on, so that plugins see its status (`answered`).
    """

    def __init__(self, app: web.Application) -> None:
        """Surround the requests of *app*, by its settings."""
        core = self._core = app[CORE]
        self._state, self._settings = core.state, core.settings
        self._monitor = app[MONITOR]
        self._tracer = core.plugins.tracer()
        self._in_flight, self._workers = app[IN_FLIGHT], app[WORKERS]
        # The logger that is asked for finds out, line by line, how lines are written.
        self._log = log.bind()
        self._rates = Rates(core.settings)
        self._has_quotas = self._rates.quotas.needed
        self._has_proxies = bool(core.settings.server.trusted_proxies)
        self._has_proxies |= bool(core.settings.server.base_path)

    @web.middleware
    async def observe(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Give the request an id, answer whatever goes wrong, and log one line about it."""
        structlog.contextvars.bind_contextvars(request_id=_named(request))
        route, tracer = route_of(request), self._tracer
        if route in _HEALTH:
            return await self._healthy(request, route)
        undertaking = request[UNDERTAKING] = Undertaking(asyncio.current_task())
        # For this task, which is the request's: nothing has to be put back.
        CURRENT.set(undertaking)
        if request.method == hdrs.METH_OPTIONS:
            handler = partial(cross_origin, handler=handler, cors=self._settings.cors)
        tracing.record(tracer)
        with self._in_flight:
            if tracer is None:
                return await self._observed(request, handler, route, tracing.NOTHING)
            with _span_of(request, route) as recorded:
                return await self._observed(request, handler, route, recorded)

    async def _healthy(self, request: web.Request, route: str) -> web.StreamResponse:
        """Answer past the middlewares of plugins: none of them can make the platform restart us.

        Nor is it recorded, or given up: it is asked several times a second, and waits for nothing.
        """
        # The task may have answered another request of the connection.
        CURRENT.set(None)
        tracing.record(None)
        start = time.perf_counter()
        with self._in_flight:
            try:
                with staying():
                    response = await request.match_info.handler(request)
            except Exception as error:
                response = _failed(request, error)
        compress(request, response)
        if is_logged(logging.DEBUG):
            _log(self._log, request, route, response.status, time.perf_counter() - start)
        return response

    async def live(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer GET `/health/live`, which a container engine asks all the time, by itself.

        There is nothing to find and nobody to admit: what is around other requests costs more than
        this answer, and is the same but for what needs a route.
        """
        start = time.perf_counter()
        _named(request)
        response = liveness(self._core, self._monitor)
        compress(request, response)
        self._head(request, response)
        if is_logged(logging.DEBUG):
            structlog.contextvars.bind_contextvars(request_id=request[REQUEST_ID])
            _log(self._log, request, LIVE_PATH, response.status, time.perf_counter() - start)
        return response

    async def _observed(
        self, request: web.Request, handler: Handler, route: str, recorded: tracing.Span
    ) -> web.StreamResponse:
        start = time.perf_counter()
        try:
            with staying():
                response = await handler(request)
        except asyncio.CancelledError:
            log.info("abandoned", method=request.method, route=route)
            raise
        except Exception as error:
            response = _failed(request, error)
        compress(request, response)
        _log(self._log, request, route, response.status, time.perf_counter() - start)
        _note(request, response.status, recorded)
        return response

    @web.middleware
    async def admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a caller through who may use the route, so often, for so long."""
        try:
            with staying():
                return await self._admitted(request, handler)
        except Exception as error:
            return _failed(request, error)

    async def _admitted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        route = of_request(request)
        caller = request[CALLER] = await identified(request, route)
        ASKER.set(Asker(self._workers, caller.id))
        if route is None or not route.is_counted:
            return await self._in_time(request, handler)
        with self._rates.turn(request, caller):
            return await self._in_time(request, handler)

    async def _in_time(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Cancel what takes too long; an answer that has begun is not cut.

        Raises:
            TooSlow: The body had not come in time.
            TimedOut: The answer had not begun in time.

        """
        seconds, undertaking = self._settings.limits.request_time, request[UNDERTAKING]
        deadline = undertaking.deadline = Deadline(seconds)
        try:
            return await handler(request)
        except (asyncio.CancelledError, TimeoutError):
            if deadline.end():
                raise _late(request, seconds) from None
            raise
        finally:
            undertaking.deadline = None
            deadline.end()

    async def prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        """Give an answer its headers; while the service stops, close the connection after it."""
        _unhurried()
        self._head(request, response)

    def _head(self, request: web.BaseRequest, response: web.StreamResponse) -> None:
        headers = response.headers
        secure(headers, self._settings.server.https_only)
        if self._settings.cors.origins:
            share(request, response, self._settings.cors)
        if self._has_proxies:
            prefixed(request, response)
        if self._has_quotas:
            headers.update(settle(request))
        headers[hdrs.SERVER] = "energia"
        # What is asked of a request that does not have it costs an exception.
        if self._core.replica is not None and (read_from := request.get(READ_FROM)):
            headers["Energia-Read-From"] = read_from
        if request_id := request.get(REQUEST_ID):
            headers["X-Request-Id"] = request_id
        if self._state.closing:
            # The headers are made by now, so the connection's one is set as well.
            headers[hdrs.CONNECTION] = "close"
            response.force_close()


def _named(request: web.BaseRequest) -> str:
    """Give a request an id: that which the client has given it, if that is one."""
    request_id = request.headers.get("X-Request-Id")
    if request_id is None or not _REQUEST_ID.fullmatch(request_id):
        request_id = new_request_id()
    request[REQUEST_ID] = request_id
    return request_id


@contextmanager
def _span_of(request: web.Request, route: str) -> Iterator[tracing.Span]:
    """Record a request as a span, by OpenTelemetry's names; a redirection is no failure.

    The path and the query are left out, as they have ids and times of customers: the log line of
    the request, which has the same `trace_id`, has neither.
    """
    redirection = None
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
    if status >= _FAILED:
        error = request.get(ERROR)
        recorded.fail(str(status) if error is None else type(error).__name__)


async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn an error into a problem document; the middlewares around find it in the request."""
    try:
        with staying():
            return await handler(request)
    except Exception as error:
        return _failed(request, error)


def _failed(request: web.Request, error: Exception) -> web.Response:
    """Return the answer to a request that an error has ended; a redirection is raised again."""
    request[ERROR] = error
    if isinstance(error, web.HTTPException) and error.status < 400:
        raise error
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


def _log(
    to: structlog.typing.FilteringBoundLogger,
    request: web.BaseRequest,
    route: str,
    status: int,
    seconds: float,
) -> None:
    write = to.debug if route in _HEALTH else to.info
    write(
        "request",
        method=request.method,
        route=route,
        status=status,
        seconds=round(seconds, 6),
        client=request.remote,
        **_caller(request),
    )


def _caller(request: web.BaseRequest) -> dict[str, str]:
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


def _unhurried() -> None:
    """Let an answer that begins take its time."""
    undertaking = CURRENT.get()
    if undertaking is not None and undertaking.deadline is not None:
        undertaking.deadline.lift()


def _late(request: web.Request, seconds: float) -> EnergiaError:
    if request.content.is_eof():
        return TimedOut(f"no answer within limits.request_time ({seconds:g} s)")
    return TooSlow(f"the body did not come within limits.request_time ({seconds:g} s)")
