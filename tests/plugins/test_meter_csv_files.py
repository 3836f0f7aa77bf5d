"""Files as portals and programs write them, sent as they are, and what is right of them."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from tests.imports import ROOT
from tests.serving import Client, Serving, make_core

CASES = ROOT / "tests/data/cases/readings"


@pytest.mark.parametrize("path", sorted(CASES.glob("*.json")), ids=lambda path: path.stem)
async def test_a_file_is_stored_as_it_is_meant(path: Path, serving: Serving, pool: Pool) -> None:
    """Each slot has the right value, and no other slot has one; what is wrong is refused."""
    case = json.loads(path.read_text(encoding="utf-8"))
    query = {**case["send"]["query"], "meter": "m"}
    data = (path.parent / case["file"]).read_bytes()

    async with serving(make_core(plugins=Plugins.installed(), pool=pool)) as client:
        await put_meter(client, case["meter"])
        async with client.post("/v1/imports", params=query, data=data) as sent:
            answer = await sent.json(content_type=None)
        right = case["right"]
        assert sent.status == right["status"], answer
        if sent.status == 200:
            expected = expected_of(right["readings"])
            stored = await stored_of(client, case["meter"], sorted(expected))
            assert {start: stored.get(start) for start in expected} == expected
            assert len(stored) == right.get("slots", len(expected))


async def put_meter(client: Client, meter: dict[str, Any]) -> None:
    """Make the meter of a case."""
    site = {"name": "s", "timezone": meter["timezone"], "country": "DE", "currency": "EUR"}
    async with client.put("/v1/sites/s", json=site) as made:
        assert made.status == 201
    body = {"site": "s", "channels": meter["channels"]}
    async with client.put("/v1/meters/m", json=body) as made:
        assert made.status == 201, await made.text()


async def stored_of(
    client: Client, meter: dict[str, Any], expected: list[str]
) -> dict[str, tuple[float, str]]:
    """Return all values that are stored, by when their slots start."""
    (channel,) = meter["channels"]
    days = (datetime.fromisoformat(one).date() for one in (expected[0], expected[-1]))
    start, end = (day + timedelta(days=40 * sign) for day, sign in zip(days, (-1, 1), strict=True))
    window = {"channel": channel["id"], "start": str(start), "end": str(end)}
    headers = {"Accept": "text/csv"}
    async with client.get("/v1/meters/m/readings", params=window, headers=headers) as answer:
        rows = csv.DictReader((await answer.text()).splitlines())
    return {
        datetime.fromisoformat(row["start"]).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"): (
            float(row["value"]),
            row["quality"],
        )
        for row in rows
        if row["value"]
    }


def expected_of(readings: list[list[Any]]) -> dict[str, tuple[float, str]]:
    """Return the readings of a case as `stored_of` returns what is stored."""
    return {
        start: (value, quality[0] if quality else "actual") for start, value, *quality in readings
    }
