"""Costs in groups: each day, month or year is a bill period of its own."""

from collections.abc import AsyncIterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from energia.plugins import Plugins
from energia_plugins import tariff_fixed, tariff_flat
from tests.core.pricing import remembering
from tests.core.pricing.asking import answer_of, pointers
from tests.core.pricing.documents import document
from tests.serving import Client, Serving, make_core

FLAT = {"kind": "energy.flat", "rate": "0.3333"}
FIXED = {"kind": "fixed", "amount": "31.00", "per": "month"}
#: From 30 January 2026 noon to 2 February noon in Sao Paulo: 12, 24, 24 and 12 hours of 1 kWh.
USAGE = {
    "timezone": "America/Sao_Paulo",
    "interval": "PT1H",
    "channels": {"import": {"start": "2026-01-30T12:00:00-03:00", "values": [1] * 72}},
}


@pytest.fixture(name="api")
async def _api(serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service without a database."""
    plugins = Plugins.of(flat=tariff_flat, fixed=tariff_fixed, remembering=remembering)
    async with serving(make_core(plugins=plugins)) as client:
        yield client


async def cost(api: Client, *charges: dict[str, Any], **asked: Any) -> tuple[int, dict[str, Any]]:
    """Ask what the usage costs."""
    tariff = document(charges, "America/Sao_Paulo", "BRL")
    return await answer_of(api, "POST", "/v1/costs", {"usage": USAGE, "tariff": tariff, **asked})


async def test_each_month_is_a_bill_of_its_own(api: Client) -> None:
    """36 hours are of January, 36 of February; each month rounds for itself."""
    status, found = await cost(api, FLAT, group="P1M")

    # 36 x 0.3333 = 11.9988, twice 12.00; in one bill 72 x 0.3333 = 23.9976.
    assert status == 200
    assert [(one["start"], one["end"], one["total"]) for one in found["groups"]] == [
        ("2026-01-30T12:00:00-03:00", "2026-02-01T00:00:00-03:00", "12.00"),
        ("2026-02-01T00:00:00-03:00", "2026-02-02T12:00:00-03:00", "12.00"),
    ]
    assert found["total"] == "24.00"


async def test_the_lines_of_groups_are_added_up(api: Client) -> None:
    """The lines of one code are one line: quantity, amount and exact amount are sums."""
    _, found = await cost(api, FLAT, FIXED, group="P1M")

    energy, fixed = found["lines"]
    assert (energy["quantity"], energy["rate"], energy["amount"]) == ("72", "0.3333", "24.00")
    assert Fraction(energy["exact"]) == 72 * Fraction("0.3333")
    # Two of the 31 days of January and two of the 28 of February.
    assert Fraction(fixed["exact"]) == 31 * (Fraction(2, 31) + Fraction(2, 28))
    assert found["total"] == str(Decimal(energy["amount"]) + Decimal(fixed["amount"]))


async def test_without_a_group_there_are_none(api: Client) -> None:
    """The whole window is one bill."""
    _, found = await cost(api, FLAT)

    assert "groups" not in found
    assert found["total"] == "24.00"


async def test_days_begin_at_local_midnights(api: Client) -> None:
    """The first and the last day are parts of one."""
    _, found = await cost(api, FLAT, group="P1D")

    quantities = [group["lines"][0]["quantity"] for group in found["groups"]]
    assert quantities == ["12", "24", "24", "12"]


async def test_state_goes_from_one_group_to_the_next(api: Client) -> None:
    """Each day charges all before it: 10, then 22, 46, 70 and 82 kWh; the last is answered."""
    running = {"kind": "running", "rate": "1"}

    _, found = await cost(
        api, running, group="P1D", state={"running": {"micro": str(10 * 1_000_000)}}
    )

    assert [group["total"] for group in found["groups"]] == ["22.00", "46.00", "70.00", "82.00"]
    assert found["state"] == {"running": {"micro": "82000000"}}


async def test_a_state_that_no_charge_remembers_is_refused(api: Client) -> None:
    """It would be lost without a word."""
    status, problem = await cost(api, FLAT, state={"demand": {"peak": "3"}})

    assert status == 422
    assert pointers(problem) == {"/state/demand": "unknown_charge"}


async def test_versions_may_change_between_groups(api: Client) -> None:
    """Each group is priced by the version in force; a group across two tells both."""
    tariff = document([FLAT], "America/Sao_Paulo", "BRL")
    old, new = (
        {**tariff["versions"][0], "valid_to": "2026-02-01"},
        {
            "valid_from": "2026-02-01",
            "charges": [{**FLAT, "rate": "1"}],
        },
    )
    body = {"usage": USAGE, "tariff": {**tariff, "versions": [old, new]}}

    _, found = await answer_of(api, "POST", "/v1/costs", body | {"group": "P1M"})
    _, year = await answer_of(api, "POST", "/v1/costs", body | {"group": "P1Y"})

    shown = [(group["version"], group["total"]) for group in found["groups"]]
    assert shown == [("1990-01-01", "12.00"), ("2026-02-01", "36.00")]
    assert found["inputs"]["version"] == "1990-01-01"
    assert "rate" not in found["lines"][0]
    assert "versions" not in found["groups"][0]
    (whole,) = year["groups"]
    assert (whole["version"], whole["versions"]) == ("1990-01-01", ["1990-01-01", "2026-02-01"])
    assert [(line["version"], line["amount"]) for line in whole["lines"]] == [
        ("1990-01-01", "12.00"),
        ("2026-02-01", "36.00"),
    ]
    assert year["total"] == found["total"] == "48.00"


async def test_gaps_of_all_groups_are_named(api: Client) -> None:
    """One answer tells everything that is missing."""
    channel = {"start": "2026-01-31T12:00:00-03:00", "values": [1] * 12 + [None] + [1] * 11}
    usage = USAGE | {"channels": {"import": channel}}
    body = {
        "usage": usage,
        "tariff": document([FLAT], "America/Sao_Paulo", "BRL"),
        "start": "2026-01-31",
        "end": "2026-02-02",
        "group": "P1M",
    }

    status, problem = await answer_of(api, "POST", "/v1/costs", body)

    assert (status, problem["code"]) == (422, "incomplete_usage")
    slots = [fault["message"].rpartition("(")[2] for fault in problem["errors"]]
    assert slots == ["12 slots)", "1 slots)", "12 slots)"]


async def test_a_comparison_may_be_in_groups(api: Client) -> None:
    """Each tariff is priced month by month, which rounds twice."""
    tariffs = [document([{**FLAT, "rate": rate}], currency="BRL") for rate in ("0.3333", "0.3334")]

    _, found = await answer_of(
        api, "POST", "/v1/costs/compare", {"usage": USAGE, "tariffs": tariffs, "group": "P1M"}
    )

    # 36 x 0.3334 = 12.0024.
    assert [one["total"] for one in found["ranking"]] == ["24.00", "24.00"]


async def test_there_are_not_too_many_groups(api: Client) -> None:
    """A request that would take minutes is refused at once."""
    status, problem = await cost(api, FLAT, end="2040-01-01", group="P1D", missing="zero")

    assert status == 422
    assert pointers(problem) == {"/group": "too_many_groups"}
