"""The days of a bill are those of its site, also where the tariff is of another zone."""

from datetime import date, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from energia.db.pool import Pool
from tests.core.billing.setting import SITE, refusal, success
from tests.serving import Client

BY_DAY = {"kind": "fixed", "code": "p", "amount": "0.50", "per": "day"}
BY_MONTH = {"kind": "fixed", "code": "m", "amount": "31.00", "per": "month"}
MADRID = {"name": "Peninsula", "currency": "EUR", "timezone": "Europe/Madrid"}


def madrid(*charges: dict[str, Any], **version: Any) -> dict[str, Any]:
    """Return a tariff of Madrid, from 2025 on."""
    return {**MADRID, "versions": [{"valid_from": "2025-01-01", "charges": charges, **version}]}


@pytest.fixture
async def canary(client: Client) -> Client:
    """Give a client of a home on the Canary Islands with a contract by days and months."""
    site = {**SITE, "timezone": "Atlantic/Canary", "currency": "EUR", "country": "ES"}
    channel = {"id": "E1", "quantity": "active_energy", "direction": "import", "unit": "kWh"}
    meter = {"site": "home", "channels": [{**channel, "interval": "PT1H"}]}
    await success(client, "PUT", "/v1/sites/home", site)
    await success(client, "PUT", "/v1/meters/m", meter)
    await success(client, "PUT", "/v1/tariffs/flat", madrid(BY_DAY, BY_MONTH))
    contract = {"meter": "m", "tariff": "flat", "start": "2026-01-01"}
    await success(client, "PUT", "/v1/contracts/c", contract)
    return client


async def amounts(client: Client, start: str, end: str) -> dict[str, str]:
    """Draft a bill and return its amounts by the codes of their lines."""
    body = {"contract": "c", "start": start, "end": end}
    bill = await success(client, "POST", "/v1/bills", body)
    return {line["code"]: line["amount"] for line in bill["lines"]}


async def age(pool: Pool) -> None:
    """Make the bill of March one of before: it counts days of the tariff's zone, 32 of them."""
    async with pool.tenant().transaction() as queries:
        sql = """update bill set
          basis = (basis::jsonb - 'days' || '{"measured": {"p": {"time": {"days": 32}},
            "m": {"time": {"2026-03": 31, "2026-04": 1}}}}')::json,
          document = replace(replace(document::text, '"46.50"', '"48.03"'),
            '"15.50"', '"16.00"')::json"""
        await queries.execute(sql)


async def issue(client: Client) -> None:
    """Issue the bill of March."""
    body = {"id": "b", "contract": "c", "start": "2026-03-01", "end": "2026-04-01"}
    await success(client, "POST", "/v1/bills", body)
    await success(client, "POST", "/v1/bills/b/issue")


async def test_a_bill_has_the_days_of_its_site(canary: Client) -> None:
    """March has 31 days and is one month (case k04): not 16.00 and 32.03."""
    found = await amounts(canary, "2026-03-01", "2026-04-01")

    assert found == {"p": "15.50", "m": "31.00"}


async def test_bills_that_follow_each_other_share_no_day(canary: Client) -> None:
    """March and April are 61 days (case k04b), also from one read day to the next."""
    days = [date(2026, 3, 1), date(2026, 3, 15), date(2026, 4, 9), date(2026, 5, 1)]
    bills = [
        await amounts(canary, start.isoformat(), end.isoformat()) for start, end in pairwise(days)
    ]

    assert sum(float(bill["p"]) for bill in bills) == 30.50


async def test_a_version_begins_with_a_day_of_the_site(canary: Client) -> None:
    """A bill until the day on which a version begins is by the one before alone."""
    versions = [
        {"valid_from": "2025-01-01", "valid_to": "2026-04-01", "charges": [BY_DAY]},
        {"valid_from": "2026-04-01", "charges": [{**BY_DAY, "amount": "1"}]},
    ]
    await success(canary, "PUT", "/v1/tariffs/flat", {**MADRID, "versions": versions})

    assert await amounts(canary, "2026-03-01", "2026-04-01") == {"p": "15.50"}
    assert await amounts(canary, "2026-04-01", "2026-05-01") == {"p": "30.00"}


async def test_costs_and_costs_to_date_count_the_days_of_the_bill(canary: Client) -> None:
    """By the stored meter, by months, and of a bill that grows."""
    window = {"start": "2026-03-01", "end": "2026-05-01", "meter": "m", "group": "P1M"}
    cost = await success(canary, "POST", "/v1/costs", {"tariff": "flat", **window})
    today = datetime.now(ZoneInfo("Atlantic/Canary")).date()
    to_date = await success(canary, "GET", f"/v1/contracts/c/to-date?start={today}")

    assert [group["total"] for group in cost["groups"]] == ["46.50", "46.00"]
    assert to_date["lines"][0]["amount"] == "0.50"


