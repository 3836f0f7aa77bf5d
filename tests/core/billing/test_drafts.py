"""Drafts: what a period of a contract costs by what is stored now."""

from typing import Any

from tests.core.billing.setting import CONTRACT, day, draft, hours, issued, refusal, success, tariff
from tests.core.pricing.asking import answer_of
from tests.serving import Client

BILLS = "/v1/bills"


def wanted(first: int, past: int | None = None, **more: Any) -> dict[str, Any]:
    """Return the body of a draft of the contract `c`."""
    return {"contract": "c", **day(first, past), **more}


async def test_a_draft_is_priced(household: Client) -> None:
    """Three days of 24 kWh at 0.50 are 36.00; it says what it was made from."""
    status, bill = await answer_of(household, "POST", BILLS, wanted(1, 4, id="b"))

    assert status == 201
    assert (bill["status"], bill["currency"], bill["total"]) == ("draft", "BRL", "36.00")
    assert bill["lines"] == [
        {
            "code": "energy.flat",
            "description": "Energy",
            "quantity": "72",
            "unit": "kWh",
            "rate": "0.50",
            "amount": "36.00",
            "exact": "36",
        }
    ]
    assert bill["inputs"]["version"] == "2025-01-01"
    assert bill["coverage"] == {
        "expected": 72,
        "actual": 72,
        "estimated": 0,
        "questionable": 0,
        "missing": 0,
    }
    assert await success(household, "GET", f"{BILLS}/b") == bill


async def test_a_draft_without_an_id_gets_one(household: Client) -> None:
    """`Location` says where it is."""
    async with household.post(BILLS, json=wanted(1)) as answer:
        bill = await answer.json()

    assert answer.headers["Location"] == f"{BILLS}/{bill['id']}"


async def test_a_draft_again_is_priced_again(household: Client) -> None:
    """The same bill (200) by what is stored now: 24 kWh more are 12.00 more."""
    _, first = await answer_of(household, "POST", BILLS, wanted(1))
    await hours(household, 1, 2)

    status, again = await answer_of(household, "POST", BILLS, wanted(1))

    assert (status, again["id"], again["total"]) == (200, first["id"], "24.00")
    assert again["created_at"] == first["created_at"]
    assert again["priced_at"] > first["priced_at"]


async def test_a_period_is_billed_once(household: Client) -> None:
    """A period that is billed in part is 409; the day after the last one is free."""
    await issued(household, "b", 2, 4)

    for first, past in ((2, 4), (1, 3), (3, 4), (1, 9)):
        found = await refusal(household, "POST", BILLS, wanted(first, past))
        assert found == (409, "already_billed", {"/start": "already_billed"})
    for first in (1, 4):
        await success(household, "POST", BILLS, wanted(first))


async def test_drafts_do_not_overlap(household: Client) -> None:
    """Another period that shares a day with a draft is 409; so is another id for its period."""
    await draft(household, "b", 2, 4)

    shared = await refusal(household, "POST", BILLS, wanted(3, 5))
    renamed = await refusal(household, "POST", BILLS, wanted(2, 4, id="other"))

    assert shared == (409, "overlaps_draft", {"/start": "overlaps_draft"})
    assert renamed[:2] == (409, "overlaps_draft")


async def test_an_id_names_one_bill(household: Client) -> None:
    """The id of another bill is 409, and that bill stays as it was."""
    first = await draft(household, "b", 1)

    found = await refusal(household, "POST", BILLS, wanted(2, id="b"))

    assert found[:2] == (409, "conflict")
    assert await success(household, "GET", f"{BILLS}/b") == first


async def test_missing_readings_are_refused(household: Client) -> None:
    """The faults name the contract and say when they are missing."""
    status, problem = await answer_of(household, "POST", BILLS, wanted(10, 12))

    assert (status, problem["code"]) == (422, "incomplete_usage")
    assert problem["errors"][0]["pointer"] == "/contract"
    assert "2025-03-11" in problem["errors"][0]["message"]


