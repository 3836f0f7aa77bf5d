"""What is made of prices of demand."""

from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from energia.testing import Pricing
from tests.plugins.urdb.rates import EVENINGS, HOUR, ZEROS, charges, rate, warned

FLAT = {"flatdemandstructure": [[{"rate": "6.5"}]], "flatdemandmonths": [0] * 12}


def test_flat_demand_is_charged_by_month() -> None:
    """The interval is an assumption where the source does not tell: hours are accepted too."""
    assert charges(rate(**FLAT))["demand_flat"] == {
        "kind": "demand",
        "code": "demand_flat",
        "interval": "PT15M",
        "coarse": "accept",
        "rate": "6.5",
    }
    assert warned(rate(**FLAT))["/demandwindow"] == "interval_assumed"


@pytest.mark.parametrize(
    ("options", "interval"), [({}, "PT30M"), ({"demand_interval": HOUR}, "PT1H")]
)
def test_the_window_of_the_source_is_kept_unless_asked(
    options: dict[str, Any], interval: str
) -> None:
    """In minutes; an option overrules it."""
    assert charges(rate(**FLAT, demandwindow=30), **options)["demand_flat"]["interval"] == interval


def test_coarser_readings_than_the_source_tells_are_refused() -> None:
    """A window that is stated, there or as an option, is kept to."""
    assert "coarse" not in charges(rate(**FLAT, demandwindow=30))["demand_flat"]
    assert "coarse" not in charges(rate(**FLAT), demand_interval=HOUR)["demand_flat"]


def test_months_of_other_prices_have_demands_of_their_own() -> None:
    """A bill that crosses from one to the other pays for the days of each."""
    fields = {
        "flatdemandstructure": [[{"rate": "6.5"}], [{"max": 100, "rate": "9"}, {"rate": "8"}]],
        "flatdemandmonths": [0] * 5 + [1] * 4 + [0] * 3,
    }

    found = charges(rate(**fields))["demand_flat"]

    assert found["reset"] == "season"
    assert warned(rate(**fields))["/flatdemandstructure"] == "seasonal_demand"
    assert found["rates"] == {
        "period_0": "6.5",
        "period_1": [{"up_to": "100", "rate": "9"}, {"rate": "8"}],
    }


@pytest.mark.parametrize(
    ("first", "last"), [("2026-02-15", "2026-03-15"), ("2026-03-15", "2026-04-15")]
)
@pytest.mark.parametrize("unit", ["kW", "kW daily"])
def test_a_constant_load_is_billed_its_level_on_any_bill(unit: str, first: str, last: str) -> None:
    """100 kW over the first days of March and April: not 95.16 or 101.5, nor for its days."""
    fields = {
        "flatdemandstructure": [[{"rate": "1"}], [{"rate": "1"}]],
        "flatdemandmonths": [0] * 2 + [1] + [0] * 9,
        "flatdemandunit": unit,
    }
    pricing, zone = Pricing.of(), "America/Chicago"
    charge = charges(rate(**fields))["demand_flat"]
    days = (date.fromisoformat(last) - date.fromisoformat(first)).days

    found = pricing(charge, [100] * 24 * days, start=first, zone=zone, end=last)

    assert Fraction(found.total) == 100 * (days if "daily" in unit else 1)


def test_demand_by_time_of_use_has_a_price_for_each_period() -> None:
    """Free periods stay, so that the schedule is complete."""
    fields = {
        "demandratestructure": [[{"rate": 0}], [{"rate": "4.25", "adj": "0.25"}]],
        "demandweekdayschedule": EVENINGS,
        "demandweekendschedule": ZEROS,
    }

    assert charges(rate(**fields))["demand_tou"]["rates"] == {"period_0": "0", "period_1": "4.50"}


def test_demand_that_is_free_is_left_out() -> None:
    """So that hourly readings are enough; it is told."""
    fields = {"demandratestructure": [[{"rate": 0}]]}

    assert list(charges(rate(**fields))) == ["energy"]
    assert warned(rate(**fields))["/demandratestructure"] == "nothing_charged"


@pytest.mark.parametrize(
    ("unit", "ours"),
    [
        ("kW daily", {"per": "day"}),
        ("hp", {"unit": "hp"}),
        ("KW", {}),
        ("kVA", {"unit": "kVA", "channel": "apparent_energy.import"}),
    ],
)
def test_units_of_demand_are_read(unit: str, ours: dict[str, str]) -> None:
    """Also for a day, which is that of the bill's maximum: it is told."""
    told = warned(rate(**FLAT, flatdemandunit=unit)).get("/flatdemandstructure")
    assert (told == "daily_demand") == ("daily" in unit)
    found = charges(rate(**FLAT, flatdemandunit=unit))["demand_flat"]

    assert {name: found[name] for name in ("per", "unit", "channel") if name in found} == ours


@pytest.mark.parametrize(
    ("fields", "ratchet"),
    [
        ({"lookbackpercent": 75, "lookbackrange": 6}, {"percent": "75", "back": 6}),
        ({"lookbackPercent": "0.35", "lookbackRange": 12}, {"percent": "35", "back": 11}),
        (
            {"lookbackpercent": 80, "lookbackmonths": [1, 0, 0, 1] + [0] * 7 + [1]},
            {"percent": "80", "back": 11, "months": [1, 4, 12]},
        ),
        (
            {"demandratchetpercentage": [50] * 6 + [0] * 6},
            {"percent": ["50"] * 6 + ["0"] * 6, "back": 11},
        ),
        ({"lookbackpercent": 0, "lookbackmonths": [0] * 12}, None),
    ],
)
def test_lookbacks_are_ratchets(fields: dict[str, Any], ratchet: object) -> None:
    """A percentage up to 1 is a part of 1; those of months are told."""
    told = warned(rate(**FLAT, **fields)).get("/demandratchetpercentage")
    assert (told == "ratchet_percentages") == ("demandratchetpercentage" in fields)
    assert charges(rate(**FLAT, **fields))["demand_flat"].get("ratchet") == ratchet


def test_a_lookback_is_over_all_months_whatever_their_price() -> None:
    """Prices that change with the season do not make several demands."""
    fields = {"flatdemandstructure": [[{"rate": 1}], [{"rate": 2}]], "lookbackpercent": 50}
    months = [0] * 6 + [1] * 6

    found = charges(rate(**fields, flatdemandmonths=months, lookbackrange=11))["demand_flat"]

    assert found["ratchet"]["across_periods"] is True


def test_coincident_peaks_are_events_that_contracts_tell_of() -> None:
    """The source has no dates of them."""
    fields = {"coincidentratestructure": [[{"rate": 10}], [{"rate": 0}], [{"rate": 5}]]}

    found = charges(rate(**fields))

    assert found["coincident_0"] == {
        "kind": "event",
        "code": "coincident_0",
        "form": "demand",
        "rate": "10",
        "events": {"parameter": "coincident_events_0", "default": []},
    }
    assert found["coincident_1"]["rate"] == "5"
    assert warned(rate(**fields))["/coincidentratestructure/0"] == "needs_events"
