"""The attacks, each with what it sends and the limits that the service must keep under it."""

import asyncio
import io
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import attrs
import psycopg2

from tests.attack import bodies
from tests.attack.bodies import SPAN, document

JSON: Final = "application/json"
REFUSED: Final = frozenset(map(str, range(400, 500)))
#: What a service may say that serves what it can.
SERVED: Final = REFUSED | {"200", "503"}


@attrs.frozen
class Limits:
    """What an attack may cost; None for what is not limited.

    Attributes:
        said: The statuses that are right.
        cpu: Processor seconds.
        memory: MB above what the service held before.
        live: The longest `/health/live`, in seconds.
        seconds: Until the last answer.

    """

    said: frozenset[str] = REFUSED
    cpu: float | None = 2.0
    memory: float | None = 300.0
    live: float = 0.1
    seconds: float | None = None

    def at(self, pace: float) -> "Limits":
        """Return what it may cost where everything takes *pace* times as long."""
        cpu = None if self.cpu is None else pace * self.cpu
        return attrs.evolve(self, cpu=cpu, live=pace * self.live)


@attrs.frozen
class Target:
    """The service under attack.

    Attributes:
        api: Asks it.
        url: Where it is.
        dsn: Its database.

    """

    api: aiohttp.ClientSession
    url: str
    dsn: str

    async def send(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> aiohttp.ClientResponse:
        """Send one request and read its answer."""
        given = {"Content-Type": JSON} if body is not None else {}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = None if body is None else io.BytesIO(body)
        async with self.api.request(method, path, data=data, headers=given) as answer:
            await answer.read()
            return answer

    async def said(self, method: str, path: str, body: bytes | None = None, **headers: str) -> str:
        """Send one request and return the status, or the error in its place."""
        try:
            return str((await self.send(method, path, body, **headers)).status)
        except (aiohttp.ClientError, OSError) as error:
            return type(error).__name__

    def connection(self, buffer: int | None = None) -> socket.socket:
        """Return a connection that nothing was sent on."""
        place = urlsplit(self.url)
        made = socket.socket()
        if buffer is not None:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        made.connect((place.hostname, place.port))
        made.setblocking(False)
        return made


Send = Callable[[Target], Awaitable[Sequence[str]]]


@attrs.frozen
class Attack:
    """One kind of hostile use.

    Attributes:
        name: What it is called.
        what: What it does, for a person.
        send: Does it, and returns what was said to each request.
        limits: What it may cost.
        slow: Whether it has to wait for time-outs: the tests leave it out.

    """

    name: str
    what: str
    send: Send
    limits: Limits
    slow: bool = False


async def prepare(target: Target) -> None:
    """Store what attacks are about: a site, a meter with four readings in 85 years, a tariff."""
    for path, body in (
        ("/v1/sites/attack", bodies.SITE),
        ("/v1/meters/attack", bodies.METER),
        ("/v1/tariffs/attack", bodies.flats(1)),
    ):
        answer = await target.send("PUT", path, document(body))
        assert answer.status < 300, (path, answer.status)
    answer = await target.send("POST", "/v1/readings", document(bodies.READINGS))
    assert answer.status == 200, answer.status


# What pricing costs.


def cost(body: Callable[[], bytes], at_once: int = 1) -> Send:
    """Return what asks for a cost, *at_once* so many times."""

    async def send(target: Target) -> Sequence[str]:
        sent = body()
        asked = (target.said("POST", "/v1/costs", sent) for _ in range(at_once))
        return await asyncio.gather(*asked)

    return send


def flat_by_day() -> bytes:
    """Return a cost of 100 charges on each day of almost 11 years."""
    return bodies.pricing(bodies.flats(100), start="2015-02-01", group="P1D", missing="zero")


async def left_alone(target: Target) -> Sequence[str]:
    """Ask for the dearest cost, and leave before there is an answer."""
    with closing(target.connection()) as made:
        body = flat_by_day()
        head = f"POST /v1/costs HTTP/1.1\r\nHost: x\r\nContent-Type: {JSON}\r\n"
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(made, f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await asyncio.sleep(0.5)
    return ["left"]


async def stored_doubling(target: Target) -> Sequence[str]:
    """Store a tariff that doubles its lines, and bill by it."""
    said = [await target.said("PUT", "/v1/tariffs/double", document(bodies.doubling(15)))]
    if said == ["201"]:
        january = {**bodies.SERIES, "values": [1] * 96 * 31}
        await target.said("POST", "/v1/readings", document({"series": [january]}))
        contract = {"meter": "attack", "tariff": "double", "start": "2015-01-01"}
        said.append(await target.said("PUT", "/v1/contracts/double", document(contract)))
        run = {"start": "2015-01-01", "end": "2015-02-01"}
        said.append(await target.said("POST", "/v1/bills/run", document(run)))
    return said


async def usages(target: Target, at_once: int) -> Sequence[str]:
    """Ask for the usage of each day of 85 years."""
    path = f"/v1/meters/attack/usage?start={SPAN[0]}&end={SPAN[1]}&window=P1D"
    return await asyncio.gather(*(target.said("GET", path) for _ in range(at_once)))


async def calendars(target: Target) -> Sequence[str]:
    """Price 85 years under 29 schedules, each of which has a calendar of its own."""
    asked = (bodies.pricing(bodies.striped(number), missing="zero") for number in range(29))
    return [await target.said("POST", "/v1/costs", body) for body in asked]


# What reading a body costs.


def gzipped(method: str, path: str, body: Callable[[], bytes]) -> Send:
    """Return what sends a compressed body."""

    async def send(target: Target) -> Sequence[str]:
        return [await target.said(method, path, body(), Content_Encoding="gzip")]

    return send


async def unknown_keys(target: Target) -> Sequence[str]:
    """Send 33 MB of keys that nobody knows."""
    return [await target.said("POST", "/v1/costs", bodies.unknown_keys(33_000_000))]


async def duplicate_keys(target: Target) -> Sequence[str]:
    """Send a site that has two names."""
    body = document(bodies.SITE).replace(b"{", b'{"name": "Another", ', 1)
    return [await target.said("PUT", "/v1/sites/twice", body)]


# Clients that are slow.

#: For how long slow clients are waited for.
_PATIENCE: Final = 35.0


async def half_headers(target: Target) -> Sequence[str]:
    """Open 50 connections and send half of a header on each."""
    return await _closed(target, 50, b"GET /v1/sites HTTP/1.1\r\nHost: x\r\nX-Half: ")


async def nothing_sent(target: Target) -> Sequence[str]:
    """Open 50 connections and send nothing."""
    return await _closed(target, 50, b"")


async def nothing_read(target: Target) -> Sequence[str]:
    """Ask 12 times for the readings of 85 years, and read nothing of the answers."""
    path = f"/v1/meters/attack/readings?start={SPAN[0]}&end={SPAN[1]}"
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: text/csv\r\n\r\n".encode()
    return await _closed(target, 12, request, buffer=4096)


async def _closed(
    target: Target, count: int, sent: bytes, buffer: int | None = None
) -> Sequence[str]:
    """Tell of each of so many connections whether the service closes it in time."""
    made = [target.connection(buffer) for _ in range(count)]
    try:
        for one in made:
            await asyncio.get_running_loop().sock_sendall(one, sent)
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and any(map(_is_open, made)):
            await asyncio.sleep(0.5)
        return ["open" if _is_open(one) else "closed" for one in made]
    finally:
        for one in made:
            one.close()


#: `TCP_ESTABLISHED` of the kernel, which also sees what ends behind unread bytes.
_ESTABLISHED: Final = 1


def _is_open(made: socket.socket) -> bool:
    return made.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _ESTABLISHED


async def leaving_waiters(target: Target) -> Sequence[str]:
    """Wait for a locked table 25 times, leave, and ask for another one."""
    request = b"GET /v1/meters HTTP/1.1\r\nHost: x\r\n\r\n"
    with _locked(target.dsn, "meter"):
        made = [target.connection() for _ in range(25)]
        for one in made:
            await asyncio.get_running_loop().sock_sendall(one, request)
        await asyncio.sleep(0.3)
        for one in made:
            one.close()
        return [await target.said("GET", "/v1/sites")]


@contextmanager
def _locked(dsn: str, table: str) -> Iterator[None]:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(f"lock table {table} in access exclusive mode")
        yield
        connection.rollback()


# What is not well formed.


async def late_offsets(target: Target) -> Sequence[str]:
    """Ask what was known at an instant that is 16 hours from UTC."""
    known_at = "known_at=2026-01-01T00:00:00%2B16:00"
    window = f"start=2025-01-01&end=2025-01-02&{known_at}"
    paths = [f"/v1/meters/attack/{what}?{window}" for what in ("readings", "gaps", "usage")]
    body = bodies.pricing(bodies.flats(1), known_at="2026-01-01T00:00:00+16:00", missing="zero")
    series = {"currency": "GBP", "unit": "kWh", "interval": "PT1H"}
    await target.said("PUT", "/v1/price-series/attack", document(series))
    prices = f"/v1/price-series/attack/prices?{window.replace('-01&', '-01T00:00:00Z&', 1)}"
    said = [await target.said("GET", path) for path in (*paths, prices)]
    return [*said, await target.said("POST", "/v1/costs", body)]


async def zones(target: Target) -> Sequence[str]:
    """Store sites in zones that are none."""
    names = ("localtime", "Factory", "right/UTC", "posix/UTC", "posixrules", "../UTC", "utc\0")
    asked = (document({**bodies.SITE, "timezone": name}) for name in names)
    return [await target.said("PUT", "/v1/sites/nowhere", body) for body in asked]


async def cursors(target: Target) -> Sequence[str]:
    """Ask every list for the page after nonsense."""
    answer = await target.api.get("/openapi.json")
    found = []
    for path, operations in (await answer.json())["paths"].items():
        named = {one["name"] for one in operations.get("get", {}).get("parameters", [])}
        if "cursor" in named:
            window = "start=2025-01-01&end=2025-01-02&" if "end" in named else ""
            for nonsense in ("%00", "x" * 90, "-1", "%F0%9F%92%A9", "null"):
                place = path.replace("{meter}", "attack").replace("{tariff}", "attack")
                found.append(await target.said("GET", f"{place}?{window}cursor={nonsense}"))
    return found


async def opposed_writers(target: Target) -> Sequence[str]:
    """Change a meter, delete it and send readings for it, all at once."""
    until, said = time.monotonic() + 3, list[str]()

    async def again(*requests: tuple[str, str, object]) -> None:
        while time.monotonic() < until:
            for method, path, body in requests:
                sent = None if body is None else document(body)
                said.append(await target.said(method, path, sent))

    days = [(date(2025, 1, 1) + timedelta(number)).isoformat() for number in range(60)]
    readings = {
        "readings": [{"meter": "opposed", "start": f"{day}T00:00:00Z", "value": 1} for day in days]
    }
    put = ("PUT", "/v1/meters/opposed", bodies.METER)
    contract = {"meter": "opposed", "tariff": "opposed", "start": "2025-01-01"}
    await asyncio.gather(
        again(put),
        again(put, ("DELETE", "/v1/meters/opposed", None)),
        *(again(("POST", "/v1/readings", readings)) for _ in range(4)),
        again(("PUT", "/v1/tariffs/opposed", bodies.flats(1))),
        again(("DELETE", "/v1/tariffs/opposed", None)),
        again(
            ("PUT", "/v1/contracts/opposed", contract), ("DELETE", "/v1/contracts/opposed", None)
        ),
    )
    return said


_LEGITIMATE: Final = Limits(said=SERVED, cpu=None)
_PRICED: Final = Limits(said=SERVED, cpu=15.0)
ATTACKS: Final = (
    Attack(
        *("honest", "a year of a meter under one tariff: what is measured of no attack"),
        cost(lambda: bodies.pricing(bodies.flats(1), start="2025-01-01", missing="zero")),
        Limits(said=frozenset({"200"})),
    ),
    Attack(
        *("flat-by-day", "100 flat charges on each day of 10.9 years (6 KB)"),
        cost(flat_by_day),
        Limits(),
    ),
    Attack(*("flat-by-day-3", "the same, three at once"), cost(flat_by_day, 3), Limits()),
    Attack(
        *("left-alone", "the same, for a client that leaves after 0.5 s"),
        left_alone,
        Limits(said=frozenset({"left"})),
    ),
    Attack(
        *("doubling", "20 percentages, each on every line before it (1.8 KB)"),
        cost(lambda: document({"tariff": bodies.doubling(20), "usage": bodies.usage(1)})),
        Limits(),
    ),
    Attack(
        *("doubling-stored", "15 of them stored as a tariff, and a bill run by it"),
        stored_doubling,
        Limits(),
    ),
    Attack(
        *("estimate", "85 years estimated from four readings"),
        cost(lambda: bodies.pricing(bodies.flats(1), missing="estimate")),
        Limits(),
    ),
    Attack(
        *("usage-by-day", "usage on each day of 85 years"),
        lambda target: usages(target, 1),
        _LEGITIMATE,
    ),
    Attack(
        *("usage-by-day-20", "the same, 20 at once"),
        lambda target: usages(target, 20),
        _LEGITIMATE,
    ),
    Attack(
        *("prices-year", "a year of quarter-hourly prices in the request"),
        cost(lambda: bodies.prices(35_040, "PT15M")),
        Limits(said=frozenset({"200"})),
    ),
    Attack(
        *("prices-4.9-MB", "2.4 million prices in the request (4.9 MB)"),
        cost(lambda: bodies.prices(2_440_000, "PT1M")),
        _PRICED,
    ),
    Attack(
        *("calendars", "85 years under 29 schedules, one after the other"),
        calendars,
        _LEGITIMATE,
    ),
    Attack(
        *("faulty-items", "321 KB of gzip: 20 million faulty readings"),
        gzipped("POST", "/v1/readings", lambda: bodies.faulty(60_000_000)),
        Limits(),
    ),
    Attack(
        *("faulty-items-skipped", "the same, to be skipped (`on_problem=skip`)"),
        gzipped("POST", "/v1/readings?on_problem=skip", lambda: bodies.faulty(60_000_000)),
        Limits(said=SERVED),
    ),
    Attack(
        *("unknown-keys", "33 MB of unknown keys"),
        unknown_keys,
        Limits(),
    ),
    Attack(
        *("archive", "2 MB of gzip: 600 MB of a meter file"),
        gzipped("POST", "/v1/imports?format=ndjson", lambda: bodies.archive(600_000_000)),
        Limits(),
    ),
    Attack(
        *("half-headers", "50 connections with half a header each"),
        half_headers,
        Limits(said=frozenset({"closed"}), cpu=None),
        slow=True,
    ),
    Attack(
        *("nothing-sent", "50 connections on which nothing is sent"),
        nothing_sent,
        Limits(said=frozenset({"closed"}), cpu=None),
        slow=True,
    ),
    Attack(
        *("nothing-read", "85 years of readings, 12 times, for clients that read nothing"),
        nothing_read,
        Limits(said=frozenset({"closed"}), cpu=None),
        slow=True,
    ),
    Attack(
        *("leaving-waiters", "25 clients that leave a locked table, then a question about another"),
        leaving_waiters,
        Limits(said=frozenset({"200"}), seconds=1.5),
    ),
    Attack(
        *("late-offsets", "`known_at` at an offset of 16 hours"),
        late_offsets,
        Limits(),
    ),
    Attack(*("zones", "zones that are none"), zones, Limits()),
    Attack(*("cursors", "cursors of nonsense, at every list"), cursors, Limits()),
    Attack(*("duplicate-keys", "a key that is there twice"), duplicate_keys, Limits()),
    Attack(
        *("opposed-writers", "a meter changed, deleted and written at once for 3 s"),
        opposed_writers,
        Limits(said=REFUSED | {"200", "201", "204", "503"}, cpu=None, live=0.25),
    ),
)
