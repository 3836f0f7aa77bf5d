"""Rebilling: a tariff or a contract that was wrong, or changed retroactively, is corrected.

The values are those of the case q01: a standing charge of 0.5496 a day for 0.4839.
"""

from typing import Any
from urllib.parse import quote

import pytest

from tests.core.billing.setting import (
    CHANNEL,
    CONTRACT,
    FLAT,
    RATCHET,
    SITE,
    corrected,
    day,
    draft,
    hours,
    issued,
    meter,
    refusal,
    success,
    tariff,
    tariff_of,
)
from tests.serving import Client

REASON = "the standing charge was that of 2024"
WHY = f"?correction={quote(REASON)}"
TARIFF = "/v1/tariffs/flat"
OF_CONTRACT = "/v1/contracts/c"
MARCH = {"start": "2025-03-01", "end": "2025-04-01"}
ENERGY = {"kind": "energy.flat", "rate": "0.25"}


def standing(amount: str) -> dict[str, Any]:
    """Return a charge for each day."""
    return {"kind": "fixed", "amount": amount, "per": "day"}


def by(amount: str, **version: Any) -> dict[str, Any]:
    """Return a tariff of 0.25 for a kWh and an amount for each day."""
    return tariff(ENERGY, standing(amount), **version)


async def affected(client: Client) -> dict[str, dict[str, Any]]:
    """Return what has changed for each affected bill, by its id."""
    items = (await success(client, "GET", "/v1/bills?affected=true"))["items"]
    return {bill["id"]: bill["impact"] for bill in items}


@pytest.fixture
async def march(client: Client) -> Client:
    """Give a client of a home whose March, 743 kWh, is billed by the wrong standing charge."""
    await success(client, "PUT", "/v1/sites/home", SITE)
    await meter(client)
    await hours(client, 1, *[1] * 31)
    start = "2025-03-31T23:00:00Z"
    none = {"readings": [{"meter": "m", "start": start, "value": 0}]}
    await success(client, "POST", "/v1/readings", none)
    await success(client, "PUT", TARIFF, by("0.5496"))
    await success(client, "PUT", OF_CONTRACT, CONTRACT)
    await success(client, "POST", "/v1/bills", {"id": "old", "contract": "c", **MARCH})
    bill = await success(client, "POST", "/v1/bills/old/issue")
    assert bill["total"] == "202.79"
    return client


async def test_a_wrong_tariff_is_corrected(march: Client) -> None:
    """743 x 0.25 + 31 x 0.4839 is 200.75: 2.04 are given back; both are kept and named."""
    assert (await refusal(march, "PUT", TARIFF, by("0.4839")))[1] == "version_in_use"
    old = await success(march, "GET", "/v1/bills/old")

    await success(march, "PUT", TARIFF + WHY, by("0.4839"))

    assert await affected(march) == {
        "old": {"reasons": ["tariff"], "total": "200.75", "difference": "-2.04"}
    }
    assert await success(march, "GET", "/v1/bills/old") == old
    new = await corrected(march, "old", "new")
    assert (new["total"], new["difference"]) == ("200.75", "-2.04")
    assert await affected(march) == {}


async def test_what_a_tariff_said_is_kept(march: Client) -> None:
    """The list has each correction, with its reason and how many bills are by what was before."""
    await success(march, "PUT", TARIFF + WHY, by("0.4839"))
    await corrected(march, "old", "new")
    await success(march, "PUT", TARIFF + "?correction=again", by("0.48"))

    first, second = (await success(march, "GET", f"{TARIFF}/corrections"))["items"]

    assert (first["number"], first["reason"], first["bills"]) == (1, REASON, 1)
    assert (second["number"], second["reason"], second["bills"]) == (2, "again", 1)
    amounts = [entry["before"]["versions"][0]["charges"][1]["amount"] for entry in (first, second)]
    assert amounts == ["0.5496", "0.4839"]
    page = await success(march, "GET", f"{TARIFF}/corrections?limit=1")
    rest = await success(march, "GET", f"{TARIFF}/corrections?limit=1&cursor={page['next']}")
    assert [page["items"], rest["items"], rest["next"]] == [[first], [second], None]
    assert (await refusal(march, "GET", "/v1/tariffs/nobody/corrections"))[0] == 404


