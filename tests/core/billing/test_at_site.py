"""What the contracts at a site cost together."""

from decimal import Decimal
from typing import Any

import pytest

from tests.core.billing.setting import (
    CONTRACT,
    FLAT,
    RATCHET,
    SITE,
    draft,
    hours,
    issued,
    meter,
    refusal,
    success,
    tariff,
)
from tests.serving import Client

WEEK = "start=2025-03-01&end=2025-03-08"
COSTS = f"/v1/sites/home/costs?{WEEK}"


@pytest.fixture
async def neighbours(household: Client) -> Client:
    """Give a client of a home with a second meter, whose contract begins on the third day."""
    await meter(household, "m2")
    await hours(household, 1, *[2] * 10, meter="m2")
    second = {**CONTRACT, "meter": "m2", "start": "2025-03-03"}
    await success(household, "PUT", "/v1/contracts/c2", second)
    await meter(household, "m3")
    return household


async def test_a_site_is_the_sum_of_its_contracts(neighbours: Client) -> None:
    """Each for the days that it is in force, as a draft of them would be; others are named."""
    found = await success(neighbours, "GET", COSTS)
    bill = await draft(neighbours, "b", 1, 8)

    parts = {part["contract"]: (part["start"], part["total"]) for part in found["contracts"]}
    assert parts == {"c": ("2025-03-01", "84.00"), "c2": ("2025-03-03", "120.00")}
    assert bill["total"] == "84.00"
    assert (found["currency"], found["total"]) == ("BRL", "204.00")
    assert found["coverage"]["expected"] == (7 + 5) * 24
    assert found["uncontracted"] == ["m3"]


async def test_it_goes_on_from_the_bill_before(household: Client) -> None:
    """The charges remember what they do for a bill of these days, and nothing is stored."""
    await success(household, "PUT", "/v1/tariffs/flat", tariff(FLAT, RATCHET))
    await issued(household, "first", 1)
    found = await success(household, "GET", "/v1/sites/home/costs?start=2025-03-02&end=2025-03-03")
    listed = await success(household, "GET", "/v1/bills")
    bill = await draft(household, "second", 2)

    assert found["total"] == bill["total"]
    assert [each["id"] for each in listed["items"]] == ["first"]


async def test_nothing_is_left_out_of_a_sum(neighbours: Client) -> None:
    """Where one contract cannot be priced there is no sum; missing readings may be filled in."""
    late = "start=2025-03-09&end=2025-03-12"
    status, code, _ = await refusal(neighbours, "GET", f"/v1/sites/home/costs?{late}")
    filled = await success(neighbours, "GET", f"/v1/sites/home/costs?{late}&missing=zero")

    assert (status, code) == (422, "incomplete_usage")
    assert Decimal(filled["total"]) == 2 * 24 * (1 + 2) * Decimal("0.5")
    assert filled["coverage"]["missing"] == 48


async def test_currencies_are_not_added_up(neighbours: Client) -> None:
    """There is no sum of reais and euros."""
    euros: dict[str, Any] = {**tariff(), "currency": "EUR"}
    await success(neighbours, "PUT", "/v1/tariffs/euros", euros)
    await success(
        neighbours, "PUT", "/v1/contracts/c3", {**CONTRACT, "meter": "m3", "tariff": "euros"}
    )
    await hours(neighbours, 1, *[1] * 10, meter="m3")
    status, _, faults = await refusal(neighbours, "GET", COSTS)

    assert (status, faults) == (422, {"/path/site": "different_currencies"})


async def test_no_contract(household: Client) -> None:
    """A site without any costs nothing, and says which meters that is about."""
    await success(household, "PUT", "/v1/sites/bare", SITE)
    found = await success(household, "GET", f"/v1/sites/bare/costs?{WEEK}")

    assert (found["total"], found["contracts"], found["uncontracted"]) == ("0", [], [])
    assert "currency" not in found or found["currency"] is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/v1/sites/none/costs?{WEEK}", 404),
        ("/v1/sites/home/costs?start=2025-03-02&end=2025-03-02", 422),
    ],
)
async def test_what_cannot_be_told(household: Client, path: str, expected: int) -> None:
    """A site that is not there, and a window of no day."""
    status, _, _ = await refusal(household, "GET", path)

    assert status == expected
