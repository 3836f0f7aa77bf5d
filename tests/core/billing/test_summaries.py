"""Sites at a glance: `GET /v1/site-summaries` and `GET /v1/sites/{site}/summary`."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import attrs
import pytest

from energia.db.pool import Pool
from tests.core.billing.fakes import Heard, plugins
from tests.core.billing.setting import SITE, hours, issued, refusal, store_household, success
from tests.core.metering.setting import FixedClock
from tests.serving import Client, Serving, make_core


@pytest.fixture(name="home")
async def _home(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service with the household, a few hours after its last reading."""
    clock = FixedClock(datetime(2025, 3, 11, 6, tzinfo=UTC))
    core = attrs.evolve(make_core(plugins=plugins(Heard()), pool=pool), clock=clock)
    async with serving(core) as client:
        await store_household(client)
        yield client


async def test_a_site_says_what_it_used_this_month_and_was_billed_last(home: Client) -> None:
    """Ten days of 24 kWh are 240; the newest reading ends at the eleventh day's midnight."""
    await issued(home, "b", 1, 8)

    assert await success(home, "GET", "/v1/sites/home/summary") == {
        "site": "home",
        "name": "Home",
        "timezone": "UTC",
        "meters": 1,
        "usage": {
            "start": "2025-03-01T00:00:00Z",
            "end": "2025-03-11T00:00:00Z",
            "value": "240",
            "coverage": {
                "expected": 240,
                "actual": 240,
                "estimated": 0,
                "questionable": 0,
                "missing": 0,
            },
        },
        "newest": "2025-03-11T00:00:00Z",
        "bill": {
            "id": "b",
            "start": "2025-03-01",
            "end": "2025-03-08",
            "currency": "BRL",
            "total": "84.00",
        },
    }


async def test_a_corrected_bill_is_not_the_last_one(home: Client) -> None:
    """What took its place is."""
    await issued(home, "b", 1, 8)
    await hours(home, 2, 2)
    await success(home, "POST", "/v1/bills", {"id": "better", "corrects": "b"})
    await success(home, "POST", "/v1/bills/better/issue")

    found = await success(home, "GET", "/v1/sites/home/summary")

    assert (found["bill"]["id"], found["bill"]["total"]) == ("better", "96.00")


async def test_a_site_without_readings_has_none(home: Client) -> None:
    """No sum of nothing, and no bill."""
    await success(home, "PUT", "/v1/sites/empty", {**SITE, "name": "Shed"})

    assert await success(home, "GET", "/v1/sites/empty/summary") == {
        "site": "empty",
        "name": "Shed",
        "timezone": "UTC",
        "meters": 0,
    }


async def test_sites_are_found_by_a_part_of_their_name_or_id(home: Client) -> None:
    """In capitals or not; pages go on by id."""
    for name in ("north", "south"):
        await success(home, "PUT", f"/v1/sites/{name}", {**SITE, "name": f"Escola {name}"})

    every = await success(home, "GET", "/v1/site-summaries?limit=2")
    rest = await success(home, "GET", f"/v1/site-summaries?limit=2&cursor={every['next']}")
    schools = await success(home, "GET", "/v1/site-summaries?name=ESCOLA")
    one = await success(home, "GET", "/v1/site-summaries?name=out")

    assert [site["site"] for site in every["items"]] == ["home", "north"]
    assert [site["site"] for site in rest["items"]] == ["south"]
    assert [site["site"] for site in schools["items"]] == ["north", "south"]
    assert [site["site"] for site in one["items"]] == ["south"]


async def test_there_is_no_summary_of_no_site(home: Client) -> None:
    """An unknown site is not found."""
    assert (await refusal(home, "GET", "/v1/sites/none/summary"))[:2] == (404, "not_found")
