"""The kinds that adjust bills together: whole bills of Light, and charges on each other's lines."""

from fractions import Fraction
from typing import Any

import pytest

from energia.cli.explain import of_lines
from energia.pricing.explain import Charged, explain
from energia.pricing.segments import segments
from energia.pricing.usage import Terms
from energia_plugins import (
    tariff_adjustment_calendar,
    tariff_event,
    tariff_percent,
    tariff_table,
    tariff_tax,
)
from tests.core.pricing.documents import line
from tests.plugins.adjusting import Bills, exacts, steps
from tests.plugins.test_tariff_adjustment_calendar import BANDEIRAS
from tests.plugins.test_tariff_table import rio
from tests.plugins.test_tariff_tax_bills import RJ

BILLS = Bills(
    tariff_tax,
    others={
        "adjustment": tariff_adjustment_calendar,
        "event": tariff_event,
        "percent": tariff_percent,
        "table": tariff_table,
    },
)
#: PIS and COFINS of the months of two bills of Light, as they print them.
FEDERAL = [
    {"name": name, "group": "federal", "rates": {"2026-08": august, "2026-10": october}}
    for name, august, october in (("pis", "0.0123", "0.0101"), ("cofins", "0.0567", "0.0468"))
]


def light(other: str, *, credit: str = "0") -> list[dict[str, Any]]:
    """Return what Light charges in Rio de Janeiro: other items are printed on each bill."""
    return [
        {"kind": "energy.flat", "code": "energia", "rate": "0.94793"},
        {
            "kind": "adjustment.calendar",
            "code": "bandeira",
            "months": BANDEIRAS,
            "form": "inside",
            "of": {},
        },
        {
            "kind": "tax",
            "taxes": [RJ, *FEDERAL],
            "form": "inside_product",
            "across": "end",
            "energy_rounding": "down",
        },
        rio(code="iluminacao"),
        {"kind": "table", "code": "outros", "rows": [{"amount": other}]},
        {"kind": "table", "code": "creditos", "rows": [{"amount": credit}]},
    ]


PRICES = Fraction("0.000011")
CENT = Fraction("0.0101")


@pytest.mark.parametrize(
    ("kwh", "days", "credit", "printed"),
    [
        (304, ("2026-07-04", "2026-08-06"), "-10.13", ("1.36636", "415.37", "471.92")),
        (354, ("2026-09-04", "2026-10-07"), "0", ("1.34405", "475.78", "542.46")),
    ],
    ids=["august", "october"],
)
def test_whole_bills_of_light(
    kwh: int, days: tuple[str, str], credit: str, printed: tuple[str, str, str]
) -> None:
    """August 2026 is exact; of October one cent is explained by no rounding that there is."""
    charges = light("2.08", credit=credit)
    found = BILLS.of(charges, kwh, days, rounding={"unit_price_decimals": 5})

    energy, total = line(found, "energia"), Fraction(found.total)
    assert line(found, "iluminacao").amount == "64.60"
    assert abs(Fraction(energy.rate or 0) - Fraction(printed[0])) < PRICES
    assert abs(Fraction(energy.amount) - Fraction(printed[1])) < CENT
    assert abs(total - Fraction(printed[2])) < CENT
    assert (energy.amount == printed[1]) is (total == Fraction(printed[2])) is (kwh == 304)


FLAT = {"kind": "energy.flat", "rate": "0.50"}
DISCOUNT = {"kind": "percent", "percent": "-10"}
ICMS = {"name": "icms", "rate": "0.20"}
TAX = {"kind": "tax", "taxes": [ICMS], "form": "inside_product"}


def test_a_discount_is_taxed_like_what_it_is_on() -> None:
    """Its line has no rate: its amount is grossed up, which its steps explain."""
    found = BILLS.of([FLAT, DISCOUNT, TAX])

    assert exacts(found) == {"energy.flat": Fraction("62.5"), "percent": Fraction("-6.25")}
    assert steps(found, "percent") == [
        ("50 x -10 %", -5),
        ("-5 / (1 - 0.20) - -5", Fraction("-1.25")),
    ]


@pytest.mark.parametrize("form", ["line", "inside"])
def test_a_discount_before_taxes_is_one_after_them(form: str) -> None:
    """Of a tax that is a part of the price."""
    before = BILLS.of([FLAT, DISCOUNT | {"form": form}, TAX])
    after = BILLS.of([FLAT, TAX, DISCOUNT | {"form": form}])

    assert sum(exacts(before).values()) == sum(exacts(after).values()) == Fraction("56.25")


def test_a_critical_peak_is_taxed_and_street_lighting_is_not() -> None:
    """Charges after a tax are outside of it, and others may be by their tags."""
    event = {
        "kind": "event",
        "form": "energy",
        "rate": "1",
        "events": [{"date": "2026-03-01", "from": "00:00", "to": "01:00"}],
    }
    untaxed = {"kind": "table", "code": "fee", "rows": [{"amount": "3"}], "tags": ["untaxed"]}
    lighting = {"kind": "table", "code": "lighting", "rows": [{"amount": "7"}]}
    of = {"without_tags": ["untaxed"]}
    found = BILLS.of([event, untaxed, TAX | {"of": of}, lighting])

    assert exacts(found) == {"event": 125, "fee": 3, "lighting": 7}


def test_a_person_reads_how_a_rate_came_about() -> None:
    """Each charge that changed it has a line, in the order of the charges."""
    tariff = BILLS.tariff(light("0"))
    start, end = BILLS.midnight("2026-09-04"), BILLS.midnight("2026-10-07")
    usage = {"import": BILLS.usage(start, end, [354])}
    cost = BILLS.of(light("0"), 354, ("2026-09-04", "2026-10-07"))
    found = explain(Charged.of(cost), segments(tariff, usage, start, end, Terms()), "BRL")

    more = Fraction(27, 33) * Fraction("0.01885")
    net = Fraction("0.94793") + more
    exact = 354 * net / (Fraction("0.76") * Fraction("0.9431"))
    text = list(of_lines(found, "BRL"))
    assert text[1:4] == [
        "  rate: Adjustment, bandeira (27/33 x 0.01885 + 6/33 x 0): "
        f"0.94793 + {more} = {net}, about 0.963353",
        f"  rate: Taxes: {net} / ((1 - 0.24) x (1 - 0.0101 - 0.0468)) = {exact / 354}, "
        "about 1.344046",
        f"  354 kWh x {exact / 354} BRL/kWh = {exact}",
    ]
