"""Bills of days that are in the archive: explained, checked and affected as before."""

from datetime import date
from typing import Any

import pytest

from energia.db.tenant import Tenant
from energia.metering import archive
from energia.metering.archive import Window
from energia.time import day_number
from tests.core.billing.setting import draft, hours, issued, success
from tests.serving import Client

TO_DATE = "/v1/contracts/c/to-date?start=2025-03-01"
WINDOW = Window(0, day_number(date(2025, 8, 1)))


@pytest.fixture(name="billed")
async def _billed(household: Client) -> Client:
    """Give a client of a home with three issued bills of days of March, and readings till April."""
    for first in (1, 2, 3):
        await issued(household, f"b{first}", first)
    await hours(household, 11, *[1] * 24)
    return household


async def archived(tenant: Tenant) -> int:
    """Return how many days there are in the archive, once all that is old went there."""
    await archive.archive(tenant, WINDOW)
    return (await tenant.fetch(int, "select count(*)::int from reading_day_archived"))[0]


async def told(client: Client) -> list[Any]:
    """Return what is told of the bills and of the days that they charge."""
    window, more = "start=2025-03-01&end=2025-03-11", ("readings", "usage", "gaps", "corrections")
    paths = [f"/v1/bills/b{number}/explain" for number in (1, 2, 3)]
    paths += [f"/v1/meters/m/{what}?{window}" for what in more]
    return [await success(client, "GET", path) for path in paths]


async def affected(client: Client) -> dict[str, Any]:
    """Return the impact of each affected bill."""
    found = await success(client, "GET", "/v1/bills?affected=true")
    return {bill["id"]: bill["impact"] for bill in found["items"]}


async def test_bills_are_explained_as_before(billed: Client, tenant: Tenant) -> None:
    """Their lines come from the same slots, and nothing that is told of the days changes."""
    before = await told(billed)

    assert await archived(tenant) == 31
    assert await told(billed) == before
    assert await affected(billed) == {}


async def test_a_correction_of_an_archived_day_affects_its_bill_alone(
    billed: Client, tenant: Tenant
) -> None:
    """An hour of 3 kWh for 1 makes the second day 1.00 dearer, back in the archive as well."""
    explained = await success(billed, "GET", "/v1/bills/b2/explain")
    await archived(tenant)
    start = "2025-03-02T23:00:00Z"
    await success(
        billed, "POST", "/v1/readings", {"readings": [{"meter": "m", "start": start, "value": 3}]}
    )
    expected = {"b2": {"reasons": ["readings"], "total": "13.00", "difference": "1.00"}}

    assert await affected(billed) == expected
    assert await archived(tenant) == 31
    assert await affected(billed) == expected
    assert await success(billed, "GET", "/v1/bills/b2/explain") == explained


async def test_a_bill_of_archived_days_can_be_made(billed: Client, tenant: Tenant) -> None:
    """The fifth of March was never billed: 12.00."""
    await archived(tenant)

    assert (await draft(billed, "b5", 5))["total"] == "12.00"


async def test_what_a_growing_bill_has_measured_knows_of_corrections(
    billed: Client, tenant: Tenant
) -> None:
    """A day of its period that was corrected, and went to the archive again, is measured anew."""
    await success(billed, "GET", TO_DATE)
    await archived(tenant)
    kept = await success(billed, "GET", TO_DATE)
    await hours(billed, 4, 2)
    await archived(tenant)

    after = await success(billed, "GET", TO_DATE)

    assert (kept["total"], kept["kept_until"]) == ("408.00", "2025-04-04T00:00:00Z")
    assert (after["total"], after["kept_until"]) == ("420.00", None)
