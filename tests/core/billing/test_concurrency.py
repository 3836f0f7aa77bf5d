"""Many clients at once: a period is billed once, whoever comes first."""

import asyncio
from datetime import date
from itertools import combinations

from energia.db.tenant import Tenant
from tests.core.billing.fakes import Heard
from tests.core.billing.setting import day, draft, hours, success
from tests.core.pricing.asking import answer_of
from tests.serving import Client

LIVE = "select start_day, end_day from bill where status <> 'corrected' order by start_day"


async def test_drafts_of_one_period_are_one(household: Client, tenant: Tenant) -> None:
    """Of twelve at once one makes it (201) and the others find it (200)."""
    body = {"contract": "c", **day(1)}

    answers = await asyncio.gather(
        *(answer_of(household, "POST", "/v1/bills", body) for _ in range(12))
    )

    assert sorted(status for status, _ in answers) == [200] * 11 + [201]
    assert len({bill["id"] for _, bill in answers}) == 1
    assert len(await tenant.fetch(lambda *row: row, LIVE)) == 1


async def test_a_bill_is_issued_once(household: Client, heard: Heard) -> None:
    """Of twelve at once all get the same bill, and who listens is told once."""
    await draft(household, "b", 1)

    answers = await asyncio.gather(
        *(answer_of(household, "POST", "/v1/bills/b/issue") for _ in range(12))
    )

    assert [status for status, _ in answers] == [200] * 12
    assert len({bill["issued_at"] for _, bill in answers}) == 1
    assert heard.bills == ["b"]


async def test_periods_that_overlap_are_not_both_billed(household: Client, tenant: Tenant) -> None:
    """Of many overlapping periods drafted and issued at once, no two share a day."""

    async def bill(first: int, past: int) -> int:
        status, made = await answer_of(
            household, "POST", "/v1/bills", {"contract": "c", **day(first, past)}
        )
        if status == 201:
            status, _ = await answer_of(household, "POST", f"/v1/bills/{made['id']}/issue")
        return status

    periods = [(first, first + length) for first in range(1, 8) for length in (1, 2, 3)]
    statuses = await asyncio.gather(*(bill(*period) for period in periods))

    live = await tenant.fetch(_period, LIVE)
    assert set(statuses) == {200, 409}
    assert len(live) == statuses.count(200)
    for (_, end), (start, _) in combinations(live, 2):
        assert end <= start


async def test_runs_at_once_bill_once(household: Client, heard: Heard, tenant: Tenant) -> None:
    """Six runs that issue, and single drafts among them, leave one issued bill."""
    body = {"contract": "c", **day(1)}
    run = {**day(1), "issue": True}

    answers = await asyncio.gather(
        *(answer_of(household, "POST", "/v1/bills/run", run) for _ in range(6)),
        *(answer_of(household, "POST", "/v1/bills", body) for _ in range(3)),
    )

    assert sum(answer["issued"] for _, answer in answers[:6]) == 1
    assert {status for status, _ in answers[6:]} <= {200, 201, 409}
    assert len(heard.bills) == 1
    assert len(await tenant.fetch(_period, LIVE)) == 1


async def test_readings_that_come_while_a_bill_is_issued_are_in_it_or_affect_it(
    household: Client,
) -> None:
    """No correction is lost between what a bill saw and what it says it saw."""
    for first in range(1, 9):
        await draft(household, f"b{first}", first)

        await asyncio.gather(
            hours(household, first, 2), answer_of(household, "POST", f"/v1/bills/b{first}/issue")
        )

    bills = (await success(household, "GET", "/v1/bills?status=issued"))["items"]
    affected = (await success(household, "GET", "/v1/bills?affected=true"))["items"]
    assert {bill["total"] for bill in bills} <= {"12.00"}
    assert {bill["id"] for bill in affected} == {bill["id"] for bill in bills}


def _period(start: date, end: date) -> tuple[date, date]:
    return start, end
