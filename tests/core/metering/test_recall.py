"""A meter that is asked for again: what one statement tells is what two would."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from itertools import count
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from energia.db.connection import Connection, Parameters, Result
from energia.db.pool import Pool
from energia.db.tenant import Tenant, statement_of
from energia.errors import AmbiguousChannel, NotFound
from energia.metering import query, recall, registry
from energia.metering.models import Channel, NewChannel, NewMeter, NewSite
from energia.metering.query import Span
from energia.metering.recall import Found
from energia.time import DAY, Zone
from tests.core.metering.setting import LATE, START, meter, post, series
from tests.core.metering.test_days import STORY, Story, by_itself, told

_NUMBERS = count()


@attrs.frozen
class Part:
    """Some local days of the first channel of a meter."""

    span: Span
    channels: Sequence[Channel]


@attrs.frozen
class Days:
    """What is wanted: days from the first of the tests on, by the clock of the site."""

    first: int = 0
    past: int = 5

    def among(self, channels: Sequence[Channel], timezone: str) -> Part:
        """Return them; raises `AmbiguousChannel` for three channels."""
        if len(channels) > 2:
            raise AmbiguousChannel("which?")
        days = np.array([START // DAY + self.first, START // DAY + self.past])
        start, end = Zone.named(timezone).midnights(days).tolist()
        return Part(Span(channels[0], start, end), channels)


async def found(tenant: Tenant, id_: str = "m", days: Days | None = None) -> Found[Part]:
    """Return days of a meter."""
    return await recall.found(tenant, id_, (days or Days()).among)


async def read(tenant: Tenant, id_: str = "m", days: Days | None = None) -> Any:
    """Return what is said of the readings of days of a meter, so that they are at hand next."""
    asked = await found(tenant, id_, days)
    if asked.stored is not None:
        return told(asked.stored)
    span = asked.wanted.span
    return told((await query.read(tenant, [span]))[0])


@pytest.fixture
async def sent(pool: Pool) -> AsyncIterator[list[str]]:
    """Give the statements that are sent."""
    statements: list[str] = []

    def note(message: str, answer: Awaitable[Result]) -> Awaitable[Result]:
        statements.append(statement_of(message))
        return answer

    pool.stats.statement_timers.append(note)
    yield statements
    pool.stats.statement_timers.remove(note)


async def test_what_is_at_hand_takes_one_statement(pool: Pool, sent: list[str]) -> None:
    """The readings of the second time are the arrays of the first, and nothing else is asked."""
    tenant = pool.tenant()
    await meter(tenant)
    await post(tenant, series([1, None, *[2] * 118]))
    first = await read(tenant)
    sent.clear()

    again = await found(tenant)

    assert again.stored is not None
    assert told(again.stored) == first
    assert sent == [recall._AGAIN]
    assert pool.copies.rows["memory"] == 5


async def test_what_is_not_prepared_tells_the_same(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a connection pooler the statement is sent as it is."""

    async def plain(
        self: Connection, settings: str, statement: str, parameters: Parameters, limit: float
    ) -> Result:
        return await self.run(f"{settings}; {statement}", parameters, limit)

    monkeypatch.setattr(Connection, "run_prepared", plain)
    channel = await meter(tenant)
    await post(tenant, series([1, None, *[2] * 118]))
    await read(tenant)

    again = await found(tenant)

    assert again.stored is not None
    assert told(again.stored) == await by_itself(tenant, channel)


async def test_a_part_of_what_is_at_hand_is_at_hand(tenant: Tenant) -> None:
    """A day of a year that was read is a part of its arrays."""
    channel = await meter(tenant)
    await post(tenant, series(list(range(120))))
    await read(tenant)

    part = await found(tenant, days=Days(1, 3))

    assert part.stored is not None
    assert told(part.stored) == await by_itself(tenant, channel, 1, 3)


async def test_what_has_changed_is_not_at_hand(tenant: Tenant) -> None:
    """It is read as ever, and at hand the next time."""
    channel = await meter(tenant)
    await post(tenant, series([1] * 120))
    await read(tenant)
    await post(tenant, series([2], START + DAY))

    changed = await found(tenant)
    assert changed.stored is None
    assert await read(tenant) == await by_itself(tenant, channel)
    assert (await found(tenant)).stored is not None


