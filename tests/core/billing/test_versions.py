"""Which changes of a tariff the bills that are issued by it allow."""

import asyncio
from typing import Any

import pytest

from energia.db.pool import Pool
from tests.core.billing.setting import (
    CONTRACT,
    FLAT,
    SITE,
    corrected,
    day,
    draft,
    given,
    hours,
    issued,
    meter,
    refused,
    tariff,
    tariff_of,
)
from tests.core.pricing.asking import ask
from tests.serving import Client

PATH = "/v1/tariffs/flat"
DEARER = {"kind": "energy.flat", "rate": "0.60"}
USED = {"valid_from": "2025-01-01", "charges": [FLAT]}


async def put(client: Client, *versions: dict[str, Any]) -> tuple[int, str, dict[str, str]]:
    """Put a tariff that is refused."""
    return await refused(client, "PUT", PATH, tariff_of(*versions))


async def test_a_version_without_bills_may_change(at_home: Client) -> None:
    """Drafts do not hold a tariff: they are priced again."""
    await draft(at_home, "b", 1)

    await given(at_home, "PUT", PATH, tariff(DEARER))

    assert (await draft(at_home, "b", 1))["total"] == "14.40"


async def test_what_a_billed_version_charges_stays(at_home: Client) -> None:
    """Each part that is different is named, and nothing is stored."""
    await issued(at_home, "b", 1)

    found = await put(at_home, {**USED, "charges": [DEARER], "holidays": ["2025-03-01"]})

    assert found == (
        409,
        "version_in_use",
        {"/versions/0/holidays": "version_in_use", "/versions/0/charges": "version_in_use"},
    )
    stored = await given(at_home, "GET", PATH)
    assert stored["versions"][0]["charges"][0]["rate"] == "0.50"


async def test_the_same_again_is_no_change(at_home: Client) -> None:
    """A number that is written otherwise is the same number."""
    await issued(at_home, "b", 1)

    status, _ = await ask(at_home, "PUT", PATH, tariff({"kind": "energy.flat", "rate": "0.5"}))

    assert status == 200


async def test_the_open_version_is_closed_and_another_follows(at_home: Client) -> None:
    """A billed version may end where its last bill does; the next one charges from there."""
    await issued(at_home, "b", 1, 5)
    next_one = {"valid_from": "2025-03-05", "charges": [DEARER]}

    await given(at_home, "PUT", PATH, tariff_of({**USED, "valid_to": "2025-03-05"}, next_one))

    assert (await draft(at_home, "next", 5))["total"] == "14.40"


async def test_a_billed_version_does_not_end_before_its_bills(at_home: Client) -> None:
    """The fault names the end, wherever the version is in the list."""
    await issued(at_home, "b", 1, 5)
    before = {"valid_from": "2024-01-01", "valid_to": "2025-01-01", "charges": [DEARER]}

    found = await put(at_home, before, {**USED, "valid_to": "2025-03-04"})

    assert found == (409, "version_in_use", {"/versions/1/valid_to": "version_in_use"})


async def test_the_end_is_held_against_the_zone_of_the_site(client: Client) -> None:
    """Midnight in Sao Paulo is three hours after that of a tariff in UTC: that day is too early."""
    await given(client, "PUT", "/v1/sites/home", {**SITE, "timezone": "America/Sao_Paulo"})
    await meter(client)
    await hours(client, 1, *[1] * 10)
    await given(client, "PUT", PATH, tariff())
    await given(client, "PUT", "/v1/contracts/c", CONTRACT)
    await issued(client, "b", 1, 5)

    found = await put(client, {**USED, "valid_to": "2025-03-05"})

    assert found == (409, "version_in_use", {"/versions/0/valid_to": "version_in_use"})
    await given(client, "PUT", PATH, tariff(valid_to="2025-03-06"))


async def test_a_billed_version_stays(at_home: Client) -> None:
    """Neither may it go, nor begin on another day."""
    await issued(at_home, "b", 1)

    found = await put(at_home, {**USED, "valid_from": "2024-12-31"})

    assert found == (409, "version_in_use", {"/versions": "version_in_use"})


@pytest.mark.parametrize(("name", "value"), [("currency", "USD"), ("timezone", "Europe/London")])
async def test_what_all_versions_rest_on_stays(at_home: Client, name: str, value: str) -> None:
    """Bills are in the tariff's currency, and its days are those of its zone."""
    await issued(at_home, "b", 1)

    found = await refused(at_home, "PUT", PATH, tariff() | {name: value})

    assert found == (409, "version_in_use", {f"/{name}": "version_in_use"})


async def test_the_name_may_change(at_home: Client) -> None:
    """A name is for people."""
    await issued(at_home, "b", 1)

    assert (await given(at_home, "PUT", PATH, tariff() | {"name": "New"}))["name"] == "New"


async def test_a_corrected_bill_holds_its_version_too(at_home: Client) -> None:
    """It is still explained by what it was made from."""
    next_one = {"valid_from": "2025-03-05", "charges": [DEARER]}
    await issued(at_home, "b", 1)
    await hours(at_home, 1, 2)
    await corrected(at_home, "b", "again")

    found = await put(at_home, next_one)

    assert found == (409, "version_in_use", {"/versions": "version_in_use"})


async def test_a_version_is_not_changed_while_a_bill_by_it_is_issued(
    at_home: Client, pool: Pool
) -> None:
    """Who issues holds the tariff: the change waits, then sees the bill."""
    await draft(at_home, "b", 1)
    async with pool.tenant().transaction() as queries:
        await queries.fetch(str, "select id from tariff where id = 'flat' for share")
        change = asyncio.create_task(put(at_home, {**USED, "charges": [DEARER]}))
        await given(at_home, "POST", "/v1/bills/b/issue")
        assert not change.done()

    assert (await change)[1] == "version_in_use"


async def test_a_bill_is_not_issued_while_its_version_is_changed(at_home: Client) -> None:
    """However both come together, either the change is refused or the draft is outdated."""
    for first in range(1, 9):
        now = {"kind": "energy.flat", "rate": f"0.{first}5"}  # never that of DEARER
        own = f"of-{first}"
        version = {"valid_from": "2025-01-01", "charges": [now]}
        await given(at_home, "PUT", f"/v1/tariffs/{own}", tariff_of(version))
        await meter(at_home, own)
        await hours(at_home, first, 1, meter=own)
        body = {**CONTRACT, "meter": own, "tariff": own}
        await given(at_home, "PUT", f"/v1/contracts/{own}", body)
        bill = {"id": own, "contract": own, **day(first)}
        await given(at_home, "POST", "/v1/bills", bill)

        changed, issue = await asyncio.gather(
            ask(at_home, "PUT", f"/v1/tariffs/{own}", tariff_of({**USED, "charges": [DEARER]})),
            ask(at_home, "POST", f"/v1/bills/{own}/issue"),
        )

        assert sorted([changed[0], issue[0]]) == [200, 409], (changed, issue)
        if issue[0] == 409:
            assert issue[1]["code"] == "draft_outdated"
        else:
            assert changed[1]["code"] == "version_in_use"


async def test_a_tariff_with_contracts_stays(at_home: Client) -> None:
    """Deleting it is 409 as long as a contract refers to it."""
    assert await refused(at_home, "DELETE", PATH) == (409, "in_use", {})
    await given(at_home, "DELETE", "/v1/contracts/c")

    await given(at_home, "DELETE", PATH)
