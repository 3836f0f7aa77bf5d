"""Readings, usage and their files over HTTP, as they were known at an instant; their pages."""

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from energia.db.pool import Pool
from energia.web.resources import cursor_of
from tests.core.metering.setting import series
from tests.serving import Client, Serving, make_core

DAY = {"start": "2026-03-29", "end": "2026-03-30"}
#: Midnight of a day of 23 hours in Berlin.
MIDNIGHT = int(datetime.fromisoformat("2026-03-29T00:00:00+01:00").timestamp())
READINGS, USAGE = "/v1/meters/m/readings", "/v1/meters/m/usage"


@pytest.fixture(name="api")
async def _api(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Serve a site in Berlin with a meter of quarter-hours."""
    site = {"name": "Home", "timezone": "Europe/Berlin", "country": "DE", "currency": "EUR"}
    channel = {"id": "import", "quantity": "active_energy", "direction": "import", "unit": "kWh"}
    async with serving(make_core(pool=pool)) as client:
        await client.put("/v1/sites/s", json=site)
        made = {"site": "s", "channels": [{**channel, "interval": "PT15M"}]}
        assert (await client.put("/v1/meters/m", json=made)).status == 201
        yield client


async def send(api: Client, values: Sequence[object], start: int = MIDNIGHT) -> datetime:
    """Store quarter-hours and return an instant after it."""
    async with api.post("/v1/readings", json=series(values, start, interval="PT15M")) as answer:
        assert answer.status == 200, await answer.text()
    return datetime.now(UTC)


async def told(api: Client, path: str, **asked: str) -> Any:
    """Return the JSON of the day."""
    async with api.get(path, params=DAY | asked) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def test_every_revision_comes_back(api: Client) -> None:
    """Values, the sum, the peak, what it rests on: each as at that time, corrections and all."""
    bodies: list[list[object]] = [[1, 2, None], [1, 5, None], [1, 5, 0.25, 4]]
    instants = [await send(api, body) for body in bodies]

    found = [(await told(api, READINGS, known_at=at.isoformat()))["values"][:5] for at in instants]
    (days,) = zip(
        *[(await told(api, USAGE, known_at=at.isoformat()))["data"] for at in instants],
        strict=True,
    )

    assert found == [
        [1.0, 2.0, None, None, None],
        [1.0, 5.0, None, None, None],
        [1.0, 5.0, 0.25, 4.0, None],
    ]
    assert [(one["value"], one["peak"]["value"], one["coverage"]["actual"]) for one in days] == [
        ("3", "8", 2),
        ("6", "20", 2),
        ("10.25", "20", 4),
    ]
    assert {one["coverage"]["expected"] for one in days} == {92}


async def test_before_the_first_import_nothing_was_known(api: Client) -> None:
    """There is no revision then."""
    before = datetime.now(UTC).isoformat()
    await send(api, [1, 2])

    found = await told(api, READINGS, known_at=before)

    assert (found["values"], found["revision_at"]) == ([None] * 92, None)
    assert found["quality"] == [{"from": 0, "to": 92, "code": "missing"}]


async def test_pages_of_what_was_known(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are the window, as it was at that time, with its qualities and offsets."""
    monkeypatch.setattr("energia.web.endpoints.readings._SLOTS", 7)
    between = await send(api, [*range(40), None, *range(41, 92)])
    await send(api, [99] * 92)

    values, starts, asked = [], [], {"known_at": between.isoformat()}
    while True:
        found = await told(api, READINGS, **asked)
        values += found["values"]
        starts.append(found["start"])
        assert sum(run["to"] - run["from"] for run in found["quality"]) == len(found["values"])
        if found["next"] is None:
            break
        assert "+" not in found["next"]
        asked["cursor"] = found["next"]

    assert values == [None if at == 40 else float(at) for at in range(92)]
    assert (starts[0], starts[-1]) == ("2026-03-29T00:00:00+01:00", "2026-03-29T23:45:00+02:00")


async def test_files_have_what_was_known(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """CSV and NDJSON say the same as JSON, in however many pieces they are read and sent."""
    monkeypatch.setattr("energia.metering.query._PIECE", 11)
    monkeypatch.setattr("energia.web.endpoints.readings.ROWS", 4)
    between = await send(api, [0.1, None, -2, 3] * 23)
    await send(api, [99] * 92)
    asked = {"known_at": between.isoformat()}
    found = await told(api, READINGS, **asked)

    async with api.get(READINGS, params=DAY | asked, headers={"Accept": "text/csv"}) as answer:
        rows = list(csv.DictReader(io.StringIO(await answer.text())))
    async with api.get(
        READINGS, params=DAY | asked, headers={"Accept": "application/x-ndjson"}
    ) as answer:
        objects = [json.loads(line) for line in (await answer.text()).splitlines()]

    assert [float(row["value"]) if row["value"] else None for row in rows] == found["values"]
    assert [one["value"] for one in objects] == found["values"]
    assert [row["start"] for row in rows] == [one["start"] for one in objects]
    assert (rows[7]["start"], rows[8]["start"]) == (
        "2026-03-29T01:45:00+01:00",
        "2026-03-29T03:00:00+02:00",
    )
    assert {row["quality"] for row in rows} == {"actual", "missing"}


async def test_a_naive_instant_is_refused(api: Client) -> None:
    """What was known when? Files are refused as JSON is."""
    for path in (READINGS, USAGE):
        for accept in ("application/json", "text/csv"):
            asked = DAY | {"known_at": "2026-03-29T00:00:00"}
            async with api.get(path, params=asked, headers={"Accept": accept}) as answer:
                assert answer.status == 422
                (fault,) = (await answer.json())["errors"]
                assert (fault["pointer"], fault["code"]) == ("/query/known_at", "naive_time")


@pytest.mark.parametrize("cursor", ["2026-03-30T00:00:00Z", "2199-12-31T23:59:59-12:00"])
async def test_a_cursor_after_the_window_leaves_nothing(api: Client, cursor: str) -> None:
    """No slots, and no fault."""
    found = await told(api, READINGS, cursor=cursor_of(cursor))

    assert (found["values"], found["quality"], found["next"]) == ([], [], None)
