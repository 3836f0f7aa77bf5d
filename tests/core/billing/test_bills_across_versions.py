"""Bills whose period crosses from one version of the tariff to another."""

import json
from typing import Any

import pytest

from energia.billing.explain import Explanation
from energia.cli.explain import of_bill
from energia.convert import structure
from energia.db.pool import Pool
from tests.core.billing.setting import (
    FLAT,
    RATCHET,
    day,
    draft,
    hours,
    issued,
    refusal,
    success,
    tariff_of,
)
from tests.core.pricing.asking import answer_of
from tests.serving import Client

PATH = "/v1/tariffs/flat"
DEARER = {"kind": "energy.flat", "rate": "0.60"}
FIRST = {"valid_from": "2025-01-01", "valid_to": "2025-03-03", "charges": [FLAT]}
SECOND = {"valid_from": "2025-03-03", "charges": [DEARER]}


@pytest.fixture(name="billed")
async def _billed(household: Client) -> Client:
    """Give a client of a home with the issued bill `b` of two days at 0.50 and two at 0.60."""
    await success(household, "PUT", PATH, tariff_of(FIRST, SECOND))
    assert (await issued(household, "b", 1, 5))["total"] == "52.80"
    return household


async def explained(client: Client, bill: str = "b") -> Any:
    """Return the explanation of a bill."""
    return await success(client, "GET", f"/v1/bills/{bill}/explain")


async def test_each_part_has_its_lines(billed: Client) -> None:
    """48 kWh at 0.50 are 24.00, 48 at 0.60 are 28.80; the bill names both versions."""
    bill = await success(billed, "GET", "/v1/bills/b")

    assert [(one["version"], one["quantity"], one["amount"]) for one in bill["lines"]] == [
        ("2025-01-01", "48", "24.00"),
        ("2025-03-03", "48", "28.80"),
    ]
    assert bill["inputs"]["version"] == "2025-01-01"
    assert bill["inputs"]["versions"] == ["2025-01-01", "2025-03-03"]


async def test_a_bill_of_one_version_names_that(billed: Client) -> None:
    """There is nothing to tell apart."""
    bill = await draft(billed, "next", 5, 7)

    assert bill["inputs"]["version"] == "2025-03-03"
    assert "versions" not in bill["inputs"]
    assert "version" not in bill["lines"][0]


async def test_each_line_is_explained_by_its_version(billed: Client) -> None:
    """The slots of a line are those of its part; the charges are those of each version."""
    found = await explained(billed)

    runs = [line["calendar"]["runs"][0] for line in found["lines"]]
    assert [(run["start"], run["end"]) for run in runs] == [
        ("2025-03-01T00:00:00Z", "2025-03-03T00:00:00Z"),
        ("2025-03-03T00:00:00Z", "2025-03-05T00:00:00Z"),
    ]
    assert all(line["reproduced"] for line in found["lines"])
    assert [
        (one["valid_from"], one["charges"]["energy.flat"]["rate"]) for one in found["versions"]
    ] == [("2025-01-01", "0.50"), ("2025-03-03", "0.60")]
    assert found["charges"]["energy.flat"]["rate"] == "0.60"


async def test_a_person_can_read_which_version_it_is(billed: Client) -> None:
    """The text of `energia explain` names it beside each line, and all of them at the end."""
    found = structure(await explained(billed), Explanation)

    text = "\n".join(of_bill(found))

    assert "Energy (from 2025-03-03): 28.80 BRL" in text
    assert "tariff flat, version of 2025-01-01, 2025-03-03" in text


async def test_a_bill_is_explained_after_its_last_version_ended(billed: Client) -> None:
    """A third version from the end of the bill on changes nothing about it."""
    before = await explained(billed)
    third = {"valid_from": "2025-03-05", "charges": [FLAT]}
    closed = {**SECOND, "valid_to": "2025-03-05"}

    await success(billed, "PUT", PATH, tariff_of(FIRST, closed, third))

    assert await explained(billed) == before


async def test_a_draft_is_outdated_by_another_version(household: Client) -> None:
    """A draft by one version is not issued once two charge its period, even if they are alike."""
    await draft(household, "b", 1, 5)
    await success(household, "PUT", PATH, tariff_of(FIRST, {**SECOND, "charges": [FLAT]}))

    found = await refusal(household, "POST", "/v1/bills/b/issue")

    assert found[:2] == (409, "draft_outdated")


