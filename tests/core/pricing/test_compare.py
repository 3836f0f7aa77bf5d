"""Tariffs ranked by what the same usage costs."""

from typing import Any

import attrs
import pytest

from energia.costing.compare import compare
from energia.errors import IncompleteUsage, Invalid
from energia.pricing.tariffs import Tariff
from tests.core.pricing.documents import document, read, series

USAGE = series("2026-03-01T00:00:00Z", 3600, [100_000_000] * 10)


def flat(name: str, rate: str, currency: str = "BRL", **version: Any) -> Tariff:
    """Return a tariff of one rate."""
    charges = [{"kind": "energy.flat", "rate": rate}]
    return attrs.evolve(read(document(charges, currency=currency, **version)), name=name)


def test_the_cheapest_comes_first() -> None:
    """Differences are to the first tariff that was asked for."""
    tariffs = [flat("a", "0.2687"), flat("b", "0.2335"), flat("c", "0.3")]

    ranking = compare(tariffs, {"import": USAGE}, (USAGE.start, USAGE.end))

    assert [(one.tariff, one.total) for one in ranking] == [
        ("b", "233.50"),
        ("a", "268.70"),
        ("c", "300.00"),
    ]
    assert [(one.difference, one.difference_percent) for one in ranking] == [
        ("-35.20", "-13.1"),
        ("0.00", "0.0"),
        ("31.30", "11.6"),
    ]


def test_equal_costs_stay_in_their_order() -> None:
    """The ranking is stable, and named by ids where there are any."""
    tariffs = [attrs.evolve(flat("a", "0.2"), id=id_) for id_ in ("z", "y")]

    ranking = compare(tariffs, {"import": USAGE}, (USAGE.start, USAGE.end))

    assert [one.tariff for one in ranking] == ["z", "y"]


def test_nothing_is_a_percentage_of_nothing() -> None:
    """Where the first tariff costs nothing there is no percentage."""
    ranking = compare([flat("a", "0"), flat("b", "1")], {"import": USAGE}, (USAGE.start, USAGE.end))

    assert [one.difference_percent for one in ranking] == [None, None]
    assert ranking[1].difference == "1000.00"


def test_a_negative_base_keeps_the_sign_of_the_difference() -> None:
    """What is dearer than a tariff that pays is a positive percentage."""
    ranking = compare(
        [flat("a", "-1"), flat("b", "1")], {"import": USAGE}, (USAGE.start, USAGE.end)
    )

    assert [one.difference_percent for one in ranking] == ["0.0", "200.0"]


def test_totals_that_no_decimal_ends_are_compared_as_decimals() -> None:
    """A total that is not rounded and does not end is shown with twelve decimals."""
    unrounded: dict[str, Any] = {"rounding": {"amount_decimals": None}}
    charges = [{"kind": "fixed", "amount": "1", "per": "month"}]
    third = read(document(charges, currency="BRL", **unrounded))

    ranking = compare(
        [flat("a", "0", **unrounded), third], {"import": USAGE}, (USAGE.start, USAGE.end)
    )

    assert [one.difference for one in ranking] == ["0.00", "0.032258064516"]


def test_currencies_are_not_converted() -> None:
    """Tariffs in other currencies than the first one's are named."""
    tariffs = [flat("a", "1"), flat("b", "1", "USD"), flat("c", "1", "EUR")]

    with pytest.raises(Invalid) as refused:
        compare(tariffs, {"import": USAGE}, (USAGE.start, USAGE.end))

    assert [fault.pointer for fault in refused.value.faults] == ["/tariffs/1", "/tariffs/2"]


def test_a_refusal_says_which_tariff() -> None:
    """A fault of pricing points to the tariff, and is of the same kind as it would be alone."""
    tariffs = [flat("a", "1"), flat("b", "1", valid_from="2027-01-01")]

    with pytest.raises(Invalid) as refused:
        compare(tariffs, {"import": USAGE}, (USAGE.start, USAGE.end))

    (fault,) = refused.value.faults
    assert (fault.code, fault.pointer) == ("no_version_in_force", "/tariffs/1")
    with pytest.raises(IncompleteUsage):
        compare(tariffs[:1], {"import": USAGE}, (USAGE.start, USAGE.end + 3600))
