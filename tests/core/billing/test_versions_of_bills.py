"""Bills whose period crosses versions of the tariff hold all of these versions."""

import pytest

from tests.core.billing.setting import FLAT, issued, refusal, success, tariff_of
from tests.core.billing.test_bills_across_versions import FIRST, PATH, SECOND
from tests.serving import Client


@pytest.fixture(name="billed")
async def _billed(household: Client) -> Client:
    """Give a client of a home with an issued bill of two days of each version."""
    await success(household, "PUT", PATH, tariff_of(FIRST, SECOND))
    await issued(household, "b", 1, 5)
    return household


@pytest.mark.parametrize("at", [0, 1])
async def test_none_of_its_versions_changes(billed: Client, at: int) -> None:
    """What either of them charges stays."""
    versions = [FIRST, SECOND]
    versions[at] = {**versions[at], "charges": [{"kind": "energy.flat", "rate": "0.70"}]}

    found = await refusal(billed, "PUT", PATH, tariff_of(*versions))

    assert found == (409, "version_in_use", {f"/versions/{at}/charges": "version_in_use"})


async def test_none_of_its_versions_goes(billed: Client) -> None:
    """Neither the first nor the last, even if the other covers its time."""
    for versions in ([{**FIRST, "valid_to": None}], [{**SECOND, "valid_from": "2025-01-01"}]):
        status, code, _ = await refusal(billed, "PUT", PATH, tariff_of(*versions))
        assert (status, code) == (409, "version_in_use")


async def test_a_version_between_them_stays(household: Client) -> None:
    """It is neither the first nor the last of the bill."""
    middle = {**SECOND, "valid_to": "2025-03-04"}
    last = {"valid_from": "2025-03-04", "charges": [FLAT]}
    await success(household, "PUT", PATH, tariff_of(FIRST, middle, last))
    await issued(household, "b", 1, 6)

    found = await refusal(
        household, "PUT", PATH, tariff_of(FIRST, {**middle, "charges": [FLAT]}, last)
    )

    assert found == (409, "version_in_use", {"/versions/1/charges": "version_in_use"})


async def test_a_version_that_was_followed_ends_as_it_did(billed: Client) -> None:
    """Were the first to end a day before, nothing would be in force on that day of the bill."""
    found = await refusal(
        billed, "PUT", PATH, tariff_of({**FIRST, "valid_to": "2025-03-02"}, SECOND)
    )

    assert found == (409, "version_in_use", {"/versions/0/valid_to": "version_in_use"})


async def test_the_last_version_may_end_with_the_bill(billed: Client) -> None:
    """Not before."""
    early, late = ({**SECOND, "valid_to": f"2025-03-0{last}"} for last in (4, 5))

    found = await refusal(billed, "PUT", PATH, tariff_of(FIRST, early))

    assert found == (409, "version_in_use", {"/versions/1/valid_to": "version_in_use"})
    await success(billed, "PUT", PATH, tariff_of(FIRST, late))
