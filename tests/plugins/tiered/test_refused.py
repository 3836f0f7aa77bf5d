"""What `energy.tiered` refuses when a tariff is saved."""

from typing import Any

import pytest

from tests.core.pricing.documents import faults, tariff

OPEN = [{"up_to": "10", "rate": "0.1"}, {"rate": "0.2"}]
OTHER = [{"up_to": "20", "rate": "0.1"}, {"rate": "0.2"}]
EVENING = {"default": "low", "rules": [{"period": "peak", "from": "18:00", "to": "21:00"}]}
DEMAND = {"interval": "PT15M"}
#: Two periods of one day with the same bounds.
BOTH = {"schedule": EVENING, "rates": {"low": OPEN, "peak": OPEN}}


def refused(charge: dict[str, Any]) -> dict[str, str]:
    """Return the faults below the charge."""
    found = faults(lambda: tariff([{"kind": "energy.tiered", **charge}]))
    at = "/versions/0/charges/0"
    return {str(pointer).removeprefix(at): code for pointer, code in found.items()}


@pytest.mark.parametrize(
    ("charge", "expected"),
    [
        ({}, {"/tiers": "tiers_or_rates"}),
        ({"tiers": OPEN, **BOTH}, {"/tiers": "tiers_or_rates"}),
        ({"rates": {"low": OPEN}}, {"/schedule": "missing_schedule"}),
        ({"tiers": OPEN, "schedule": EVENING}, {"/schedule": "unused_schedule"}),
        ({**BOTH, "rates": {"low": OPEN}}, {"/rates/peak": "missing_rate"}),
        (
            {"tiers": [{"up_to": "10", "rate": "1"}, {"up_to": "10", "rate": "2"}, {"rate": "3"}]},
            {"/tiers/1/up_to": "bounds_not_increasing"},
        ),
        (
            {**BOTH, "rates": {"low": OPEN, "peak": [*OPEN[:1], *OPEN]}},
            {"/rates/peak/1/up_to": "bounds_not_increasing", "/rates": "mixed_ladders"},
        ),
        ({"tiers": OPEN[:1]}, {"/tiers/0/up_to": "last_tier_has_bound"}),
        ({"tiers": [*OPEN[1:], *OPEN]}, {"/tiers/0/up_to": "missing_bound"}),
        ({"tiers": OPEN, "last": "closed"}, {"/tiers/1/up_to": "missing_bound"}),
        (
            {"tiers": [{"up_to": "0", "rate": "1"}, {"rate": "2"}]},
            {"/tiers/0/up_to": "out_of_range"},
        ),
        ({"tiers": OPEN, "unit": "kWh/kW"}, {"/demand": "missing_demand"}),
        ({"tiers": OPEN, "demand": DEMAND}, {"/demand": "unused_demand"}),
        ({"tiers": OPEN, "unit": "kWh/hp", "demand": DEMAND}, {"/demand/unit": "wrong_unit"}),
        (
            {"tiers": OPEN, "unit": "kWh/kW", "demand": DEMAND, "reset": "day"},
            {"/reset": "wrong_reset"},
        ),
        (
            {
                "tiers": OPEN,
                "unit": "kWh/kW",
                "demand": DEMAND,
                "scope": "pooled_chronological",
            },
            {"/scope": "wrong_scope"},
        ),
        (
            {"tiers": OPEN, "scope": "pooled_chronological", "reset": "year"},
            {"/proration": "wrong_proration"},
        ),
        (
            {**BOTH, "scope": "per_period", "unit": "kWh/day", "reset": "year"},
            {"/proration": "wrong_proration"},
        ),
        ({**BOTH, "rates": {"low": OPEN, "peak": OTHER}}, {"/rates": "mixed_ladders"}),
        ({"tiers": OPEN, "unit": "m3/day"}, {"/unit": "wrong_unit"}),
        (
            {
                "channel": "water_volume.import",
                "tiers": [{"up_to": "10", "rate": "1", "unit": "kvarh"}, {"rate": "2"}],
            },
            {"/tiers/0/unit": "wrong_unit"},
        ),
        ({"tiers": OPEN, "year_begins": 2}, {"/year_begins": "unused_field"}),
        ({"tiers": OPEN, "year_begins": "02-10"}, {"/year_begins": "unused_field"}),
        ({"tiers": OPEN, "reset": "month", "year_begins": 2}, {"/year_begins": "unused_field"}),
        (
            {"tiers": OPEN, "reset": "quarter", "year_begins": "01-30"},
            {"/year_begins": "not_in_every_month"},
        ),
        (
            {
                "tiers": OPEN,
                "unit": "kWh/kW",
                "demand": DEMAND,
                "reset": "month",
                "year_begins": "02-10",
            },
            {"/year_begins": "wrong_day"},
        ),
    ],
)
def test_what_contradicts_itself_is_refused(
    charge: dict[str, Any], expected: dict[str, str]
) -> None:
    """Each fault points to the field, and all are told at once."""
    assert refused(charge) == expected


@pytest.mark.parametrize(
    "charge",
    [
        {**BOTH, "scope": "per_period", "rates": {"low": OPEN, "peak": OTHER}},
        {**BOTH, "scope": "per_period", "rates": {"low": OPEN, "peak": [{"rate": "1"}]}},
        {"tiers": OPEN[:1], "last": "closed"},
        {"tiers": OPEN, "unit": "kWh/day", "reset": "year"},
        {
            "tiers": OPEN,
            "unit": "kWh/kW",
            "demand": DEMAND,
            "reset": "month",
            "year_begins": "02-01",
        },
    ],
)
def test_other_bounds_are_fine_where_they_make_sense(charge: dict[str, Any]) -> None:
    """Different numbers of tiers by period, a closed ladder, a daily allowance for a year."""
    assert tariff([{"kind": "energy.tiered", **charge}]).versions[0].charges
