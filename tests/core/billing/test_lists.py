"""Lists of bills: the newest first, filtered, page by page."""

from collections.abc import AsyncIterator
from itertools import chain

import pytest

from tests.core.billing.setting import (
    CONTRACT,
    corrected,
    day,
    draft,
    hours,
    issued,
    meter,
    refusal,
    success,
)
from tests.serving import Client


async def listed(client: Client, query: str = "") -> list[str]:
    """Return the ids of the bills that a query lists on one page."""
    found = await success(client, "GET", f"/v1/bills?{query}")
    assert found["next"] is None
    return [bill["id"] for bill in found["items"]]


async def pages(client: Client, query: str) -> AsyncIterator[list[str]]:
    """Yield the ids of the bills that a query lists, page by page."""
    cursor: str | None = ""
    while cursor is not None:
        path = f"/v1/bills?{query}" + (f"&cursor={cursor}" if cursor else "")
        found = await success(client, "GET", path)
        yield [bill["id"] for bill in found["items"]]
        cursor = found["next"]


@pytest.fixture
async def several(household: Client) -> Client:
    """Give a client of a home with bills of all kinds; `other` is of another contract."""
    await issued(household, "old", 1)
    await hours(household, 1, 2)
    await corrected(household, "old", "new")
    await issued(household, "second", 2)
    await draft(household, "third", 3, 5)
    await meter(household, "m2")
    await hours(household, 1, 1, meter="m2")
    await success(household, "PUT", "/v1/contracts/c2", {**CONTRACT, "meter": "m2"})
    await success(household, "POST", "/v1/bills", {"id": "other", "contract": "c2", **day(1)})
    return household


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["other", "third", "second", "new", "old"]),
        ("contract=c", ["third", "second", "new", "old"]),
        ("contract=nobody", []),
        ("meter=m2", ["other"]),
        ("meter=m&status=draft", ["third"]),
        ("meter=nobody", []),
        ("status=draft", ["other", "third"]),
        ("status=issued", ["second", "new"]),
        ("status=corrected", ["old"]),
        ("start=2025-03-02", ["third", "second"]),
        ("end=2025-03-02", ["other", "new", "old"]),
        ("start=2025-03-02&end=2025-03-03&status=issued&contract=c", ["second"]),
    ],
)
async def test_filters_go_together(several: Client, query: str, ids: list[str]) -> None:
    """Each leaves out what it is not about; a bill is of the day on which its period begins."""
    assert await listed(several, query) == ids


async def test_pages_follow_each_other(several: Client) -> None:
    """`next` leads on to the next page, filters kept, until there is none."""
    seen = [page async for page in pages(several, "contract=c&limit=1")]

    assert seen == [["third"], ["second"], ["new"], ["old"]]


async def test_a_page_follows_one_whose_last_bill_is_gone(several: Client) -> None:
    """A draft that is deleted meanwhile ends no list."""
    first = await success(several, "GET", "/v1/bills?limit=1")
    await success(several, "DELETE", "/v1/bills/other")

    assert await listed(several, f"cursor={first['next']}") == ["third", "second", "new", "old"]


async def test_what_is_no_cursor_is_refused(several: Client) -> None:
    """A cursor is the `next` of a page, nothing else."""
    for cursor in ("old", "1-", "x-old", "99999999999999999999999-old"):
        found = await refusal(several, "GET", f"/v1/bills?cursor={cursor}")
        assert found[0::2] == (422, {"/query/cursor": "wrong_cursor"}), cursor


async def test_bills_of_one_run_come_page_by_page(household: Client) -> None:
    """Bills that were made at the same instant are told apart by their ids."""
    for number in range(5):
        await meter(household, f"m{number}")
        await hours(household, 1, 1, meter=f"m{number}")
        body = {**CONTRACT, "meter": f"m{number}"}
        await success(household, "PUT", f"/v1/contracts/c{number}", body)
    assert (await success(household, "POST", "/v1/bills/run", day(1)))["created"] == 6

    found = [page async for page in pages(household, "limit=2")]

    assert [len(page) for page in found] == [2, 2, 2]
    assert len(set(chain(*found))) == 6


async def test_what_is_not_issued_is_not_affected(several: Client) -> None:
    """Only issued bills can be affected: another status leaves none."""
    await hours(several, 2, 5)

    assert await listed(several, "affected=true") == ["second"]
    assert await listed(several, "affected=true&status=issued") == ["second"]
    assert await listed(several, "affected=true&status=draft") == []
