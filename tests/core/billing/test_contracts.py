"""Contracts: made, replaced, deleted; two of one meter are never in force at once."""

import asyncio
from typing import Any

import pytest

from energia.db.pool import Pool
from tests.core.billing.setting import (
    CONTRACT,
    FLAT,
    draft,
    issued,
    meter,
    refusal,
    store_household,
    success,
    tariff,
    tariff_of,
)
from tests.core.pricing.asking import answer_of
from tests.serving import Client

DEMAND = {"kind": "fixed", "amount": {"parameter": "fee"}, "per": "month"}


@pytest.fixture
async def vacant(household: Client) -> Client:
    """Give a client of a home without a contract."""
    await success(household, "DELETE", "/v1/contracts/c")
    return household


async def test_a_contract_comes_back_as_it_was_put(vacant: Client) -> None:
    """The first PUT makes it (201), the next one replaces it (200)."""
    body = {**CONTRACT, "end": "2026-01-01"}
    first, _ = await answer_of(vacant, "PUT", "/v1/contracts/c", body)
    second, _ = await answer_of(vacant, "PUT", "/v1/contracts/c", body)

    assert (first, second) == (201, 200)
    assert await success(vacant, "GET", "/v1/contracts/c") == {
        "id": "c",
        "meter": "m",
        "tariff": "flat",
        "start": "2025-03-01",
        "end": "2026-01-01",
        "parameters": {},
        "channels": {},
    }


async def test_a_contract_without_an_id_gets_one(vacant: Client) -> None:
    """The answer says where it is; the same again is 200, and another one with its id 409."""
    made = await success(vacant, "POST", "/v1/contracts", CONTRACT)

    assert await success(vacant, "GET", f"/v1/contracts/{made['id']}") == made
    assert await answer_of(vacant, "POST", "/v1/contracts", made) == (200, made)
    other = {**made, "end": "2027-01-01"}
    assert (await refusal(vacant, "POST", "/v1/contracts", other))[:2] == (409, "conflict")


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2025-01-01", None),
        ("2025-01-01", "2025-03-02"),
        ("2025-05-31", "2025-07-01"),
        ("2025-04-01", "2025-04-02"),
    ],
)
async def test_contracts_of_a_meter_do_not_overlap(
    vacant: Client, start: str, end: str | None
) -> None:
    """A shared day is 409; the one that is there stays alone."""
    await success(vacant, "PUT", "/v1/contracts/a", {**CONTRACT, "end": "2025-06-01"})
    body = {**CONTRACT, "start": start} | ({"end": end} if end else {})

    found = await refusal(vacant, "PUT", "/v1/contracts/b", body)

    assert found == (409, "contracts_overlap", {"/start": "contracts_overlap"})
    listed = await success(vacant, "GET", "/v1/contracts?meter=m")
    assert [one["id"] for one in listed["items"]] == ["a"]


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (None, "from 2025-01-01 without an `end`"),
        ("2025-06-01", "from 2025-01-01 to 2025-06-01"),
    ],
)
async def test_an_overlap_says_when_the_other_contract_is_in_force(
    vacant: Client, end: str | None, words: str
) -> None:
    """Who has to end the other contract first, or to start later, is told from when to when."""
    first = {**CONTRACT, "start": "2025-01-01"} | ({"end": end} if end else {})
    await success(vacant, "PUT", "/v1/contracts/a", first)

    _, problem = await answer_of(
        vacant, "PUT", "/v1/contracts/b", {**CONTRACT, "start": "2025-05-01"}
    )

    assert problem["detail"].endswith(f"'a' in part of the period: it is in force {words}")


async def test_one_contract_follows_another(vacant: Client) -> None:
    """An end is the day after the last one: the next contract starts on it."""
    await success(vacant, "PUT", "/v1/contracts/a", {**CONTRACT, "end": "2025-06-01"})
    await success(vacant, "PUT", "/v1/contracts/b", {**CONTRACT, "start": "2025-06-01"})
    await success(
        vacant,
        "PUT",
        "/v1/contracts/z",
        {**CONTRACT, "start": "2025-02-01", "end": "2025-03-01"},
    )

    listed = await success(vacant, "GET", "/v1/contracts?limit=2")
    rest = await success(vacant, "GET", f"/v1/contracts?limit=2&cursor={listed['next']}")
    assert [one["id"] for one in listed["items"] + rest["items"]] == ["a", "b", "z"]
    assert rest["next"] is None


async def test_of_two_at_once_one_is_refused(vacant: Client) -> None:
    """Eight POSTs of one meter and time make one contract."""
    answers = await asyncio.gather(
        *(answer_of(vacant, "POST", "/v1/contracts", CONTRACT) for _ in range(8))
    )

    assert sorted(status for status, _ in answers) == [201] + [409] * 7
    assert {body.get("code") for status, body in answers if status == 409} == {"contracts_overlap"}
    assert len((await success(vacant, "GET", "/v1/contracts"))["items"]) == 1


