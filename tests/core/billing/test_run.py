"""Runs: a period of many contracts, those that cannot be billed aside."""

from typing import Any

from energia.db.tenant import Tenant
from tests.core.billing.fakes import Heard
from tests.core.billing.setting import (
    CONTRACT,
    RATCHET,
    corrected,
    day,
    draft,
    hours,
    issued,
    meter,
    refusal,
    success,
    tariff,
)
from tests.serving import Client

RUN = "/v1/bills/run"


def counts(run: dict[str, Any]) -> tuple[int, int, int, int, int]:
    """Return how many were created, updated, unchanged, issued, and failed."""
    created, updated, unchanged = run["created"], run["updated"], run["unchanged"]
    return created, updated, unchanged, run["issued"], run["failures"]


async def neighbour(client: Client, id_: str, *values: float | None, **contract: Any) -> None:
    """Make a meter with days of readings, and a contract of the same id."""
    await meter(client, id_)
    await hours(client, 1, *values, meter=id_)
    await success(client, "PUT", f"/v1/contracts/{id_}", {**CONTRACT, "meter": id_, **contract})


async def totals(client: Client, query: str = "") -> dict[str, tuple[str, str, str]]:
    """Return period and total of each contract's bill."""
    found = await success(client, "GET", f"/v1/bills?limit=1000&{query}")
    bills = found["items"]
    assert len({bill["contract"] for bill in bills}) == len(bills)
    return {bill["contract"]: (bill["start"], bill["end"], bill["total"]) for bill in bills}


async def test_a_run_drafts_a_period_of_all_contracts(household: Client) -> None:
    """Each gets a draft by its own readings; again, they are as they were."""
    await neighbour(household, "d", 2, 2)

    first = await success(household, "POST", RUN, day(1, 3))
    second = await success(household, "POST", RUN, day(1, 3))

    assert (counts(first), counts(second)) == ((2, 0, 0, 0, 0), (0, 0, 2, 0, 0))
    period = ("2025-03-01", "2025-03-03")
    assert await totals(household, "status=draft") == {
        "c": (*period, "24.00"),
        "d": (*period, "48.00"),
    }


async def test_a_run_prices_drafts_again(household: Client) -> None:
    """A draft whose readings have changed is updated."""
    await draft(household, "b", 1)
    await hours(household, 1, 2)

    assert counts(await success(household, "POST", RUN, day(1))) == (0, 1, 0, 0, 0)
    assert (await success(household, "GET", "/v1/bills/b"))["total"] == "24.00"


async def test_a_run_may_issue(household: Client, heard: Heard) -> None:
    """Drafts that were there are issued too; what is issued already is not told again."""
    await neighbour(household, "d", 2)
    await draft(household, "b", 1)

    first = await success(household, "POST", RUN, {**day(1), "issue": True})
    second = await success(household, "POST", RUN, {**day(1), "issue": True})

    assert (counts(first), counts(second)) == ((1, 0, 1, 2, 0), (0, 0, 2, 0, 0))
    assert sorted((event.contract, event.total) for event in heard.events) == [
        ("c", "12.00"),
        ("d", "24.00"),
    ]
    assert set(await totals(household, "status=issued")) == {"c", "d"}


async def test_what_cannot_be_billed_is_told_and_the_rest_is(household: Client) -> None:
    """Each failure has its contract, code and faults; the others have bills."""
    await neighbour(household, "bare", 1, None)
    await neighbour(household, "twice", 1, 1)
    period = {"contract": "twice", **day(2, 4)}
    await success(household, "POST", "/v1/bills", {**period, "missing": "zero"})
    body = {**day(1, 3), "contracts": ["c", "bare", "twice", "nobody"]}

    run = await success(household, "POST", RUN, body)

    assert counts(run) == (1, 0, 0, 0, 3)
    failed = {one["contract"]: one for one in run["failed"]}
    assert {id_: one["code"] for id_, one in failed.items()} == {
        "nobody": "not_found",
        "twice": "overlaps_draft",
        "bare": "incomplete_usage",
    }
    assert failed["bare"]["errors"][0]["pointer"] == "/contract"
    assert "c" in await totals(household, "contract=c")


