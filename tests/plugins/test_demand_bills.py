"""Whole bills with demand: the benchmark's third tariff, and taxes on what was contracted."""

from fractions import Fraction

import pytest

from energia.costing.groups import price_groups
from energia.pricing.engine import price
from energia.pricing.exact import decimal_text
from energia.pricing.usage import Terms
from tests.core.pricing.documents import line, series, tariff
from tests.core.pricing.test_bench import EXPECTED, TIERED, load
from tests.plugins.test_tariff_demand import BOUNDS, EVENING, SEASONS
from tests.plugins.test_tariff_demand_contracted import printed


@pytest.mark.parametrize("minutes", [15, 60])
def test_tiers_and_demand_of_a_year_are_right_digit_by_digit(minutes: int) -> None:
    """Energy by tiers, demand by season and in the evening, a fixed charge: as engines agree."""
    seasons = {"summer": "9", "winter": "6.5"}
    demand = {"kind": "demand", "interval": f"PT{minutes}M"}
    found = tariff(
        [
            TIERED,
            demand | {"code": "flat", "schedule": SEASONS, "rates": seasons},
            demand | {"code": "tou", "schedule": EVENING, "rates": {"peak": "4.25", "rest": "0"}},
            {"kind": "fixed", "amount": "15", "per": "month"},
        ]
    )

    months = price_groups(found, {"import": load(minutes)}, BOUNDS, Terms())

    total = sum((Fraction(month.cost.total) for month in months), Fraction(0))
    assert total == Fraction(EXPECTED[f"tier_demand_{minutes}min"]["annual"])


def test_the_unused_contract_bears_no_icms() -> None:
    """A real bill of 2022: PIS and COFINS of 5.146 %, and ICMS of 25 % only on what was used.

    Its printed prices are 24.474576 and 18.023966, the rates of its taxes are rounded.
    """
    used, unused = printed(0, "demanda (with ICMS) kW", "demanda isenta ICMS kW")
    untaxed = unused[1] * Fraction("0.94854")
    taxes = [
        {"name": "icms", "rate": "0.25", "without_tags": ["unused"]},
        {"name": "pis_cofins", "rate": "0.05146"},
    ]
    found = tariff(
        [
            {
                "kind": "demand.contracted",
                "contracted": "30",
                "rate": decimal_text(untaxed),
            },
            {"kind": "tax", "form": "inside_sum", "taxes": taxes},
        ]
    )
    usage = series("2022-08-01T00:00:00Z", 900, [1_032_500] + [0] * 2975)

    cost = price(found, {"import": usage}, usage.start, usage.end)

    for code, (kw, rate) in (("demand.contracted", used), ("demand.contracted.unused", unused)):
        charged = line(cost, code)
        assert Fraction(charged.quantity or 0) == kw
        assert abs(Fraction(charged.exact) / kw - rate) < Fraction("0.00003")
