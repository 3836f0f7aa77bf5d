"""The charge `minimum` of energy: Brazil's custo de disponibilidade."""

from fractions import Fraction
from typing import Any

import pytest

from energia.errors import Invalid
from energia.pricing.engine import Cost, price
from energia.pricing.tariffs import Tariff
from tests.core.pricing.documents import instant, series, tariff

KWH = 10**6
START = instant("2026-03-01T00:00:00Z")
END = instant("2026-04-01T00:00:00Z")
PARTS = {"components": {"te": "0.30", "tusd": "0.50"}}
SUPPLY = {"kind": "energy.flat", "code": "supply", **PARTS, "tags": ["taxed"]}
OF = {"charges": ["supply"]}
#: REN 1000/2021, art. 291: 30 kWh of one phase, 50 of two, 100 of three.
PHASES = {
    "kind": "minimum",
    "quantity": {"parameter": "availability_kwh"},
    "of": OF,
    "form": "replace",
}


def bill(document: Tariff, kwh: str, **parameters: object) -> Cost:
    """Price March with so many kWh, all in the first hour."""
    values = [int(Fraction(kwh) * KWH), *[0] * 743]
    return price(document.filled(parameters), {"import": series(START, 3600, values)}, START, END)


def amounts(found: Cost) -> list[tuple[str, str | None, str]]:
    """Return the code, the quantity and the amount of each line."""
    return [(line.code, line.quantity, line.exact) for line in found.lines]


@pytest.mark.parametrize(("availability", "te"), [("30", "9"), ("50", "15"), ("100", "30")])
def test_the_bill_is_of_the_availability_if_less_was_used(availability: str, te: str) -> None:
    """12 kWh were used; the lines are those of the minimum, at 0.30 and 0.50 a kWh."""
    found = bill(tariff([SUPPLY, PHASES]), "12", availability_kwh=availability)

    tusd = str(Fraction(te) * 5 / 3)
    assert amounts(found) == [
        ("supply.te", availability, te),
        ("supply.tusd", availability, tusd),
    ]
    assert [detail.replaced_by for detail in found.details] == [("minimum",)] * 2


@pytest.mark.parametrize("kwh", ["30", "31"])
def test_more_than_that_is_billed_as_it_is(kwh: str) -> None:
    """The minimum is not on top of consumption."""
    found = bill(tariff([SUPPLY, PHASES]), kwh, availability_kwh="30")

    assert [line[1] for line in amounts(found)] == [kwh, kwh]
    assert [detail.replaced_by for detail in found.details] == [(), ()]


def test_the_difference_may_be_a_line_of_its_own() -> None:
    """18 kWh are missing; each part of the rate has its line, with the tags of the energy's."""
    minimum = {"kind": "minimum", "code": "least", "quantity": "30", "of": OF}
    levy = {"kind": "minimum", "code": "all", "amount": "100", "of": {"tags": ["taxed"]}}

    found = bill(tariff([SUPPLY, minimum, levy]), "12")

    assert amounts(found) == [
        ("supply.te", "12", "3.6"),
        ("supply.tusd", "12", "6"),
        ("least.te", "18", "5.4"),
        ("least.tusd", "18", "9"),
        ("all", None, "76"),
    ]


@pytest.mark.parametrize("form", ["top_up", "replace"])
def test_a_band_that_the_minimum_is_above_charges_nothing(form: str) -> None:
    """90 kWh in the lower band, at least 150 in the upper: 150 x 0.20 = 30, and no 90 x 0.10."""
    tiers = [{"up_to": "100", "rate": "0.10"}, {"rate": "0.20"}]
    energy = {"kind": "energy.tiered", "code": "supply", "scope": "whole_band", "tiers": tiers}
    minimum = {"kind": "minimum", "quantity": "150", "of": OF, "form": form}

    assert bill(tariff([energy, minimum]), "90").total == "30"


def test_tiers_are_walked_for_the_minimum() -> None:
    """10 kWh at 0.10 and 20 at 0.20 instead of 5 at 0.10."""
    tiers = [{"up_to": "10", "rate": "0.10"}, {"rate": "0.20"}]
    energy = {"kind": "energy.tiered", "code": "supply", "tiers": tiers}

    for form, expected in (("replace", ["1", "4"]), ("top_up", ["0.5", "0.5", "4"])):
        minimum = {"kind": "minimum", "quantity": "30", "of": OF, "form": form}
        found = bill(tariff([energy, minimum]), "5")
        assert [Fraction(line.exact) for line in found.lines] == [Fraction(x) for x in expected]


@pytest.mark.parametrize(("per", "quantity"), [("bill", "31"), ("month", "31"), ("day", "1")])
def test_the_minimum_may_be_by_the_day(per: str, quantity: str) -> None:
    """31 kWh in March, each way."""
    minimum = {"kind": "minimum", "quantity": quantity, "per": per, "of": OF, "form": "replace"}

    assert amounts(bill(tariff([SUPPLY, minimum]), "0"))[0] == ("supply.te", "31", "9.3")


def test_missing_energy_is_priced_in_the_period_that_is_said() -> None:
    """12 kWh at night; 18 kWh are missing, at the rate of the day."""
    energy: dict[str, Any] = {
        "kind": "energy.time_of_use",
        "code": "supply",
        "schedule": {"default": "day", "rules": [{"period": "night", "to": "06:00"}]},
        "rates": {"day": "0.50", "night": "0.20"},
    }
    minimum = {"kind": "minimum", "quantity": "30", "of": OF, "form": "replace"}

    found = bill(tariff([energy, {**minimum, "period": "day"}]), "12")

    assert amounts(found) == [("supply.day", "18", "9"), ("supply.night", "12", "2.4")]
    with pytest.raises(Invalid) as refused:
        bill(tariff([energy, minimum]), "12")
    assert [fault.code for fault in refused.value.faults] == ["missing_period"]


def test_a_charge_without_energy_has_no_minimum_of_it() -> None:
    """A fixed amount measures days."""
    fixed = {"kind": "fixed", "code": "supply", "amount": "1", "per": "bill"}

    with pytest.raises(Invalid) as refused:
        bill(tariff([fixed, {"kind": "minimum", "quantity": "30", "of": OF}]), "1")
    assert [fault.code for fault in refused.value.faults] == ["no_energy"]


def test_what_stands_in_the_place_keeps_its_price() -> None:
    """A tax inside changes the price of a unit, which is rounded as others are."""
    tax = {"kind": "tax", "form": "inside_product", "taxes": [{"name": "icms", "rate": "0.18"}]}
    rounding = {"unit_price_decimals": 5, "amount_decimals": 2}
    least = {**PHASES, "quantity": "30"}

    found = bill(tariff([SUPPLY, least, tax], rounding=rounding), "12")

    # 0.30 / 0.82 = 0.365853...
    assert [(line.quantity, line.rate, line.amount) for line in found.lines] == [
        ("30", "0.36585", "10.98"),
        ("30", "0.60976", "18.29"),
    ]
    assert [step.expression for step in found.details[0].steps] == ["12", "18"]
