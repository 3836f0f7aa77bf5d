"""The archive: what a reading takes there, and how fast it is read.

A year of 15-minute readings of some meters, sent day by day as a head-end does, so that each day
has an import and a date of its own; then eleven months of it go to the archive. The values are
random, so that nothing but their size can be compressed: real ones take no more.
"""

import asyncio
import time
from datetime import UTC, date, datetime, timedelta
from typing import Final

import msgspec
import psycopg2

from benchmarks.figures import Figure, in_turns_async
from benchmarks.scene import scene, year
from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.metering import archive, query, registry
from energia.metering.archive import Window
from energia.metering.query import Span
from energia.settings import Database
from energia.time import DAY, day_number

METERS: Final = 24
FIRST: Final = datetime(2025, 1, 1, tzinfo=UTC)
DAYS: Final = 365
#: The newest month of a meter stays as it is.
WINDOW: Final = Window(day_number(date(2025, 1, 1)), day_number(date(2025, 12, 1)))
ARCHIVED: Final = WINDOW.before - WINDOW.since
SLOTS: Final = 96


def figures() -> list[Figure]:
    """Return what a reading takes, beside rows and beside blocks, and what reading it takes."""
    return asyncio.run(_figures())


async def _figures() -> list[Figure]:
    async with scene() as found:
        found.make_meters(METERS)
        years = [year(meter) for meter in range(METERS)]
        for day in range(DAYS):
            await found.post("/v1/readings", _day(years, day))
        rows = _rows(found.dsn, years)
        blocks = _size(found.dsn, "reading_day") / (METERS * DAYS * SLOTS)
        # Every other meter goes there: what is read is the same, and in turns.
        # Nothing is at hand, of which the blocks alone would be.
        pool = Pool(found.dsn, Database(cache_bytes=0))
        for meter in range(0, METERS, 2):
            await archive.archive(pool.tenant(), WINDOW, f"meter-{meter}")
        packed = _size(found.dsn, "reading_archive") / (METERS // 2 * ARCHIVED * SLOTS)
        ours, limit = await in_turns_async(
            lambda: _read(pool.tenant(), "meter-0"),
            lambda: _read(pool.tenant(), "meter-1"),
            rounds=25,
        )
        await pool.close()
    return [
        Figure(
            name="archive",
            against="rows with a primary key",
            unit="bytes a reading",
            ours=packed,
            limit=rows,
            better="less",
            least=20,
            note="with indexes and TOAST; random values of up to 3 kWh in Wh, sent by days",
        ),
        Figure(
            name="archive, beside blocks",
            against="the same in day blocks",
            unit="bytes a reading",
            ours=packed,
            limit=blocks,
            better="less",
            least=3,
        ),
        Figure(
            name="read eleven months from the archive",
            against="from day blocks",
            unit="ms",
            ours=ours,
            limit=limit,
            better="less",
            most=2,
            note="first reads, as arrays, without HTTP and JSON, which are the same for both",
        ),
    ]


def _day(years: list[list[float]], day: int) -> bytes:
    start = (FIRST + timedelta(day)).isoformat()
    part = slice(day * SLOTS, (day + 1) * SLOTS)
    series = [
        {"meter": f"meter-{meter}", "start": start, "interval": "PT15M", "values": values[part]}
        for meter, values in enumerate(years)
    ]
    return msgspec.json.encode({"series": series})


def _rows(dsn: str, years: list[list[float]]) -> float:
    """Return the bytes that a reading takes as a row."""
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(
            "create table peer (channel_id bigint, start_at timestamptz, value double precision,"
            " primary key (channel_id, start_at))"
        )
        for meter, values in enumerate(years):
            cursor.execute(
                "insert into peer select %s, %s::timestamptz + (slot - 1) * interval '15 minutes',"
                " value from unnest(%s::float[]) with ordinality as v (value, slot)",
                (meter, FIRST, values),
            )
    connection.close()
    return _size(dsn, "peer") / (METERS * DAYS * SLOTS)


def _size(dsn: str, table: str) -> int:
    """Return what a table takes with its indexes and what is out of line."""
    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:
        cursor.execute("select pg_total_relation_size(%s)", (table,))
        (size,) = cursor.fetchone() or (0,)
    connection.close()
    return int(size)


async def _read(tenant: Tenant, meter: str) -> float:
    """Return how many ms it takes to read a meter's eleven months."""
    (channel,) = await registry.channels(tenant, meter)
    span = Span(channel, WINDOW.since * DAY, WINDOW.before * DAY)
    begun = time.perf_counter()
    (found,) = await query.read(tenant, [span])
    took = (time.perf_counter() - begun) * 1000
    assert len(found.series.values) == ARCHIVED * SLOTS
    assert (found.series.values >= 0).all()
    return took
