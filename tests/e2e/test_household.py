"""Years of two real households, through the API; figures from `tests/data/household/README.md`."""

import gzip
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

DATA = Path(__file__).parents[1] / "data" / "household"
SAMPLE_0 = DATA / "uk-electricity-hdd-only-hourly-sample-0.csv.gz"
SAMPLE_1 = DATA / "uk-electricity-hdd-only-hourly-sample-1.csv.gz"


async def set_up(api: aiohttp.ClientSession, interval: str) -> None:
    """Store a home in London with one meter."""
    site = {"name": "Home", "timezone": "Europe/London", "country": "GB", "currency": "GBP"}
    channel = {
        "id": "import",
        "quantity": "active_energy",
        "direction": "import",
        "unit": "kWh",
        "interval": interval,
        "kind": "interval",
    }
    meter = {"site": "home", "channels": [channel]}
    for path, body in (("/v1/sites/home", site), ("/v1/meters/main", meter)):
        async with api.put(path, json=body) as answer:
            assert answer.status == 201, await answer.text()


async def load(api: aiohttp.ClientSession, path: Path, **options: str) -> Any:
    """Import a file as published (gzip) and return the answer."""
    query = {"format": "csv", "meter": "main", "unit": "kWh", **options}
    headers = {"Content-Type": "text/csv", "Content-Encoding": "gzip"}
    async with api.post(
        "/v1/imports", params=query, data=path.read_bytes(), headers=headers
    ) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def usage(api: aiohttp.ClientSession, start: str, end: str, window: str) -> Any:
    """Ask for the usage by windows."""
    query = {"start": start, "end": end, "window": window}
    async with api.get("/v1/meters/main/usage", params=query) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def total(api: aiohttp.ClientSession, years: tuple[int, int]) -> Decimal:
    """Return the sum of all years."""
    found = await usage(api, f"{years[0]}-01-01", f"{years[1]}-01-01", "P1Y")
    return sum((Decimal(year["value"]) for year in found["data"]), Decimal(0))


async def test_half_hours_with_repeats(api: aiohttp.ClientSession) -> None:
    """Repeated rows are folded, and the rest adds up to the published sum."""
    await set_up(api, "PT30M")

    first = await load(api, SAMPLE_1, timezone="+00:00")

    assert first["received"] == 22_536
    assert first["repeated"] == 15
    assert first["created"] == 22_521
    assert await total(api, (2012, 2015)) == Decimal("5554.874000")


async def test_hours(api: aiohttp.ClientSession) -> None:
    """Float noise in the file is rounded to the micro-unit, and the sum is exact."""
    await set_up(api, "PT1H")

    first = await load(api, SAMPLE_0)

    assert first["created"] == 23_508
    assert await total(api, (2020, 2023)) == Decimal("3789.626000")


async def test_a_second_import_writes_nothing(api: aiohttp.ClientSession) -> None:
    """The same file again is all `unchanged`, and the revision stays."""
    await set_up(api, "PT1H")
    await load(api, SAMPLE_0)
    query = {"start": "2021-03-01T00:00:00Z", "end": "2021-03-02T00:00:00Z"}
    async with api.get("/v1/meters/main/readings", params=query) as answer:
        before = await answer.json()

    again = await load(api, SAMPLE_0)

    assert (again["created"], again["unchanged"], again["corrected"]) == (0, 23_508, 0)
    async with api.get("/v1/meters/main/readings", params=query) as answer:
        assert await answer.json() == before


@pytest.mark.parametrize(
    ("path", "interval", "day", "after", "value", "slots"),
    [
        (SAMPLE_0, "PT1H", "2021-03-28", "2021-03-29", "3.892000", 23),
        (SAMPLE_0, "PT1H", "2021-10-31", "2021-11-01", "5.986000", 25),
        (SAMPLE_1, "PT30M", "2013-03-31", "2013-04-01", "4.723000", 46),
        (SAMPLE_1, "PT30M", "2013-10-27", "2013-10-28", "10.403000", 50),
    ],
)
async def test_local_days_at_a_change_of_clocks(
    api: aiohttp.ClientSession,
    path: Path,
    interval: str,
    day: str,
    after: str,
    value: str,
    slots: int,
) -> None:
    """A local day has 23 or 25 hours when clocks change, and sums what is in it."""
    await set_up(api, interval)
    await load(api, path, timezone="+00:00")

    found = await usage(api, day, after, "P1D")

    assert len(found["data"]) == 1
    assert Decimal(found["data"][0]["value"]) == Decimal(value)
    assert found["data"][0]["coverage"]["expected"] == slots
    assert found["data"][0]["coverage"]["actual"] == slots


def test_the_files_are_whole() -> None:
    """The test data is the published data: as many rows as its README says."""
    rows = [len(re.findall(rb"\n", gzip.decompress(p.read_bytes()))) for p in (SAMPLE_0, SAMPLE_1)]

    assert rows == [23_509, 22_537]