async def test_old_and_new_bills_are_explained_by_their_own_tariff(march: Client) -> None:
    """Each names what was corrected, why, and both versions."""
    await success(march, "PUT", TARIFF + WHY, by("0.4839"))
    await corrected(march, "old", "new")

    old = await success(march, "GET", "/v1/bills/old/explain")
    new = await success(march, "GET", "/v1/bills/new/explain")

    for explanation, amount, total in ((old, "0.5496", "202.79"), (new, "0.4839", "200.75")):
        assert explanation["total"] == total
        assert explanation["charges"]["fixed"]["amount"] == amount
        assert all(line["reproduced"] for line in explanation["lines"])
        (correction,) = explanation["corrections"]
        assert (correction["of"], correction["id"], correction["reason"]) == (
            *("tariff", "flat", REASON),
        )
        amounts = [
            correction[side]["versions"][0]["charges"][1]["amount"] for side in ("before", "after")
        ]
        assert amounts == ["0.5496", "0.4839"]


async def test_a_price_that_changed_retroactively_is_corrected(march: Client) -> None:
    """14 days at 0.5496 and 17 at 0.4839: 185.75 + 7.69 + 8.23, one bill of two versions."""
    first = {**by("0.5496")["versions"][0], "valid_to": "2025-03-15"}
    later = {**by("0.4839")["versions"][0], "valid_from": "2025-03-15"}

    await success(march, "PUT", TARIFF + WHY, tariff_of(first, later))

    assert (await affected(march))["old"]["reasons"] == ["tariff"]
    new = await corrected(march, "old", "new")
    assert (new["total"], new["inputs"]["versions"]) == ("201.67", ["2025-01-01", "2025-03-15"])
    assert len((await success(march, "GET", "/v1/bills/old/explain"))["lines"]) == 2


async def test_a_correction_that_changes_nothing_affects_nothing(march: Client) -> None:
    """Another version for days that are not billed needs no correction, and is none."""
    first = {**by("0.5496")["versions"][0], "valid_to": "2025-04-01"}
    later = {**by("0.4839")["versions"][0], "valid_from": "2025-04-01"}

    await success(march, "PUT", TARIFF + WHY, tariff_of(first, later))

    assert await affected(march) == {}
    assert (await success(march, "GET", f"{TARIFF}/corrections"))["items"] == []


async def test_a_correction_of_other_days_leaves_a_bill_alone(march: Client) -> None:
    """A version of April is billed and wrong; the bill of March is by the same as before."""
    first = {**by("0.5496")["versions"][0], "valid_to": "2025-04-01"}
    later = {**by("0.4839")["versions"][0], "valid_from": "2025-04-01"}
    await success(march, "PUT", TARIFF, tariff_of(first, later))
    april = {"id": "april", "contract": "c", "start": "2025-04-01", "end": "2025-04-02"}
    await success(march, "POST", "/v1/bills", {**april, "missing": "zero"})
    await success(march, "POST", "/v1/bills/april/issue")
    later = {**by("0.48")["versions"][0], "valid_from": "2025-04-01"}

    await success(march, "PUT", TARIFF + WHY, tariff_of(first, later))

    assert list(await affected(march)) == ["april"]
    explanation = await success(march, "GET", "/v1/bills/old/explain")
    assert explanation["corrections"] == []


async def test_a_correction_may_be_corrected(march: Client) -> None:
    """The correcting bill holds the tariff as it is; the next correction finds it, and no other."""
    await success(march, "PUT", TARIFF + WHY, by("0.4839"))
    await corrected(march, "old", "new")
    assert (await refusal(march, "PUT", TARIFF, by("0.48")))[1] == "version_in_use"

    await success(march, "PUT", TARIFF + WHY, by("0.48"))

    # 185.75 + 31 x 0.48 = 200.63.
    assert await affected(march) == {
        "new": {"reasons": ["tariff"], "total": "200.63", "difference": "-0.12"}
    }
    newest = await corrected(march, "new", "newest")
    assert newest["difference"] == "-0.12"
    explanations = [
        await success(march, "GET", f"/v1/bills/{id_}/explain") for id_ in ("old", "new", "newest")
    ]
    assert [explanation["total"] for explanation in explanations] == ["202.79", "200.75", "200.63"]
    assert [len(explanation["corrections"]) for explanation in explanations] == [2, 2, 1]


