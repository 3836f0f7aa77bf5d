"""Where readings are missing, and why."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.db.pool import Pool
from energia.metering.gaps import Gap, across, gaps
from energia.metering.series import MISSING, NEVER_SENT, Series
from energia.web.resources import cursor_of
from tests.core.metering.setting import series
from tests.serving import Client, Serving, make_core

#: What is known of a slot: a value, that there is none, or nothing.
States = Sequence[str]
PATH = "/v1/meters/m/gaps"
#: Local midnight in São Paulo, and the window from there on.
MIDNIGHT = 1_772_334_000
WINDOW = {"start": "2026-03-01", "end": "2026-03-04"}


def known(states: States, start: int = 0, interval: int = 900) -> Series:
    """Return a series of slots: `v` has a value, `m` is marked missing, `n` was never sent."""
    values = np.array([7 if one == "v" else MISSING for one in states], np.int64)
    codes = {"v": 1, "m": 0, "n": NEVER_SENT}
    return Series(start, interval, values, np.array([codes[one] for one in states], np.int8))


def brute(states: States, start: int = 0, interval: int = 900) -> list[Gap]:
    """Return the gaps, slot by slot."""
    reasons = {"m": "marked_missing", "n": "never_sent"}
    found, at = [], start
    for state, slots in groupby(states):
        count = len(list(slots))
        if state != "v":
            found.append(Gap(at, at + count * interval, count, reasons[state]))  # type: ignore[arg-type]
        at += count * interval
    return found


@given(st.text("vmn", max_size=40))
def test_gaps_are_runs_of_slots_for_one_reason(states: str) -> None:
    """Neighbours of different reasons are gaps of their own."""
    assert gaps(known(states)).listed() == brute(states)


@given(st.text("vmn", max_size=20), st.integers(-5, 25), st.integers(0, 30))
def test_what_a_series_lacks_was_never_sent(states: str, first: int, count: int) -> None:
    """Slots before and after it are gaps too, one with those inside that were never sent."""
    wanted = [states[at] if 0 <= at < len(states) else "n" for at in range(first, first + count)]

    found = gaps(known(states), first, first + count).listed()

    assert found == brute(wanted, first * 900)


@given(st.lists(st.text("vmn", min_size=1, max_size=9), min_size=1, max_size=6))
async def test_gaps_go_on_from_piece_to_piece(parts: list[str]) -> None:
    """However a window is read, its gaps are the same; none is told before it ends."""

    async def pieces() -> AsyncIterator[Series]:
        at = 0
        for part in parts:
            yield known(part, at)
            at += 900 * len(part)

    found = [gap async for some in across(pieces()) for gap in some.listed()]

    assert found == brute("".join(parts))


@pytest.fixture(name="api")
async def _api(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Serve a site in São Paulo with a meter."""
    site = {"name": "Home", "timezone": "America/Sao_Paulo", "country": "BR", "currency": "BRL"}
    channel = {"id": "import", "quantity": "active_energy", "direction": "import", "unit": "kWh"}
    async with serving(make_core(pool=pool)) as client:
        await client.put("/v1/sites/s", json=site)
        meter = {"site": "s", "channels": [{**channel, "interval": "PT1H"}]}
        assert (await client.put("/v1/meters/m", json=meter)).status == 201
        yield client


async def send(api: Client, values: Sequence[object], start: int = MIDNIGHT) -> None:
    """Store hours."""
    async with api.post("/v1/readings", json=series(values, start)) as answer:
        assert answer.status == 200, await answer.text()


async def told(api: Client, **query: str) -> Any:
    """Return the JSON of the gaps of three days."""
    async with api.get(PATH, params=WINDOW | query) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


def shown(states: States, start: int = MIDNIGHT) -> Iterator[dict[str, Any]]:
    """Yield the gaps of hours of São Paulo as JSON."""
    for gap in brute(states, start, 3600):
        at = (datetime.fromtimestamp(one - 3 * 3600, UTC) for one in (gap.start, gap.end))
        begin, end = (f"{one:%Y-%m-%dT%H:%M:%S}-03:00" for one in at)
        yield {"start": begin, "end": end, "slots": gap.slots, "reason": gap.reason}


async def test_never_sent_and_marked_missing(api: Client) -> None:
    """Nothing was said of a slot, or that there is no value; a value that came later ends both."""
    await send(api, [1, None, None, 4])

    first = await told(api)
    await send(api, [None, 2], MIDNIGHT + 3600)

    assert first == {"items": list(shown("vmmv" + "n" * 68)), "next": None}
    assert (await told(api))["items"] == list(shown("vmvv" + "n" * 68))


