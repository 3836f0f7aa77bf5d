"""What the API gives, it takes."""

import csv
import io
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest

SITE = {"name": "Home", "timezone": "Europe/Berlin", "country": "DE", "currency": "EUR"}
CHANNEL = {"quantity": "active_energy", "direction": "import", "unit": "kWh", "interval": "PT15M"}
CHANNELS = [{**CHANNEL, "id": "import"}, {**CHANNEL, "id": "export", "direction": "export"}]
#: A day of 25 hours in Berlin, whose two o'clock comes twice.
DAY = {"start": "2026-10-25", "end": "2026-10-26", "channel": "import"}
READINGS, NDJSON = "/v1/meters/m/readings", "application/x-ndjson"
QUALITIES = (
    "actual",
    "validated",
    "substituted",
    "provisional",
    "estimated",
    "derived",
    "questionable",
    "forecast",
)
VALUES = [0.412, None, 0.1, 12, -3.5, 0, 0.000001, 9007199.254741, 1e-6, 7]


@pytest.fixture(name="api")
async def _api(api: aiohttp.ClientSession) -> aiohttp.ClientSession:
    """Give a service with the readings of a day: each hour has another quality."""
    midnight = datetime.fromisoformat("2026-10-25T00:00:00+02:00")
    hours = [
        {
            "meter": "m",
            "channel": "import",
            "start": (midnight + timedelta(hours=hour)).isoformat(),
            "value": VALUES[hour % len(VALUES)],
            "quality": QUALITIES[hour % len(QUALITIES)],
        }
        for hour in range(25)
    ]
    for method, path, body in (
        ("PUT", "/v1/sites/home", SITE),
        ("PUT", "/v1/meters/m", {"site": "home", "channels": CHANNELS}),
        ("POST", "/v1/readings", {"readings": hours}),
    ):
        async with api.request(method, path, json=body) as answer:
            assert answer.status in (200, 201), await answer.text()
    return api


async def file(api: aiohttp.ClientSession, accept: str) -> str:
    """Return the readings of the day as a file."""
    async with api.get(READINGS, params=DAY, headers={"Accept": accept}) as answer:
        assert (answer.status, answer.content_type) == (200, accept)
        return await answer.text()


async def told(api: aiohttp.ClientSession) -> Any:
    """Return the readings of the day as JSON."""
    async with api.get(READINGS, params=DAY) as answer:
        return await answer.json()


async def gaps(api: aiohttp.ClientSession) -> Any:
    """Return the gaps of the day as JSON."""
    async with api.get("/v1/meters/m/gaps", params=DAY) as answer:
        return await answer.json()


async def sent(api: aiohttp.ClientSession, text: str, query: Mapping[str, str]) -> Any:
    """Import a file and return the outcome."""
    async with api.post("/v1/imports", params=query, data=text.encode()) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


def of_csv(text: str) -> dict[str, str]:
    """Return the query that the documentation of readings names for their CSV."""
    units = {row["unit"] for row in csv.DictReader(io.StringIO(text))}
    query = {"format": "csv", "meter": "m", "channel": "import", "quality_column": "quality"}
    return query | {"unit": units.pop()}


@pytest.mark.parametrize("accept", [NDJSON, "text/csv"])
async def test_readings_come_back_as_they_went(api: aiohttp.ClientSession, accept: str) -> None:
    """What GET gives as a file changes nothing when it is imported: no revision, and no gap.

    Of three slots of each hour nothing was ever sent, and nothing is said by the file.
    """
    text, before, reasons = await file(api, accept), await told(api), await gaps(api)

    outcome = await sent(api, text, {"format": "ndjson"} if accept == NDJSON else of_csv(text))

    known = sum(value is not None for value in before["values"])
    assert known == 25 - 3
    assert (outcome["received"], outcome["created"], outcome["unchanged"]) == (25, 0, known)
    assert (outcome["corrected"], outcome["missing"], outcome["problems"]) == (0, 3, [])
    assert await told(api) == before
    assert await gaps(api) == reasons
    assert await file(api, accept) == text


@pytest.mark.parametrize("accept", [NDJSON, "text/csv"])
async def test_readings_move_to_another_meter(api: aiohttp.ClientSession, accept: str) -> None:
    """All of them, the hour that comes twice and the smallest numbers too."""
    text, before = await file(api, accept), await told(api)
    async with api.put("/v1/meters/n", json={"site": "home", "channels": CHANNELS}) as answer:
        assert answer.status == 201
    query = {"format": "ndjson"}
    if accept == NDJSON:
        text = text.replace('"meter":"m"', '"meter":"n"')
    else:
        query = of_csv(text) | {"meter": "n"}

    outcome = await sent(api, text, query)

    async with api.get("/v1/meters/n/readings", params=DAY) as answer:
        moved = await answer.json()
    assert (outcome["created"], outcome["missing"]) == (22, 3)
    names = ("values", "quality", "start", "end", "unit")
    assert [moved[name] for name in names] == [before[name] for name in names]
