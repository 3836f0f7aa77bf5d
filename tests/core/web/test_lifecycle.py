"""The life of the process: start without a database, drain without losing a request."""

import asyncio
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from pathlib import Path

import aiohttp
import attrs
import pytest
from psycopg2.extensions import make_dsn

from energia.db.embedded import Embedded
from tests.e2e.service import Service, environment, free_port, serving

AWAY = "postgresql://nobody@127.0.0.1:1/none"


def _quick(
    database: str, *, wait: bool = True, drain: float = 1
) -> AbstractAsyncContextManager[Service]:
    """Run a service with short waits, so that a test takes seconds."""
    return serving(
        database,
        wait=wait,
        ENERGIA_SERVER__DRAIN_READY="0.5",
        ENERGIA_SERVER__DRAIN=str(drain),
        ENERGIA_SERVER__SHUTDOWN_TIMEOUT="2",
    )


@attrs.define
class Load:
    """Clients over keep-alive connections, as a proxy has them.

    Attributes:
        answered: How many requests were answered with 200.
        lost: What happened to the others.
        closed: How many answers asked for a new connection.

    """

    answered: int = 0
    lost: list[str] = attrs.Factory(list)
    closed: int = 0

    async def run(self, service: Service, stop: asyncio.Event) -> None:
        """Send requests one after another until *stop* is set."""
        body = {"ids": ["x"]}
        async with aiohttp.ClientSession() as session:
            while not stop.is_set():
                await self._one(session.get(f"{service.url}/v1/plugins"), 200)
                await self._one(session.post(f"{service.url}/v1/sites", json=body), 422)

    async def until(self, answered: int) -> None:
        """Wait until so many requests have been answered."""
        async with asyncio.timeout(60):
            while self.answered < answered:
                await asyncio.sleep(0.01)

    async def _one(self, request: "aiohttp.client._RequestContextManager", status: int) -> None:
        try:
            async with request as answer:
                await answer.read()
                self.answered += 1
                self.closed += answer.headers.get("Connection") == "close"
                if answer.status != status:
                    self.lost.append(str(answer.status))
        except (aiohttp.ClientError, OSError) as error:
            self.lost.append(repr(error))


async def until(service: Service, found: Callable[[int, dict[str, str]], bool]) -> None:
    """Wait until readiness is as *found* says, by its status and its body."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(60):
        while True:
            with suppress(aiohttp.ClientError):
                async with session.get(f"{service.url}/health/ready") as answer:
                    if found(answer.status, await answer.json(content_type=None)):
                        return
            await asyncio.sleep(0.02)


@pytest.fixture
async def service(database: str) -> AsyncIterator[Service]:
    """Give a running service with short waits."""
    async with _quick(database) as service:
        yield service


async def test_drain_loses_nothing(database: str) -> None:
    """Requests over kept connections are answered until long after SIGTERM; then it ends with 0."""
    load, stop = Load(), asyncio.Event()
    async with _quick(database, drain=20) as service:
        clients = [asyncio.create_task(load.run(service, stop)) for _ in range(10)]
        await load.until(50)
        service.process.send_signal(signal.SIGTERM)
        sent = time.monotonic()
        await until(service, lambda status, body: body.get("reason") == "draining")
        noticed = time.monotonic() - sent
        await load.until(load.answered + 50)
        stop.set()
        await asyncio.gather(*clients)
        code = await service.stop(signal.SIGTERM)  # nobody asks any more: the rest is no wait

    assert load.lost == []
    assert load.closed > 0
    assert noticed >= 0.4
    assert code == 0


async def test_request_in_flight_is_finished(service: Service) -> None:
    """A request that was begun before the end of the drain is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(service.url.rpartition(":")[2]))
    head = "POST /v1/sites HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Content-Length: 2\r\n\r\n".encode())
    await writer.drain()
    service.process.send_signal(signal.SIGTERM)
    await asyncio.sleep(1.8)
    writer.write(b"{}")
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()

    assert answer.startswith(b"HTTP/1.1 422")
    assert await service.stop() == 0


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
async def test_hurry(database: str, first: signal.Signals) -> None:
    """SIGINT, and a second SIGTERM, skip the waits."""
    async with _quick(database, drain=20) as service:
        service.process.send_signal(first)
        await asyncio.sleep(0.1)
        started = time.monotonic()
        code = await service.stop(signal.SIGTERM)

        assert code == 0
        assert time.monotonic() - started < 5


