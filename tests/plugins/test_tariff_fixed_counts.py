"""The charge `fixed`, by the bill and by the meter, and where a bill crosses versions."""

from fractions import Fraction
from typing import Any

import pytest

from energia.pricing.engine import Cost, price
from tests.core.pricing.documents import exact_total, faults, instant, read, tariff

MARCH = (instant("2026-03-01T00:00:00Z"), instant("2026-04-01T00:00:00Z"))


def cost(charge: dict[str, Any], window: tuple[int, int] = MARCH) -> Cost:
    """Price no usage at all."""
    return price(tariff([{"kind": "fixed", **charge}]), {}, *window)


def across(charge: dict[str, Any], start: str, end: str, second: str | None = None) -> Cost:
    """Price a window that another version, with *second* as its amount, cuts on 11 March."""
    amounts = (("2026-01-01", "2026-03-11", charge["amount"]), ("2026-03-11", None, second))
    versions = [
        {
            "valid_from": begins,
            "valid_to": ends,
            "charges": [{"kind": "fixed", **charge, "amount": amount or charge["amount"]}],
            "rounding": {"amount_decimals": None},
        }
        for begins, ends, amount in amounts
    ]
    document = {"name": "t", "currency": "USD", "timezone": "UTC", "versions": versions}
    return price(read(document), {}, instant(f"{start}T00:00:00Z"), instant(f"{end}T00:00:00Z"))


@pytest.mark.parametrize("per", ["bill", "meter"])
def test_a_bill_is_charged_once_however_long_it_is(per: str) -> None:
    """A month or an hour; a window within a day tells nothing of days."""
    hour = (MARCH[0] + 3600, MARCH[0] + 7200)

    for window in (MARCH, hour):
        found = cost({"amount": "6.50", "per": per}, window)
        assert [(line.quantity, line.unit, line.exact) for line in found.lines] == [
            ("1", per, "6.5")
        ]
        assert found.assumptions == ()


@pytest.mark.parametrize(
    ("per", "total"), [("day", "93"), ("month", "3"), ("bill", "3"), ("meter", "3")]
)
def test_each_meter_is_charged(per: str, total: str) -> None:
    """Three meters, 1 each; March has 31 days."""
    assert cost({"amount": "1", "per": per, "meters": 3}).total == total


def test_meters_after_the_first_may_cost_something_else() -> None:
    """The first 10, two more 4 each; for half of a month."""
    half = (MARCH[0], instant("2026-03-16T12:00:00Z"))
    charge = {"amount": "10", "per": "month", "meters": 3, "additional": "4"}

    assert [(line.code, line.exact) for line in cost(charge).lines] == [
        ("fixed", "10"),
        ("fixed.additional", "8"),
    ]
    assert exact_total(cost(charge, half)) == 18 * Fraction(16, 31)


@pytest.mark.parametrize(("meters", "lines"), [(0, 0), (1, 1), (2, 2)])
def test_there_is_a_line_for_the_meters_that_there_are(meters: int, lines: int) -> None:
    """None for none."""
    charge = {"amount": "10", "per": "month", "meters": meters, "additional": "4"}

    assert len(cost(charge).lines) == lines


@pytest.mark.parametrize(
    "charge",
    [
        {"per": "bill"},
        {"per": "meter"},
        {"per": "month", "proration": "none"},
        {"per": "month"},
        {"per": "month", "proration": "annual_days"},
        {"per": "year", "proration": "none"},
        {"per": "day"},
    ],
)
@pytest.mark.parametrize("window", [("2026-03-01", "2026-04-01"), ("2026-02-20", "2026-03-20")])
def test_parts_of_a_bill_add_up_to_the_bill(
    charge: dict[str, Any], window: tuple[str, str]
) -> None:
    """Two versions with the same amount charge what one would."""
    start, end = (instant(f"{day}T00:00:00Z") for day in window)
    charge = {"amount": "30", **charge}

    parts = across(charge, *window)

    amounts = sum((Fraction(line.exact) for line in parts.lines), Fraction(0))
    assert len(parts.lines) == 2
    assert amounts == Fraction(cost(charge, (start, end)).lines[0].exact)


def test_what_is_charged_once_is_shared_by_days() -> None:
    """March: 10 days at 31, 21 days at 62; the step tells the share."""
    found = across({"amount": "31", "per": "bill"}, "2026-03-01", "2026-04-01", "62")

    assert [line.exact for line in found.lines] == ["10", "42"]
    assert [detail.steps[0].expression for detail in found.details] == ["10/31", "21/31"]


def test_a_month_that_counts_in_full_is_shared_by_the_days_of_the_bill() -> None:
    """20 February to 20 March: February in full, March's 19 days as 10 and 9."""
    charge = {"amount": "19", "per": "month", "proration": "none"}

    found = across(charge, "2026-02-20", "2026-03-20", "38")

    assert [line.exact for line in found.lines] == ["29", "18"]


@pytest.mark.parametrize("per", ["bill", "meter"])
def test_what_is_once_a_bill_is_not_prorated_by_months(per: str) -> None:
    """It would be silently ignored."""
    charge = {"kind": "fixed", "amount": "1", "per": per, "proration": "annual_days"}

    assert faults(lambda: tariff([charge])) == {
        "/versions/0/charges/0/proration": "unused_proration"
    }


def test_a_bill_of_many_months_is_told() -> None:
    """A year that is not divided into months pays once, which is hardly what is meant."""
    year = (MARCH[0], instant("2027-03-01T00:00:00Z"))

    found = cost({"amount": "6.50", "per": "bill"}, year)

    assert found.total == "6.5"
    assert [one.code for one in found.assumptions] == ["long_bill"]
