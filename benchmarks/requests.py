"""Small requests, beside handlers that have nothing around them.

`/health/live` and a meter, from the service as it runs in production (metrics on, a log line as
JSON for each request but those for health, tokens required), beside aiohttp alone with the same
body, and with the same row of the same database through a pool of aiopg. All servers are processes
of their own with the same event loop. The client keeps eight connections open and sends the next
request of each as soon as it has the answer to the last: bytes that were made before, so that it
takes little of the machine that it shares.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final, cast

import aiohttp
import aiopg
import attrs
import msgspec
from aiohttp import web

from benchmarks.figures import Figure, in_turns_async
from benchmarks.scene import CHANNEL, SITE, database, processor_seconds
from energia.web.lifecycle import loop_factory
from tests.e2e.service import free_port, serving, token

#: How often each side of a comparison is asked, in turns.
ROUNDS: Final = 5
#: Requests under way.
CONNECTIONS: Final = 8
#: How long each side is asked in a round, in seconds.
SECONDS: Final = 1.2
#: Requests that each of several processes answers, and under way at each of them.
SHARE: Final = 1000
EACH: Final = 4
LIVE: Final = "/health/live"
METER: Final = "/v1/meters/meter-0"


# The client.


class Asking(asyncio.Protocol):
    """One connection on which the same request is sent again and again."""

    def __init__(self, request: bytes) -> None:
        """Wait for the connection, on which *request* is sent."""
        self.count = 0
        self._request = request
        self._answer = bytearray()
        self._length = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are of no such class
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Send the next request once the answer is there: all answers are of the same length."""
        assert self._transport is not None
        self._answer += data
        if not self._length:
            self._length = _length(self._answer)
        if not self._length or len(self._answer) < self._length:
            return
        assert len(self._answer) == self._length, self._answer
        assert self._answer.startswith(b"HTTP/1.1 200"), self._answer
        self._answer.clear()
        self.count += 1
        self._transport.write(self._request)

    def close(self) -> None:
        """Ask no more."""
        if self._transport is not None:
            self._transport.abort()


