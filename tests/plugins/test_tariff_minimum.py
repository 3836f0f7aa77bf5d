"""The charge `minimum` in money."""

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from energia.plugins import Plugins
from energia.pricing.engine import Cost, price
from energia.pricing.usage import Terms
from energia_plugins import tariff_minimum
from tests.core.pricing.documents import faults, instant, read, series, tariff

KWH = 10**6
FLAT = {"kind": "energy.flat", "rate": "0.10"}
UNUSED = "unused_proration"
MARCH = ("2026-03-01", "2026-04-01")


def charges(minimum: dict[str, Any]) -> list[dict[str, Any]]:
    """Return energy at 0.10 a kWh, and a minimum."""
    return [FLAT, {"kind": "minimum", **minimum}]


def cost(
    minimum: dict[str, Any],
    kwh: int,
    window: tuple[str, str] = MARCH,
    state: dict[str, Any] | None = None,
) -> Cost:
    """Price so many kWh, all in the first hour."""
    start, end = (instant(f"{day}T00:00:00Z") for day in window)
    hours = (end - start) // 3600
    usage = {"import": series(start, 3600, [kwh * KWH, *[0] * (hours - 1)])}
    terms = Terms(state={"minimum": state} if state else {})
    return price(tariff(charges(minimum)), usage, start, end, terms)


def amounts(found: Cost) -> list[tuple[str, str]]:
    """Return the amount of each line, by code."""
    return [(line.code, line.exact) for line in found.lines]


def test_the_plugin_offers_one_kind() -> None:
    """Only what the plugin brings is known."""
    assert list(Plugins.of(tariff_minimum=tariff_minimum).charges()) == ["minimum"]


def test_a_bill_is_topped_up_to_the_minimum() -> None:
    """100 kWh cost 10; the minimum is 25. The case of ratebook's vectors: 15 are added."""
    found = cost({"amount": "25", "per": "month"}, 100)

    assert amounts(found) == [("energy.flat", "10"), ("minimum", "15")]
    assert [(step.expression, step.value) for step in found.details[1].steps] == [
        ("25 x 31/31", 25),
        ("-10", -10),
    ]