async def test_one_id_is_given_once(vacant: Client) -> None:
    """Of two POSTs with one id and two meters, one is 409, and the other one is what is stored."""
    for round_ in range(6):
        names = [f"m{round_}{side}" for side in "ab"]
        for name in names:
            await meter(vacant, name)
        bodies = [{**CONTRACT, "id": f"c{round_}", "meter": name} for name in names]

        answers = await asyncio.gather(
            *(answer_of(vacant, "POST", "/v1/contracts", body) for body in bodies)
        )

        assert sorted(status for status, _ in answers) == [201, 409]
        stored = await success(vacant, "GET", f"/v1/contracts/c{round_}")
        assert [stored] == [body for status, body in answers if status == 201]


async def test_all_that_does_not_fit_is_told_at_once(vacant: Client) -> None:
    """Each fault has its place."""
    body = {
        **CONTRACT,
        "meter": "nobody",
        "tariff": "none",
        "channels": {"import": ["x"], "export": ["y", "z"]},
    }

    assert await refusal(vacant, "POST", "/v1/contracts", body) == (
        422,
        "invalid",
        {
            "/meter": "unknown_meter",
            "/tariff": "unknown_tariff",
            "/channels/import/0": "unknown_channel",
            "/channels/export/0": "unknown_channel",
            "/channels/export/1": "unknown_channel",
        },
    )


async def test_parameters_are_those_that_the_tariff_asks_for(vacant: Client) -> None:
    """One too many, one that is missing, and one that does not fit, beside other faults."""
    await success(vacant, "PUT", "/v1/tariffs/flat", tariff(DEMAND))

    async def faults(parameters: dict[str, Any]) -> dict[str, str]:
        body = {**CONTRACT, "parameters": parameters, "channels": {"import": ["x"]}}
        return (await refusal(vacant, "POST", "/v1/contracts", body))[2]

    channel = {"/channels/import/0": "unknown_channel"}
    missing, unknown = (
        {"/parameters/fee": "missing_parameter"},
        {"/parameters/other": "unknown_parameter"},
    )
    assert await faults({"other": 1, "fee": "2"}) == unknown | channel
    assert await faults({"other": 1}) == missing | unknown | channel
    assert await faults({"fee": "much"}) == {"/parameters/fee": "wrong_type"} | channel


async def test_parameters_of_other_times_are_not_asked_for(vacant: Client) -> None:
    """A contract needs the parameters of the versions that are in force in its time."""
    later = {"valid_from": "2026-01-01", "charges": [DEMAND]}
    first = {"valid_from": "2025-01-01", "valid_to": "2026-01-01", "charges": [FLAT]}
    await success(vacant, "PUT", "/v1/tariffs/flat", tariff_of(first, later))

    await success(vacant, "PUT", "/v1/contracts/c", {**CONTRACT, "end": "2026-01-01"})
    found = await refusal(vacant, "PUT", "/v1/contracts/c", CONTRACT)

    assert found[2] == {"/parameters/fee": "missing_parameter"}
    assert (await draft(vacant, "b", 1))["total"] == "12.00"


async def test_an_empty_contract_is_refused(vacant: Client) -> None:
    """It must end after it starts."""
    body = {**CONTRACT, "end": CONTRACT["start"]}

    assert (await refusal(vacant, "POST", "/v1/contracts", body))[2] == {"/end": "empty_window"}


async def test_what_bills_say_of_their_contract_stays(household: Client) -> None:
    """Once a bill is issued, meter, tariff and start stay, and the end is after the bill's."""
    await meter(household, "other")
    await success(household, "PUT", "/v1/tariffs/other", tariff())
    await issued(household, "b", 1, 4)
    body = {
        "meter": "other",
        "tariff": "other",
        "start": "2025-02-28",
        "end": "2025-03-03",
    }

    assert await refusal(household, "PUT", "/v1/contracts/c", body) == (
        409,
        "in_use",
        {"/meter": "in_use", "/tariff": "in_use", "/start": "in_use", "/end": "in_use"},
    )
    await success(household, "PUT", "/v1/contracts/c", {**CONTRACT, "end": "2025-03-04"})


async def test_a_contract_with_bills_stays(household: Client) -> None:
    """Even a draft holds it; without, it goes."""
    await draft(household, "b", 1)
    assert (await refusal(household, "DELETE", "/v1/contracts/c"))[1] == "in_use"
    await success(household, "DELETE", "/v1/bills/b")

    await success(household, "DELETE", "/v1/contracts/c")

    assert (await refusal(household, "GET", "/v1/contracts/c"))[0] == 404
    assert (await refusal(household, "DELETE", "/v1/contracts/c"))[0] == 404


async def test_a_contract_holds_its_meter_and_tariff(client: Client, pool: Pool) -> None:
    """A tariff that is deleted while a contract of it is made is refused, or unknown: never 500."""
    await store_household(client)
    for _ in range(8):
        await success(client, "PUT", "/v1/tariffs/short", tariff())
        await success(client, "DELETE", "/v1/contracts/c")
        made, gone = await asyncio.gather(
            answer_of(client, "PUT", "/v1/contracts/c", {**CONTRACT, "tariff": "short"}),
            answer_of(client, "DELETE", "/v1/tariffs/short"),
        )
        assert sorted([made[0], gone[0]]) in ([201, 409], [204, 422]), (made, gone)
        await success(client, "PUT", "/v1/contracts/c", CONTRACT)