async def test_a_correction_keeps_the_currency(march: Client) -> None:
    """No difference could be told between two of them."""
    other = by("0.4839") | {"currency": "EUR"}

    found = await refusal(march, "PUT", TARIFF + WHY, other)

    assert found == (409, "version_in_use", {"/currency": "version_in_use"})
    await success(march, "PUT", "/v1/tariffs/euro", other)
    found = await refusal(march, "PUT", OF_CONTRACT + WHY, {**CONTRACT, "tariff": "euro"})
    assert found == (409, "in_use", {"/tariff": "in_use"})


@pytest.mark.parametrize("reason", ["", "%20", "x" * 501, "a%00b"])
async def test_a_correction_has_a_reason(march: Client, reason: str) -> None:
    """An empty one says nothing."""
    found = await refusal(march, "PUT", f"{TARIFF}?correction={reason}", by("0.4839"))

    assert found[0] == 422
    assert list(found[2]) == ["/query/correction"]


async def test_a_contract_of_the_wrong_tariff_is_corrected(march: Client) -> None:
    """The other tariff prices the bill; what the contract said stays, and explains the old one."""
    await success(march, "PUT", "/v1/tariffs/right", by("0.4839"))
    other = {**CONTRACT, "tariff": "right"}
    assert (await refusal(march, "PUT", OF_CONTRACT, other))[1] == "in_use"

    await success(march, "PUT", OF_CONTRACT + WHY, other)

    assert await affected(march) == {
        "old": {"reasons": ["tariff"], "total": "200.75", "difference": "-2.04"}
    }
    await corrected(march, "old", "new")
    for id_, name, total in (("old", "flat", "202.79"), ("new", "right", "200.75")):
        explanation = await success(march, "GET", f"/v1/bills/{id_}/explain")
        assert (explanation["inputs"]["tariff"], explanation["total"]) == (name, total)
        (correction,) = explanation["corrections"]
        assert (correction["of"], correction["before"]["tariff"]) == ("contract", "flat")
        assert (correction["after"]["tariff"], correction["reason"]) == ("right", REASON)
    (kept,) = (await success(march, "GET", f"{OF_CONTRACT}/corrections"))["items"]
    assert (kept["before"]["tariff"], kept["bills"]) == ("flat", 1)
    assert await refusal(march, "DELETE", TARIFF) == (409, "in_use", {})


async def test_a_contract_that_ended_earlier_is_corrected(march: Client) -> None:
    """14 days are left: 335 kWh x 0.25 + 14 x 0.5496 less a day; another contract has the rest."""
    assert (await refusal(march, "PUT", OF_CONTRACT, {**CONTRACT, "end": "2025-03-15"}))[0] == 409

    await success(march, "PUT", OF_CONTRACT + WHY, {**CONTRACT, "end": "2025-03-15"})

    # 14 x 24 x 0.25 = 84.00, 14 x 0.5496 = 7.6944.
    assert await affected(march) == {
        "old": {"reasons": ["contract"], "total": "91.69", "difference": "-111.10"}
    }
    new = await corrected(march, "old", "new")
    assert (new["start"], new["end"], new["total"]) == ("2025-03-01", "2025-03-15", "91.69")
    next_one = {**CONTRACT, "start": "2025-03-15"}
    await success(march, "PUT", "/v1/contracts/d", next_one)
    rest = await success(
        march, "POST", "/v1/bills", {"contract": "d", "start": "2025-03-15", "end": "2025-04-01"}
    )
    # 407 x 0.25 = 101.75, 17 x 0.5496 = 9.3432.
    assert rest["total"] == "111.09"
    assert await affected(march) == {}


