"""Reads: readings as JSON and sums over local windows.

Ours go over HTTP, to a service that is a process of its own; what stands beside them asks the same
PostgreSQL by the same driver, in this process, for a table with a row for each reading, by a
prepared statement. Each side is asked some times in its turn, one request after the other, as a
service is that has something to do: of a request alone, half of the time is that the processor's
caches are full of what the other side did. What stands beside ours takes several times as long, so
ours is asked more often, for no longer a turn: both sides then have their share of that.

Ours are measured twice: of meters that nobody has read before, and of meters whose readings the
service has at hand, and asks the database what of them has changed. What stands beside them has
been asked before.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from functools import partial
from itertools import cycle, islice
from typing import Any, Final

import aiopg
import attrs
import msgspec

from benchmarks.figures import Figure, in_turns_async
from benchmarks.scene import CHANNEL, SITE, Scene, scene, year, year_body

#: How often each is measured, and has its turn: the first one is not counted.
ROUNDS: Final = 9
TURNS: Final = ROUNDS + 1
#: How many meters the rows have, and how often they are asked in a turn.
METERS: Final = 5
#: How often ours are: of meters that were read before, and for the first time. Blocks of all these
#: stay among what PostgreSQL has in memory, as the rows do.
AGAIN, FIRST = 5 * METERS, 2 * METERS
#: How many meters are read for the first time, of each path.
FRESH: Final = TURNS * FIRST
#: What is asked of a meter: each for the first time of meters of its own.
PATHS: Final = ("readings", "usage?window=month", "usage?window=day")
#: A zone with summer time, whose days have 23 to 25 hours.
ZONE: Final = "Europe/Berlin"
#: Where a year of readings begins and ends: in the years of `scene.year_body`.
START, END = "2025-01-01T00:00:00-03:00", "2026-01-01T00:00:00-03:00"

ROWS: Final = """
create table row_reading (
  meter int, start_at timestamptz, value numeric not null, primary key (meter, start_at))"""
FILL: Final = """
insert into row_reading
select %s, timestamptz '2025-01-01T00:00:00-03:00' + (n - 1) * interval '15 minutes', value
from unnest(%s::text[]::numeric[]) with ordinality as given (value, n)"""
#: The rows of a year.
YEAR: Final = """
prepare year (int, timestamptz, timestamptz) as
select start_at, value from row_reading
where meter = $1 and start_at >= $2 and start_at < $3 order by start_at"""
#: What the answer has, but for when the peak was.
WINDOWS: Final = """
prepare {unit} (int, timestamptz, timestamptz) as
select date_trunc('{unit}', start_at at time zone '{zone}') at time zone '{zone}', sum(value),
  max(value), count(*)
