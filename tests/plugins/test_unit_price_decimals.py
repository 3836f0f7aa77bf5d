"""`unit_price_decimals` holds for every rate that is multiplied, whatever kind of charge has it."""

from typing import Any

import pytest

from energia.pricing.engine import price
from tests.core.pricing.documents import instant, series, tariff

START = instant("2026-03-02T00:00:00Z")
#: 0.125 is 0.13 to two decimals.
RATE = "0.125"
LADDER = [{"up_to": "100", "rate": RATE}, {"rate": "9"}]
CONTRACT = {"kind": "demand.contracted", "interval": "PT1H", "contracted": "100"}
DEMAND = {"kind": "demand", "interval": "PT1H"}
SOLD = {"kind": "export", "scheme": "buy_all_sell_all", "channel": "import"}
WINDOW = {"date": "2026-03-02", "from": "00:00", "to": "01:00"}


@pytest.mark.parametrize(
    ("charge", "total"),
    [
        ({**DEMAND, "tiers": LADDER}, "13"),
        ({**DEMAND, "tiers": LADDER, "scope": "whole_band"}, "13"),
        (
            {**DEMAND, "tiers": [{"rate": {"components": {"a": RATE, "b": RATE}}}]},
            "26",
        ),
        ({"kind": "reactive", "bands": [{"over_percent": "50", "rate": RATE}]}, "6.5"),
        ({"kind": "table", "rows": [{"rate": RATE}]}, "13"),
        ({"kind": "table", "rows": [{"amount": "1", "rate": RATE}]}, "14"),
        ({"kind": "table", "rows": [{"rate": RATE}], "cap": "50"}, "13"),
        ({"kind": "energy.tiered", "tiers": LADDER}, "13"),
        ({"kind": "event", "form": "demand", "events": [WINDOW], "rate": RATE}, "13"),
        ({**SOLD, "tiers": LADDER}, "-13"),
        ({**CONTRACT, "rate": RATE}, "13"),
    ],
)
def test_a_rate_is_rounded_before_it_is_multiplied(charge: dict[str, Any], total: str) -> None:
    """100 kW, kWh or kvarh at 0.13 are 13.00, not 12.50."""
    rounding = {"unit_price_decimals": 2, "amount_decimals": None}
    usage = {
        role: series(START, 3600, [100_000_000]) for role in ("import", "reactive_energy.import")
    }

    cost = price(tariff([charge], rounding=rounding), usage, START, START + 3600)

    assert cost.total == total


def test_the_step_of_a_tier_shows_the_rate_that_was_multiplied() -> None:
    """An explanation multiplies out: 100 x 0.13."""
    rounding = {"unit_price_decimals": 2, "amount_decimals": None}
    usage = {"import": series(START, 3600, [100_000_000])}
    charge = {**DEMAND, "tiers": LADDER}

    cost = price(tariff([charge], rounding=rounding), usage, START, START + 3600)

    assert [step.expression for step in cost.details[0].steps] == ["100 x 0.13"]
