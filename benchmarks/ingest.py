"""Taking readings in: over HTTP, durable when it is answered.

The limit is what PostgreSQL itself does with the same readings, on the same server: a binary COPY
of rows into a plain table with a primary key, a commit for each meter's year. What is sent, to the
service and to the limit, is made beforehand. A limit has one connection, as one client has; so it
has beside four requests in flight.
"""

import asyncio
import http.client
import io
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Final
from urllib.parse import urlsplit

import attrs
import msgspec
import numpy as np
import psycopg2
import psycopg2.extensions

from benchmarks.figures import Figure, in_turns
from benchmarks.scene import JSON, SLOTS, Scene, processor_seconds, scene, year
from tests.e2e.service import Service, serving

COPY: Final = "binary COPY into a table with a primary key"
UPSERT: Final = "row upsert with `is distinct from`"
CSV: Final = {"Content-Type": "text/csv"}
READINGS: Final = "/v1/readings"
#: When the first slot begins, UTC.
FIRST: Final = datetime(2025, 1, 1, tzinfo=UTC)
#: So many meters send their year in a round.
YEARS: Final = 12
#: Slots of a day.
DAY: Final = 96
#: So many meters are in a file, with a hundred days each: a million readings.
NAMED: Final = 105
#: So many requests of 10,000 readings, each an object, are sent in a round.
REQUESTS: Final = 10
#: So many meters send their year again.
AGAIN: Final = 24
#: How often each side is measured.
ROUNDS: Final = 5

#: A row as a binary COPY has it: each column after its size.
_ROW: Final = np.dtype(
    [
        *(("columns", ">i2"), ("channel_size", ">i4"), ("channel", ">i4")),
        *(("at_size", ">i4"), ("at", ">i8"), ("value_size", ">i4"), ("value", ">i8")),
    ]
)
#: What a binary COPY begins with, and ends with.
_HEAD, _END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
#: PostgreSQL counts microseconds from here.
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)


# The client: a few threads that do nothing but send and read.


def send(service: str, path: str, bodies: Iterable[bytes], headers: dict[str, str] = JSON) -> float:
    """Post *bodies* one after another, and return the seconds that it took."""
    return send_at_once(service, path, [iter(bodies)], headers)


def send_at_once(
    service: str, path: str, clients: Sequence[Iterator[bytes]], headers: dict[str, str] = JSON
) -> float:
    """Post what each of some clients sends, and return the seconds until all are answered."""
    wrong: list[bytes] = []

    def work(bodies: Iterator[bytes]) -> None:
        place = urlsplit(service).netloc
        with closing(http.client.HTTPConnection(place, timeout=300)) as connection:
            for body in bodies:
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
                content = answer.read()
                if answer.status != 200:
                    wrong.append(content)
                    return

    threads = [threading.Thread(target=work, args=(each,)) for each in clients]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise AssertionError(wrong[0])
    return time.perf_counter() - begun


def divided(bodies: Sequence[bytes], clients: int) -> list[Iterator[bytes]]:
    """Return what each of some clients sends of *bodies*."""
    return [iter(bodies[number::clients]) for number in range(clients)]


# What is sent.


def series(meter: str, values: Sequence[float], first: datetime = FIRST) -> dict[str, object]:
    """Return values of consecutive slots, as a body has them."""
    names = {"meter": meter, "channel": "import", "start": first, "interval": "PT15M"}
    return {**names, "unit": "kWh", "values": values}


def series_body(*items: dict[str, object]) -> bytes:
    """Return a body of some series."""
    return msgspec.json.encode({"series": items})


def objects_body(meters: Sequence[str], values: Sequence[float], first: datetime) -> bytes:
    """Return a body in which each reading of each of *meters* is an object."""
    starts = [
        f"{first + timedelta(minutes=15 * at):%Y-%m-%dT%H:%M:%SZ}" for at in range(len(values))
    ]
    readings = [
        {"meter": meter, "start": start, "value": value}
        for meter in meters
        for start, value in zip(starts, values, strict=True)
    ]
    return msgspec.json.encode({"readings": readings})


