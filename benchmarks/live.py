"""Live readings: one of each of many meters, as they are measured.

Requests of 1,000 readings, each of another meter, go to the service; beside them the same readings
are put into rows by statements of 1,000 rows, over connections of the same driver. Both answer when
the readings are on disk, and as many of both are under way at a time. A round is one slot of all
meters, so that what is written is the day that is open, over and over.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import msgspec

from benchmarks.figures import Figure, in_turns_async
from benchmarks.scene import Scene, scene
from energia.db.pool import Pool, Tenant
from energia.settings import Database

METERS: Final = 10_000
#: Readings in a request, and rows in a statement.
BATCH: Final = 1000
#: Requests that are under way at a time, and statements.
IN_FLIGHT: Final = 4
ROUNDS: Final = 10
#: Meters of the simulated day.
DAY_METERS: Final = 1000
SLOTS: Final = 96
#: Seconds after which a vacuum that has not come is no longer waited for.
_PATIENCE: Final = 3

#: The table of rows that stands beside ours.
ROWS: Final = """
create table bench_row (
  channel_id bigint not null, start_at timestamptz not null, value bigint not null,
  quality smallint not null, primary key (channel_id, start_at))
"""
_UPSERT: Final = """
insert into bench_row
select channel, start_at, value, quality
from unnest(%s::bigint[], %s::timestamptz[], %s::bigint[], %s::smallint[])
  as b (channel, start_at, value, quality)
on conflict (channel_id, start_at) do update set value = excluded.value, quality = excluded.quality
where (bench_row.value, bench_row.quality) is distinct from (excluded.value, excluded.quality)
"""
_SIZE: Final = """
select sum(pg_total_relation_size(name::regclass))::bigint
from unnest(array['reading_day', 'reading_day_history']) as name
"""
_VACUUMS: Final = """
select autovacuum_count from pg_stat_user_tables where relname = 'reading_day'
"""


def today() -> datetime:
    """Return when the day of the channels began, whose slots are of UTC."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def request(slot: int, first: int) -> bytes:
    """Return a body: a reading of each meter of a batch, from *first* on."""
    begins = (today() + slot * timedelta(minutes=15)).isoformat()
    items = [
        {"meter": f"meter-{meter}", "start": begins, "value": (meter * 7 + slot) % 3000 / 1000}
        for meter in range(first, first + BATCH)
    ]
    return msgspec.json.encode({"readings": items})


def columns(slot: int, channels: Sequence[int], first: int) -> tuple[list[Any], ...]:
    """Return the same readings as the columns of rows."""
    begins = (today() + slot * timedelta(minutes=15)).isoformat()
    values = [(meter * 7 + slot) % 3000 * 1000 for meter in range(first, first + BATCH)]
    return list(channels[first : first + BATCH]), [begins] * BATCH, values, [1] * BATCH


async def upsert(tenant: Tenant, batch: tuple[list[Any], ...]) -> None:
    """Put rows; the driver itself would take far longer to write the arrays."""
    arrays = ["{" + ",".join(map(str, column)) + "}" for column in batch]
    await tenant.execute(_UPSERT, *arrays)


async def rate(sends: Sequence[Callable[[], Awaitable[Any]]]) -> float:
    """Return how many readings a second are stored by *sends*, some of them at a time."""
    waiting = iter(sends)

    async def one_by_one() -> None:
        for send in waiting:
            await send()

    begun = time.perf_counter()
    await asyncio.gather(*(one_by_one() for _ in range(IN_FLIGHT)))
    return len(sends) * BATCH / (time.perf_counter() - begun)


async def _rates(here: Scene, tenant: Tenant) -> Figure:
    """Compare how fast readings are stored."""
    channels = here.make_meters(METERS)
    await tenant.execute(ROWS)
    firsts = range(0, METERS, BATCH)
    slots = {"ours": 0, "rows": 0}

    async def ours() -> float:
        slot = slots["ours"]
        slots["ours"] += 1
        bodies = [request(slot, first) for first in firsts]
        return await rate([partial(here.post, "/v1/readings", body) for body in bodies])

    async def rows() -> float:
        slot = slots["rows"]
        slots["rows"] += 1
        batches = [columns(slot, channels, first) for first in firsts]
        return await rate([partial(upsert, tenant, batch) for batch in batches])

    found, limit = await in_turns_async(ours, rows, ROUNDS)
    return Figure(
        name=f"live, {METERS:,} meters, one reading each",
        against="`unnest` upsert of rows, no HTTP",
        unit="readings/s",
        ours=found,
        limit=limit,
        better="more",
        least=1,
        note=f"requests and statements of {BATCH:,} readings, {IN_FLIGHT} of them under way.",
    )


async def _left(here: Scene, tenant: Tenant) -> Figure:
    """Look what a whole day leaves, stored slot by slot, while the server vacuums."""
    # A day takes seconds here, and is vacuumed every other hour; else it would be every minute.
    naptime = "alter system set autovacuum_naptime = '1s'"
    here.administer(naptime, "select pg_reload_conf()")
    here.make_meters(DAY_METERS)
    begun, vacuums = await tenant.fetch(int, _SIZE), 0
    for slot in range(SLOTS):
        for first in range(0, DAY_METERS, BATCH):
            await here.post("/v1/readings", request(slot, first))
        if slot % 8 == 7:
            vacuums = await _vacuumed(tenant, vacuums)
    size = (await tenant.fetch(int, _SIZE))[0] - begun[0]
    return Figure(
        name="bytes that a live reading leaves after a day",
        against="30 bytes",
        unit="bytes",
        ours=size / (SLOTS * DAY_METERS),
        limit=30,
        better="less",
        most=1,
        note=f"{DAY_METERS:,} meters; indexes and what is to be reused are counted.",
    )


async def _vacuumed(tenant: Tenant, before: int) -> int:
    """Wait until the server has vacuumed once more than *before*; return how often it has."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        (vacuums,) = await tenant.fetch(int, _VACUUMS)
        if vacuums > before:
            return vacuums
        await asyncio.sleep(0.1)
    return before


async def _found(what: Callable[[Scene, Tenant], Awaitable[Figure]]) -> Figure:
    async with scene() as here:
        pool = Pool(here.dsn, Database(url=here.dsn, pool_size=IN_FLIGHT))
        try:
            return await what(here, pool.tenant())
        finally:
            await pool.close()


def figures() -> list[Figure]:
    """Measure."""
    return [asyncio.run(_found(_rates)), asyncio.run(_found(_left))]
