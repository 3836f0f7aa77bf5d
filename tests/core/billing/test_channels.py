"""Which channels of a meter a contract is charged for."""

import pytest

from tests.core.billing.setting import (
    CHANNEL,
    CONTRACT,
    FLAT,
    draft,
    hours,
    meter,
    refusal,
    success,
    tariff,
)
from tests.core.pricing.asking import answer_of
from tests.serving import Client

EXPORT = {"kind": "energy.flat", "code": "credit", "channel": "export", "rate": "-0.10"}


@pytest.fixture
async def two(household: Client) -> Client:
    """Give a client of a home whose meter has two channels of import."""
    await success(household, "DELETE", "/v1/contracts/c")
    await meter(household, "two", {**CHANNEL, "id": "e1"}, {**CHANNEL, "id": "e2"})
    await hours(household, 1, 1, 2, meter="two", channel="e1")
    await hours(household, 1, 0.25, meter="two", channel="e2")
    return household


async def test_channels_that_are_named_are_summed(two: Client) -> None:
    """24 hours of 1 + 0.25 kWh at 0.50 are 15.00; where one has nothing, the sum is missing."""
    body = {**CONTRACT, "meter": "two", "channels": {"import": ["e1", "e2"]}}
    await success(two, "PUT", "/v1/contracts/c", body)

    bill = await draft(two, "b", 1)
    missing = await refusal(
        two, "POST", "/v1/bills", {"contract": "c", "start": "2025-03-02", "end": "2025-03-03"}
    )

    assert (bill["total"], bill["lines"][0]["quantity"]) == ("15.00", "30")
    assert [one["channel"] for one in bill["inputs"]["readings"]] == ["e1", "e2"]
    assert missing[:2] == (422, "incomplete_usage")


async def test_one_of_several_may_be_named(two: Client) -> None:
    """The other one is not charged."""
    body = {**CONTRACT, "meter": "two", "channels": {"import": ["e2"]}}
    await success(two, "PUT", "/v1/contracts/c", body)

    assert (await draft(two, "b", 1))["total"] == "3.00"


async def test_several_without_a_name_are_ambiguous(two: Client) -> None:
    """The contract must say which; nothing is guessed."""
    body = {**CONTRACT, "meter": "two"}

    found = await refusal(two, "PUT", "/v1/contracts/c", body)

    assert found == (422, "ambiguous_channel", {"/channels": "ambiguous_channel"})


async def test_a_second_channel_makes_bills_ambiguous(household: Client) -> None:
    """A meter that gets another channel of a role is not billed before the contract names one."""
    await meter(household, "m", CHANNEL, {**CHANNEL, "id": "more"})
    period = {"contract": "c", "start": "2025-03-01", "end": "2025-03-02"}

    assert (await refusal(household, "POST", "/v1/bills", period))[1] == "ambiguous_channel"


async def test_a_channel_is_named_once_and_for_its_role(two: Client) -> None:
    """A channel twice, or for what it does not measure, is refused."""
    for channels, place in (
        ({"import": ["e1", "e1"]}, "/channels/import/1"),
        ({"import": ["e1"], "export": ["e2"]}, "/channels/export/0"),
    ):
        body = {**CONTRACT, "meter": "two", "channels": channels}
        found = await refusal(two, "PUT", "/v1/contracts/c", body)
        assert found == (422, "invalid", {place: "unknown_channel"})


async def test_each_role_is_charged_by_its_channel(household: Client) -> None:
    """24 kWh bought at 0.50 less 12 kWh sold at 0.10 are 12.00 - 1.20."""
    await meter(household, "m", CHANNEL, {**CHANNEL, "id": "out", "direction": "export"})
    await hours(household, 1, 0.5, channel="out")
    await success(household, "PUT", "/v1/tariffs/flat", tariff({**FLAT, "code": "supply"}, EXPORT))

    bill = await draft(household, "b", 1)

    assert [line["amount"] for line in bill["lines"]] == ["12.00", "-1.20"]
    assert bill["total"] == "10.80"
    assert bill["coverage"]["expected"] == 48


async def test_a_register_of_its_own_is_read_from_the_channel_named_for_it(two: Client) -> None:
    """24 kWh at 0.50 and 6 kWh at 0.20; what is named for one role is not the other's."""
    controlled = {**FLAT, "code": "cl", "channel": "import.controlled", "rate": "0.20"}
    await success(two, "PUT", "/v1/tariffs/flat", tariff({**FLAT, "code": "supply"}, controlled))
    body = {**CONTRACT, "meter": "two", "channels": {"import.controlled": ["e2"]}}
    await success(two, "PUT", "/v1/contracts/c", body)

    bill = await draft(two, "b", 1)

    assert [line["amount"] for line in bill["lines"]] == ["12.00", "1.20"]
    assert [(one["role"], one["channel"]) for one in bill["inputs"]["readings"]] == [
        ("import", "e1"),
        ("import.controlled", "e2"),
    ]


async def test_a_register_without_a_channel_is_refused_with_what_there_is(two: Client) -> None:
    """When the contract is made; a slip in its name is seen."""
    controlled = {**FLAT, "code": "cl", "channel": "import.controlled", "rate": "0.20"}
    await success(two, "PUT", "/v1/tariffs/flat", tariff({**FLAT, "code": "supply"}, controlled))
    body = {**CONTRACT, "meter": "two", "channels": {"import": ["e1"], "import.controled": ["e2"]}}

    status, problem = await answer_of(two, "PUT", "/v1/contracts/c", body)

    (fault,) = problem["errors"]
    assert (status, fault["code"], fault["pointer"]) == (422, "missing_channel", "/channels")
    assert fault["message"] == (
        "the tariff charges import.controlled: name its channels, of e1 (import), e2 (import)"
        " (did you mean 'import.controled'?)"
    )


async def test_a_meter_that_was_exchanged_is_billed_as_one(two: Client) -> None:
    """24 kWh of 1 March by the old channel, 48 of 2 March by the new: 36.00, also explained."""
    await hours(two, 2, 2, meter="two", channel="e2")
    channels = [
        {"channel": "e1", "end": "2025-03-02"},
        {"channel": "e2", "start": "2025-03-02"},
    ]
    body = {**CONTRACT, "meter": "two", "channels": {"import": channels}}
    made = await success(two, "PUT", "/v1/contracts/c", body)
    to_date = await success(two, "GET", "/v1/contracts/c/to-date")

    bill = await draft(two, "b", 1, 3)
    await success(two, "POST", "/v1/bills/b/issue")
    explained = await success(two, "GET", "/v1/bills/b/explain")
    await hours(two, 2, 9, meter="two", channel="e1")
    not_affected = await success(two, "GET", "/v1/bills?affected=true")
    await hours(two, 2, 3, meter="two", channel="e2")
    (affected,) = (await success(two, "GET", "/v1/bills?affected=true"))["items"]

    assert made["channels"] == {"import": channels}
    assert (bill["total"], bill["coverage"]["expected"], to_date["total"]) == ("36.00", 48, "36.00")
    assert all(line["reproduced"] for line in explained["lines"])
    assert not_affected["items"] == []
    assert affected["impact"]["difference"] == "12.00"


async def test_a_dated_channel_does_not_end_before_it_starts(two: Client) -> None:
    """It would count on no day."""
    channels = [{"channel": "e1", "start": "2025-03-02", "end": "2025-03-02"}]
    body = {**CONTRACT, "meter": "two", "channels": {"import": channels}}

    found = await refusal(two, "PUT", "/v1/contracts/c", body)

    assert found[2] == {"/channels/import/0/end": "empty_window"}
