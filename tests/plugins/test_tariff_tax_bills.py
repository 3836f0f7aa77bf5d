"""The charge `tax` on real bills and published prices of Brazil, printed by the suppliers.

Light: its table of low-voltage tariffs of September 2026, and a bill of August 2026. CPFL: a bill
of October 2023. The bill of 2022 is of group A. Only figures are taken from them.
"""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia_plugins import tariff_tax
from tests.core.pricing.documents import line
from tests.plugins.adjusting import Bills

BILLS = Bills(tariff_tax)


def tax(*taxes: dict[str, Any], form: str = "inside_product", **fields: Any) -> dict[str, Any]:
    """Return the charge."""
    return {"kind": "tax", "taxes": list(taxes), "form": form, **fields}


#: Light, low voltage, September 2026: without taxes 0.94793; with ICMS of 0, 18 and 24 % by the
#: energy of the bill, and PIS and COFINS of 5.99 % together, as the distributor prints them.
LIGHT = {"kind": "energy.flat", "rate": "0.94793"}
RJ = {
    "name": "icms",
    "bands": [{"up_to": "50", "rate": "0"}, {"up_to": "300", "rate": "0.18"}, {"rate": "0.24"}],
}
FEDERAL = {"name": "federal", "rate": "0.0599"}
AT_FIVE = {"unit_price_decimals": 5}


@pytest.mark.parametrize(
    ("kwh", "price"),
    [
        (40, "1.00833"),
        (50, "1.00833"),
        (51, "1.22967"),
        (288, "1.22967"),
        (300, "1.22967"),
        (301, "1.32675"),
        (354, "1.32675"),
    ],
)
def test_published_prices_of_light(kwh: int, price: str) -> None:
    """The band of the whole bill is that of all of it; the gross price has five decimals."""
    found = BILLS.of([LIGHT, tax(RJ, FEDERAL)], kwh, rounding=AT_FIVE)

    only = line(found, "energy.flat")
    assert only.rate == price
    assert Fraction(only.exact) == kwh * Fraction(price)


@pytest.mark.parametrize(
    ("rounding", "kwh", "price"),
    [
        ("none", "50.4", "1.22967"),
        ("half_up", "50.4", "1.00833"),
        ("half_up", "50.5", "1.22967"),
        ("down", "50.9", "1.00833"),
    ],
)
def test_bands_may_be_of_whole_kilowatt_hours(rounding: str, kwh: str, price: str) -> None:
    """A bill counts what the register shows."""
    charges = [LIGHT, tax(RJ, FEDERAL, energy_rounding=rounding)]

    assert line(BILLS.of(charges, kwh, rounding=AT_FIVE), "energy.flat").rate == price


def test_a_real_bill_of_light() -> None:
    """August 2026: 304 kWh at 1.36636 are 415.37, with ICMS 99.69, PIS 3.88 and COFINS 17.90."""
    months = {"2026-07": "0.0599", "2026-08": "0.0123"}
    pis = {"name": "pis", "rates": months, "group": "federal"}
    cofins = {"name": "cofins", "rates": {"2026-08": "0.0567"}, "group": "federal"}
    charges = [
        {"kind": "energy.flat", "rate": "0.96678"},
        tax(RJ, pis, cofins, across="end", show="information"),
    ]
    found = BILLS.of(charges, 304, ("2026-07-04", "2026-08-06"), rounding=AT_FIVE)

    assert found.total == "415.37"
    assert line(found, "energy.flat").rate == "1.36636"
    told = {one.component: Fraction(one.quantity or 0) for one in found.lines[1:]}
    assert {name: round(float(value), 2) for name, value in told.items()} == {
        "icms": 99.69,
        "pis": 3.88,
        "cofins": 17.90,
    }


def test_a_real_bill_of_cpfl() -> None:
    """October 2023: TUSD 0.37162 is 0.47425 with ICMS of 18 %, and 0.38889 without."""
    lines: list[dict[str, Any]] = [
        {"kind": "energy.flat", "code": "used", "rate": "0.37162"},
        {"kind": "energy.flat", "code": "fed-in", "rate": "-0.37162", "tags": ["no-icms"]},
        {"kind": "energy.flat", "code": "te", "rate": "0.31884"},
    ]
    icms = {"name": "icms", "rate": "0.18", "without_tags": ["no-icms"]}
    found = BILLS.of(
        [*lines, tax(icms, {"name": "federal", "rate": "0.044397"})], 2000, rounding=AT_FIVE
    )

    assert [one.rate for one in found.lines] == ["0.47425", "-0.38889", "0.40689"]
    assert line(found, "used").amount == "948.50"


def test_a_real_bill_of_2022() -> None:
    """Demand at 24.474576 with ICMS of 25 %, and at 18.023966 where it was not used.

    The bill prints neither the net price nor PIS and COFINS: a net price of 17.096453 with 5.146 %
    gives both prices as a sum, and no product does.
    """
    lines: list[dict[str, Any]] = [
        {"kind": "energy.flat", "code": "used", "rate": "17.096453"},
        {"kind": "energy.flat", "code": "unused", "rate": "17.096453", "tags": ["unused"]},
    ]
    icms = {"name": "icms", "rate": "0.25", "without_tags": ["unused"]}
    federal = {"name": "federal", "rate": "0.0514600"}
    found = BILLS.of(
        [*lines, tax(icms, federal, form="inside_sum")], rounding={"unit_price_decimals": 6}
    )

    with_icms, without = (Fraction(one.rate or 0) for one in found.lines)
    assert abs(with_icms - Fraction("24.474576")) < Fraction("0.0002")
    assert abs(without - Fraction("18.023966")) < Fraction("0.0002")


@given(st.integers(0, 600), st.integers(0, 600))
def test_more_energy_never_has_a_lower_whole_band(one: int, other: int) -> None:
    """Where rates rise from band to band, so does the price."""
    less, more = sorted((one, other))
    prices = [
        (energy.factors or (0, 0))[1]
        for kwh in (less, more)
        for energy in (line(BILLS.of([LIGHT, tax(RJ, FEDERAL)], kwh), "energy.flat"),)
    ]

    assert prices[0] <= prices[1]