async def test_readings_of_each_part_affect_it(billed: Client) -> None:
    """One kWh more in each hour of the third: 24 kWh more at 0.60 are 14.40."""
    await hours(billed, 3, 2)

    found = await success(billed, "GET", "/v1/bills?affected=true")

    assert [one["impact"] for one in found["items"]] == [
        {"reasons": ["readings"], "total": "67.20", "difference": "14.40"}
    ]
    await success(billed, "POST", "/v1/bills", {"id": "again", "corrects": "b"})
    assert (await success(billed, "POST", "/v1/bills/again/issue"))["difference"] == "14.40"


async def test_nothing_is_affected_by_itself(billed: Client) -> None:
    """Both versions are in force still."""
    assert (await success(billed, "GET", "/v1/bills?affected=true"))["items"] == []


async def test_what_charges_remember_goes_from_part_to_part(household: Client) -> None:
    """The most of the first part, 96 kWh, outdoes the 48 of the second, and is handed on."""
    first, second = ({**one, "charges": [RATCHET]} for one in (FIRST, SECOND))
    await success(household, "PUT", PATH, tariff_of(first, second))
    await hours(household, 2, 3)

    bill = await issued(household, "b", 1, 5)

    assert [line["quantity"] for line in bill["lines"]] == ["96", "96"]
    assert (await draft(household, "next", 5, 6))["prior_state"] == bill["state"]


async def test_parameters_of_both_versions_are_asked(household: Client) -> None:
    """A contract that is billed across them needs those of each."""
    first, second = (
        {**one, "charges": [{"kind": "energy.flat", "rate": {"parameter": name}}]}
        for one, name in ((FIRST, "old"), (SECOND, "new"))
    )
    await success(household, "PUT", "/v1/tariffs/two", tariff_of(first, second))
    contract = {"meter": "m", "tariff": "two", "start": "2025-03-01", "parameters": {"old": "0.5"}}

    found = await refusal(household, "PUT", "/v1/contracts/c", contract)

    assert found[2] == {"/parameters/new": "missing_parameter"}
    contract["parameters"] = {"old": "0.5", "new": "0.6"}
    await success(household, "PUT", "/v1/contracts/c", contract)
    assert (await draft(household, "b", 1, 5))["total"] == "52.80"


async def test_a_run_bills_across_versions(household: Client) -> None:
    """As one by one."""
    await success(household, "PUT", PATH, tariff_of(FIRST, SECOND))

    found = await success(household, "POST", "/v1/bills/run", {**day(1, 5), "issue": True})

    assert (found["issued"], found["failures"]) == (1, 0)
    (bill,) = (await success(household, "GET", "/v1/bills"))["items"]
    assert bill["total"] == "52.80"


async def test_a_supplier_prints_one_line(billed: Client) -> None:
    """Its line is held against ours of all versions together."""
    line = {"code": "energy.flat", "description": "kWh", "quantity": "96", "amount": "52.80"}

    found = await success(billed, "POST", "/v1/bills/b/check", {"lines": [line], "total": "52.80"})

    assert found["result"] == "match"
    assert [one["amount"]["billed"] for one in found["lines"]] == ["52.80"]


async def test_a_supplier_prints_a_line_for_each_version(billed: Client) -> None:
    """Each names its version; one is wrong by a real."""
    lines = [
        {"code": "energy.flat", "version": version, "description": "kWh", "amount": amount}
        for version, amount in (("2025-01-01", "24.00"), ("2025-03-03", "29.80"))
    ]

    found = await success(billed, "POST", "/v1/bills/b/check", {"lines": lines, "total": "53.80"})

    assert [(one["version"], one["result"]) for one in found["lines"]] == [
        ("2025-01-01", "match"),
        ("2025-03-03", "mismatch"),
    ]


async def test_bills_from_before_are_explained(household: Client, pool: Pool) -> None:
    """A bill that a release stored which knew one version only."""
    await issued(household, "b", 1)
    before = await explained(household)
    async with pool.tenant().transaction() as queries:
        (basis,) = await queries.fetch(_basis, "select basis from bill where id = 'b'")
        for detail in basis["details"]:
            del detail["part"]
        del basis["days"]  # of that release, days were those of the tariff's zone: the same here
        await queries.execute("update bill set basis = %s where id = 'b'", json.dumps(basis))

    assert await explained(household) == before
    assert set(basis) == {"measured", "details", "channels"}


def _basis(basis: Any) -> Any:
    return basis


async def test_costs_tell_versions_too(billed: Client) -> None:
    """The same period, without a bill."""
    body = {"meter": "m", "tariff": "flat", "start": "2025-03-01", "end": "2025-03-05"}

    status, found = await answer_of(billed, "POST", "/v1/costs", body)

    assert (status, found["total"]) == (200, "52.80")
    assert found["inputs"]["versions"] == ["2025-01-01", "2025-03-03"]
