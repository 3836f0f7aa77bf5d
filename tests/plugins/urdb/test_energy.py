"""What is made of prices of energy."""

from decimal import Decimal
from typing import Any

import pytest

from tests.plugins.urdb.rates import HOUR, ZEROS, charges, rate, refused, warned


def test_the_price_is_the_rate_and_its_adjustment() -> None:
    """Either may be missing; the sum is exact."""
    tier = {"rate": Decimal("0.0347738"), "adj": Decimal("0.13299")}

    assert charges(rate([tier]))["energy"] == {
        "kind": "energy.flat",
        "code": "energy",
        "rate": "0.1677638",
    }
    assert charges(rate([{"adj": "0.02"}]))["energy"]["rate"] == "0.02"


def test_periods_without_tiers_are_a_time_of_use() -> None:
    """Equal hours are one window, equal months one season."""
    found = charges(rate([{"rate": "0.1"}], [{"rate": "0.3"}]))["energy"]

    rule = {
        "period": "period_1",
        "days": ["weekday"],
        "from": "16:00",
        "to": "21:00",
        "season": {"from": "06-01", "to": "09-30"},
    }
    assert found["kind"] == "energy.time_of_use"
    assert found["schedule"] == {"default": "period_0", "rules": [rule]}
    assert found["rates"] == {"period_0": "0.1", "period_1": "0.3"}


def test_periods_have_the_names_of_the_source() -> None:
    """Where all have one."""
    found = charges(rate([{"rate": "1"}], [{"rate": "2"}], energytoulabels=["Off-Peak", "On Peak"]))

    assert list(found["energy"]["rates"]) == ["off-peak", "on_peak"]


def test_tiers_are_cumulative_and_the_last_is_open() -> None:
    """A last tier with a bound is open too, and that is told."""
    tiers = [{"max": 400, "rate": "0.1", "unit": "kWh"}, {"max": 900, "rate": "0.2"}]

    found = charges(rate(tiers))["energy"]

    assert (found["kind"], found["unit"], found["scope"]) == (
        "energy.tiered",
        "kWh",
        "pooled_prorated",
    )
    assert found["tiers"] == [{"up_to": "400", "rate": "0.1"}, {"rate": "0.2"}]
    assert warned(rate(tiers))["/energyratestructure/0/1/max"] == "finite_last_tier"


@pytest.mark.parametrize("endless", [Decimal("1e38"), 10**14, Decimal("9.999999680285692e+37")])
def test_a_bound_that_means_infinity_is_none(endless: object) -> None:
    """As SAM and REopt write it; nothing is told."""
    rates = rate([{"max": 10, "rate": 1}, {"max": endless, "rate": 2}])

    assert charges(rates)["energy"]["tiers"][1] == {"rate": "2"}
    assert "finite_last_tier" not in warned(rates).values()


@pytest.mark.parametrize(
    ("unit", "ours", "demand"),
    [
        ("kWh daily", "kWh/day", None),
        ("kWh/kW", "kWh/kW", {"interval": "PT1H"}),
        ("kWh/kW daily", "kWh/kW.day", {"interval": "PT1H"}),
        (
            "kWh/kVA",
            "kWh/kVA",
            {"interval": "PT1H", "unit": "kVA", "channel": "apparent_energy.import"},
        ),
        ("kWh/hp", "kWh/hp", {"interval": "PT1H", "unit": "hp"}),
    ],
)
def test_units_of_tiers_are_read(unit: str, ours: str, demand: dict[str, str] | None) -> None:
    """Hours of use come with the demand that they are times of."""
    tiers = [{"max": 10, "rate": 1, "unit": unit}, {"rate": 2, "unit": unit}]

    found = charges(rate(tiers), demand_interval=HOUR)["energy"]

    assert (found["unit"], found.get("demand")) == (ours, demand)


def test_tiers_inside_of_a_block_by_demand_end_with_it() -> None:
    """The block's own price is not charged: Alabama's LPM has tiers in its first 200 hours."""
    tiers = [
        {"max": 200, "unit": "kWh/kW", "rate": "9"},
        {"max": 3000, "unit": "kWh", "rate": "4"},
        {"unit": "kWh", "rate": "3"},
        {"max": 400, "unit": "kWh/kW", "rate": "2"},
        {"unit": "kWh/kW", "rate": "1"},
    ]

    assert charges(rate(tiers))["energy"]["tiers"] == [
        {"up_to": "3000", "rate": "4"},
        {"up_to": "200", "rate": "3", "unit": "kWh/kW"},
        {"up_to": "400", "rate": "2", "unit": "kWh/kW"},
        {"rate": "1"},
    ]
    assert warned(rate(tiers))["/energyratestructure/0/0"] == "block_of_tiers"


def test_periods_of_a_month_with_other_tiers_are_cut_at_the_bounds_of_all() -> None:
    """PySAM refuses them; the price of each kWh stays what it is."""
    tiers = [{"max": 400, "rate": "0.1"}, {"rate": "0.2"}]

    found = charges(rate(tiers, [{"rate": "0.5"}]))["energy"]["rates"]

    assert found["period_1"] == [{"up_to": "400", "rate": "0.5"}, {"rate": "0.5"}]
    assert warned(rate(tiers, [{"rate": "0.5"}]))["/energyratestructure"] == "tier_scope"


def test_counted_by_period_they_stay_as_they_are() -> None:
    """The scope is an option, as the source does not tell it."""
    tiers = [{"max": 400, "rate": "0.1"}, {"rate": "0.2"}]

    found = charges(rate(tiers, [{"rate": "0.5"}]), tier_scope="per_period")["energy"]

    assert found["scope"] == "per_period"
    assert found["rates"]["period_1"] == [{"rate": "0.5"}]


def test_adjustments_for_fuel_are_a_price_of_each_month() -> None:
    """Months of one price are one period."""
    fuel = ["0.01"] * 3 + ["0.02"] * 9

    found = charges(rate(fueladjustmentsmonthly=fuel))["fuel"]

    assert found["rates"] == {"fuel_0": "0.01", "fuel_1": "0.02"}
    assert [one["season"] for one in found["schedule"]["rules"]] == [
        {"from": "01-01", "to": "03-31"}
    ]


def test_the_names_of_the_bulk_file_are_known() -> None:
    """usurdb.json has names of its own, and pointers say them."""
    bulk: dict[str, Any] = {
        "rateName": "Residential",
        "energyRateStrux": [{"energyRateTiers": [{"rate": "x"}]}],
        "energyWeekdaySched": ZEROS,
        "energyWeekendSched": ZEROS,
        "effectiveDate": {"$date": "2015-04-01T07:00:00.000Z"},
        "fixedChargeFirstMeter": 5,
    }

    pointer = "/energyRateStrux/0/energyRateTiers/0/rate"
    assert refused(bulk) == {pointer: "wrong_type"}
    bulk["energyRateStrux"] = [{"energyRateTiers": [{"rate": "0.2"}]}]
    assert charges(bulk)["energy"]["rate"] == "0.2"