from row_reading where meter = $1 and start_at >= $2 and start_at < $3
group by 1 order by 1"""


@attrs.frozen
class Rows:
    """The readings as rows, and a connection that asks for them."""

    connection: aiopg.Connection

    async def fill(self) -> None:
        """Make the table, with the same years."""
        await self.ask(ROWS)
        for meter in range(METERS):
            await self.ask(FILL, (meter, [str(value) for value in year(meter)]))
        await self.ask("vacuum analyze row_reading")
        await self.ask(YEAR)
        for unit in ("day", "month"):
            await self.ask(WINDOWS.format(unit=unit, zone=ZONE))

    async def ask(self, sql: str, parameters: Sequence[object] = ()) -> list[Any]:
        """Run a statement and return its rows."""
        async with self.connection.cursor() as cursor:
            await cursor.execute(sql, parameters)
            return await cursor.fetchall() if cursor.description else []

    async def year(self, meter: int) -> bytes:
        """Return a year of a meter as a plain service does; decimals, as text, stay exact."""
        rows = await self.ask("execute year (%s, %s, %s)", (meter, START, END))
        readings = [{"start": start.isoformat(), "value": str(value)} for start, value in rows]
        return json.dumps(readings).encode()

    async def windows(self, unit: str, meter: int) -> list[Any]:
        """Return the sums of a meter over a year."""
        return await self.ask(f"execute {unit} (%s, %s, %s)", (meter, START, END))


async def made(found: Scene) -> None:
    """Make meters with a year each, at a site whose clock has summer time."""
    await found.put("/v1/sites/summer", {**SITE, "timezone": ZONE})
    for meter in range(METERS + FRESH * len(PATHS)):
        await found.put(f"/v1/meters/meter-{meter}", {"site": "summer", "channels": [CHANNEL]})
        await found.post("/v1/readings", year_body(meter))


async def answer(found: Scene, path: str, meter: int) -> bytes:
    """Return what the service answers about a meter, not compressed: nobody is far away."""
    query = {"start": START, "end": END}
    url, plain = f"/v1/meters/meter-{meter}/{path}", {"Accept-Encoding": "identity"}
    async with found.api.get(url, params=query, headers=plain) as response:
        body = await response.read()
        assert response.status == 200, body
        return body


def in_ms(
    ask: Callable[[int], Awaitable[Any]], meters: range, times: int
) -> Callable[[], Awaitable[float]]:
    """Return what measures how long an answer takes, of the next of *meters* so many times."""
    turn = cycle(meters)

    async def measured() -> float:
        begun = time.perf_counter()
        for meter in islice(turn, times):
            await ask(meter)
        return (time.perf_counter() - begun) * 1000 / times

    return measured


async def _refuse_other_sums(found: Scene, rows: Rows, unit: str) -> None:
    """Refuse to compare what is not the same."""
    for _ in ("first", "again"):
        said = msgspec.json.decode(await answer(found, f"usage?window={unit}", 0))["data"]
        theirs = await rows.windows(unit, 0)
        assert [Decimal(each["value"]) for each in said] == [row[1] for row in theirs]
        assert [each["coverage"]["actual"] for each in said] == [row[3] for row in theirs]


def _fresh(path: str) -> range:
    """Return the meters that are read for the first time by a path."""
    first = METERS + FRESH * PATHS.index(path)
    return range(first, first + FRESH)


async def _both(
    found: Scene,
    path: str,
    theirs: Callable[[int], Awaitable[Any]],
    name: str,
    figure: Callable[..., Figure],
) -> list[Figure]:
    """Return a figure of first reads, and one of reads again."""
    ours, few = partial(answer, found, path), range(METERS)
    for meter in few:
        await ours(meter)
    figures = []
    cases = (("first read", _fresh(path), FIRST), ("read again", few, AGAIN))
    for when, meters, times in cases:
        both = in_ms(ours, meters, times), in_ms(theirs, few, METERS)
        medians = await in_turns_async(*both, ROUNDS)
        figures.append(figure(name=f"{name}, {when}", ours=medians[0], limit=medians[1]))
    return figures


async def _figures() -> list[Figure]:
    async with scene() as found, aiopg.connect(found.dsn) as connection:
        rows = Rows(connection)
        await made(found)
        await rows.fill()
        readings = partial(
            Figure,
            against="rows through the same driver and `json`, without HTTP",
            unit="ms",
            better="less",
            least=16,
            note="beside it: `json.dumps` of a dict for each row, the instant by `isoformat`, the"
            " decimal as text",
        )
        name = "a meter-year of 15-minute readings as JSON"
        figures = await _both(found, PATHS[0], rows.year, name, readings)
        for unit in ("month", "day"):
            await _refuse_other_sums(found, rows, unit)
            windows = partial(
                Figure,
                against="sum, max, count by date_trunc at time zone, over indexed rows",
                unit="ms",
                better="less",
                least=8,
                note="ours has the coverage of each window, and when its peak was, too",
            )
            path, theirs = f"usage?window={unit}", partial(rows.windows, unit)
            name = f"windows of a {unit} over a meter-year, local time with DST"
            figures += await _both(found, path, theirs, name, windows)
        return figures


def figures() -> list[Figure]:
    """Measure all of it."""
    return asyncio.run(_figures())