async def test_a_charge_that_fails_keeps_no_other_from_its_bill(household: Client) -> None:
    """Its contract is told; alone it is a 500 that tells nothing of the inside."""
    await neighbour(household, "idle", 0)
    spread = {"kind": "test.spread", "amount": "7"}
    await success(household, "PUT", "/v1/tariffs/flat", tariff(spread))

    run = await success(household, "POST", RUN, {**day(1), "issue": True})
    alone = await refusal(household, "POST", "/v1/bills", {"contract": "idle", **day(1)})

    assert counts(run) == (1, 0, 0, 1, 1)
    assert [(one["contract"], one["code"]) for one in run["failed"]] == [("idle", "charge_failed")]
    assert "Zero" not in run["failed"][0]["message"]
    assert alone[:2] == (500, "charge_failed")
    assert await totals(household) == {"c": ("2025-03-01", "2025-03-02", "7.00")}


async def test_a_contract_is_billed_for_the_time_that_it_is_in_force(household: Client) -> None:
    """From its start, until its end; outside of both it is none of the run's business."""
    await success(household, "DELETE", "/v1/contracts/c")
    await success(household, "PUT", "/v1/contracts/a", {**CONTRACT, "end": "2025-03-03"})
    await success(household, "PUT", "/v1/contracts/b", {**CONTRACT, "start": "2025-03-03"})

    run = await success(household, "POST", RUN, {**day(1, 5)})
    later = await success(household, "POST", RUN, {**day(6, 7)})
    named = await success(household, "POST", RUN, {**day(6, 7), "contracts": ["a"]})

    assert counts(run) == (2, 0, 0, 0, 0)
    assert counts(later) == (1, 0, 0, 0, 0)
    assert (counts(named), named["failed"][0]["code"]) == ((0, 0, 0, 0, 1), "outside_contract")
    parts = await totals(household, "end=2025-03-05")
    assert parts == {
        "a": ("2025-03-01", "2025-03-03", "24.00"),
        "b": ("2025-03-03", "2025-03-05", "24.00"),
    }


async def test_a_period_that_is_billed_in_part_is_told(household: Client) -> None:
    """The same period is unchanged, another one that shares a day has failed."""
    await issued(household, "b", 1, 3)

    assert counts(await success(household, "POST", RUN, day(1, 3))) == (0, 0, 1, 0, 0)
    run = await success(household, "POST", RUN, day(1, 4))
    assert (counts(run), run["failed"][0]["code"]) == ((0, 0, 0, 0, 1), "already_billed")


async def test_a_draft_keeps_what_it_takes_for_missing(household: Client) -> None:
    """A run leaves it as it was made, and issues it so."""
    body = {"id": "b", "contract": "c", **day(10, 12), "missing": "zero"}
    await success(household, "POST", "/v1/bills", body)

    run = await success(household, "POST", RUN, {**day(10, 12), "issue": True})

    assert counts(run) == (0, 0, 1, 1, 0)
    assert (await success(household, "GET", "/v1/bills/b"))["inputs"]["missing"] == "zero"


async def test_runs_hand_on_what_charges_remember(household: Client) -> None:
    """Three days, one run after another: 24, 72, and 72 again."""
    await success(household, "PUT", "/v1/tariffs/flat", tariff(RATCHET))
    await hours(household, 2, 3)
    for first in (1, 2, 3):
        await success(household, "POST", RUN, {**day(first), "issue": True})

    found = (await success(household, "GET", "/v1/bills"))["items"]

    assert [bill["total"] for bill in found] == ["72.00", "72.00", "24.00"]


async def test_a_run_counts_what_was_corrected_as_billed(household: Client) -> None:
    """The correction has the place of the bill."""
    await issued(household, "b", 1)
    await hours(household, 1, 2)
    await corrected(household, "b", "new")

    assert counts(await success(household, "POST", RUN, {**day(1), "issue": True})) == (
        0,
        0,
        1,
        0,
        0,
    )


async def test_an_empty_run_is_refused_and_one_of_nobody_does_nothing(
    household: Client, tenant: Tenant
) -> None:
    """A period has a day; an empty list of contracts is nobody, not everybody."""
    empty = await refusal(household, "POST", RUN, day(3, 3))
    nobody = await success(household, "POST", RUN, {**day(1), "contracts": []})

    assert empty[0::2] == (422, {"/end": "empty_window"})
    assert counts(nobody) == (0, 0, 0, 0, 0)
    assert await tenant.fetch(str, "select id from bill") == []
