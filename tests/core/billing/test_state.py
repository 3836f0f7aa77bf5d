"""What charges remember: handed on from an issued bill to the next."""

from typing import Any

import pytest

from tests.core.billing.setting import (
    FLAT,
    RATCHET,
    corrected,
    day,
    draft,
    hours,
    issued,
    refusal,
    store_household,
    success,
    tariff,
    tariff_of,
)
from tests.serving import Client

STATE = "/v1/contracts/c/state"


@pytest.fixture
async def ratchet(client: Client) -> Client:
    """Give a client of a home that pays 1 for each kWh of its best day: 24 kWh, 48, 24 ..."""
    await store_household(client, tariff(RATCHET))
    await hours(client, 1, 1, 2, 1, 1)
    return client


def remembered(most: int) -> dict[str, Any]:
    """Return the state of a best day of so many kWh."""
    return {"test.ratchet": {"most": str(most * 1_000_000)}}


async def test_a_bill_remembers_the_one_before(ratchet: Client) -> None:
    """24, then 48, and 48 again, though that day has 24."""
    totals = [(await issued(ratchet, f"b{day}", day))["total"] for day in (1, 2, 3)]

    assert totals == ["24.00", "48.00", "48.00"]
    third = await success(ratchet, "GET", "/v1/bills/b3")
    assert (third["prior_state"], third["state"]) == (remembered(48), remembered(48))


async def test_a_contract_tells_its_state(ratchet: Client) -> None:
    """That of the newest issued bill: a draft is not remembered."""
    nothing: dict[str, Any] = {"contract": "c", "as_of": None, "bill": None, "state": {}}
    await draft(ratchet, "b1", 1)
    before = await success(ratchet, "GET", STATE)
    await issued(ratchet, "b1", 1)
    await draft(ratchet, "b2", 2)

    assert {**nothing, **before} == nothing
    assert await success(ratchet, "GET", STATE) == {
        "contract": "c",
        "as_of": "2025-03-02",
        "bill": "b1",
        "state": remembered(24),
    }


async def test_a_draft_whose_past_was_issued_since_is_outdated(ratchet: Client) -> None:
    """The third day was drafted before the second was issued: 24, and 48 when made again."""
    assert (await draft(ratchet, "b3", 3))["total"] == "24.00"
    await issued(ratchet, "b2", 2)

    assert (await refusal(ratchet, "POST", "/v1/bills/b3/issue"))[1] == "draft_outdated"
    assert (await draft(ratchet, "b3", 3))["total"] == "48.00"


async def test_a_draft_that_hands_on_something_else_is_outdated(client: Client) -> None:
    """What is to be paid is the same; what would be remembered is not: 48 for 24."""
    await store_household(client, tariff({**RATCHET, "rate": "0"}))
    await draft(client, "b2", 2)
    await hours(client, 1, 2)
    await issued(client, "b1", 1)

    assert (await refusal(client, "POST", "/v1/bills/b2/issue"))[1] == "draft_outdated"


async def test_the_first_bill_may_be_given_a_state(ratchet: Client) -> None:
    """100 kWh from before Energia: charged at once, and kept when the draft is made again."""
    body = {"id": "b1", "contract": "c", **day(1)}

    first = await success(ratchet, "POST", "/v1/bills", {**body, "state": remembered(100)})
    again = await success(ratchet, "POST", "/v1/bills", body)
    run = await success(ratchet, "POST", "/v1/bills/run", {**day(1), "issue": True})

    assert (first["total"], again["total"]) == ("100.00", "100.00")
    assert (run["unchanged"], run["issued"]) == (1, 1)
    assert (await issued(ratchet, "b2", 2))["total"] == "100.00"


async def test_a_state_is_given_for_the_first_bill_only(ratchet: Client) -> None:
    """After that it is stored, and nobody may contradict it."""
    await issued(ratchet, "b1", 1)
    body = {"contract": "c", **day(2), "state": remembered(100)}

    found = await refusal(ratchet, "POST", "/v1/bills", body)

    assert found == (422, "invalid", {"/state": "state_is_stored"})


async def test_a_state_is_of_a_charge(ratchet: Client) -> None:
    """What no charge remembers would be lost without a word; pointers are escaped."""
    body = {"contract": "c", **day(1), "state": {"oth/er": {}}}

    found = await refusal(ratchet, "POST", "/v1/bills", body)

    assert found == (422, "invalid", {"/state/oth~1er": "unknown_charge"})


async def test_a_state_that_its_charge_cannot_read_is_refused(ratchet: Client) -> None:
    """What a client sends is never a server error, whatever a charge makes of it."""
    for wrong in ("much", [1], None):
        body = {"contract": "c", **day(1), "state": {"test.ratchet": {"most": wrong}}}
        found = await refusal(ratchet, "POST", "/v1/bills", body)
        assert found == (422, "invalid", {"/state": "unreadable_state"})


async def test_what_a_version_does_not_charge_is_remembered(ratchet: Client) -> None:
    """A version without the charge hands its state on, to one that has it again: 48, 12, 48."""
    versions = [
        {"valid_from": "2025-01-01", "valid_to": "2025-03-03", "charges": [RATCHET]},
        {"valid_from": "2025-03-03", "valid_to": "2025-03-04", "charges": [FLAT]},
        {"valid_from": "2025-03-04", "charges": [RATCHET]},
    ]
    await success(ratchet, "PUT", "/v1/tariffs/flat", tariff_of(*versions))

    totals = [(await issued(ratchet, f"b{day}", day))["total"] for day in (2, 3, 4)]

    assert totals == ["48.00", "12.00", "48.00"]


async def test_a_correction_remembers_what_its_bill_did(ratchet: Client) -> None:
    """The state that the first bill was given is that of its correction, too."""
    body = {"id": "b1", "contract": "c", **day(1), "state": remembered(30)}
    await success(ratchet, "POST", "/v1/bills", body)
    await success(ratchet, "POST", "/v1/bills/b1/issue")
    await hours(ratchet, 1, 0.5)

    new = await corrected(ratchet, "b1", "new")

    assert (new["total"], new["prior_state"]) == ("30.00", remembered(30))


async def test_a_correction_changes_what_later_bills_remember(ratchet: Client) -> None:
    """The second day had 72 kWh: the third, paid for 48, is affected by 24 until corrected."""
    for first in (1, 2, 3):
        await issued(ratchet, f"b{first}", first)
    await hours(ratchet, 2, 3)
    await corrected(ratchet, "b2", "new2")

    (affected,) = (await success(ratchet, "GET", "/v1/bills?affected=true"))["items"]
    assert (affected["id"], affected["impact"]) == (
        "b3",
        {"reasons": ["prior_state"], "total": "72.00", "difference": "24.00"},
    )
    new = await corrected(ratchet, "b3", "new3")
    assert (new["total"], new["prior_state"]) == ("72.00", remembered(72))
    assert (await success(ratchet, "GET", "/v1/bills?affected=true"))["items"] == []
    assert (await success(ratchet, "GET", STATE))["bill"] == "new3"
