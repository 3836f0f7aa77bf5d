"""Readings that are read again: what is at hand, and what has changed since, is what is stored."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from energia.db.pool import Pool
from energia.db.tenant import Queries, Tenant
from energia.errors import EnergiaError
from energia.metering import archive, query
from energia.metering.archive import Window
from energia.metering.days import Days
from energia.metering.deletion import delete_slots
from energia.metering.models import Channel
from energia.metering.query import Span, StoredSeries
from energia.settings import Database
from energia.time import DAY, HOUR
from tests.core.metering.setting import START, FixedClock, meter, post, series, store

_NUMBERS = count()
#: All days of the tests may go to the archive.
ALL = Window(-1_000_000, 1_000_000)


async def read(queries: Queries, channel: Channel, first: int = 0, past: int = 5) -> StoredSeries:
    """Return the readings of some days, counted from the first of the tests."""
    (found,) = await query.read(queries, [Span(channel, START + first * DAY, START + past * DAY)])
    return found


async def by_itself(tenant: Tenant, channel: Channel, first: int = 0, past: int = 5) -> Any:
    """Return the same without what is at hand."""
    async with tenant.transaction() as queries:
        return told(await read(queries, channel, first, past))


def told(found: StoredSeries) -> Any:
    """Return all that is said of readings."""
    slots = found.series
    return slots.start, slots.values.tolist(), slots.quality.tolist(), found.revision_at


def at_hand(tenant: Tenant, channel: Channel) -> Days | None:
    """Return the days of a channel that are at hand."""
    return Days.at_hand(tenant.copies, channel)


async def test_what_has_not_changed_is_not_read_again(tenant: Tenant) -> None:
    """The arrays of the first read are those of the second, and of a part of it."""
    channel = await meter(tenant)
    await post(tenant, series([1, None, *[2] * 100]))

    first, again = await read(tenant, channel), await read(tenant, channel)
    part = await read(tenant, channel, 1, 3)

    assert np.shares_memory(first.series.values, again.series.values)
    assert np.shares_memory(first.series.values, part.series.values)
    assert told(again) == await by_itself(tenant, channel)
    assert told(part) == await by_itself(tenant, channel, 1, 3)


async def test_nobody_writes_into_what_is_at_hand(tenant: Tenant) -> None:
    """A reader that changes its readings fails, instead of changing those of others."""
    channel = await meter(tenant)
    await post(tenant, series([1]))
    found = await read(tenant, channel)

    with pytest.raises(ValueError, match="read-only"):
        found.series.values[0] = 7


async def test_a_changed_day_is_read_and_the_others_are_not(tenant: Tenant) -> None:
    """A correction replaces its day among those at hand."""
    channel = await meter(tenant)
    await post(tenant, series([1] * 120))
    await read(tenant, channel)
    before = at_hand(tenant, channel)
    await post(tenant, series([2], START + DAY))

    found = await read(tenant, channel)

    after = at_hand(tenant, channel)
    assert before is not None
    assert after is not None
    assert (before.versions != after.versions).tolist() == [False, True, False, False, False]
    assert told(found) == await by_itself(tenant, channel)


async def test_a_day_that_is_read_alone_renews_the_year_at_hand(tenant: Tenant) -> None:
    """The other days stay at hand."""
    channel = await meter(tenant)
    await post(tenant, series([1] * 120))
    await read(tenant, channel)
    await post(tenant, series([2], START + DAY))

    await read(tenant, channel, 1, 2)

    days = at_hand(tenant, channel)
    assert days is not None
    assert days.days == range(START // DAY, START // DAY + 5)
    assert days.blocks.values[:, 0].tolist() == [10**6, 2 * 10**6, 10**6, 10**6, 10**6]


async def test_live_fills_are_seen(tenant: Tenant) -> None:
    """They change a block in place, and its revision stays."""
    channel = await meter(tenant)
    clock = FixedClock(datetime.fromtimestamp(START, UTC) + timedelta(hours=1))
    await post(tenant, series([1]), clock=clock)
    first = await read(tenant, channel)
    await post(tenant, series([2], START + HOUR), clock=clock)

    found = await read(tenant, channel)

    assert found.revision_at == first.revision_at
    assert found.series.values[:2].tolist() == [10**6, 2 * 10**6]


async def test_a_transaction_reads_its_own_writes(tenant: Tenant) -> None:
    """And what it has rolled back is not at hand afterwards."""
    channel = await meter(tenant)
    await post(tenant, series([1] * 24))
    before = told(await read(tenant, channel))

    class Undone(Exception):
        """Nothing of it is stored."""

    with pytest.raises(Undone):
        async with tenant.whole() as whole:
            await post(whole, series([5] * 24))
            written = await read(whole, channel)
            raise Undone

    assert written.series.values[0] == 5 * 10**6
    assert told(await read(tenant, channel)) == before


async def test_a_snapshot_sees_its_own_state(tenant: Tenant) -> None:
    """Days that came meanwhile are at hand for others alone."""
    channel = await meter(tenant)
    await post(tenant, series([1] * 48))
    before = told(await read(tenant, channel))
    async with tenant.snapshot() as queries:
        await queries.fetch(int, "select 1")
        await post(tenant, series([2] * 30))
        after = told(await read(tenant, channel))

        then = told(await read(queries, channel))

    assert then == before
    assert told(await read(tenant, channel)) == after != before


async def test_another_organization_is_not_shown_what_is_at_hand(pool: Pool) -> None:
    """Row policies say what is stored for a caller, whatever others have read."""
    tenant, other = pool.tenant(), pool.tenant(2)
    await pool.everywhere().execute("insert into organization (name) values ('other')")
    channel = await meter(tenant)
    await post(tenant, series([1] * 24))
    stored = told(await read(tenant, channel))

    found = await read(other, channel)

    assert found.revision_at is None
    assert not (found.series.values > 0).any()
    assert told(await read(tenant, channel)) == stored


async def test_a_server_that_started_anew_numbers_anew(tenant: Tenant) -> None:
    """What was read of a server before says nothing of the versions of another one."""
    channel = await meter(tenant)
    await post(tenant, series([1] * 24))
    stored = told(await read(tenant, channel))
    days, copies = at_hand(tenant, channel), tenant.copies
    assert days is not None
    assert copies is not None
    wrong = attrs.evolve(
        days,
        server=days.server + timedelta(microseconds=1),
        blocks=attrs.evolve(days.blocks, values=days.blocks.values + 1),
    )
    wrong.keep(copies, channel)

    found = await read(tenant, channel)

    assert told(found) == stored


async def test_commits_that_do_not_wait_for_the_disk(database: str) -> None:
    """Where a crash may undo what was seen, its transaction's number may come again: no copies."""
    separator = "&" if "?" in database else "?"
    pool = Pool(f"{database}{separator}options=-csynchronous_commit%3Doff", Database())
    try:
        tenant = pool.tenant()
        channel = await meter(tenant)
        await post(tenant, series([1]))
        await read(tenant, channel)

        assert at_hand(tenant, channel) is None
    finally:
        await pool.close()