async def test_a_meter_without_readings_is_one_gap(api: Client) -> None:
    """All of the window."""
    assert (await told(api))["items"] == list(shown("n" * 72))


async def test_a_window_without_gaps(api: Client) -> None:
    """Zeros and negative numbers are readings."""
    await send(api, [0, -1] * 36)

    assert await told(api) == {"items": [], "next": None}


@pytest.mark.parametrize("limit", [1, 2, 3, 20])
async def test_pages_have_the_gaps_of_one_page(
    api: Client, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In order, each once, wherever the window is cut while it is read."""
    monkeypatch.setattr("energia.metering.query._PIECE", 7)
    states = "nnvvmmnnvvmmnn" * 5 + "vn"
    for at, state in enumerate(states):
        if state != "n":
            await send(api, [1 if state == "v" else None], MIDNIGHT + 3600 * at)

    pages, cursor = [], dict[str, str]()
    while True:
        found = await told(api, limit=str(limit), **cursor)
        pages.append(found["items"])
        if found["next"] is None:
            break
        cursor = {"cursor": found["next"]}

    expected = list(shown(states))
    assert [gap for page in pages for gap in page] == expected
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert 0 < len(pages[-1]) <= limit


async def test_a_cursor_may_be_pasted_into_a_query(api: Client) -> None:
    """It has nothing that would have a meaning there."""
    await send(api, [None, 1] * 36)

    found = await told(api, limit="1")

    assert re.fullmatch("[A-Za-z0-9_-]+", found["next"])
    async with api.get(f"{PATH}?start=2026-03-01&end=2026-03-04&cursor={found['next']}") as answer:
        assert len((await answer.json())["items"]) == 35


@pytest.mark.parametrize("cursor", ["2026-03-04T03:00:00Z", "2199-12-31T23:59:59-12:00"])
async def test_a_cursor_after_the_window_leaves_nothing(api: Client, cursor: str) -> None:
    """There is no gap there, and no fault."""
    assert await told(api, cursor=cursor_of(cursor)) == {"items": [], "next": None}


async def test_files_have_all_gaps(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """CSV and NDJSON, whatever the limit and however many batches there are."""
    monkeypatch.setattr("energia.web.endpoints.readings.ROWS", 5)
    await send(api, [None, 1] * 36)
    expected = list(shown("mv" * 36))

    async with api.get(PATH, params=WINDOW, headers={"Accept": "text/csv"}) as answer:
        rows = list(csv.DictReader(io.StringIO(await answer.text())))
    async with api.get(PATH, params=WINDOW, headers={"Accept": "application/x-ndjson"}) as answer:
        objects = [json.loads(line) for line in (await answer.text()).splitlines()]

    assert rows == [one | {"slots": str(one["slots"])} for one in expected]
    assert objects == expected


async def test_a_file_without_gaps_has_its_header(api: Client) -> None:
    """And nothing else."""
    await send(api, [1] * 72)

    async with api.get(PATH, params=WINDOW, headers={"Accept": "text/csv"}) as answer:
        assert await answer.text() == "start,end,slots,reason\n"


async def test_gaps_as_they_were_known(api: Client) -> None:
    """Before the second import its slots were never sent; slots that ended later are not known."""
    await send(api, [1, None, 3])
    between = datetime.now(UTC)
    await send(api, [1, 2, 3, 4])

    found = await told(api, known_at=between.isoformat())
    past = await told(api, known_at="2026-03-01T00:00:00-03:00")

    assert found["items"] == list(shown("vmv" + "n" * 69))
    assert past["items"] == list(shown("n" * 72))
    future = (between + timedelta(days=1)).isoformat()
    assert await told(api, known_at=future) == await told(api)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"limit": "0"}, "/query/limit"),
        ({"limit": "1001"}, "/query/limit"),
        ({"cursor": "next"}, "/query/cursor"),
        ({"known_at": "2026-03-01T00:00:00"}, "/query/known_at"),
        ({"end": "2026-03-01"}, "/query/end"),
    ],
)
async def test_queries_that_do_not_fit(api: Client, query: dict[str, str], pointer: str) -> None:
    """Each fault names the parameter; of files too."""
    for accept in ("application/json", "application/x-ndjson"):
        async with api.get(PATH, params=WINDOW | query, headers={"Accept": accept}) as answer:
            assert answer.status == 422
            assert [one["pointer"] for one in (await answer.json())["errors"]] == [pointer]
