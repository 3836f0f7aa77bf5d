"""What is answered before any handler: requests that are no HTTP, and expectations."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import web

from energia.errors import Malformed
from energia.web import problems
from energia.web.keys import REQUEST_ID

#: Longer than any proxy keeps an idle connection, so that none is closed under a request.
_KEEPALIVE: Final = 3630.0
#: What is wrong with a request may quote all of it; a client gets no more than this.
_LONGEST: Final = 120

log = structlog.get_logger(__name__)


class _Protocol(web.RequestHandler):
    """One connection."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what reached no handler with a problem document, and close the connection.

        Raises:
            ConnectionError: A part of another answer was sent already.

        """
        request_id = problems.new_id()
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            reason = (message or "").partition("\n")[0].rstrip(":.")[:_LONGEST]
            log.info("bad_request", request_id=request_id, reason=reason)
            response = problems.of_error(Malformed(f"not HTTP: {reason}"), request_id, 0)
        else:
            log.error("unhandled", request_id=request_id, exc_info=exc)
            response = problems.unexpected(request_id)
        if request.writer.output_size > 0:
            raise ConnectionError("a part of another answer was sent already")
        response.headers.update({"Server": "energia", "X-Request-Id": request_id})
        response.force_close()
        return response


class _Server(web.Server):
    """Makes the connections."""

    def __call__(self) -> web.RequestHandler:
        """Return what serves a new connection; bodies are inflated by their handlers."""
        return _Protocol(
            self,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=_KEEPALIVE,
            auto_decompress=False,
            access_log=None,  # type: ignore[arg-type]  # as AppRunner has it for none
        )


@asynccontextmanager
async def running(
    app: web.Application, *, shutdown_timeout: float
) -> AsyncIterator[web.ServerRunner]:
    """Start *app* and give the runner for its sites; on leaving, end requests and connections."""
    made = web.AppRunner(app)
    await made.setup()
    assert made.server is not None
    server = _Server(
        _expecting(made.server.request_handler), request_factory=made.server.request_factory
    )
    runner = web.ServerRunner(server, shutdown_timeout=shutdown_timeout)
    await runner.setup()
    try:
        yield runner
    finally:
        await runner.cleanup()
        await made.cleanup()


Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def _expecting(handle: Handler) -> Handler:
    """Return *handle*, with a problem document for an `Expect` that cannot be met."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await handle(request)
        except web.HTTPException as error:  # our middlewares answer all others
            if error.status < HTTPStatus.BAD_REQUEST:
                raise
            request[REQUEST_ID] = problems.new_id()
            return problems.of_http(error, request[REQUEST_ID])

    return handler
