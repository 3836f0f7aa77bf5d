"""The rules of merging hold for any sequence of imports, on either way of writing."""

from datetime import datetime
from itertools import count

import attrs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from energia.db.pool import Tenant
from energia.metering import query
from energia.metering.merge import Blocks, ImportBlocks
from energia.metering.models import Channel
from energia.metering.series import MISSING, NEVER_SENT, Series
from tests.core.metering.model import DAY, Block, Model, Slots
from tests.core.metering.setting import START, Item, counts, meter, post, series, store

_NUMBERS = count()
_MICRO = 1_000_000

#: Relative to the start of the first of two days: while they run, in the grace, and after.
NOWS = st.sampled_from([3600, 30_000, DAY - 1, DAY + 7199, DAY + 7200, 2 * DAY, 3 * DAY])
#: In kWh; a narrow block holds 2,147 and no more.
VALUES = st.one_of(st.none(), st.integers(-2, 2), st.sampled_from([2147, 2148, -2148]))


@st.composite
def imports(draw: st.DrawFn) -> tuple[int, list[list[Item]]]:
    """Draw when an import comes, and its batches (starts relative to the first day)."""
    item = st.tuples(st.integers(0, 47), VALUES, st.sampled_from([1, 1, 1, 5, 7]))
    batch = st.lists(item, min_size=1, max_size=30)
    return draw(NOWS), draw(st.lists(batch, min_size=1, max_size=3))


@given(st.sampled_from([0, 1800]), st.lists(imports(), min_size=1, max_size=5))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_any_sequence_of_imports_follows_the_rules(
    tenant: Tenant, offset: int, sequence: list[tuple[int, list[list[Item]]]]
) -> None:
    """Counts, values, qualities and revisions are those of a plain model, however batched."""
    id_ = f"m{next(_NUMBERS)}"
    channel = await meter(tenant, id_, offset="PT30M" if offset else "PT0S")
    model, moments = Model(offset), [await _moment(tenant, Model(offset))]
    whole = True
    for now, relative in sequence:
        batches = [
            [(START + offset + slot * 3600, value, quality) for slot, value, quality in batch]
            for batch in relative
        ]
        at = START + offset + now

        outcome = await store(tenant, id_, batches, at)

        assert counts(outcome) == model.store(batches, at)
        assert sum(counts(outcome).values()) == 2 * outcome.received
        whole &= len(batches) == 1
        moments.append(await _moment(tenant, model))
    await _assert_same(tenant, channel, model, whole)
    if whole:
        await _assert_replayed(tenant, channel, model, moments)


async def _moment(tenant: Tenant, model: Model) -> tuple[datetime, dict[int, int]]:
    """Return the server's time, and which revisions are current."""
    (now,) = await tenant.fetch(lambda at: at, "select clock_timestamp()")
    return now, {day: block.revision for day, block in model.blocks.items()}


async def _assert_replayed(
    tenant: Tenant, channel: Channel, model: Model, moments: list[tuple[datetime, dict[int, int]]]
) -> None:
    """As of any moment between imports, what is known are the revisions that were current."""
    for at, revisions in moments:
        for day, block in model.blocks.items():
            start = channel.grid.day_start(day)

            found = await query.series(tenant, channel, start, start + DAY, at)

            states = [{}, *block.before, block.slots]
            assert _slots(found) == states[revisions.get(day, 0)]


async def _assert_same(tenant: Tenant, channel: Channel, model: Model, whole: bool) -> None:
    """Compare what is stored, and what was, with the model."""
    rows = await tenant.fetch(
        lambda *columns: columns,
        "select day - date '1970-01-01', revision, recorded_at from reading_day "
        "where channel_id = %s",
        channel.key,
    )
    assert {day: revision for day, revision, _ in rows} == {
        day: block.revision for day, block in model.blocks.items()
    }
    for day, block in model.blocks.items():
        assert _slots(await _day(tenant, channel, day)) == block.slots
        if whole:
            await _assert_history(tenant, channel, day, block)


async def _assert_history(tenant: Tenant, channel: Channel, day: int, block: Block) -> None:
    """At the moment each revision was recorded, it is what was known."""
    known = await tenant.fetch(
        lambda at: at,
        "select recorded_at from reading_day_history where channel_id = %s "
        "and day = date '1970-01-01' + %s order by revision",
        channel.key,
        day,
    )
    found = [
        _slots(
            await query.series(
                tenant, channel, channel.grid.day_start(day), channel.grid.day_start(day + 1), at
            )
        )
        for at in known
    ]

    assert found == block.before


async def _day(tenant: Tenant, channel: Channel, day: int) -> Series:
    start = channel.grid.day_start(day)
    return await query.series(tenant, channel, start, start + DAY)


