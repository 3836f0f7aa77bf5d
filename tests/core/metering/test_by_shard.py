"""What is sent shard by shard, as to a cluster, stores and gives what one message does."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest

from energia.db.pool import Pool
from energia.db.shards import Shards
from energia.db.tenant import Tenant
from energia.metering import query
from energia.metering.deletion import delete_slots
from energia.metering.models import Channel
from energia.metering.query import Span
from energia.metering.stored import Seen, extents, newest_of, revised
from energia.settings import Database
from energia.time import DAY
from tests.core.db.test_shards import EVEN
from tests.core.metering.setting import (
    LATE,
    STAMP,
    START,
    FixedClock,
    counts,
    meter,
    one_series,
    post,
)

METERS = [f"m{number}" for number in range(20)]


class Spread(Pool):
    """A pool that takes its server for a cluster."""

    @property
    def shards(self) -> Shards:
        """32 of them."""
        return EVEN


@pytest.fixture(name="both")
async def _both(database: str, pool: Pool) -> AsyncIterator[tuple[Tenant, Tenant]]:
    """Give an organization with one message for all, and one with a message for each shard."""
    await pool.everywhere().execute("insert into organization (name) values ('spread')")
    spread = Spread(database, Database(pool_size=3))
    yield pool.tenant(), spread.tenant(2)
    await spread.close()


async def _channels(tenant: Tenant) -> list[Channel]:
    return [await meter(tenant, id_) for id_ in METERS]


async def _stored(tenant: Tenant, channels: list[Channel], known_at: datetime | None) -> object:
    spans = [Span(channel, START - DAY, START + 3 * DAY) for channel in channels]
    return [
        (each.series.values.tolist(), each.series.quality.tolist())
        for each in await query.read(tenant, spans, known_at)
    ]


async def _story(tenant: Tenant) -> list[object]:
    """Let readings come in each form, change and go; return all that is told of them."""
    channels = await _channels(tenant)
    first = {"series": [one_series([1, None, *[2] * 40], meter=id_) for id_ in METERS]}
    told: list[object] = [counts(await post(tenant, first))]
    live = {"readings": [{"meter": id_, "start": STAMP, "value": 1} for id_ in METERS]}
    told.append(counts(await post(tenant, live, clock=FixedClock(LATE))))
    seen = [
        Seen(channel.key, range(START // DAY, START // DAY + 2), each.revision_at)
        for channel, each in zip(
            channels,
            await query.read(tenant, [Span(each, START, START + DAY) for each in channels]),
            strict=True,
        )
    ]
    told.append(await revised(tenant, seen))
    (known_at,) = await tenant.fetch(_instant, "select clock_timestamp()")
    later = {"series": [one_series([3, 4, 5], START + DAY, id_) for id_ in METERS[::3]]}
    again = {"readings": [{"meter": id_, "start": STAMP, "value": 7} for id_ in METERS[1:]]}
    told += [counts(await post(tenant, body)) for body in (later, again)]
    told.append(await revised(tenant, seen))
    told += [await _stored(tenant, channels, None), await _stored(tenant, channels, known_at)]
    told.append(await newest_of(tenant, channels))
    found = (await extents(tenant, channels)).values()
    told.append(sorted((each.first, each.last) for each in found if each.first and each.last))
    async with tenant.transaction() as queries:
        told.append((await delete_slots(queries, METERS[:9], START + 2 * 3600)).readings)
    told.append(await _stored(tenant, channels, None))
    return told


def _instant(instant: datetime) -> datetime:
    return instant


async def test_readings_are_the_same(both: tuple[Tenant, Tenant]) -> None:
    """Stored, revised, filled live, read as they are and were, summed up and deleted."""
    plain, spread = [await _story(tenant) for tenant in both]

    assert plain == spread


@pytest.mark.parametrize("count", [1, 3, len(METERS)])
async def test_live_readings_are_the_same(both: tuple[Tenant, Tenant], count: int) -> None:
    """Of meters in one shard, in some and in many: new, filled, equal, corrected, before others."""
    plain, spread = [await _live(tenant, METERS[:count]) for tenant in both]

    assert plain == spread


async def _live(tenant: Tenant, meters: Sequence[str]) -> list[object]:
    """Send a reading of each meter again and again; return all that is told of them."""
    channels = [await meter(tenant, id_) for id_ in meters]
    told: list[object] = []
    clock = FixedClock(datetime.fromtimestamp(START + 7 * 3600, UTC))
    for slot, value in ((0, 1), (1, 2), (1, 2), (5, 4), (3, 3), (1, 9)):
        runs = [one_series([value], START + 3600 * slot, id_) for id_ in meters]
        told.append(counts(await post(tenant, {"series": runs}, clock=clock)))
        # Of some the next slot is filled already.
        ahead = [one_series([7], START + 3600 * (slot + 1), id_) for id_ in meters[::2]]
        told.append(counts(await post(tenant, {"series": ahead}, clock=clock)))
    told.append(await _stored(tenant, channels, None))
    keys = [channel.key for channel in channels]
    for table in ("reading_day", "reading_day_history"):
        rows = f"select revision, count(*) from {table} where channel_id = any(%s) group by 1"
        told.append(sorted(await tenant.rows(rows, keys)))
    return told


async def test_the_other_shards_are_asked_as_well(both: tuple[Tenant, Tenant]) -> None:
    """Channels of many shards are found in one answer, in the order in which they were asked."""
    _, spread = both
    channels = await _channels(spread)
    for number, id_ in enumerate(METERS, 1):
        await post(spread, {"series": [one_series([number], meter=id_)]})

    answers = await query.read(spread, [Span(each, START, START + 3600) for each in channels])

    assert len(EVEN.parts([channel.key for channel in channels])) > 8
    assert [each.series.values.tolist() for each in answers] == [
        [number * 1_000_000] for number in range(1, 21)
    ]