async def test_without_room_nothing_is_at_hand(database: str) -> None:
    """With `database.cache_bytes = 0` every read is a first one."""
    pool = Pool(database, Database(cache_bytes=0))
    tenant = pool.tenant()
    channel = await meter(tenant)
    await post(tenant, series([1] * 24))

    first, again = await read(tenant, channel), await read(tenant, channel)

    assert told(first) == told(again)
    assert not np.shares_memory(first.series.values, again.series.values)
    await pool.close()


async def test_many_channels_at_once_leave_the_others_at_hand(tenant: Tenant) -> None:
    """What a run reads once does not take the place of what is read again."""
    channels = [await meter(tenant, f"m{number}") for number in range(13)]
    await post(tenant, series([1], meter="m0"))
    await read(tenant, channels[0])
    days = at_hand(tenant, channels[0])

    await query.read(tenant, [Span(each, START, START + DAY) for each in channels])

    assert days is not None
    assert at_hand(tenant, channels[0]) is days
    assert [at_hand(tenant, each) for each in channels[1:]] == [None] * 12


DAYS = st.integers(0, 5)
VALUES = st.lists(st.one_of(st.none(), st.integers(-2, 3)), min_size=1, max_size=60)


@attrs.frozen
class Story:
    """A meter to which things happen, each in a transaction of its own."""

    tenant: Tenant
    channel: Channel

    async def send(self, start: int, values: Sequence[object]) -> None:
        """Send hours from one of a number on: corrections, or days that are new."""
        first = START + start * HOUR
        await post(self.tenant, series(values, first, self.channel.meter))

    async def fill(self, start: int, values: Sequence[object]) -> None:
        """Send them while their days are running."""
        first = START + start * HOUR
        clock = FixedClock(datetime.fromtimestamp(START, UTC))
        await post(self.tenant, series(values, first, self.channel.meter), clock=clock)

    async def qualify(self, start: int, values: Sequence[object]) -> None:
        """Send them with another quality."""
        items = [
            (START + (start + number) * HOUR, value, 5)
            for number, value in enumerate(values)
            if isinstance(value, int)
        ]
        if items:
            await store(self.tenant, self.channel.meter, [items], START + 100 * DAY)

    async def undo(self, start: int, values: Sequence[object]) -> None:
        """Send and read them in a transaction that is rolled back."""
        with pytest.raises(EnergiaError):
            async with self.tenant.whole() as whole:
                body = series(values, START + start * HOUR, self.channel.meter)
                await post(whole, body)
                await read(whole, self.channel)
                raise EnergiaError("undone")

    async def delete(self, start: int, _: Sequence[object]) -> None:
        """Delete what is before an hour."""
        async with self.tenant.transaction() as queries:
            await delete_slots(queries, [self.channel.meter], START + start * HOUR)

    async def archive(self, *_: object) -> None:
        """Move days to the archive."""
        await archive.archive(self.tenant, ALL)

    async def restore(self, *_: object) -> None:
        """Bring them back."""
        await archive.restore(self.tenant)

    async def rewrite(self, *_: object) -> None:
        """Touch all rows without changing what they say."""
        await self.tenant.execute("update reading_day set published_at = now()")


EVENTS: Sequence[Callable[[Story, int, Sequence[object]], Awaitable[None]]] = (
    Story.send,
    Story.send,
    Story.fill,
    Story.fill,
    Story.qualify,
    Story.undo,
    Story.delete,
    Story.archive,
    Story.restore,
    Story.rewrite,
)
STORY = st.lists(
    st.tuples(st.sampled_from(EVENTS), st.integers(0, 120), VALUES, DAYS, st.integers(1, 4)),
    min_size=1,
    max_size=12,
)


@given(STORY)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_whatever_happens_a_read_is_of_what_is_stored(tenant: Tenant, story: Any) -> None:
    """Values, qualities and revisions are those of a read with nothing at hand."""
    channel = await meter(tenant, f"m{next(_NUMBERS)}")
    told_of = Story(tenant, channel)
    for event, start, values, first, days in story:
        await event(told_of, start, values)
        for window in ((first, first + days), (0, 8)):
            found = told(await read(tenant, channel, *window))
            assert found == await by_itself(tenant, channel, *window)