def long_file(meters: Sequence[str], values: Sequence[float]) -> bytes:
    """Return a CSV file with a row for each reading of each of *meters*."""
    starts = [
        f"{FIRST + timedelta(minutes=15 * at):%Y-%m-%dT%H:%M:%SZ}" for at in range(len(values))
    ]
    cells = [f"{start},{value}" for start, value in zip(starts, values, strict=True)]
    rows = [f"{meter}," + f"\n{meter},".join(cells) for meter in meters]
    return "\n".join(["meter,start,value", *rows, ""]).encode()


def wide_file(meters: Sequence[str], values: Sequence[float]) -> bytes:
    """Return a CSV file with a row for each day of each of *meters*."""
    times = [f"{minutes // 60:02}:{minutes % 60:02}" for minutes in range(0, 1440, 15)]
    days = [
        ",".join([f"{FIRST + timedelta(days=day):%Y-%m-%d}", *map(str, values[at : at + DAY])])
        for day, at in enumerate(range(0, len(values), DAY))
    ]
    rows = [f"{meter}," + f"\n{meter},".join(days) for meter in meters]
    return "\n".join([",".join(["meter", "day", *times]), *rows, ""]).encode()


LONG: Final = "/v1/imports?format=csv&channel=import&meter_column=meter"
WIDE: Final = (
    f"{LONG}&timezone=UTC&start_column=day&date_format=%25Y-%25m-%25d&wide=00%3A00..23%3A45"
)


# The limit.