async def test_a_version_ends_with_a_day_of_the_site(canary: Client) -> None:
    """It may be closed with the last bill, and not a day before."""
    await issue(canary)

    early = madrid(BY_DAY, BY_MONTH, valid_to="2026-03-31")
    found = await refusal(canary, "PUT", "/v1/tariffs/flat", early)

    assert found[:2] == (409, "version_in_use")
    closed = madrid(BY_DAY, BY_MONTH, valid_to="2026-04-01")
    await success(canary, "PUT", "/v1/tariffs/flat", closed)
    explained = await success(canary, "GET", "/v1/bills/b/explain")
    assert all(line["reproduced"] for line in explained["lines"])


async def test_a_bill_of_before_is_explained_as_it_was_and_told(canary: Client, pool: Pool) -> None:
    """It counts days of the tariff's zone still; what the site's days change is `affected`."""
    await issue(canary)
    await age(pool)

    explained = await success(canary, "GET", "/v1/bills/b/explain")
    (told,) = (await success(canary, "GET", "/v1/bills?affected=true"))["items"]
    mended = await success(canary, "POST", "/v1/bills", {"corrects": "b"})

    assert all(line["reproduced"] for line in explained["lines"])
    assert (told["impact"]["reasons"], told["impact"]["difference"]) == (["days"], "-1.53")
    assert (mended["total"], mended["difference"]) == ("46.50", "-1.53")


async def test_a_corrected_tariff_is_applied_in_the_days_of_the_site(canary: Client) -> None:
    """A version from April on, corrected after March was billed, is none of March's bill."""
    await issue(canary)
    versions = [
        {"valid_from": "2025-01-01", "valid_to": "2026-04-01", "charges": [BY_DAY, BY_MONTH]},
        {"valid_from": "2026-04-01", "charges": [BY_DAY]},
    ]
    await success(canary, "PUT", "/v1/tariffs/flat", {**MADRID, "versions": versions})
    april = {"id": "a", "contract": "c", "start": "2026-04-01", "end": "2026-05-01"}
    await success(canary, "POST", "/v1/bills", april)
    await success(canary, "POST", "/v1/bills/a/issue")
    versions[1]["charges"] = [{**BY_DAY, "amount": "1"}]
    why = "/v1/tariffs/flat?correction=a+wrong+price"
    await success(canary, "PUT", why, {**MADRID, "versions": versions})

    (told,) = (await success(canary, "GET", "/v1/bills?affected=true"))["items"]
    march, billed = [
        await success(canary, "GET", f"/v1/bills/{bill}/explain") for bill in ("b", "a")
    ]

    assert (told["id"], told["impact"]["difference"]) == ("a", "15.00")
    assert told["impact"]["reasons"] == ["tariff"]
    assert march["corrections"] == []
    (correction,) = billed["corrections"]
    assert [version["valid_from"] for version in correction["before"]["versions"]] == ["2026-04-01"]
    assert all(line["reproduced"] for line in (*march["lines"], *billed["lines"]))


async def test_a_bill_of_before_is_explained_by_what_its_tariff_said(
    canary: Client, pool: Pool
) -> None:
    """Also where the tariff was corrected since: by the days that it counts, of Madrid."""
    await issue(canary)
    await age(pool)
    why = "/v1/tariffs/flat?correction=a+wrong+price"
    await success(canary, "PUT", why, madrid({**BY_DAY, "amount": "1"}, BY_MONTH))

    explained = await success(canary, "GET", "/v1/bills/b/explain")
    (told,) = (await success(canary, "GET", "/v1/bills?affected=true"))["items"]

    assert all(line["reproduced"] for line in explained["lines"])
    assert (told["impact"]["reasons"], told["impact"]["total"]) == (["tariff"], "62.00")


async def test_a_bill_of_before_that_hands_on_something_else_is_told(
    canary: Client, pool: Pool
) -> None:
    """Its own total may be the same: its correction is what later bills would follow."""
    await issue(canary)
    async with pool.tenant().transaction() as queries:
        sql = """update bill set basis = (basis::jsonb - 'days')::json,
          state = '{"p": {"days": 32}}'"""
        await queries.execute(sql)

    (told,) = (await success(canary, "GET", "/v1/bills?affected=true"))["items"]

    assert (told["impact"]["reasons"], told["impact"]["difference"]) == (["days"], "0.00")