@pytest.mark.parametrize("kwh", [250, 300])
def test_a_bill_that_reaches_it_has_no_line_of_it(kwh: int) -> None:
    """Exactly the minimum is enough."""
    assert amounts(cost({"amount": "25"}, kwh)) == [("energy.flat", str(kwh // 10))]


def test_a_credit_is_topped_up_from_below_nothing() -> None:
    """50 kWh fed in are a credit of 5: 30 are missing to 25. NREL's annual minimum does so."""
    assert amounts(cost({"amount": "25"}, -50)) == [("energy.flat", "-5"), ("minimum", "30")]


def test_the_minimum_may_stand_in_the_place_of_the_lines() -> None:
    """They are there, without an amount; the total is the same."""
    found = cost({"amount": "25", "form": "replace"}, 100)

    assert amounts(found) == [("energy.flat", "0"), ("minimum", "25")]
    assert [detail.replaced_by for detail in found.details] == [("minimum",), ()]
    assert found.lines[0].quantity == "100"


def test_only_the_selected_lines_are_compared() -> None:
    """The minimum is of the energy; the fixed charge is on top."""
    fixed = {"kind": "fixed", "amount": "20", "per": "bill"}
    minimum = {"kind": "minimum", "amount": "25", "of": {"charges": ["energy.flat"]}}
    start = instant("2026-03-01T00:00:00Z")
    usage = {"import": series(start, 3600, [100 * KWH])}

    found = price(tariff([FLAT, fixed, minimum]), usage, start, start + 3600)

    assert amounts(found) == [("energy.flat", "10"), ("fixed", "20"), ("minimum", "15")]


@pytest.mark.parametrize(
    ("minimum", "expected"),
    [
        ({"per": "bill"}, "31"),
        ({"per": "day"}, "589"),  # 19 days
        ({"per": "month"}, "19"),  # 19 of 31 days
        ({"per": "month", "proration": "none"}, "31"),
        ({"per": "month", "proration": "annual_days"}, "7068/365"),
    ],
)
def test_a_part_of_a_month_has_a_part_of_the_minimum(
    minimum: dict[str, Any], expected: str
) -> None:
    """Nothing was used in 19 days of March; the minimum is 31."""
    found = cost({"amount": "31", **minimum}, 0, ("2026-03-05", "2026-03-24"))

    assert Fraction(dict(amounts(found))["minimum"]) == Fraction(expected)


def test_parts_of_a_bill_share_the_minimum_by_days() -> None:
    """10 days of the first version have 10 of 31, the others 21: nothing was used in either."""
    versions = [
        {
            "valid_from": begins,
            "valid_to": ends,
            "charges": charges({"amount": "31"}),
            "rounding": {"amount_decimals": None},
        }
        for begins, ends in (("2026-01-01", "2026-03-11"), ("2026-03-11", None))
    ]
    document = {"name": "t", "currency": "USD", "timezone": "UTC", "versions": versions}
    start, end = (instant(f"{day}T00:00:00Z") for day in MARCH)

    found = price(read(document), {"import": series(start, 3600, [0] * 744)}, start, end)

    assert [line.exact for line in found.lines if line.code == "minimum"] == ["10", "21"]


def test_a_year_is_settled_in_its_last_month() -> None:
    """PySAM's case c004 in small: 12 bills of 10 leave 380 of 500 for December."""
    bounds = [*(f"2018-{month:02}-01" for month in range(1, 13)), "2019-01-01"]
    state: dict[str, Any] | None = None
    added = []
    for window in pairwise(bounds):
        found = cost({"amount": "500", "per": "year"}, 100, window, state)
        added.append(dict(amounts(found)).get("minimum"))
        state = dict(found.state["minimum"])
        if window[0] == "2018-07-01":
            assert state == {"charged": "70", "months": "7"}

    assert added == [*[None] * 11, "380"]
    assert state == {"charged": "0", "months": "0"}


def test_a_year_at_once_is_settled_at_once() -> None:
    """Without any state."""
    found = cost({"amount": "500", "per": "year"}, 1200, ("2026-01-01", "2027-01-01"))

    assert amounts(found) == [("energy.flat", "120"), ("minimum", "380")]


@pytest.mark.parametrize(("proration", "expected"), [("month_days", "40"), ("none", "590")])
def test_a_contract_that_began_late_has_a_part_of_the_year(proration: str, expected: str) -> None:
    """December alone is a twelfth of 600, less 10; or all of it."""
    minimum = {"amount": "600", "per": "year", "proration": proration}

    found = cost(minimum, 100, ("2026-12-01", "2027-01-01"))

    assert dict(amounts(found))["minimum"] == expected


def test_a_year_may_end_in_another_month() -> None:
    """True-up in April."""
    minimum = {"amount": "600", "per": "year", "year_ends": 4, "proration": "none"}

    april = cost(minimum, 100, ("2026-04-01", "2026-05-01"), {"charged": "90", "months": "11"})
    may = cost(minimum, 100, ("2026-05-01", "2026-06-01"))

    assert dict(amounts(april))["minimum"] == "500"
    assert dict(amounts(may)).get("minimum") is None


def test_a_state_that_is_none_is_refused() -> None:
    """It came with the request, or from elsewhere."""
    found = faults(lambda: cost({"amount": "5", "per": "year"}, 1, MARCH, {"charged": "lots"}))

    assert found == {None: "bad_charged"}


@pytest.mark.parametrize(
    ("minimum", "expected"),
    [
        ({}, {"/amount": "amount_or_quantity"}),
        ({"amount": "-1"}, {"/amount": "out_of_range"}),
        (
            {"amount": "1", "quantity": "30", "of": {"charges": ["energy.flat"]}},
            {"/amount": "amount_or_quantity"},
        ),
        ({"quantity": "30"}, {"/of": "one_energy_charge"}),
        ({"quantity": "30", "of": {"tags": ["energy"]}}, {"/of": "one_energy_charge"}),
        ({"amount": "1", "period": "peak"}, {"/period": "unused_period"}),
        ({"amount": "1", "per": "day", "proration": "month_days"}, {"/proration": UNUSED}),
        ({"amount": "1", "year_ends": 3}, {"/year_ends": "unused_year_ends"}),
        (
            {"quantity": "1", "per": "year", "of": {"charges": ["energy.flat"]}},
            {"/per": "wrong_per"},
        ),
        ({"amount": "1", "of": {"charges": ["later"]}}, {"/of/charges/0": "unknown_charge"}),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused(
    minimum: dict[str, Any], expected: dict[str, str]
) -> None:
    """When the tariff is saved, with the field."""
    at = "/versions/0/charges/1"
    assert faults(lambda: tariff(charges(minimum))) == {
        f"{at}{pointer}": code for pointer, code in expected.items()
    }
