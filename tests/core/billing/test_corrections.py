"""Corrections: an issued bill is made again, and takes the place of the old one."""

import asyncio

from energia.db.tenant import Tenant
from tests.core.billing.fakes import Heard
from tests.core.billing.setting import (
    CHANNEL,
    CONTRACT,
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
from tests.core.pricing.asking import answer_of
from tests.serving import Client


async def test_a_correction_takes_the_place(household: Client, heard: Heard) -> None:
    """Each names the other; the difference is that of the totals: 30.00 - 12.00."""
    old = await issued(household, "old", 1)
    await hours(household, 1, 2.5)

    status, new = await answer_of(household, "POST", "/v1/bills", {"id": "new", "corrects": "old"})
    assert (status, new["status"], new["corrects"]) == (201, "draft", "old")
    assert (new["total"], new["difference"]) == ("30.00", "18.00")
    assert (new["start"], new["end"]) == (old["start"], old["end"])
    assert await success(household, "GET", "/v1/bills/old") == old

    await success(household, "POST", "/v1/bills/new/issue")
    after = await success(household, "GET", "/v1/bills/old")
    assert after == old | {"status": "corrected", "corrected_by": "new"}
    assert [(event.bill, event.corrects) for event in heard.events] == [
        ("old", None),
        ("new", "old"),
    ]


async def test_a_correction_may_be_less(household: Client) -> None:
    """The difference of a credit is negative: 6.00 - 12.00."""
    await issued(household, "old", 1)
    await hours(household, 1, 0.5)

    assert (await corrected(household, "old", "new"))["difference"] == "-6.00"


async def test_a_correction_is_drafted_once(household: Client) -> None:
    """ChannelWindow for again it is priced again (200); under another id it is 409."""
    await issued(household, "old", 1)
    body = {"id": "new", "corrects": "old"}
    await success(household, "POST", "/v1/bills", body)
    await hours(household, 1, 2)

    status, again = await answer_of(household, "POST", "/v1/bills", {"corrects": "old"})
    other = await refusal(household, "POST", "/v1/bills", {**body, "id": "other"})

    assert (status, again["id"], again["difference"]) == (200, "new", "12.00")
    assert other[:2] == (409, "overlaps_draft")


async def test_a_draft_is_not_corrected(household: Client) -> None:
    """It is made again instead."""
    await draft(household, "b", 1)

    assert (await refusal(household, "POST", "/v1/bills", {"corrects": "b"}))[:2] == (
        409,
        "not_issued",
    )


async def test_a_bill_is_corrected_once(household: Client) -> None:
    """After that the correction is what can be corrected."""
    await issued(household, "first", 1)
    await hours(household, 1, 2)
    await corrected(household, "first", "second")

    again = await refusal(household, "POST", "/v1/bills", {"corrects": "first"})
    issue = await refusal(household, "POST", "/v1/bills/first/issue")
    assert again[:2] == issue[:2] == (409, "already_corrected")
    await hours(household, 1, 3)
    third = await corrected(household, "second", "third")

    assert (third["total"], third["difference"]) == ("36.00", "12.00")
    chain = [await success(household, "GET", f"/v1/bills/{id_}") for id_ in ("first", "second")]
    assert [(bill["status"], bill["corrected_by"]) for bill in chain] == [
        ("corrected", "second"),
        ("corrected", "third"),
    ]


async def test_a_corrected_bill_and_its_correction_stay(household: Client) -> None:
    """Neither is deleted; a draft of a correction is, and the bill stands."""
    await issued(household, "old", 1)
    await success(household, "POST", "/v1/bills", {"id": "new", "corrects": "old"})
    await success(household, "DELETE", "/v1/bills/new")
    assert (await success(household, "GET", "/v1/bills/old"))["status"] == "issued"
    await corrected(household, "old", "new")

    for id_ in ("old", "new"):
        found = await refusal(household, "DELETE", f"/v1/bills/{id_}")
        assert found[:2] == (409, "bill_issued")


async def test_an_outdated_correction_is_not_issued(household: Client) -> None:
    """As any draft; the corrected bill stays issued."""
    await issued(household, "old", 1)
    await success(household, "POST", "/v1/bills", {"id": "new", "corrects": "old"})
    await hours(household, 1, 2)

    assert (await refusal(household, "POST", "/v1/bills/new/issue"))[1] == "draft_outdated"
    assert (await success(household, "GET", "/v1/bills/old"))["status"] == "issued"


async def test_a_correction_is_by_what_is_stored_now(household: Client) -> None:
    """Other parameters of the contract make another bill: 31 x 1/31 more."""
    fee = {"kind": "fixed", "amount": {"parameter": "fee", "default": "31"}, "per": "month"}
    await success(household, "PUT", "/v1/tariffs/flat", tariff(fee))
    await issued(household, "old", 1)
    await success(household, "PUT", "/v1/contracts/c", {**CONTRACT, "parameters": {"fee": "62"}})

    new = await corrected(household, "old", "new")

    assert (new["total"], new["difference"]) == ("2.00", "1.00")
    assert new["parameters"] == {"fee": "62"}


async def test_of_corrections_at_once_one_is_made(household: Client, tenant: Tenant) -> None:
    """Eight corrections of one bill, each issued at once, leave one in its place."""
    await issued(household, "old", 1)
    await hours(household, 1, 2)
    made = await asyncio.gather(
        *(answer_of(household, "POST", "/v1/bills", {"corrects": "old"}) for _ in range(8))
    )
    assert sorted(status for status, _ in made) == [200] * 7 + [201]
    (new,) = {bill["id"] for _, bill in made}

    answers = await asyncio.gather(
        *(answer_of(household, "POST", f"/v1/bills/{new}/issue") for _ in range(8))
    )

    assert {status for status, _ in answers} == {200}
    live = "select id from bill where status = 'issued'"
    assert await tenant.fetch(str, live) == [new]


async def test_a_run_leaves_corrections_alone(household: Client) -> None:
    """What is corrected is billed: a run makes nothing of it."""
    await issued(household, "old", 1)
    await hours(household, 1, 2)
    await success(household, "POST", "/v1/bills", {"id": "new", "corrects": "old"})

    before = await success(household, "POST", "/v1/bills/run", {**day(1), "issue": True})
    await success(household, "POST", "/v1/bills/new/issue")
    after = await success(household, "POST", "/v1/bills/run", {**day(1), "issue": True})

    for run in (before, after):
        assert (run["created"], run["unchanged"], run["issued"], run["failures"]) == (0, 1, 0, 0)


async def test_a_correction_treats_missing_readings_as_its_bill_did(household: Client) -> None:
    """An estimated bill is corrected as its impact says (case v02): 23 hours of 46 kWh, and 2."""
    first = {"meter": "m", "interval": "PT1H", "start": "2025-03-11T00:00:00Z"}
    values = [None if hour == 5 else 1 for hour in range(24)]
    await success(household, "POST", "/v1/readings", {"series": [{**first, "values": values}]})
    body = {"contract": "c", **day(11), "id": "old", "missing": "estimate"}
    await success(household, "POST", "/v1/bills", body)
    await success(household, "POST", "/v1/bills/old/issue")
    more = {**first, "start": "2025-03-11T06:00:00Z", "values": [24]}
    await success(household, "POST", "/v1/readings", {"series": [more]})
    (affected,) = (await success(household, "GET", "/v1/bills?affected=true"))["items"]

    refused = await refusal(
        household, "POST", "/v1/bills", {"corrects": "old", "missing": "refuse"}
    )
    new = await success(household, "POST", "/v1/bills", {"id": "new", "corrects": "old"})

    assert refused[:2] == (422, "incomplete_usage")
    assert (new["total"], new["inputs"]["missing"]) == ("24.00", "estimate")
    assert new["difference"] == affected["impact"]["difference"]
    assert (await success(household, "POST", "/v1/bills/new/issue"))["total"] == "24.00"


async def test_a_correction_reads_the_channels_of_its_bill(household: Client) -> None:
    """A second channel of the role makes new bills ambiguous, and not what was billed by one."""
    await issued(household, "old", 1)
    await meter(household, "m", CHANNEL, {**CHANNEL, "id": "more"})
    await hours(household, 1, 2, channel="import")
    (affected,) = (await success(household, "GET", "/v1/bills?affected=true"))["items"]

    assert affected["impact"]["difference"] == "12.00"
    assert (await corrected(household, "old", "new"))["difference"] == "12.00"
