"""Clients that are slow, or gone: how long each is waited for, over real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import cast

import attrs
import pytest
from aiohttp import ClientSession, web
from structlog.testing import capture_logs

from energia import convert
from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.db.undertaking import CURRENT, Undertaking
from energia.plugins import Plugins
from energia.settings import Database, Limits, Settings
from energia.web.app import create_app
from energia.web.lifecycle import running
from tests.core.web import fakes
from tests.serving import make_core

#: `TCP_ESTABLISHED` of the kernel.
ESTABLISHED = 1
LIMITS = Limits(header_time=0.3, send_stall=0.3)
HEAD = b"GET /v1/slow?seconds=%s HTTP/1.1\r\nHost: a\r\n"


@asynccontextmanager
async def listening(pool: Pool | None = None) -> AsyncIterator[int]:
    """Serve the fake routes to clients that must not be slow; give the port."""
    settings = attrs.evolve(Settings(), limits=LIMITS)
    app = create_app(make_core(plugins=Plugins.of(fakes=fakes), settings=settings, pool=pool))
    listener = socket.create_server(("127.0.0.1", 0))
    async with running(app, shutdown_timeout=1) as runner:
        await web.SockSite(runner, listener).start()
        yield listener.getsockname()[1]


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Give both ends of a connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


@pytest.mark.parametrize("first", [b"", HEAD % b"0" + b"\r\n"], ids=["first", "later"])
async def test_headers_that_do_not_end(first: bytes) -> None:
    """A request whose headers stop half-way is 408, which names the limit, and closes."""
    async with listening() as port, connected(port) as (reader, writer):
        if first:
            writer.write(first)
            await reader.readuntil(b'["done"]')
        writer.write(HEAD % b"0")
        async with asyncio.timeout(20):
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    problem = convert.parse(body)
    assert isinstance(problem, dict)
    assert (problem["code"], problem["detail"]) == (
        "too_slow",
        "the headers did not come within limits.header_time (0.3 s)",
    )


async def test_a_connection_without_a_request() -> None:
    """It is closed without a word: a browser opens some that it never needs."""
    async with listening() as port, connected(port) as (reader, _), asyncio.timeout(20):
        assert await reader.read() == b""


async def test_a_connection_that_waits_for_its_next_request() -> None:
    """It is kept: only what was begun must be ended in time; slow answers are no slow clients."""
    async with listening() as port, connected(port) as (reader, writer), asyncio.timeout(20):
        for seconds in (b"0", b"0.5"):
            writer.write(HEAD % seconds + b"\r\n")
            await reader.readuntil(b'["done"]')
            await asyncio.sleep(0.5)


async def test_a_reader_that_reads_nothing() -> None:
    """Its connection is dropped, and with it the answer that waited."""
    with capture_logs() as logs:
        async with listening() as port, connected(port) as (reader, writer), asyncio.timeout(60):
            writer.write(b"GET /v1/places?limit=2000000 HTTP/1.1\r\nHost: a\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            transport = cast(asyncio.Transport, writer.transport)
            transport.pause_reading()
            while not any(line.get("limit") == "limits.send_stall" for line in logs):
                await asyncio.sleep(0.05)
            # At once, not when it reads again: the kernel keeps nothing for it either.
            connection = transport.get_extra_info("socket")
            while connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == ESTABLISHED:
                await asyncio.sleep(0.05)
            transport.resume_reading()
            with pytest.raises(ConnectionError):
                while await reader.read(1024 * 1024):
                    pass
                raise ConnectionError("closed before its end")


async def test_a_reader_that_is_slow() -> None:
    """Who takes some of an answer now and then gets all of it."""
    async with listening() as port, connected(port) as (reader, writer), asyncio.timeout(60):
        writer.write(b"GET /v1/places?limit=1500000 HTTP/1.1\r\nHost: a\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        begin = monotonic()
        while length:
            length -= len(await reader.readexactly(min(length, 1_000_000)))
            await asyncio.sleep(0.1)

    assert monotonic() - begin > 2 * LIMITS.send_stall


async def test_clients_that_leave_free_their_places(database: str) -> None:
    """Statements that wait for clients that are gone are cancelled; the next client is served."""
    pool = Pool(database, Database(pool_size=2))
    asleep = b"GET /v1/asleep?seconds=60 HTTP/1.1\r\nHost: a\r\n\r\n"
    async with listening(pool) as port, ClientSession(f"http://127.0.0.1:{port}") as client:
        for _ in range(5):
            async with connected(port) as (_, writer):
                writer.write(asleep)
                await asyncio.sleep(0.1)
        async with asyncio.timeout(3), client.get("/v1/stored") as answer:
            assert await answer.json() == [1]
        await _none_sleeps(pool.tenant())
    await pool.close()


async def _none_sleeps(tenant: Tenant) -> None:
    sleeping = "select count(*)::int from pg_stat_activity where query like '%%from pg_sleep%%'"
    async with asyncio.timeout(60):  # the server notices within a second or so
        while await tenant.fetch(int, f"{sleeping} and state = 'active'") != [1]:  # this one
            await asyncio.sleep(0.1)


async def test_nothing_comes_between_a_commit_and_what_follows_it(tenant: Tenant) -> None:
    """Given up while it commits, a request goes on to the next transaction, and no further."""
    await tenant.execute(
        "create table note (id int); create function slow() returns trigger language plpgsql as "
        "$$ begin perform pg_sleep(0.5); return null; end $$; create constraint trigger t after "
        "insert on note deferrable initially deferred for each row execute function slow()"
    )
    heard: list[str] = []

    async def request() -> None:
        CURRENT.set(Undertaking(asyncio.current_task()))
        undertakings.append(CURRENT.get())
        async with tenant.transaction() as queries:
            await queries.execute("insert into note values (1)")
            heard.append("commits")
        heard.append("stored")
        async with tenant.transaction() as queries:
            await queries.execute("insert into note values (2)")

    undertakings: list[Undertaking | None] = []
    task = asyncio.create_task(request())
    while not heard:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    (undertaking,) = undertakings
    assert undertaking is not None
    undertaking.give_up()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert heard == ["commits", "stored"]
    assert await tenant.fetch(int, "select id from note") == [1]


async def test_what_is_given_up_before_its_commit_is_rolled_back(tenant: Tenant) -> None:
    """A transaction of a client that leaves leaves nothing behind."""
    await tenant.execute("create table note (id int)")

    async def request() -> None:
        undertaking = Undertaking(asyncio.current_task())
        CURRENT.set(undertaking)
        async with tenant.transaction() as queries:
            await queries.execute("insert into note values (1)")
            asyncio.get_running_loop().call_later(0.1, undertaking.give_up)
            await queries.execute("select pg_sleep(60)")

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(request())

    assert await tenant.fetch(int, "select id from note") == []