async def test_a_database_that_refuses_ends_the_start(database: str) -> None:
    """What no waiting mends is said in one line, with the place, and the exit code is not 0."""
    unknown = make_dsn(database, dbname="nowhere")
    async with _quick(unknown, wait=False) as service:
        code = await asyncio.wait_for(service.process.wait(), 60)

        last = service.logged().splitlines()[-1]
        assert code == 1
        assert last.startswith("energia: ")
        assert 'database "nowhere" does not exist' in last
        assert "role energia" in last


async def test_listens_without_a_database() -> None:
    """While the database is away the service is alive, not ready, and prices what it is sent."""
    async with _quick(AWAY, wait=False) as service, aiohttp.ClientSession() as session:
        await until(service, lambda status, body: (status, body["reason"]) == (503, "starting"))
        async with session.get(f"{service.url}/health/live") as answer:
            assert answer.status == 200
        async with session.get(f"{service.url}/v1/sites") as answer:
            assert answer.status == 503
            assert "Retry-After" in answer.headers
        async with session.get(f"{service.url}/v1/charge-kinds") as answer:
            assert answer.status == 200

        assert service.process.returncode is None
        assert await service.stop(signal.SIGTERM) == 0
        assert service.tracebacks() == []


async def test_becomes_ready_when_the_database_comes(database: str, server: Embedded) -> None:
    """The database may come later than the service."""
    async with AsyncExitStack() as stack:
        port = free_port()
        url = f"{database.partition('?')[0].replace('@/', f'@127.0.0.1:{port}/')}?sslmode=disable"
        service = await stack.enter_async_context(_quick(url, wait=False))
        await until(service, lambda status, body: status == 503)
        proxy = await stack.enter_async_context(await _proxied(port, server.folder / "run"))
        assert proxy.is_serving()
        await until(service, lambda status, body: status == 200)
        code = await service.stop(signal.SIGINT)

        assert code == 0


async def _proxied(port: int, folder: Path) -> asyncio.Server:
    """Forward *port* to the server's socket in *folder*: a database that comes late."""

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65536):
                target.write(data)
                await target.drain()
        target.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_unix_connection(folder / ".s.PGSQL.5432")
        await asyncio.gather(copy(reader, ours), copy(theirs, writer))

    return await asyncio.start_server(forward, "127.0.0.1", port)


@pytest.mark.parametrize("delay", [0.0, 0.3])
async def test_signal_during_the_start(database: str, delay: float) -> None:
    """A signal while the service starts, however early, ends it with 0 and without a trace."""
    async with _quick(database, wait=False) as service:
        await _installed(service)
        await asyncio.sleep(delay)
        code = await service.stop(signal.SIGTERM)

        assert code == 0, service.logged()
        assert service.tracebacks() == []


async def _installed(service: Service) -> None:
    """Wait until the process catches SIGTERM, which the kernel shows."""
    status = Path(f"/proc/{service.process.pid}/status")
    bit = 1 << (signal.SIGTERM - 1)
    async with asyncio.timeout(60):
        while True:
            (caught,) = [
                line for line in status.read_text().splitlines() if line.startswith("SigCgt")
            ]
            if int(caught.split()[1], 16) & bit:
                return
            await asyncio.sleep(0.002)


async def test_port_in_use() -> None:
    """A port that is taken is a clear error, not a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "energia", "serve"),
            env=environment(DATABASE_URL=AWAY, HOST="127.0.0.1", PORT=str(port)),
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await asyncio.wait_for(process.communicate(), 60)

    assert process.returncode == 2
    assert f"cannot listen on 127.0.0.1 port {port}: the port is in use\n" in said.decode()
    assert "Traceback" not in said.decode()