def _length(answer: bytes | bytearray) -> int:
    """Return how long an answer is that has begun; 0 while its headers have not come."""
    head, end, _ = bytes(answer).partition(b"\r\n\r\n")
    if not end:
        return 0
    (stated,) = (
        line.partition(b":")[2]
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    return len(head) + len(end) + int(stated)


@attrs.frozen
class Target:
    """What is asked.

    Attributes:
        url: The server.
        pid: Its process.
        path: The path.
        headers: What is sent beside it.

    """

    url: str
    pid: int
    path: str
    headers: Mapping[str, str] = attrs.Factory(dict)

    @property
    def request(self) -> bytes:
        """The bytes that are sent."""
        sent = {"Host": self.url.removeprefix("http://"), "Accept": "*/*", **self.headers}
        lines = [f"GET {self.path} HTTP/1.1", *(f"{name}: {sent[name]}" for name in sent), "", ""]
        return "\r\n".join(lines).encode()


@attrs.define
class Asked:
    """What a target did, round by round.

    Attributes:
        target: The target.
        costs: Microseconds on the processor of the server for each request.

    """

    target: Target
    costs: list[float] = attrs.Factory(list)

    async def rate(self) -> float:
        """Ask for some time, and return how many requests were answered in a second."""
        begun, used = time.perf_counter(), processor_seconds(self.target.pid)
        clients = await asking(self.target, CONNECTIONS)
        await asyncio.sleep(SECONDS)
        count = sum(client.count for client in clients)
        took, used = time.perf_counter() - begun, processor_seconds(self.target.pid) - used
        for client in clients:
            client.close()
        self.costs.append(used / count * 1e6)
        return count / took


async def asking(target: Target, connections: int) -> list[Asking]:
    """Begin to ask a target over so many connections."""
    host, _, port = target.url.removeprefix("http://").partition(":")
    loop, clients = asyncio.get_running_loop(), [Asking(target.request) for _ in range(connections)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, host, int(port))  # type: ignore[misc]
    return clients


async def cost(targets: Sequence[Target]) -> float:
    """Ask several processes at once, and return the microseconds that a request costs any of them.

    Each answers `SHARE` requests at least, until all have.
    """
    used = [processor_seconds(target.pid) for target in targets]
    clients = [await asking(target, EACH) for target in targets]
    counts = [0]
    while min(counts) < SHARE:
        await asyncio.sleep(0.01)
        counts = [sum(client.count for client in of_one) for of_one in clients]
    spent = sum(processor_seconds(target.pid) for target in targets) - sum(used)
    for of_one in clients:
        for client in of_one:
            client.close()
    return spent / sum(counts) * 1e6


# The peer: what a good engineer writes who needs nothing but the answer.

#: A meter with its channels.
_ROW: Final = """
select m.id, m.site_id, m.name, m.serial, (
  select json_agg(json_build_object('id', c.name, 'quantity', c.quantity, 'direction', c.direction,
    'unit', c.unit, 'interval', c.interval_seconds, 'kind', c.kind) order by c.position)
  from channel c where c.organization_id = m.organization_id and c.meter_id = m.id
)
from meter m
where m.organization_id = 1 and m.id = %s
"""


async def get_live(request: web.Request) -> web.Response:
    """Answer as a service does that is ready."""
    body = msgspec.json.encode({"status": "pass", "state": "ready"})
    return web.Response(body=body, content_type="application/health+json")


async def serve_bare(port: int, dsn: str) -> None:
    """Serve both paths until the process is killed."""
    # Its whole session is that of the one organization, so that no message has to say which.
    async with aiopg.create_pool(
        dsn, minsize=10, maxsize=10, enable_hstore=False, options="-c energia.organization=1"
    ) as pool:

        async def get_meter(request: web.Request) -> web.Response:
            async with pool.acquire() as connection, connection.cursor() as cursor:
                await cursor.execute(_ROW, (request.match_info["meter"],))
                row = await cursor.fetchone()
            if row is None:
                raise web.HTTPNotFound
            id_, site, name, serial, channels = row
            meter = {"id": id_, "site": site, "channels": channels, "name": name, "serial": serial}
            return web.Response(body=msgspec.json.encode(meter), content_type="application/json")

        app = web.Application()
        app.router.add_get(LIVE, get_live)
        app.router.add_get("/v1/meters/{meter}", get_meter)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        print("ready", flush=True)
        await asyncio.Event().wait()


@asynccontextmanager
async def bare(dsn: str) -> AsyncIterator[tuple[str, int]]:
    """Give the URL and the process of the peer, until the block ends."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.requests", str(port), dsn),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.kill()
        await process.wait()


# The comparison.


async def _make_meter(url: str, headers: Mapping[str, str]) -> None:
    """Make the meter that is read."""
    new = {"site": "bench", "channels": [CHANNEL]}
    async with aiohttp.ClientSession(url, headers=headers) as api:
        for path, body in (("/v1/sites/bench", SITE), (METER, new)):
            async with api.put(path, json=body) as answer:
                assert answer.status == HTTPStatus.CREATED, await answer.text()


async def _compared(path: str, against: str, ours: Target, limit: Target) -> Figure:
    sides = Asked(ours), Asked(limit)
    found = await in_turns_async(sides[0].rate, sides[1].rate, ROUNDS)
    costs = [statistics.median(side.costs) for side in sides]
    note = f"on the processor of the server {costs[0]:.0f} us each, beside {costs[1]:.0f} us: "
    note += f"by that it is {costs[1] / costs[0]:.2f}"
    return Figure(
        name=f"`{path}`",
        against=against,
        unit="requests/s",
        ours=found[0],
        limit=found[1],
        better="more",
        least=0.7,
        note=note,
    )


async def _by_two(targets: Sequence[Target]) -> Figure:
    """Compare what a request costs two processes, and the first of them alone; both are warm."""
    await cost(targets)
    found = await in_turns_async(lambda: cost(targets), lambda: cost(targets[:1]), ROUNDS)
    return Figure(
        name="`/v1/meters/{id}` by two processes, processor a request",
        against="by one process",
        unit="us",
        ours=found[0],
        limit=found[1],
        better="less",
        most=1.1,
        note=f"{SHARE:,} requests for each process, {EACH} under way at each of them; two of them, "
        "the client and the database share the machine",
    )


async def _figures() -> list[Figure]:
    async with database() as dsn:
        headers = await token(dsn)
        async with serving(dsn, ENERGIA_AUTH__REQUIRED="true") as service, bare(dsn) as (url, pid):
            await _make_meter(service.url, headers)
            own = service.process.pid
            asked = Target(service.url, own, METER, headers)
            async with serving(dsn, ENERGIA_AUTH__REQUIRED="true") as second:
                other = Target(second.url, second.process.pid, METER, headers)
                by_two = await _by_two([asked, other])
            return [
                await _compared(
                    LIVE,
                    "an aiohttp handler with the same body",
                    Target(service.url, own, LIVE),
                    Target(url, pid, LIVE),
                ),
                await _compared(
                    "/v1/meters/{id}",
                    "an aiohttp handler with the same row through aiopg",
                    asked,
                    Target(url, pid, METER),
                ),
                by_two,
            ]


def figures() -> list[Figure]:
    """Return the figures."""
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_figures())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serve as the peer does.")
    parser.add_argument("port", type=int)
    parser.add_argument("dsn")
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve_bare(given.port, given.dsn))
