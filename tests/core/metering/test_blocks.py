"""Blocks in the database: several writers at once, imports that break off, arrays as literals."""

import asyncio
import random
import tracemalloc
from datetime import UTC, datetime

import numpy as np
import pytest

from energia.db.pool import Tenant
from energia.errors import Invalid
from energia.metering import blocks, query
from energia.metering.series import MISSING, NEVER_SENT
from tests.core.metering.setting import (
    STAMP,
    START,
    FixedClock,
    Item,
    meter,
    one_series,
    post,
    series,
    store,
)

DAY = 86_400


async def test_writers_of_one_day_lose_nothing(tenant: Tenant) -> None:
    """Each of many tasks fills its own slots of the same day; all are there at the end."""
    channel = await meter(tenant, interval="PT15M")
    slots = list(range(96))
    random.Random(1).shuffle(slots)

    async def write(mine: list[int]) -> None:
        for slot in mine:
            await store(tenant, "m", [[(START + 900 * slot, slot, 1)]], START + 3 * DAY)

    await asyncio.gather(*(write(slots[number::8]) for number in range(8)))

    found = await query.series(tenant, channel, START, START + DAY)
    assert found.values.tolist() == [slot * 1_000_000 for slot in range(96)]


async def test_racing_corrections_are_all_in_history(tenant: Tenant) -> None:
    """As many corrections as are counted are in history, whichever way they are written."""
    await meter(tenant, interval="PT15M")
    await store(tenant, "m", [[(START + 900 * i, 0, 1) for i in range(96)]], START)

    async def correct(number: int) -> int:
        changed = 0
        for turn in range(10):
            items = [(START + 900 * i, number * 100 + turn, 1) for i in range(1 + turn % 2)]
            changed += (await store(tenant, "m", [items], START)).corrected > 0
        return changed

    corrected = await asyncio.gather(*(correct(number) for number in range(1, 6)))

    revisions = await tenant.fetch(
        lambda *row: row,
        "select (select revision from reading_day), (select count(*) from reading_day_history), "
        "(select count(distinct revision) from reading_day_history)",
    )
    assert revisions == [(1 + sum(corrected), sum(corrected), sum(corrected))]


@pytest.mark.parametrize("form", ["series", "readings"])
async def test_a_block_that_another_makes_meanwhile_is_merged_into(
    tenant: Tenant, form: str
) -> None:
    """Whoever made it held no channel: it is there only when it is written, and is read anew."""
    channel = await meter(tenant)
    made = """insert into reading_day
      (organization_id, channel_id, day, "values", revision, import_id, recorded_at)
      values (1, %s, '2026-03-01', array_fill(7000000::bigint, array[24]), 1, 1, now())"""
    reading = {"meter": "m", "start": STAMP, "value": 8}
    body = {"readings": [reading]} if form == "readings" else series([8])

    async with tenant.transaction() as other:
        await other.execute(made, channel.key)
        sending = asyncio.create_task(post(tenant, body))
        await until_one_waits(tenant)
    outcome = await sending

    assert (outcome.created, outcome.corrected) == (0, 1)
    found = await query.series(tenant, channel, START, START + DAY)
    assert found.values.tolist() == [8_000_000, *[7_000_000] * 23]


async def until_one_waits(tenant: Tenant) -> None:
    """Wait until a statement waits for a lock, be it on a node of a cluster."""
    where = "citus_lock_waits" if tenant.shards else "pg_locks where not granted"
    waiting = f"select count(*) from {where}"
    async with asyncio.timeout(10):
        while await tenant.fetch(int, waiting) == [0]:
            await asyncio.sleep(0.01)


async def test_opposite_orders_do_not_lock_each_other_out(tenant: Tenant) -> None:
    """Bodies that name the same meters in opposite orders are both stored."""
    names = [f"m{number}" for number in range(20)]
    for name in names:
        await meter(tenant, name)

    async def write(order: list[str], value: int) -> None:
        for turn in range(5):
            runs = [one_series([value, turn], meter=name) for name in order]
            await post(tenant, {"series": runs})

    await asyncio.gather(write(names, 1), write(names[::-1], 2), write(names, 3))

    stored = await tenant.fetch(int, "select count(*) from reading_day")
    assert stored == [20]


async def test_a_failure_in_the_middle_leaves_nothing(tenant: Tenant) -> None:
    """A wrong reading at the end of a large body undoes what was written before it."""
    await meter(tenant)
    values: list[object] = [1.0] * (24 * 3650)

    with pytest.raises(Invalid) as caught:
        await post(tenant, series([*values, 1e10]))

    assert [fault.code for fault in caught.value.faults] == ["out_of_range"]
    assert await tenant.fetch(int, "select count(*) from reading_day") == [0]
    assert await tenant.fetch(int, "select count(*) from import") == [0]


