"""Issuing: from there a bill never changes."""

import asyncio

from energia.db.tenant import Tenant
from tests.core.billing.fakes import Heard
from tests.core.billing.setting import (
    CONTRACT,
    day,
    draft,
    hours,
    issued,
    refusal,
    success,
    tariff,
)
from tests.core.pricing.asking import answer_of
from tests.serving import Client

ROW = "select b::text from bill b where id = %s"


async def test_a_draft_is_issued(household: Client, heard: Heard) -> None:
    """It is as the draft showed it, and who listens is told."""
    draft_ = await draft(household, "b", 1)
    bill = await success(household, "POST", "/v1/bills/b/issue")

    changed = {"status", "priced_at", "issued_at"}
    assert {name: bill[name] for name in bill.keys() - changed} == {
        name: draft_[name] for name in draft_.keys() - changed
    }
    assert bill["status"] == "issued"
    (event,) = heard.events
    assert (event.bill, event.contract, event.meter, event.tariff) == ("b", "c", "m", "flat")
    assert (event.currency, event.total, event.corrects) == ("BRL", "12.00", None)
    assert (event.start.isoformat(), event.end.isoformat()) == ("2025-03-01", "2025-03-02")
    assert event.issued_at.isoformat().replace("+00:00", "Z") == bill["issued_at"]


async def test_issuing_again_changes_nothing(household: Client, heard: Heard) -> None:
    """The same answer, even after the readings changed; nobody is told twice."""
    bill = await issued(household, "b", 1)
    await hours(household, 1, 2)

    assert await success(household, "POST", "/v1/bills/b/issue") == bill
    assert heard.bills == ["b"]


async def test_an_outdated_draft_is_not_issued(household: Client, heard: Heard) -> None:
    """What was shown is what is issued: other readings or another tariff first make it again."""
    await draft(household, "b", 1)
    await hours(household, 1, 2)
    readings = await refusal(household, "POST", "/v1/bills/b/issue")
    await draft(household, "b", 1)
    await success(
        household, "PUT", "/v1/tariffs/flat", tariff({"kind": "energy.flat", "rate": "0.60"})
    )
    rate = await refusal(household, "POST", "/v1/bills/b/issue")

    assert readings[:2] == rate[:2] == (409, "draft_outdated")
    assert heard.bills == []
    await draft(household, "b", 1)
    assert (await success(household, "POST", "/v1/bills/b/issue"))["total"] == "28.80"


async def test_a_draft_that_cannot_be_priced_any_more_is_not_issued(household: Client) -> None:
    """The contract ends before the draft does."""
    await draft(household, "b", 3, 6)
    await success(household, "PUT", "/v1/contracts/c", {**CONTRACT, "end": "2025-03-05"})

    assert (await refusal(household, "POST", "/v1/bills/b/issue"))[:2] == (422, "outside_contract")


async def test_what_a_draft_takes_for_missing_is_issued(household: Client) -> None:
    """A draft with readings taken as zero is issued with them."""
    body = {"id": "b", "contract": "c", **day(10, 12), "missing": "zero"}
    await success(household, "POST", "/v1/bills", body)

    assert (await success(household, "POST", "/v1/bills/b/issue"))["total"] == "12.00"


async def test_an_issued_bill_never_changes(household: Client, tenant: Tenant) -> None:
    """Whatever is sent, not a byte of its row is another."""
    fee = {"kind": "fixed", "amount": {"parameter": "fee", "default": "31"}, "per": "month"}
    await success(household, "PUT", "/v1/tariffs/flat", tariff({**fee, "code": "fee"}))
    await issued(household, "b", 1)
    before = await tenant.fetch(str, ROW, "b")

    await hours(household, 1, 5)
    await success(household, "PUT", "/v1/contracts/c", {**CONTRACT, "parameters": {"fee": "62"}})
    closed = tariff({**fee, "code": "fee"}, valid_to="2025-03-02")
    await success(household, "PUT", "/v1/tariffs/flat", closed)
    await success(household, "POST", "/v1/bills/b/issue")
    body = {"contract": "c", **day(1)}
    assert (await refusal(household, "POST", "/v1/bills", body))[1] == "already_billed"
    run = await success(household, "POST", "/v1/bills/run", {**day(1), "issue": True})
    assert (await refusal(household, "DELETE", "/v1/bills/b"))[:2] == (409, "bill_issued")

    assert run["unchanged"] == 1
    assert await tenant.fetch(str, ROW, "b") == before


async def test_a_draft_is_deleted_or_issued_never_both(household: Client, heard: Heard) -> None:
    """Where a bill was deleted (204), it is not issued; where it was issued, it stays (409)."""
    for first in range(1, 10):
        id_ = f"b{first}"
        await draft(household, id_, first)

        issue, delete = await asyncio.gather(
            answer_of(household, "POST", f"/v1/bills/{id_}/issue"),
            answer_of(household, "DELETE", f"/v1/bills/{id_}"),
        )

        status, _ = await answer_of(household, "GET", f"/v1/bills/{id_}")
        assert (issue[0], delete[0], status) in ((200, 409, 200), (404, 204, 404))
        assert (id_ in heard.bills) == (status == 200)


async def test_amounts_without_decimals_are_not_issued(household: Client, heard: Heard) -> None:
    """A tariff that does not round can be drafted: nobody can pay such a bill."""
    exact = tariff({"kind": "fixed", "amount": "100", "per": "month"})
    exact["versions"][0]["rounding"] = {"amount_decimals": None}
    await success(household, "PUT", "/v1/tariffs/flat", exact)
    shown = await draft(household, "b", 1)

    refused = await refusal(household, "POST", "/v1/bills/b/issue")
    run = await success(
        household,
        "POST",
        "/v1/bills/run",
        {"start": "2025-03-01", "end": "2025-03-02", "issue": True},
    )

    # 100 x 1/31 ends in no decimal.
    assert (shown["total"], shown["lines"][0]["amount"]) == ("3.225806451613",) * 2
    assert shown["lines"][0]["exact"] == "100/31"
    assert [one["code"] for one in shown["assumptions"]] == ["amounts_shown_rounded"]
    assert refused[:2] == (409, "no_decimals")
    assert [one["code"] for one in run["failed"]] == ["no_decimals"]
    assert heard.events == []