async def test_what_is_billed_after_a_contract_ended_is_given_back(march: Client) -> None:
    """The contract ends before a bill begins: its correction charges nothing, and says why."""
    april = {"contract": "c", "start": "2025-04-01", "end": "2025-04-02", "missing": "zero"}
    await success(march, "POST", "/v1/bills", {**april, "id": "april"})
    await success(march, "POST", "/v1/bills/april/issue")
    await success(march, "PUT", OF_CONTRACT + WHY, {**CONTRACT, "end": "2025-04-01"})

    assert await affected(march) == {
        "april": {"reasons": ["contract"], "total": "0.00", "difference": "-0.55"}
    }
    new = await corrected(march, "april", "new")

    assert (new["total"], new["difference"], new["lines"]) == ("0.00", "-0.55", [])
    assert [item["code"] for item in new["assumptions"]] == ["contract_not_in_force"]
    assert await affected(march) == {}
    explanation = await success(march, "GET", "/v1/bills/new/explain")
    assert (explanation["lines"], explanation["charges"]) == ([], {})
    assert len(explanation["corrections"]) == 1
    # The contract may be put again as it is.
    await success(march, "PUT", OF_CONTRACT, {**CONTRACT, "end": "2025-04-01"})


async def test_a_contract_of_the_wrong_meter_is_corrected(march: Client) -> None:
    """The other meter, of 2 kWh an hour for 31 days, is billed: 372.00 + 17.04."""
    await meter(march, "other", CHANNEL)
    await hours(march, 1, *[2] * 31, meter="other")

    await success(march, "PUT", OF_CONTRACT + WHY, {**CONTRACT, "meter": "other"})

    assert (await affected(march))["old"]["reasons"] == ["contract"]
    new = await corrected(march, "old", "new")
    assert (new["meter"], new["total"]) == ("other", "389.04")
    old = await success(march, "GET", "/v1/bills/old/explain")
    assert (old["total"], old["lines"][0]["reproduced"]) == ("202.79", True)


async def test_channels_of_another_meter_are_not_those_that_were_billed(march: Client) -> None:
    """It has a channel of the same name, and one more: nobody said which of them is billed."""
    await meter(march, "other")
    path = f"{OF_CONTRACT}?correction=the+meters+were+swapped"
    await success(march, "PUT", path, {**CONTRACT, "meter": "other"})
    await meter(march, "other", CHANNEL, {**CHANNEL, "id": "more"})

    found = await refusal(march, "POST", "/v1/bills", {"corrects": "old"})

    assert found[1] == "ambiguous_channel"


async def test_what_a_corrected_tariff_hands_on_goes_through_the_bills(household: Client) -> None:
    """The best day is priced at 2 for 1: each bill is affected, in order."""
    await success(household, "PUT", TARIFF, tariff(RATCHET))
    for first in (1, 2):
        await issued(household, f"b{first}", first)

    await success(household, "PUT", TARIFF + WHY, tariff({**RATCHET, "rate": "2"}))

    assert await affected(household) == {
        f"b{first}": {"reasons": ["tariff"], "total": "48.00", "difference": "24.00"}
        for first in (1, 2)
    }


async def test_a_draft_is_by_the_corrected_tariff(household: Client) -> None:
    """Nothing but issued bills keeps what was before."""
    await issued(household, "b1", 1)
    await draft(household, "b2", 2)
    await success(household, "PUT", TARIFF + WHY, tariff({**FLAT, "rate": "0.60"}))

    assert (await refusal(household, "POST", "/v1/bills/b2/issue"))[1] == "draft_outdated"
    assert (await draft(household, "b2", 2))["total"] == "14.40"


async def test_a_draft_of_a_correction_follows_the_contract(household: Client) -> None:
    """Drafted for one day of two, then for both, as the contract is corrected once more."""
    await issued(household, "old", 1, 3)
    await success(household, "PUT", OF_CONTRACT + WHY, {**CONTRACT, "end": "2025-03-02"})
    short = await success(household, "POST", "/v1/bills", {"id": "new", "corrects": "old"})
    await success(household, "PUT", OF_CONTRACT + WHY, CONTRACT)

    whole = await success(household, "POST", "/v1/bills", {"corrects": "old"})

    assert (short["end"], short["total"]) == ("2025-03-02", "12.00")
    assert (whole["id"], whole["end"], whole["total"]) == ("new", "2025-03-03", "24.00")
    assert day(1)["start"] == whole["start"]
