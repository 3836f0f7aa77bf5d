"""The charge `energy.flat`, with just its plugin loaded."""

from decimal import Decimal
from typing import Any

import pytest

from energia.errors import Invalid
from energia.plugins import Plugins
from energia.pricing.engine import Cost, price
from energia.pricing.tariffs import Tariff, tariff_converter
from energia_plugins import tariff_flat
from tests.core.pricing.documents import document, series

CONVERTER = tariff_converter(Plugins.of(tariff_flat=tariff_flat).charges())
#: A kilowatt-hour, then half of one.
USAGE = series("2026-03-01T00:00:00Z", 3600, [1_000_000, 500_000])


def cost(charge: dict[str, Any], **version: Any) -> Cost:
    """Price the usage under one charge."""
    body = document([{"kind": "energy.flat", **charge}], **version)
    return price(CONVERTER.structure(body, Tariff), {"import": USAGE}, USAGE.start, USAGE.end)


def test_the_plugin_offers_one_kind() -> None:
    """Only what the plugin brings is known."""
    assert list(Plugins.of(tariff_flat=tariff_flat).charges()) == ["energy.flat"]


def test_all_energy_has_one_rate() -> None:
    """A line says quantity, rate and amount."""
    found = cost({"rate": "0.15000", "description": "Energy"})

    (line,) = found.lines
    assert (line.code, line.description) == ("energy.flat", "Energy")
    assert (line.quantity, line.unit, line.rate) == ("1.5", "kWh", "0.15000")
    assert (line.amount, line.exact) == ("0.23", "0.225")
    assert found.total == "0.23"


def test_each_component_is_a_line() -> None:
    """The parts of a rate are rounded each by itself."""
    found = cost({"components": {"te": "0.30200", "tusd": "0.57856"}, "code": "b1"})

    lines = [(line.code, line.component, line.amount, line.exact) for line in found.lines]
    assert lines == [
        ("b1.te", "te", "0.45", "0.453"),
        ("b1.tusd", "tusd", "0.87", "0.86784"),
    ]
    assert found.total == "1.32"


def test_the_rounding_of_the_total_is_a_line_of_its_own() -> None:
    """With `level: total` the lines are shown in cents, and one more makes up the difference."""
    rounding = {"level": "total", "mode": "down"}
    found = cost({"components": {"te": "0.30200", "tusd": "0.57856"}}, rounding=rounding)

    amounts = [(line.code, line.amount, line.exact) for line in found.lines]
    assert amounts == [
        ("energy.flat.te", "0.45", "0.453"),
        ("energy.flat.tusd", "0.87", "0.86784"),
        ("rounding", "0.00", "-0.00084"),
    ]
    assert found.total == "1.32"


def test_the_rate_is_rounded_before_it_is_multiplied() -> None:
    """The line shows the rate that was multiplied."""
    (line,) = cost({"rate": "0.14996"}, rounding={"unit_price_decimals": 4}).lines

    assert (line.rate, line.exact) == ("0.1500", "0.225")


def test_negative_rates_pay_back() -> None:
    """A rate may be negative, and a number as well as text."""
    assert cost({"rate": Decimal("-0.25")}).total == "-0.38"


@pytest.mark.parametrize("charge", [{}, {"rate": "1", "components": {"a": "1"}}])
def test_it_takes_either_a_rate_or_components(charge: dict[str, Any]) -> None:
    """Neither and both are refused."""
    with pytest.raises(Invalid) as refused:
        cost(charge)

    (fault,) = refused.value.faults
    assert (fault.code, fault.pointer) == ("rate_or_components", "/versions/0/charges/0/rate")
