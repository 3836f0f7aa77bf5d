"""Requests to others, against real servers: named, bounded, to allowed addresses only."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

import energia
from energia import Answer, NoAnswer, Outgoing
from energia.settings import Outgoing as Rules
from tests.imports import imports, modules
from tests.serving import LOOPBACK


async def get(url: str, rules: Rules = LOOPBACK, **more: Any) -> Answer:
    """Ask once."""
    async with Outgoing(rules).session(more.pop("timeout", 5)) as session:
        return await session.get(url, **more)


async def refused(url: str, rules: Rules = LOOPBACK, **more: Any) -> str:
    """Ask once, and return why there is no answer."""
    with pytest.raises(NoAnswer) as none:
        await get(url, rules, **more)
    return none.value.reason


@asynccontextmanager
async def saying(*parts: bytes | float) -> AsyncIterator[str]:
    """Serve bytes, with pauses between them; give the URL."""
    answering = set[Any]()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.add(asyncio.current_task())
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            if isinstance(part, bytes):
                writer.write(part)
            else:
                with suppress(TimeoutError):  # it ends early where the client leaves
                    await asyncio.wait_for(reader.read(1), part)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1")
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        await asyncio.gather(*answering, return_exceptions=True)


@contextmanager
def names(monkeypatch: pytest.MonkeyPatch, **addresses: list[str]) -> Iterator[None]:
    """Let names of hosts lead to addresses, as a name server would."""
    real = socket.getaddrinfo

    def resolved(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in addresses:
            return real(host, port, *args, **kwargs)
        return [found for it in addresses[host] for found in real(it, port, *args, **kwargs)]

    with monkeypatch.context() as patched:
        patched.setattr(socket, "getaddrinfo", resolved)
        yield


async def test_it_names_itself(aiohttp_server: AiohttpServer) -> None:
    """Who runs a server can tell who asks, and in which version."""
    asked = list[web.Request]()

    async def answer(request: web.Request) -> web.Response:
        asked.append(request)
        return web.Response(text=await request.text(), headers={"Set-Cookie": "a=b"})

    app = web.Application()
    app.router.add_route("*", "/", answer)
    server = await aiohttp_server(app)
    async with Outgoing(LOOPBACK).session() as session:
        sent = await session.post(str(server.make_url("/")), b"body", {"X-Key": "k"})
        await session.get(str(server.make_url("/")))

    assert (sent.status, sent.body, sent.is_whole) == (200, b"body", True)
    assert {it.headers["User-Agent"] for it in asked} == {f"Energia/{energia.__version__}"}
    assert asked[0].headers["X-Key"] == "k"
    assert "Cookie" not in asked[1].headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(status: int, aiohttp_server: AiohttpServer) -> None:
    """Whoever answers cannot send us to an address that he could not name to the operator."""
    asked = list[str]()

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=status, headers={"Location": "/inner"})

    app = web.Application()
    app.router.add_get("/{any:.*}", answer)
    server = await aiohttp_server(app)

    assert (await get(str(server.make_url("/outer")))).status == status
    assert asked == ["/outer"]


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
        *("2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1", "127.1", "0"),
        *("169.254.169.254", "[fe80::1]", "127.0.0.1.", "①②⑦.0.0.1"),
    ],
)
async def test_a_private_address_is_not_reached(host: str) -> None:
    """In whatever form it is written, there is not even a connection."""
    connections = list[object]()
    server = await asyncio.start_server(lambda *it: connections.append(it), "127.0.0.1")
    async with server:
        port = server.sockets[0].getsockname()[1]
        reason = await refused(f"http://{host}:{port}/", Rules())

    assert connections == []
    assert "not a" in reason or "cannot be asked" in reason


async def test_a_name_is_judged_by_where_it_leads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name of the internet for a private address is refused; the setting is named."""
    with names(monkeypatch, **{"evil.example": ["127.0.0.1", "::1"]}):
        reason = await refused("http://evil.example:9/", Rules())

    assert "is not a public address, and outgoing.allow does not have it" in reason


