"""Demand where a bill crosses from one version of a tariff to the next."""

from typing import Any

import pytest

from energia.pricing.engine import Cost, price
from tests.core.pricing.documents import instant, read, series

#: Ten days of the first version with at most 40 kW, twenty of the second with at most 30 kW.
FIRST, SECOND = "2026-04-01", "2026-04-11"
WINDOW = (instant("2026-04-01T00:00:00Z"), instant("2026-05-01T00:00:00Z"))


def cost(charge: dict[str, Any], rates: tuple[str, str] = ("3", "6")) -> Cost:
    """Price April with another rate from the 11th on."""
    versions = [
        {
            "valid_from": begins,
            "valid_to": ends,
            "charges": [{**charge, "rate": rate}],
            "rounding": {"amount_decimals": None},
        }
        for begins, ends, rate in ((FIRST, SECOND, rates[0]), (SECOND, None, rates[1]))
    ]
    values = [0] * (30 * 24)
    values[100], values[500] = 40_000_000, 30_000_000
    usage = series(WINDOW[0], 3600, values)
    document = {"name": "t", "currency": "USD", "timezone": "UTC", "versions": versions}
    return price(read(document), {"import": usage}, *WINDOW)


@pytest.mark.parametrize(
    ("more", "total"),
    [
        ({}, "240"),
        ({"per": "day"}, "7200"),
        ({"reset": "month"}, "240"),
        ({"across_versions": "each"}, "160"),
        ({"across_versions": "each", "per": "day"}, "4800"),
        ({"across_versions": "each", "reset": "month"}, "160"),
    ],
)
def test_the_last_version_charges_the_maximum_or_each_its_part(
    more: dict[str, str], total: str
) -> None:
    """40 kW at 6; or 40 kW at 3 for 10 of 30 days, and 30 kW at 6 for 20: 40 + 120."""
    assert cost({"kind": "demand", "interval": "PT1H", **more}).total == total


@pytest.mark.parametrize(("more", "total"), [({}, "300"), ({"across_versions": "each"}, "250")])
def test_so_does_what_is_contracted(more: dict[str, str], total: str) -> None:
    """50 kW at 6; or at 3 for a third of the days and at 6 for the rest."""
    charge = {"kind": "demand.contracted", "interval": "PT1H", "contracted": "50"}

    assert cost({**charge, **more}).total == total


@pytest.mark.parametrize(
    ("more", "amounts"),
    [({}, ["72.99315"]), ({"across_versions": "each"}, ["12", "8"])],
)
def test_so_does_what_intervals_exceed(more: dict[str, str], amounts: list[str]) -> None:
    """12 and 2 kW above 28, at no price but this: the root of 148 at 6; or each its part."""
    overrun = {"of": "intervals", "tolerance_percent": "0", "multiplier": "1"}
    charge = {
        "kind": "demand.contracted",
        "interval": "PT1H",
        "contracted": "28",
        "overrun": overrun,
        **more,
    }
    found = cost(charge)

    beyond = [line.amount for line in found.lines if line.code.endswith(".overrun")]
    assert beyond == amounts


def test_the_peak_of_all_of_the_bill_is_remembered() -> None:
    """The ratchet of the next bill looks at the month, whichever version was in force."""
    ratchet = {"percent": "50"}

    for across in ("last", "each"):
        charge = {"kind": "demand", "interval": "PT1H", "ratchet": ratchet}
        found = cost({**charge, "across_versions": across})
        assert found.state == {"demand": {"peaks": {"2026-04": "40"}}}


@pytest.mark.parametrize(
    ("more", "total"),
    [
        ({}, "30"),
        ({"per": "day"}, "870"),
        ({"reset": "month"}, "29"),
        ({"kind": "demand.contracted", "contracted": "1"}, "30"),
    ],
)
def test_a_version_between_that_lacks_it_does_not_charge_it_twice(
    more: dict[str, str], total: str
) -> None:
    """1 kW at 30 is 30, once; of days, and of those of the month, 29 of 30 have it."""
    charge = {"kind": "demand", "interval": "PT1H", "rate": "30", **more}
    none = {"kind": "fixed", "amount": "0", "per": "bill"}
    begins = [FIRST, "2026-04-11", "2026-04-12"]
    versions = [
        {"valid_from": begin, "valid_to": end, "charges": [one]}
        for begin, end, one in zip(begins, [*begins[1:], None], [charge, none, charge], strict=True)
    ]
    usage = {"import": series(WINDOW[0], 3600, [1_000_000] * (30 * 24))}
    document = {"name": "t", "currency": "USD", "timezone": "UTC", "versions": versions}

    assert price(read(document), usage, *WINDOW).total == f"{total}.00"