async def test_missing_readings_may_be_nothing(household: Client) -> None:
    """As zero, a day of two is 12.00, and the bill says so."""
    bill = await success(household, "POST", BILLS, wanted(10, 12, missing="zero"))

    assert bill["total"] == "12.00"
    assert (bill["coverage"]["missing"], bill["inputs"]["missing"]) == (24, "zero")
    assert [(one["code"], one["slots"]) for one in bill["assumptions"]] == [("missing_as_zero", 24)]


async def test_missing_readings_may_be_estimated(household: Client) -> None:
    """The hours of Tuesday the 11th take the mean of Monday's: 1 kWh each."""
    bill = await success(household, "POST", BILLS, wanted(10, 12, missing="estimate"))

    assert bill["total"] == "24.00"
    assert [(one["code"], one["slots"]) for one in bill["assumptions"]] == [
        ("missing_estimated", 24)
    ]


async def test_a_bill_is_within_its_contract(household: Client) -> None:
    """A day before the start, or after the end, is refused."""
    await success(household, "PUT", "/v1/contracts/c", {**CONTRACT, "end": "2025-03-05"})

    for period in (wanted(4, 6), {**wanted(1), "start": "2025-02-28"}):
        found = await refusal(household, "POST", BILLS, period)
        assert found == (422, "outside_contract", {"/start": "outside_contract"})


async def test_a_period_without_a_version_is_refused(household: Client) -> None:
    """Versions with two days between them: no bill may touch these."""
    first = {**tariff()["versions"][0], "valid_to": "2025-03-05"}
    second = {**tariff()["versions"][0], "valid_from": "2025-03-07"}
    await success(household, "PUT", "/v1/tariffs/flat", {**tariff(), "versions": [first, second]})

    for days in ((4, 6), (6, 8), (4, 8)):
        found = await refusal(household, "POST", BILLS, wanted(*days))
        assert found[2] == {"": "no_version_in_force"}
    for days in ((4, 5), (7, 8)):
        await success(household, "POST", BILLS, wanted(*days))


async def test_what_does_not_go_together_is_refused(household: Client) -> None:
    """A contract needs a period, a correction has that of its bill."""
    for body, faults in (
        ({}, {"/contract": "contract_or_corrects"}),
        ({"contract": "c"}, {"/start": "missing_field", "/end": "missing_field"}),
        ({"contract": "c", **day(3, 3)}, {"/end": "empty_window"}),
        (
            {"corrects": "b", **day(1), "state": {}},
            dict.fromkeys(("/start", "/end", "/state"), "not_of_corrections"),
        ),
    ):
        found = await refusal(household, "POST", BILLS, body)
        assert found[0::2] == (422, faults)


async def test_what_is_not_there_is_said(household: Client) -> None:
    """An unknown contract is a fault of the body, an unknown bill is 404."""
    unknown = await refusal(household, "POST", BILLS, {**wanted(1), "contract": "x"})

    assert unknown == (422, "invalid", {"/contract": "unknown_contract"})
    for method, path in (
        ("GET", f"{BILLS}/x"),
        ("DELETE", f"{BILLS}/x"),
        ("POST", f"{BILLS}/x/issue"),
        ("GET", f"{BILLS}/x/explain"),
        ("GET", "/v1/contracts/x/state"),
    ):
        assert (await refusal(household, method, path))[0] == 404
    assert (await refusal(household, "POST", BILLS, {"corrects": "x"}))[0] == 404


async def test_a_draft_goes_and_its_period_is_free(household: Client) -> None:
    """A deleted draft is gone; the period may be drafted anew under another id."""
    await draft(household, "b", 1, 4)

    await success(household, "DELETE", f"{BILLS}/b")

    assert (await refusal(household, "GET", f"{BILLS}/b"))[0] == 404
    await draft(household, "other", 2, 5)
