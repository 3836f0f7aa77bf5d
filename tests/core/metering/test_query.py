"""Stored readings, as they are and as they were known, whole or in pieces."""

from datetime import UTC, datetime, timedelta

import pytest

from energia.db.pool import Pool, Tenant
from energia.metering import query
from energia.metering.query import Span
from energia.metering.series import MISSING
from tests.core.metering.setting import START, FixedClock, meter, post, series

DAY = 86_400


async def test_known_at_leaves_out_what_ended_later(tenant: Tenant) -> None:
    """As of a past instant, slots that ended later are missing, and older revisions come back."""
    channel = await meter(tenant)
    await post(tenant, series([1, 2]))
    (first,) = await query.read(tenant, [Span(channel, START, START + 7200)])
    await post(tenant, series([1, 3]))

    then = await query.series(tenant, channel, START, START + 7200, first.revision_at)
    never = await query.series(
        tenant, channel, START, START + 7200, datetime(2026, 3, 1, 1, tzinfo=UTC)
    )

    assert then.values.tolist() == [1_000_000, 2_000_000]
    assert never.values.tolist() == [MISSING, MISSING]


async def test_live_fills_are_dated_by_their_slots(tenant: Tenant) -> None:
    """A fill of a running day is known from the end of its slot, once the block is recorded."""
    channel = await meter(tenant)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = round(today.timestamp())
    clock = FixedClock(today + timedelta(hours=1))
    await post(tenant, series([1, 2], start), clock=clock)
    day = [Span(channel, start, start + DAY)]
    (first,) = await query.read(tenant, day)
    await post(tenant, series([3], start + 7200), clock=clock)

    (found,) = await query.read(tenant, day)

    assert found.revision_at == first.revision_at
    assert found.series.values[:3].tolist() == [1_000_000, 2_000_000, 3_000_000]


@pytest.mark.parametrize("days", [[0], [0, 1], [3, 0], [5]])
async def test_days_without_readings_are_missing(tenant: Tenant, days: list[int]) -> None:
    """A window over days with and without readings has every slot, and starts where asked."""
    channel = await meter(tenant, offset="PT30M")
    for day in days:
        await post(tenant, series([day] * 24, START + 1800 + day * DAY))

    found = await query.series(tenant, channel, START + 3600, START + 6 * DAY)

    assert (found.start, len(found.values)) == (START + 5400, 6 * 24 - 1)
    expected = [
        day * 1_000_000 if (day := (instant - START - 1800) // DAY) in days else MISSING
        for instant in found.starts.tolist()
    ]
    assert found.values.tolist() == expected
    assert (found.quality == 1).tolist() == [value != MISSING for value in expected]


@pytest.mark.parametrize(("start", "end"), [(0, 0), (1, 3599), (3600, 0)])
async def test_windows_without_a_slot(tenant: Tenant, start: int, end: int) -> None:
    """A window in which no slot starts is empty."""
    channel = await meter(tenant)

    (found,) = await query.read(tenant, [Span(channel, START + start, START + end)])

    assert (len(found.series.values), found.revision_at) == (0, None)


async def test_slots_that_ended_later_are_not_known(pool: Pool) -> None:
    """Forecasts that were stored yesterday are of slots that had not ended."""
    tenant: Tenant = pool.tenant()
    channel = await meter(tenant)
    tomorrow = (int(datetime.now(UTC).timestamp()) // 86_400 + 1) * 86_400
    await post(tenant, series([1, 2, 3, 4], tomorrow))
    (forecast,) = await query.read(tenant, [Span(channel, tomorrow, tomorrow + 14_400)])
    stored = forecast.revision_at
    assert stored is not None

    async def at(instant: int) -> list[int]:
        moment = datetime.fromtimestamp(instant, UTC)
        found = await query.series(tenant, channel, tomorrow, tomorrow + 14_400, moment)
        return [0 if value == MISSING else value // 1_000_000 for value in found.values.tolist()]

    assert await at(round(stored.timestamp()) + 1) == [0, 0, 0, 0]
    assert await at(tomorrow + 7199) == [1, 0, 0, 0]
    assert await at(tomorrow + 7200) == [1, 2, 0, 0]


async def test_a_long_window_is_read_in_pieces(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is longer than it may be; together they are the window, whatever its bounds."""
    monkeypatch.setattr(query, "_PIECE", 10)
    channel = await meter(tenant)
    await post(tenant, series(list(range(48))))

    span = Span(channel, START + 5, START + 40 * 3600 - 7)
    found = [one async for one in query.pieces(tenant, span)]

    assert [len(one.values) for one in found] == [10, 10, 10, 9]
    assert [one.start for one in found[1:]] == [one.end for one in found[:-1]]
    values = [value // 1_000_000 for one in found for value in one.values.tolist()]
    assert values == list(range(1, 40))