async def test_of_a_name_that_leads_to_both_only_what_is_allowed_is_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The refused address is left out, whichever comes first."""
    async with saying(b"HTTP/1.1 204 No Content\r\n\r\n") as url:
        port = url.rpartition(":")[2]
        for addresses in (["127.0.0.1", "10.9.9.9"], ["10.9.9.9", "127.0.0.1"]):
            with names(monkeypatch, **{"both.example": addresses}):
                answer = await get(f"http://both.example:{port}", LOOPBACK)
            assert answer.status == 204


async def test_a_name_that_changes_its_mind_gains_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is judged is the address that is connected to; a name is resolved once (rebinding)."""
    asked = list[str]()
    real = socket.getaddrinfo

    def rebinding(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host != "flips.example":
            return real(host, *args, **kwargs)
        asked.append(host)
        return real("203.0.113.1" if len(asked) == 1 else "127.0.0.1", *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    reasons = [await refused("http://flips.example:9/", Rules()) for _ in range(2)]

    assert [it.split()[0] for it in reasons] == ["203.0.113.1", "127.0.0.1"]


async def test_a_host_may_be_allowed_by_its_name() -> None:
    """Wherever it leads."""
    async with saying(b"HTTP/1.1 204 No Content\r\n\r\n") as url:
        named = url.replace("127.0.0.1", "localhost")
        assert (await get(named, Rules(allow=("localhost",)))).status == 204


async def test_no_more_is_read_than_the_limit(aiohttp_server: AiohttpServer) -> None:
    """Of a body without end, and of one that inflates to a thousand times its size."""
    bomb = gzip.compress(b"x" * 50_000_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    async with saying(head + bomb) as url:
        answer = await get(url, limit=1000)
        assert (answer.body, answer.is_whole) == (b"x" * 1000, False)
    async with saying(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000, 60.0) as url:
        answer = await get(url, Rules(allow=LOOPBACK.allow, answer_bytes=1000))
        assert (len(answer.body), answer.is_whole) == (1000, False)


async def test_a_slow_answer_ends_in_time() -> None:
    """Headers that come byte by byte, and a body that stops."""
    slow = [part for byte in b"HTTP/1.1 200 OK\r\n" for part in (bytes([byte]), 0.05)]
    async with saying(*slow) as url:
        assert await refused(url, timeout=0.2) == "no answer within 0.2 s"
    async with saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", 60.0) as url:
        assert await refused(url, timeout=0.2) == "no answer within 0.2 s"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\xff\xfe\x00",
        b"HTTP/1.1 999999 \r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nxyz",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
)
async def test_what_is_no_http_is_no_answer(answer: bytes) -> None:
    """One kind of error for whatever comes, which tells no part of the URL."""
    async with saying(answer) as url:
        assert "key" not in await refused(f"{url}?key=hush")


async def test_odd_bytes_in_headers_are_an_answer() -> None:
    """They are read warily, like all that others send."""
    head = (
        b'HTTP/1.1 503 \xff\xfe\r\nETag: "\xff\xb2"\r\nRetry-After: \xb2\r\nDate: \xc2\xb2\r\n\r\n'
    )
    async with saying(head) as url:
        answer = await get(url)

    assert (answer.status, answer.headers.etag) == (503, None)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/", "http://", "http://[", "x"])
async def test_only_urls_of_http_are_asked(url: str) -> None:
    """Nothing else is one of ours."""
    assert "URL" in await refused(url)


@pytest.mark.parametrize(
    ("url", "allow", "refused"),
    [
        ("http://127.0.0.1:9/hook", (), True),
        ("http://127.0.0.1:9/hook", ("127.0.0.0/8",), False),
        ("http://localhost:9/", (), True),
        ("http://localhost:9/", ("localhost",), False),
        ("http://[fd00::1]/", (), True),
        ("https://erp.example/", (), False),
        ("https://[2606:4700::1111]/", (), False),
        ("ftp://erp.example/", (), True),
    ],
)
def test_what_is_never_reached_is_told_before(
    url: str, allow: tuple[str, ...], refused: bool
) -> None:
    """An address in a URL tells at once; where a name leads is not known before it is asked."""
    assert (Outgoing(Rules(allow=allow)).refusal(url) is not None) is refused


async def test_texts_come_in_charsets() -> None:
    """What is declared is decoded; bytes that do not fit it stay as they are."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=%s\r\n\r\n"
    async with saying(head % b"iso-8859-1" + b"Espa\xf1a") as url:
        assert (await get(url)).utf8 == "España".encode()
    async with saying(head % b"utf-16" + b"x") as url:
        assert (await get(url)).utf8 == b"x"


def test_nothing_else_asks_others() -> None:
    """Every request leaves by the one place."""
    clients = ("requests", "urllib.request", "http.client", "httpx", "urllib3")
    found = [*imports("energia"), *imports("energia_plugins")]

    assert [it for it in found if it.imported.startswith(clients)] == []
    sources = {**modules("energia"), **modules("energia_plugins")}
    using = [name for name, path in sources.items() if "ClientSession(" in path.read_text()]
    assert using == ["energia.outgoing.client"]