@attrs.frozen
class Table:
    """A plain table of readings, a row each, beside the tables of the service.

    Attributes:
        connection: Its own, on the same server.

    """

    connection: psycopg2.extensions.connection

    @classmethod
    def made(cls, connection: psycopg2.extensions.connection) -> "Table":
        """Make the table."""
        found = cls(connection)
        found.run(
            "create table peer_reading (channel_id int, at timestamptz, value bigint,"
            " primary key (channel_id, at))"
        )
        return found

    def run(self, sql: str | bytes) -> None:
        """Run a statement, and commit."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
        self.connection.commit()

    def copy(self, files: Iterable[bytes]) -> float:
        """Copy *files* into the empty table, a commit each, and return the seconds."""
        self.run("truncate peer_reading")
        with self.connection.cursor() as cursor:
            begun = time.perf_counter()
            for each in files:
                cursor.copy_expert("copy peer_reading from stdin (format binary)", io.BytesIO(each))
                self.connection.commit()
            return time.perf_counter() - begun

    def execute(self, statements: Iterable[bytes]) -> float:
        """Run *statements*, a commit each, and return the seconds."""
        begun = time.perf_counter()
        for each in statements:
            self.run(each)
        return time.perf_counter() - begun


def upsert(channel: int, values: Sequence[float]) -> bytes:
    """Return the statement that puts those values of a channel that are not stored so."""
    micros = np.rint(np.array(values) * 1e6).astype(np.int64).tolist()
    starts = _starts(len(values))
    return (
        f"insert into peer_reading as old select {channel}, at, value"
        f" from unnest('{{{starts}}}'::timestamptz[], '{{{str(micros)[1:-1]}}}'::bigint[])"
        " as new (at, value) on conflict (channel_id, at) do update set value = excluded.value"
        " where old.value is distinct from excluded.value"
    ).encode()


@cache
def _starts(count: int) -> str:
    """Return when slots begin, as an array has it."""
    return ",".join(f"{FIRST + timedelta(minutes=15 * at):%F %T+00}" for at in range(count))


def copy_file(channels: Iterable[int], values: Sequence[float], first: datetime = FIRST) -> bytes:
    """Return the values of some channels as a binary COPY takes them."""
    rows = np.zeros(len(values), _ROW)
    rows["columns"], rows["channel_size"], rows["at_size"], rows["value_size"] = 3, 4, 8, 8
    begin = int((first - _EPOCH).total_seconds())
    rows["at"] = (begin + np.arange(len(values), dtype=np.int64) * 900) * 1_000_000
    rows["value"] = np.rint(np.array(values) * 1e6).astype(np.int64)
    parts = []
    for channel in channels:
        rows["channel"] = channel
        parts.append(rows.tobytes())
    return b"".join([_HEAD, *parts, _END])


# The comparisons.


@attrs.define
class Ingest:
    """A service and the limit, and the meters that are there.

    Attributes:
        scene: The service.
        table: The limit.
        meters: How many meters there are.

    """

    scene: Scene
    table: Table
    meters: int = 0

    @property
    def url(self) -> str:
        """The address of the service."""
        return self.scene.service.url

    def make(self, count: int) -> list[str]:
        """Make so many meters, each with a channel of quarter-hours, and return their ids."""
        first, self.meters = self.meters, self.meters + count
        self.scene.make_meters(count, first)
        return [f"meter-{number}" for number in range(first, self.meters)]

    def years(self) -> list[Figure]:
        """Compare a year of each of some meters, with one and with four requests in flight."""
        values = [year(number) for number in range(YEARS)]
        files = [copy_file([number], each) for number, each in enumerate(values)]
        found = []
        for at_once, least in ((4, 3.0), (1, 2.0)):

            def ours(at_once: int = at_once) -> float:
                named = zip(self.make(YEARS), values, strict=True)
                bodies = [series_body(series(meter, each)) for meter, each in named]
                return send_at_once(self.url, READINGS, divided(bodies, at_once))

            name = f"series form, a year a request, {at_once} in flight"
            both = in_turns(ours, lambda: self.table.copy(files), ROUNDS)
            found.append(rates(name, YEARS * SLOTS, both, least))
        return found

    def objects(self) -> list[Figure]:
        """Compare readings that are an object each, with four requests in flight and with one."""
        values = year(0)[:100]
        starts = [FIRST + timedelta(minutes=15 * 100 * number) for number in range(REQUESTS)]
        files = [copy_file(range(100), values, start) for start in starts]
        found = []
        for at_once, least in ((4, 1.0), (1, None)):

            def ours(at_once: int = at_once) -> float:
                bodies = [objects_body(self.make(100), values, at) for at in starts]
                return send_at_once(self.url, READINGS, divided(bodies, at_once))

            name = f"objects, 10,000 readings a request, {at_once} in flight"
            both = in_turns(ours, lambda: self.table.copy(files), ROUNDS)
            found.append(rates(name, REQUESTS * 10_000, both, least))
        return found

    def files(self) -> list[Figure]:
        """Compare files of a million readings, of about as many days of each meter."""
        values = year(0)[: DAY * 100]
        files = [copy_file(range(NAMED), values)]
        found = []
        for name, path, made in (("long", LONG, long_file), ("wide", WIDE, wide_file)):

            def ours(path: str = path, made: Callable[..., bytes] = made) -> float:
                return send(self.url, path, [made(self.make(NAMED), values)], CSV)

            both = in_turns(ours, lambda: self.table.copy(files), ROUNDS)
            found.append(rates(f"CSV, {name}, a million readings", NAMED * len(values), both, 1.0))
        return found

    def corrections(self) -> list[Figure]:
        """Compare years that come again, of which one value in a hundred differs."""
        return [self._corrected(4, 10.0), self._corrected(1, None)]

    def _corrected(self, at_once: int, least: float | None) -> Figure:
        meters = self.make(AGAIN)
        before = [year(number) for number in range(AGAIN)]
        after = [year(number, 0.01) for number in range(AGAIN)]
        named = zip(meters, before, strict=True)
        send(self.url, READINGS, [series_body(series(meter, each)) for meter, each in named])
        self.table.copy([copy_file([number], each) for number, each in enumerate(before)])
        # The second round corrects what the first did, and so on: as many values each time.
        turns = {"ours": 0, "limit": 0}

        def values(side: str) -> list[list[float]]:
            turns[side] += 1
            return after if turns[side] % 2 else before

        def ours() -> float:
            named = zip(meters, values("ours"), strict=True)
            bodies = [series_body(series(meter, each)) for meter, each in named]
            return send_at_once(self.url, READINGS, divided(bodies, at_once))

        def limit() -> float:
            return self.table.execute([upsert(n, each) for n, each in enumerate(values("limit"))])

        both = in_turns(ours, limit, ROUNDS)
        name = f"a year again, 1 % corrected, {at_once} in flight"
        return rates(name, AGAIN * SLOTS, both, least, UPSERT)

    def flat(self) -> Figure:
        """Compare as many readings of ten thousand meters with those of a hundred."""
        values = year(0)

        def seconds(meters: list[str], slots: int, first: datetime) -> float:
            size = len(meters) // 10
            bodies = [
                series_body(
                    *(series(meter, values[:slots], first) for meter in meters[at : at + size])
                )
                for at in range(0, len(meters), size)
            ]
            return send(self.url, READINGS, bodies)

        # A round is the next day of many, and the next hundred days of few.
        many, few = self.make(10_000), self.make(100)
        days, hundreds = (
            (FIRST + timedelta(days=step * number) for number in count()) for step in (1, 100)
        )
        both = in_turns(
            lambda: seconds(many, DAY, next(days)),
            lambda: seconds(few, DAY * 100, next(hundreds)),
            ROUNDS,
        )
        name = "ten thousand meters, a day each"
        return rates(name, 960_000, both, 0.8, "a hundred meters, a hundred days each")

    def processes(self, second: Service) -> Figure:
        """Compare what a request costs two services, and one, in seconds of their processors."""
        values = [year(number) for number in range(YEARS)]

        def cost(services: list[Service]) -> float:
            named = zip(self.make(YEARS), values, strict=True)
            bodies = [series_body(series(meter, each)) for meter, each in named]
            before = used(services)
            clients = divided(bodies, 4)
            work = [
                threading.Thread(
                    target=send_at_once,
                    args=(each.url, READINGS, clients[number :: len(services)]),
                )
                for number, each in enumerate(services)
            ]
            for thread in work:
                thread.start()
            for thread in work:
                thread.join()
            return (used(services) - before) * 1000 / YEARS

        one = self.scene.service
        ours, limit = in_turns(lambda: cost([one, second]), lambda: cost([one]), ROUNDS)
        return Figure(
            name="two processes, a year a request",
            against="one process",
            unit="ms of the processor",
            ours=ours,
            limit=limit,
            better="less",
            most=1.1,
        )


def used(services: Iterable[Service]) -> float:
    """Return how many seconds of the processor some services have used."""
    return sum(processor_seconds(each.process.pid) for each in services)


def rates(
    name: str, readings: int, seconds: tuple[float, float], least: float | None, against: str = COPY
) -> Figure:
    """Return how many readings a second both take, given the seconds of both."""
    ours, limit = (readings / each for each in seconds)
    return Figure(
        name=name,
        against=against,
        unit="readings/s",
        ours=ours,
        limit=limit,
        better="more",
        least=least,
    )


async def measured() -> list[Figure]:
    """Measure all of it on one database."""
    async with scene() as found, serving(found.dsn, ENERGIA_AUTH__REQUIRED="false") as second:
        with closing(psycopg2.connect(found.dsn)) as connection:
            bench = Ingest(found, Table.made(connection))
            return [
                *bench.years(),
                *bench.objects(),
                *bench.files(),
                *bench.corrections(),
                bench.flat(),
                bench.processes(second),
            ]


def figures() -> list[Figure]:
    """Return the comparisons."""
    return asyncio.run(measured())
