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
    hours,
    issued,
    meter,
    refusal,
    success,
    tariff,
    tariff_of,
)
from tests.core.pricing.asking import answer_of
from tests.serving import Client

PATH = "/v1/tariffs/flat"
DEARER = {"kind": "energy.flat", "rate": "0.60"}
USED = {"valid_from": "2025-01-01", "charges": [FLAT]}


async def put(client: Client, *versions: dict[str, Any]) -> tuple[int, str, dict[str, str]]:
    """Put a tariff that is refused."""
    return await refusal(client, "PUT", PATH, tariff_of(*versions))


async def test_a_version_without_bills_may_change(household: Client) -> None:
    """Drafts do not hold a tariff: they are priced again."""
    await draft(household, "b", 1)

    await success(household, "PUT", PATH, tariff(DEARER))

    assert (await draft(household, "b", 1))["total"] == "14.40"


async def test_what_a_billed_version_charges_stays(household: Client) -> None:
    """Each part that is different is named, and nothing is stored."""
    await issued(household, "b", 1)

    found = await put(household, {**USED, "charges": [DEARER], "holidays": ["2025-03-01"]})

    assert found == (
        409,
        "version_in_use",
        {"/versions/0/holidays": "version_in_use", "/versions/0/charges": "version_in_use"},
    )
    stored = await success(household, "GET", PATH)
    assert stored["versions"][0]["charges"][0]["rate"] == "0.50"


async def test_the_same_again_is_no_change(household: Client) -> None:
    """A number that is written otherwise is the same number."""
    await issued(household, "b", 1)

    status, _ = await answer_of(
        household, "PUT", PATH, tariff({"kind": "energy.flat", "rate": "0.5"})
    )

    assert status == 200


async def test_the_open_version_is_closed_and_another_follows(household: Client) -> None:
    """A billed version may end where its last bill does; the next one charges from there."""
    await issued(household, "b", 1, 5)
    next_one = {"valid_from": "2025-03-05", "charges": [DEARER]}

    await success(household, "PUT", PATH, tariff_of({**USED, "valid_to": "2025-03-05"}, next_one))

    assert (await draft(household, "next", 5))["total"] == "14.40"


async def test_a_billed_version_does_not_end_before_its_bills(household: Client) -> None:
    """The fault names the end, wherever the version is in the list."""
    await issued(household, "b", 1, 5)
    before = {"valid_from": "2024-01-01", "valid_to": "2025-01-01", "charges": [DEARER]}

    found = await put(household, before, {**USED, "valid_to": "2025-03-04"})

    assert found == (409, "version_in_use", {"/versions/1/valid_to": "version_in_use"})


async def test_the_end_is_a_day_of_the_site(client: Client) -> None:
    """A version ends with a day of Sao Paulo there, though its tariff is in UTC: as bills do."""
    await success(client, "PUT", "/v1/sites/home", {**SITE, "timezone": "America/Sao_Paulo"})
    await meter(client)
    await hours(client, 1, *[1] * 10)
    await success(client, "PUT", PATH, tariff())
    await success(client, "PUT", "/v1/contracts/c", CONTRACT)
    await issued(client, "b", 1, 5)

    found = await put(client, {**USED, "valid_to": "2025-03-04"})

    assert found == (409, "version_in_use", {"/versions/0/valid_to": "version_in_use"})
    await success(client, "PUT", PATH, tariff(valid_to="2025-03-05"))


async def test_a_billed_version_stays(household: Client) -> None:
    """Neither may it go, nor begin on another day."""
    await issued(household, "b", 1)

    found = await put(household, {**USED, "valid_from": "2024-12-31"})

    assert found == (409, "version_in_use", {"/versions": "version_in_use"})


@pytest.mark.parametrize(("name", "value"), [("currency", "USD"), ("timezone", "Europe/London")])
async def test_what_all_versions_rest_on_stays(household: Client, name: str, value: str) -> None:
    """Bills are in the tariff's currency, and its days are those of its zone."""
    await issued(household, "b", 1)

    found = await refusal(household, "PUT", PATH, tariff() | {name: value})

    assert found == (409, "version_in_use", {f"/{name}": "version_in_use"})


async def test_the_name_may_change(household: Client) -> None:
    """A name is for people."""
    await issued(household, "b", 1)

    assert (await success(household, "PUT", PATH, tariff() | {"name": "New"}))["name"] == "New"


async def test_a_corrected_bill_holds_its_version_too(household: Client) -> None:
    """It is still explained by what it was made from."""
    next_one = {"valid_from": "2025-03-05", "charges": [DEARER]}
    await issued(household, "b", 1)
    await hours(household, 1, 2)
    await corrected(household, "b", "again")

    found = await put(household, next_one)

    assert found == (409, "version_in_use", {"/versions": "version_in_use"})


async def test_a_version_is_not_changed_while_a_bill_by_it_is_issued(
    household: Client, pool: Pool
) -> None:
    """Who issues holds the tariff: the change waits, then sees the bill."""
    await draft(household, "b", 1)
    async with pool.tenant().transaction() as queries:
        await queries.fetch(str, "select id from tariff where id = 'flat' for share")
        change = asyncio.create_task(put(household, {**USED, "charges": [DEARER]}))
        await success(household, "POST", "/v1/bills/b/issue")
        assert not change.done()

    assert (await change)[1] == "version_in_use"


async def test_a_bill_is_not_issued_while_its_version_is_changed(household: Client) -> None:
    """However both come together, either the change is refused or the draft is outdated."""
    for first in range(1, 9):
        now = {"kind": "energy.flat", "rate": f"0.{first}5"}  # never that of DEARER
        own = f"of-{first}"
        version = {"valid_from": "2025-01-01", "charges": [now]}
        await success(household, "PUT", f"/v1/tariffs/{own}", tariff_of(version))
        await meter(household, own)
        await hours(household, first, 1, meter=own)
        body = {**CONTRACT, "meter": own, "tariff": own}
        await success(household, "PUT", f"/v1/contracts/{own}", body)
        bill = {"id": own, "contract": own, **day(first)}
        await success(household, "POST", "/v1/bills", bill)

        changed, issue = await asyncio.gather(
            answer_of(
                household, "PUT", f"/v1/tariffs/{own}", tariff_of({**USED, "charges": [DEARER]})
            ),
            answer_of(household, "POST", f"/v1/bills/{own}/issue"),
        )

        assert sorted([changed[0], issue[0]]) == [200, 409], (changed, issue)
        if issue[0] == 409:
            assert issue[1]["code"] == "draft_outdated"
        else:
            assert changed[1]["code"] == "version_in_use"


async def test_a_tariff_with_contracts_stays(household: Client) -> None:
    """Deleting it is 409 as long as a contract refers to it."""
    assert await refusal(household, "DELETE", PATH) == (409, "in_use", {})
    await success(household, "DELETE", "/v1/contracts/c")

    await success(household, "DELETE", PATH)
