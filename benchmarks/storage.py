"""What is stored: bytes a reading, and whether a full database is slower.

By default the full database has 20 million readings. `make bench-billion` makes a thousand million,
which take about 10 GB.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Final

import attrs
import msgspec
import psycopg2

from benchmarks.figures import Figure, in_turns_async
from benchmarks.scene import SLOTS, Scene, scene, year_body
from energia.db.pool import Pool, Tenant
from energia.settings import Database

#: Meters of the year that is loaded by days: bytes a reading are the same with a thousand.
METERS: Final = 20
DAYS: Final = 365
#: Meters whose years are sent in one measurement, and how often that is done.
YEARS: Final = 8
ROUNDS: Final = 5
#: Readings of a database that is full.
FULL: Final = 20_000_000
#: Blocks that are made in one statement.
_BLOCKS: Final = 100_000

#: Rows that say of each reading what a block says of its own: which import, and when.
_ROWS: Final = """
create table bench_row (
  channel_id bigint not null, start_at timestamptz not null, value bigint not null,
  import_id bigint not null, recorded_at timestamptz not null, quality smallint not null,
  primary key (channel_id, start_at));
create table bench_bare (
  channel_id bigint not null, start_at timestamptz not null, value bigint not null,
  quality smallint not null, primary key (channel_id, start_at))
"""
_ROW_DAY: Final = """
with day as materialized (
  select c, %s::timestamptz + (i - 1) * interval '15 minutes' as start_at,
    (random() * 3000000)::bigint as value
  from unnest(%s::bigint[]) c, generate_series(1, 96) i
), bare as (
  insert into bench_bare select c, start_at, value, 1 from day
)
insert into bench_row select c, start_at, value, 1, now(), 1 from day
"""
_FILL: Final = """
insert into reading_day (organization_id, channel_id, day, narrow, revision, import_id, recorded_at)
select 1, channel, date '2020-01-01' + day, narrow, 1, 1, now()
from (
  select energia_narrow(array_agg((random() * 3000000)::bigint)) as narrow
  from generate_series(1, 96) offset 0) v,
  generate_series(%(first)s::bigint, %(past)s::bigint - 1) channel, generate_series(0, 364) day
"""


async def _size(tenant: Tenant, *tables: str) -> int:
    sizes = (
        "select sum(pg_total_relation_size(name::regclass))::bigint from unnest(%s::text[]) name"
    )
    return (await tenant.fetch(int, sizes, list(tables)))[0]


def _day(meters: int, day: int) -> bytes:
    """Return a body: one day of each meter."""
    start = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=day)
    series = [
        {
            "meter": f"meter-{meter}",
            "start": start.isoformat(),
            "interval": "PT15M",
            "values": [((meter + day) * 13 + slot * 7) % 3000 / 1000 for slot in range(96)],
        }
        for meter in range(meters)
    ]
    return msgspec.json.encode({"series": series})


async def _bytes(here: Scene, tenant: Tenant) -> Figure:
    """Compare what a year takes that is loaded by days."""
    channels = here.make_meters(METERS)
    await tenant.execute(_ROWS)
    for day in range(DAYS):
        await here.post("/v1/readings", _day(METERS, day))
        start = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=day)
        await tenant.execute(_ROW_DAY, start, channels)
    readings = METERS * DAYS * 96
    ours = await _size(tenant, "reading_day", "reading_day_history") / readings
    same = await _size(tenant, "bench_row") / readings
    return Figure(
        name="a year of 15-minute readings, loaded by days",
        against="a table of rows with its primary key",
        unit="bytes a reading",
        ours=ours,
        limit=await _size(tenant, "bench_bare") / readings,
        better="less",
        least=8,
        note=f"{METERS} meters, a thousand take as many bytes a reading; rows that also say, as "
        f"blocks do, their import and when they were recorded take {same:.1f} bytes.",
    )


async def _fill(tenant: Tenant, readings: int) -> None:
    """Store about so many readings of channels that are no meter's, in the database itself."""
    # Far from the numbers that channels get meanwhile.
    first, per_channel = 1_000_000, DAYS * 96
    past = first + -(-readings // per_channel)
    step = max(1, _BLOCKS // DAYS)
    parts = iter(range(first, past, step))

    async def work() -> None:
        for begin in parts:
            await tenant.execute(_FILL, {"first": begin, "past": min(past, begin + step)})

    await asyncio.gather(work(), work())


@attrs.define
class _Ingest:
    """Sends years of meters that nobody has sent yet."""

    here: Scene
    meter: int = 0

    async def rate(self) -> float:
        """Return how many readings a second are stored."""
        bodies = [year_body(self.meter + number) for number in range(YEARS)]
        self.here.make_meters(YEARS, self.meter)
        self.meter += YEARS
        begun = time.perf_counter()
        await asyncio.gather(*(self.here.post("/v1/readings", body) for body in bodies))
        return YEARS * SLOTS / (time.perf_counter() - begun)


async def _fullness(readings: int) -> Figure:
    """Compare how fast readings are stored beside many, and beside none."""
    limits = Database(url="", statement_timeout=600)
    async with scene() as full, scene() as empty:
        pool = Pool(full.dsn, attrs.evolve(limits, url=full.dsn))
        try:
            await _fill(pool.tenant(), readings)
        finally:
            await pool.close()
        # What was made in a minute is vacuumed and comes to the disk now, not while it is measured.
        with closing(psycopg2.connect(full.dsn)) as connection:
            connection.autocommit = True
            connection.cursor().execute("vacuum (analyze) reading_day")
        full.administer("checkpoint")
        await asyncio.gather(_Ingest(full, 10_000).rate(), _Ingest(empty, 10_000).rate())
        ours, limit = await in_turns_async(_Ingest(full).rate, _Ingest(empty).rate, ROUNDS)
    return Figure(
        name="ingest with many readings stored",
        against="the same with an empty database",
        unit="readings/s",
        ours=ours,
        limit=limit,
        better="more",
        least=0.7,
        note=f"{readings / 1e6:,.0f} million readings are stored; years in the series form.",
    )


async def _found(what: Callable[[Scene, Tenant], Awaitable[Figure]]) -> Figure:
    async with scene() as here:
        pool = Pool(here.dsn, Database(url=here.dsn))
        try:
            return await what(here, pool.tenant())
        finally:
            await pool.close()


def figures(readings: int = FULL) -> list[Figure]:
    """Measure."""
    return [asyncio.run(_found(_bytes)), asyncio.run(_fullness(readings))]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--readings", type=int, default=FULL, help="of the full database")
    found = asyncio.run(_fullness(parser.parse_args().readings))
    print(json.dumps({**attrs.asdict(found), "ratio": found.ratio}))