async def test_the_clock_decides_what_is_live(tenant: Tenant) -> None:
    """Within the grace a fill is live, and at its end it is not."""
    await meter(tenant)
    midnight = START + DAY
    for turn, after in enumerate((7199, 7200)):
        clock = FixedClock(datetime.fromtimestamp(midnight + after, UTC))
        await post(tenant, series([1.0], START + 3600 * turn), clock=clock)
        await post(tenant, series([1.0], START + 3600 * (turn + 2)), clock=clock)

    assert await tenant.fetch(int, "select revision from reading_day") == [3]


async def test_several_channels_and_years_in_one_body(tenant: Tenant) -> None:
    """A body of several meters and years is cut into messages, and is whole afterwards."""
    for name in ("a", "b"):
        await meter(tenant, name, interval="PT15M")
    values = [number % 3000 / 1000 for number in range(3 * 35_040)]
    runs = [one_series(values, START, name, "PT15M") for name in ("b", "a")]

    outcome = await post(tenant, {"series": runs})

    assert (outcome.created, outcome.meters) == (2 * len(values), ("a", "b"))
    for name in ("a", "b"):
        channel = await meter(tenant, name, interval="PT15M")
        found = await query.series(tenant, channel, START, START + 900 * len(values))
        assert (found.values // 1000).tolist() == [number % 3000 for number in range(len(values))]
        assert not (found.values == MISSING).any()


async def test_many_meters_with_one_reading_each(tenant: Tenant) -> None:
    """The live form goes slot by slot; a meter with more readings goes as a block beside it."""
    names = [f"m{number:03}" for number in range(120)]
    for name in names:
        await meter(tenant, name)
    runs = [
        one_series([number] * (1 + number % 2), START, name) for number, name in enumerate(names)
    ]

    first, again = await post(tenant, {"series": runs}), await post(tenant, {"series": runs})

    assert (first.created, again.unchanged) == (180, 180)
    rows = await tenant.fetch(
        lambda *row: row,
        "select meter, sum(value)::int from reading group by meter order by meter",
    )
    assert rows == [(name, number * (1 + number % 2)) for number, name in enumerate(names)]


async def test_live_readings_of_many_meters_are_filled_unchanged_or_corrected(
    tenant: Tenant,
) -> None:
    """In one live batch a slot is filled, one is equal, one corrected, one before a value."""
    clock = FixedClock(datetime.fromtimestamp(START + 7200, UTC))
    for name in "abcd":
        await meter(tenant, name)
    stored: dict[str, list[object]] = {"b": [1, 2], "c": [1, 3], "d": [1, None, 4]}
    runs = [one_series(values, START, name) for name, values in stored.items()]
    await post(tenant, {"series": [*runs, one_series([1], START, "a")]}, clock=clock)

    batch = {"series": [one_series([2], START + 3600, name) for name in "abcd"]}
    outcome = await post(tenant, batch, clock=clock)

    assert (outcome.created, outcome.unchanged, outcome.corrected) == (2, 1, 1)
    rows = await tenant.fetch(
        lambda *row: row,
        "with c as materialized (select id, meter_id from channel)"
        ' select c.meter_id, d.revision, (energia_slots(d.narrow, d."values"))[:3]'
        " from reading_day d join c on c.id = d.channel_id order by 1",
    )
    million = 1_000_000
    assert rows == [
        ("a", 1, [million, 2 * million, None]),
        ("b", 1, [million, 2 * million, None]),
        ("c", 2, [million, 2 * million, None]),
        ("d", 2, [million, 2 * million, 4 * million]),
    ]


def test_quality_literals() -> None:
    """A block of nothing but actual values needs no qualities."""
    codes = np.array([[1, NEVER_SENT], [1, 0], [NEVER_SENT, 7]], np.int8)

    assert blocks.quality_literals(codes) == '{NULL,"{1,0}","{NULL,7}"}'
    assert blocks.quality_literals(codes[:1]) == "{NULL}"


async def test_days_of_many_slots_are_written_few_at_a_time(tenant: Tenant) -> None:
    """A message has so many slots, not so many days: a channel of seconds fits in memory."""
    await meter(tenant, interval="PT1S")
    items: list[Item] = [(START + DAY * day, day, 5) for day in range(20)]
    tracemalloc.start()

    outcome = await store(tenant, "m", [items] * 2, START)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (outcome.created, outcome.repeated) == (20, 20)
    assert peak < 30_000_000