def _slots(series: Series) -> Slots:
    return {
        index: (None if value == MISSING else value // _MICRO, quality)
        for index, (value, quality) in enumerate(
            zip(series.values.tolist(), series.quality.tolist(), strict=True)
        )
        if quality != NEVER_SENT
    }


@pytest.mark.parametrize("slots", [1, 3])
async def test_live_fill_keeps_the_revision(tenant: Tenant, slots: int) -> None:
    """A running day is filled in place: no history, same revision, same recorded_at."""
    channel = await meter(tenant)
    block = "select revision, recorded_at from reading_day where channel_id = %s"
    await store(tenant, "m", [[(START + 3600 * i, i, 1) for i in range(slots)]], START + 7000)
    before = await tenant.fetch(lambda *row: row, block, channel.key)

    await store(
        tenant, "m", [[(START + 3600 * (slots + i), i, 1) for i in range(slots)]], START + 14_000
    )

    assert await tenant.fetch(lambda *row: row, block, channel.key) == before
    assert await _history(tenant) == 0


async def test_late_fill_starts_a_revision(tenant: Tenant) -> None:
    """A fill after the grace moves the old block to history at the new one's instant."""
    channel = await meter(tenant)
    await store(tenant, "m", [[(START, 1, 1)]], START)

    await store(tenant, "m", [[(START + 3600, 2, 1)]], START + DAY + 7200)

    rows = await tenant.fetch(
        lambda *row: row,
        "select d.revision, h.revision, d.recorded_at = h.superseded_at "
        "from reading_day d join reading_day_history h using (channel_id, day) "
        "where channel_id = %s",
        channel.key,
    )
    assert rows == [(2, 1, True)]


async def test_identical_data_writes_nothing(tenant: Tenant) -> None:
    """The same readings again do not touch their rows."""
    await meter(tenant)
    items: list[Item] = [(START + 3600 * i, i, 1) for i in range(30)]
    await store(tenant, "m", [items], START)
    before = await tenant.fetch(str, "select array_agg(xmin::text) from reading_day")

    outcome = await store(tenant, "m", [items, items[:1]], START)

    assert counts(outcome) | {"unchanged": 30, "repeated": 1, "created": 0} == counts(outcome)
    assert await tenant.fetch(str, "select array_agg(xmin::text) from reading_day") == before


async def _history(tenant: Tenant) -> int:
    return (await tenant.fetch(int, "select count(*) from reading_day_history"))[0]


def test_the_model_adds_up() -> None:
    """The model itself: a value, its repeat, its contradiction and a null are four readings."""
    model = Model(0)

    found = model.store([[(START, 1, 1), (START, 1, 1), (START, 2, 1), (START + 3600, None, 1)]], 0)

    assert (found["created"], found["repeated"], found["rejected"], found["missing"]) == (1,) * 4
    assert attrs.asdict(model.blocks[START // DAY])["slots"] == {0: (1, 1), 1: (None, 0)}


def test_last_filled() -> None:
    """The last filled slot is the last with a value; marks do not count."""
    blocks = Blocks.empty(3, 4)
    blocks.values[0, 1] = blocks.values[1, 3] = 0
    blocks.quality[0, 2] = 0

    assert blocks.last_filled.tolist() == [1, 3, -1]


SLOTS = st.tuples(st.integers(0, 3), st.integers(-2, 2), st.integers(0, 143))


@given(st.sampled_from([24, 96, 144]), st.lists(st.dictionaries(SLOTS, st.integers(0, 8))))
def test_what_was_sent_is_remembered(
    width: int, batches: list[dict[tuple[int, int, int], int]]
) -> None:
    """Over all batches, the first quality of a value in each slot comes back, or of a null."""
    touched, model = ImportBlocks(width), dict[tuple[int, int, int], int]()
    for batch in batches:
        slots = sorted(key for key in batch if key[2] < width)
        if not slots:
            continue
        blocks = sorted({key[:2] for key in slots})
        channels, days = np.array(blocks, np.int64).T
        rows = touched.rows(channels, days, np.zeros(len(blocks), np.int64))
        at = rows[[blocks.index(key[:2]) for key in slots]]

        before = touched.swap(
            at,
            np.array([key[2] for key in slots], np.int64),
            np.array([batch[key] for key in slots], np.int8),
        )

        assert before.tolist() == [model.get(key, NEVER_SENT) for key in slots]
        model |= {key: batch[key] for key in slots if model.get(key, NEVER_SENT) <= 0}


def test_the_last_slot_is_that_before_the_import() -> None:
    """What a block held before the import is noted once, however it grows."""
    touched = ImportBlocks(24)
    one, more = np.array([7]), np.array([7, 7, 8])

    first = touched.rows(one, np.array([1]), np.array([5]))
    again = touched.rows(more, np.array([0, 1, 1]), np.array([-1, 9, 3]))

    assert (first.tolist(), again.tolist()) == ([0], [1, 0, 2])
    assert touched.last[again].tolist() == [-1, 5, 3]


async def test_a_null_never_erases(tenant: Tenant) -> None:
    """A null is counted, and a known value stays."""
    channel = await meter(tenant)
    await post(tenant, series([1, 2]))

    outcome = await post(tenant, series([None, None, None]))

    assert (outcome.missing, outcome.corrected) == (3, 0)
    found = await query.series(tenant, channel, START, START + 4 * 3600)
    assert found.values.tolist() == [1_000_000, 2_000_000, MISSING, MISSING]
    assert found.quality.tolist() == [1, 1, 0, -1]


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("null_first", [False, True])
async def test_a_null_beside_a_value_says_nothing(
    tenant: Tenant, null_first: bool, apart: bool
) -> None:
    """Whichever comes first, in one batch or in two: the value is stored, the null is a repeat."""
    channel = await meter(tenant)
    value, null = (START, 5, 1), (START, None, 1)
    items = [null, value] if null_first else [value, null]

    outcome = await store(tenant, "m", [[one] for one in items] if apart else [items], START)

    assert (outcome.created, outcome.repeated, outcome.missing, outcome.rejected) == (1, 1, 0, 0)
    found = await query.series(tenant, channel, START, START + 3600)
    assert found.values.tolist() == [5_000_000]
