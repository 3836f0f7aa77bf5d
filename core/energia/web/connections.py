"""Connections: how long a client may take, and what becomes of its request when it leaves.

aiohttp has a limit for idle connections only. Ours are, besides that of a body (`limits.stall`):

* `limits.header_time`, from the first byte of a request, or from the connection, to the end of its
  headers;
* `limits.send_stall`, in which a client must take some of an answer that waits for it.
"""

import asyncio
import socket
import struct
from http import HTTPStatus
from typing import Any, Final

import structlog
from aiohttp import web

from energia.convert import dumps
from energia.errors import Malformed, TooSlow
from energia.settings import Limits
from energia.web import bodies, problems
from energia.web.headers import secure
from energia.web.keys import UNDERTAKING

#: Longer than any proxy keeps an idle connection, so that none is closed under a request.
_KEEPALIVE: Final = 3630.0
#: What is wrong with a request may quote all of it; a client gets no more than this.
_LONGEST: Final = 120
#: Who takes less of a waiting answer in `limits.send_stall` is as good as gone.
_LEAST: Final = 16 * 1024
#: `SO_LINGER`: on, for no time.
_AT_ONCE: Final = struct.pack("ii", 1, 0)
log = structlog.get_logger(__name__)


class Server(web.Server):
    """Makes the connections."""

    def __init__(self, handler: Any, limits: Limits, **given: Any) -> None:
        """Serve *handler* to clients that keep to *limits*; *given* is for aiohttp's server."""
        super().__init__(handler, **given)
        self.limits = limits

    def __call__(self) -> web.RequestHandler:
        """Return what serves a new connection; bodies are inflated by their handlers."""
        return Connection(
            self,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=_KEEPALIVE,
            auto_decompress=False,
            access_log=None,
        )


class Connection(web.RequestHandler):
    """One connection; requests that are not HTTP are answered with problems too."""

    __slots__ = ("_began", "_limits", "_unsent", "_waiting_for_headers", "_waiting_for_reader")

    def __init__(self, server: Server, **given: Any) -> None:
        """Serve a connection of *server*; *given* is for aiohttp's."""
        super().__init__(server, **given)
        self._limits = server.limits
        self._began = False
        self._unsent = 0
        self._waiting_for_headers: asyncio.TimerHandle | None = None
        self._waiting_for_reader: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first request."""
        super().connection_made(transport)
        self._await_headers()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Give the request up that nobody waits for."""
        self._headers_came()
        self._reader_came()
        request = self._current_request
        super().connection_lost(exc)
        undertaking = None if request is None else request.get(UNDERTAKING)
        if undertaking is not None:
            undertaking.give_up()

    # Headers.

    def data_received(self, data: bytes) -> None:
        """Take what has come; a request begins with its first byte."""
        known = self._request_count
        super().data_received(data)
        if self._request_count != known:
            self._headers_came()
        elif data and self._current_request is None and not self._messages:
            self._began = True
            if self._waiting_for_headers is None:
                self._await_headers()

    def _await_headers(self) -> None:
        seconds = self._limits.header_time
        self._waiting_for_headers = self._loop.call_later(seconds, self._no_headers)

    def _headers_came(self) -> None:
        self._began = False
        if self._waiting_for_headers is not None:
            self._waiting_for_headers.cancel()
            self._waiting_for_headers = None

    def _no_headers(self) -> None:
        """Close a connection on which no request has come in time; say so if one was begun."""
        self._waiting_for_headers = None
        if self.transport is None or self._waiter is None or self._waiter.done():
            return  # a request is being answered
        if self._began:
            seconds = self._limits.header_time
            limit = f"limits.header_time ({seconds:g} s)"
            log.info("slow_client", limit="limits.header_time")
            self.transport.write(_late(f"the headers did not come within {limit}"))
        self.force_close()

    # Answers.

    def pause_writing(self) -> None:
        """Wait for the client to take some of what is to be sent."""
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        """Send on: the client has taken nearly all."""
        self._reader_came()
        super().resume_writing()

    def _await_reader(self) -> None:
        if self.transport is not None:
            self._unsent = self.transport.get_write_buffer_size()
            seconds = self._limits.send_stall
            self._waiting_for_reader = self._loop.call_later(seconds, self._no_reader)

    def _reader_came(self) -> None:
        if self._waiting_for_reader is not None:
            self._waiting_for_reader.cancel()
            self._waiting_for_reader = None

    def _no_reader(self) -> None:
        """Drop a client that takes nothing, and with it what waits for it in memory."""
        self._waiting_for_reader = None
        if self.transport is None:
            return
        if self._unsent - self.transport.get_write_buffer_size() >= _LEAST:
            self._await_reader()
            return
        log.info("slow_client", limit="limits.send_stall")
        # Else the kernel would keep what it has taken, and the connection, until the client reads.
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()

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
        request_id = problems.new_request_id()
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
        secure(response.headers)
        response.force_close()
        return response


def _late(detail: str) -> bytes:
    """Return the answer to a request that has not come: there is none that aiohttp could answer."""
    request_id = problems.new_request_id()
    body = dumps(problems.problem_of(TooSlow(detail), request_id, 0))
    head = (
        f"HTTP/1.1 {TooSlow.status.value} {TooSlow.status.phrase}",
        f"Content-Type: {bodies.PROBLEM}",
        f"Content-Length: {len(body)}",
        f"X-Request-Id: {request_id}",
        "Server: energia",
        "Connection: close",
    )
    return "\r\n".join((*head, "\r\n")).encode() + body
