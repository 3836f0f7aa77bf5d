"""The charge `demand`: what is refused, when it is saved or priced."""

from typing import Any

import pytest

from energia.pricing.engine import price
from tests.core.pricing.documents import faults, series
from tests.plugins.test_tariff_demand_fields import EVENING, START, read


@pytest.mark.parametrize(
    ("charge", "found"),
    [
        ({}, {"": "one_price"}),
        ({"rate": "1", "tiers": [{"rate": "1"}]}, {"": "one_price"}),
        ({"rates": {"peak": "1"}}, {"s": "rates_and_schedule"}),
        ({"rates": {"peak": "1"}, "schedule": EVENING}, {"s/rest": "missing_rate"}),
        (
            {"rates": {"peak": "1", "rest": [{"up_to": "1"}]}, "schedule": EVENING},
            {"s/rest/0/rate": "missing_rate"},
        ),
    ],
)
def test_prices_that_do_not_fit_are_refused(charge: dict[str, Any], found: dict[str, str]) -> None:
    """One price, for each period, is needed."""
    expected = {f"/versions/0/charges/0/rate{at}": code for at, code in found.items()}

    assert faults(lambda: read(charge)) == expected


@pytest.mark.parametrize(
    ("charge", "pointer", "code"),
    [
        ({"tiers": [{"rate": "1"}, {"rate": "2"}]}, "/tiers/0/up_to", "missing_bound"),
        (
            {"tiers": [{"up_to": "5", "rate": "1"}, {"up_to": "5", "rate": "2"}]},
            "/tiers/1/up_to",
            "not_increasing",
        ),
        ({"tiers": [{"amount": "1"}]}, "/tiers/0/amount", "amount_of_block"),
        (
            {"tiers": [{"up_to": "5", "rate": "1"}, {"rate": {"components": {"a": "2"}}}]},
            "/tiers/0/rate",
            "components_differ",
        ),
        (
            {"tiers": [{"rate": "1"}], "scope": "whole_band", "last": "closed"},
            "/last",
            "closed_band",
        ),
        ({"rate": "1", "unit": "kVA"}, "/power_factor", "missing_power_factor"),
        ({"rate": "1", "power_factor": "0.9"}, "/power_factor", "unused_power_factor"),
        ({"rate": "1", "power_factor": "1.1"}, "/power_factor", "out_of_range"),
        ({"rate": "1", "channel": "gas_volume.import"}, "/unit", "wrong_unit"),
        ({"rate": "1", "interval": "PT7M"}, "/interval", "not_part_of_an_hour"),
        ({"rate": "1", "interval": "P1D"}, "/interval", "not_part_of_an_hour"),
        ({"rate": "1", "statistic": {"of_months": "mean"}}, "/statistic/months", "missing_months"),
        ({"rate": "1", "ratchet": {"percent": ["1"]}}, "/ratchet/percent", "too_short"),
        ({"rate": "1", "ratchet": {"percent": "50", "months": [13]}},
         "/ratchet/months/0", "out_of_range"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused(
    charge: dict[str, Any], pointer: str, code: str
) -> None:
    """Each refusal names the place."""
    assert faults(lambda: read(charge)).get(f"/versions/0/charges/0{pointer}") == code


def test_hourly_readings_do_not_tell_quarters() -> None:
    """Hourly sums of the benchmark gave 610.91 where 1124.90 was true."""
    usage = series(START, 3600, [1_000_000] * 24)

    found = faults(lambda: price(read({"rate": "1"}), {"import": usage}, usage.start, usage.end))

    assert list(found.values()) == ["coarse_readings"]
