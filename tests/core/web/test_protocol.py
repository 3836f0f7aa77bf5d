"""What is no HTTP, and what it is answered with: bytes over a socket."""

import asyncio
import socket
from collections.abc import AsyncIterator

import attrs
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from energia import convert
from energia.plugins import Plugins
from energia.web.app import create_app
from energia.web.keys import CORE
from energia.web.lifecycle import running
from tests.core.web import fakes
from tests.serving import make_core

HEAD = b"GET /v1/long HTTP/1.1\r\nHost: a\r\n"


@attrs.frozen
class Running:
    """An application that listens on a port."""

    app: web.Application
    port: int

    async def answer(self, sent: bytes) -> tuple[str, dict[str, str], bytes]:
        """Return the status line, the headers and the body of the answer to some bytes.

        The server must close the connection.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(sent)
        try:
            async with asyncio.timeout(60):
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
        status, *lines = head.decode().split("\r\n")
        return status, dict(line.split(": ", 1) for line in lines), body


@pytest.fixture(name="running")
async def _running() -> AsyncIterator[Running]:
    """Give an application with the fake routes."""
    app = create_app(make_core(plugins=Plugins.of(fakes=fakes)))
    listener = socket.create_server(("127.0.0.1", 0))
    async with running(app, shutdown_timeout=1) as runner:
        await web.SockSite(runner, listener).start()
        yield Running(app, listener.getsockname()[1])


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /v1/long?x=" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        HEAD + b"X-Long: " + b"x" * 9000 + b"\r\n\r\n",
        HEAD + b"no header\r\n\r\n",
        HEAD + b"X-\x00: 1\r\n\r\n",
        b"G\xc3\xa9T / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"GET / HTTP/9.9.9\r\n\r\n",
    ],
    ids=["query", "long-header", "no-header", "nul", "method", "tls", "version"],
)
async def test_no_http(running: Running, sent: bytes) -> None:
    """What cannot be parsed is answered like any other error, and logged without a traceback."""
    with capture_logs() as lines:
        status, headers, body = await running.answer(sent)
    problem = convert.parse(body)

    assert status.endswith(" 400 Bad Request")
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["Server"] == "energia"
    assert isinstance(problem, dict)
    assert problem["code"] == "malformed"
    assert problem["title"] == "The request cannot be parsed"
    assert len(problem["detail"]) < 150
    assert problem["request_id"] == headers["X-Request-Id"]
    assert [(line["event"], line["request_id"]) for line in lines] == [
        ("bad_request", problem["request_id"])
    ]


async def test_bad_chunk(running: Running) -> None:
    """A body whose chunks are broken is a problem document too."""
    head = HEAD.replace(b"GET /v1/long", b"POST /v1/things")
    status, headers, body = await running.answer(
        head + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"
    )

    assert status.endswith(" 400 Bad Request")
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["Server"] == "energia"
    assert headers["X-Request-Id"].encode() in body


@pytest.mark.parametrize("path", [b"/v1/long", b"/nope"])
async def test_unknown_expectation(running: Running, path: bytes) -> None:
    """What cannot be expected is refused as a problem document, whatever the path."""
    asked = HEAD.replace(b"/v1/long", path) + b"Connection: close\r\nExpect: nonsense\r\n\r\n"
    status, headers, body = await running.answer(asked)

    assert status.startswith("HTTP/1.1 417 ")
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["Server"] == "energia"
    assert b'"code":"expectation_failed"' in body
    assert headers["X-Request-Id"].encode() in body


async def test_continue(running: Running) -> None:
    """Who waits for it is told to continue, and then answered."""
    asked = HEAD + b"Connection: close\r\nExpect: 100-continue\r\n\r\n"
    status, _, rest = await running.answer(asked)

    assert status == "HTTP/1.1 100 Continue"
    assert rest.startswith(b"HTTP/1.1 200 OK")


async def test_closed_while_it_stops(running: Running) -> None:
    """While the service drains, a connection is closed by it after the answer."""
    running.app[CORE].state.closing = True
    status, headers, _ = await running.answer(HEAD + b"\r\n")

    assert status == "HTTP/1.1 200 OK"
    assert headers["Connection"] == "close"


@pytest.mark.parametrize("more", ["", "Accept-Encoding: gzip;q=1, identity;q=0\r\n"])
@pytest.mark.parametrize("is_closing", [False, True])
async def test_that_it_lives_as_its_route_says_it(
    running: Running, more: str, is_closing: bool
) -> None:
    """That it lives is said before routes are looked at: as its own would say it."""
    running.app[CORE].state.closing = is_closing
    line = "GET {} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Request-Id: r1\r\n"
    answers = []
    for path in ("/health/live", "/health/live?by=route"):
        status, headers, body = await running.answer(f"{line.format(path)}{more}\r\n".encode())
        headers = {name.lower(): value for name, value in headers.items()}
        assert headers.pop("date")
        answers.append((status, headers, body))

    assert answers[0] == answers[1]
    assert answers[0][0] == "HTTP/1.1 200 OK"
    assert answers[0][1]["x-request-id"] == "r1"


async def test_that_it_lives_is_logged_when_debugging(running: Running) -> None:
    """That line has the route, as those of other requests have."""
    with capture_logs() as lines:
        await running.answer(b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")

    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["route"], line["log_level"], line["method"]) == ("/health/live", "debug", "GET")
