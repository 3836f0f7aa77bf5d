"""The parts that an import is cut into, and what it remembers of them."""

import asyncio
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.db.pool import Tenant
from energia.errors import TooLarge
from energia.metering.merge import ImportBlocks
from energia.metering.series import NEVER_SENT
from energia.metering.validation import Directory
from tests.core.metering.setting import START, Item, meter, post, store

DAY = 86_400
SLOTS = st.tuples(st.integers(0, 3), st.integers(-2, 2), st.integers(0, 143))


@given(st.sampled_from([24, 96, 144]), st.lists(st.dictionaries(SLOTS, st.integers(0, 8))))
def test_what_was_sent_is_remembered(
    width: int, batches: list[dict[tuple[int, int, int], int]]
) -> None:
    """Over all batches, the first quality of each slot comes back, whatever the width."""
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
        model = {key: batch[key] for key in slots} | model


def test_the_last_slot_is_that_before_the_import() -> None:
    """What a block held before the import is noted once, however it grows."""
    touched = ImportBlocks(24)
    one, more = np.array([7]), np.array([7, 7, 8])

    first = touched.rows(one, np.array([1]), np.array([5]))
    again = touched.rows(more, np.array([0, 1, 1]), np.array([-1, 9, 3]))

    assert (first.tolist(), again.tolist()) == ([0], [1, 0, 2])
    assert touched.last[again].tolist() == [-1, 5, 3]


@pytest.mark.parametrize("batches", [1, 2])
async def test_days_of_many_slots_are_written_few_at_a_time(tenant: Tenant, batches: int) -> None:
    """A message has so many slots, not so many days: a channel of seconds fits in memory."""
    await meter(tenant, interval="PT1S")
    items: list[Item] = [(START + DAY * day, day, 5) for day in range(40)]
    tracemalloc.start()

    outcome = await store(tenant, "m", [items] * batches, START)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (outcome.created, outcome.repeated) == (40, 40 * (batches - 1))
    assert peak < 60_000_000


async def test_every_reading_of_another_meter_is_refused_at_once(tenant: Tenant) -> None:
    """A body of as many unknown meters as readings is refused in one pass, not in one for each."""
    await meter(tenant)
    stamp = "2026-03-01T00:00:00Z"
    many = [{"meter": f"x{n}", "start": stamp, "value": 1} for n in range(100_000)]
    wrong = {"meter": "m", "start": stamp, "value": 1, "unit": "m3"}
    good = {"meter": "m", "start": stamp, "value": 1}

    async with asyncio.timeout(10):
        outcome = await post(tenant, {"readings": [wrong, *many, good]}, skip=True)

    assert (outcome.created, outcome.rejected) == (1, 100_001)
    assert len(outcome.unknown) == 10_000
    found = {fault.code: fault for fault in outcome.problems}
    assert found["wrong_unit"].pointer == "/readings/0"
    assert found["unknown_meter"].message.startswith("there is no meter")


async def test_a_body_of_nothing_but_brackets(tenant: Tenant) -> None:
    """More single readings than a body can say anything of are refused before they take memory."""
    with pytest.raises(TooLarge):
        await post(tenant, b'{"readings":[' + b"{}," * 2_000_000 + b"{}]}")


def test_few_unknown_meters_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of nothing but unknown meters does not fill the memory."""
    monkeypatch.setattr("energia.metering.validation._UNKNOWN", 3)
    directory = Directory()

    directory.add(directory.new([f"m{n}" for n in range(5)]), [])

    assert len(directory.unknown) == 3
    assert directory.target("m4", None, None) == directory.target("m4", "x", None)