async def test_what_has_changed_takes_two_statements(pool: Pool, sent: list[str]) -> None:
    """One finds that something has changed, the other reads that."""
    tenant = pool.tenant()
    channel = await meter(tenant)
    await post(tenant, series([1] * 120))
    await read(tenant)
    await post(tenant, series([2], START + DAY))
    sent.clear()
    pool.copies.rows["database"] = 0

    changed = await read(tenant)

    assert sent == [recall._AGAIN, query._OF_CHANNEL]
    assert pool.copies.rows["database"] == 1
    assert changed == await by_itself(tenant, channel)


async def test_a_day_without_a_block_is_not_at_hand(tenant: Tenant) -> None:
    """It may be in the archive."""
    await meter(tenant)
    await post(tenant, series([1] * 24))
    await read(tenant)

    assert (await found(tenant)).stored is None
    assert (await found(tenant, days=Days(0, 1))).stored is not None


async def test_channels_that_are_others_by_now_count(tenant: Tenant) -> None:
    """What is wanted is chosen among those that there are, not among those that there were."""
    channel = await meter(tenant, zone="Europe/London")
    await post(tenant, series([1] * 120))
    await read(tenant)
    assert (await found(tenant)).stored is not None
    kept = channel.declaration()
    site = "Europe.London"
    more = NewChannel("export", "active_energy", "export", "kWh", "PT1H", "PT0S")

    await registry.put_meter(tenant, "m", NewMeter(site, (kept, more)), LATE)
    two = await found(tenant)
    assert [each.id for each in two.wanted.channels] == ["import", "export"]
    assert two.stored is None

    await registry.put_site(tenant, site, NewSite("Home", "Asia/Tokyo", "GB", "GBP"))
    east = await found(tenant)
    assert east.wanted.span.start == START - 9 * 3600
    assert east.stored is None


async def test_a_meter_that_is_gone_is_not_found(tenant: Tenant) -> None:
    """Whatever is at hand of it."""
    await meter(tenant)
    await post(tenant, series([1] * 120))
    await read(tenant)
    await tenant.execute("delete from reading_day")
    await registry.delete_meter(tenant, "m")

    with pytest.raises(NotFound, match="there is no meter 'm'"):
        await found(tenant)


async def test_what_is_wanted_may_be_refused(tenant: Tenant) -> None:
    """By the channels that there are: those that there were refuse nothing."""
    await meter(tenant, channels=("import", "b", "c"))
    for _ in range(2):
        with pytest.raises(AmbiguousChannel, match="which"):
            await found(tenant)

    await meter(tenant)
    assert [each.id for each in (await found(tenant)).wanted.channels] == ["import"]


async def test_another_organization_has_other_meters(pool: Pool) -> None:
    """What is known of a meter is nothing about that of another organization."""
    tenant, other = pool.tenant(), pool.tenant(2)
    await pool.everywhere().execute("insert into organization (name) values ('other')")
    await meter(tenant)
    await post(tenant, series([1] * 120))
    stored = await read(tenant)
    assert (await found(tenant)).stored is not None

    with pytest.raises(NotFound):
        await found(other)
    await meter(other)
    assert (await found(other)).stored is None
    assert await read(other) != stored


async def test_what_is_written_in_a_transaction_is_seen_there(tenant: Tenant) -> None:
    """Nothing is at hand where something may have been written."""
    await meter(tenant)
    await post(tenant, series([1] * 120))
    await read(tenant)

    async with tenant.whole() as whole:
        assert (await found(whole)).stored is None


async def test_channels_are_told_alike(tenant: Tenant) -> None:
    """Both statements say the same of them, deletions and the archive included."""
    await meter(tenant, channels=("a", "b"), max_power="12.5")
    await post(
        tenant,
        {"series": [{**series([1] * 48)["series"][0], "channel": "a"}]},  # type: ignore[index]
    )
    await tenant.execute(
        "insert into deletion (organization_id, meter_id, before_at, reason, caller, readings)"
        " values (1, 'm', '2026-01-01', 'r', 'c', 0)"
    )
    expected = await registry.channels_and_zone(tenant, "m")
    days = Days(0, 2)
    await read(tenant, days=days)

    asked = await found(tenant, days=days)

    assert asked.stored is not None
    assert asked.wanted.channels == expected[0]


@given(STORY)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_whatever_happens_what_is_at_hand_is_stored(tenant: Tenant, story: Any) -> None:
    """Values, qualities and revisions are those of a read with nothing at hand."""
    id_ = f"r{next(_NUMBERS)}"
    channel = await meter(tenant, id_)
    told_of = Story(tenant, channel)
    for event, start, values, first, days in story:
        await event(told_of, start, values)
        for window in ((first, first + days), (0, 8)):
            told_again = await read(tenant, id_, Days(*window))
            assert told_again == await by_itself(tenant, channel, *window)
