"""The importer `ratebook`."""

from typing import Any

import pytest

from energia import Imported, ImportOptions, Invalid
from energia.plugins import Plugins
from energia.pricing.importing import imported
from energia_plugins import tariff_ratebook
from energia_plugins.tariff_ratebook import RatebookImporter
from tests.core.pricing.documents import CONVERTER

ROWS = [[0] * 24 for _ in range(12)]
TIER = {"rate": "0.10", "adj": "0.02", "max": None, "max_unit": "kWh", "sell": None}


def source(**fields: Any) -> dict[str, Any]:
    """Return a tariff of the data set."""
    return {
        "schema_version": 0,
        "identity": {"utility_id": "Acme", "plan_name": "R"},
        "effective_range": {"start": "2025-01-02", "end": None},
        "energy": {"periods": [{"tiers": [TIER]}]},
        "schedule": {"weekday": ROWS, "weekend": ROWS, "holiday_policy": "unknown"},
        "fixed_charges": [{"amount": "14", "unit": "$/month"}],
        "min_charge": None,
        "unsupported": [],
        "metering": "none",
    } | fields


def read(document: object) -> Imported:
    """Import a document, of which a tariff comes."""
    options = ImportOptions(timezone="America/Chicago")
    imported(RatebookImporter(), document, options, CONVERTER)
    return RatebookImporter().read(document, options)


def refused(document: object) -> dict[str | None, str]:
    """Return the codes of what is refused, by pointer."""
    with pytest.raises(Invalid) as error:
        read(document)
    return {fault.pointer: fault.code for fault in error.value.faults}


def test_the_plugin_offers_the_format() -> None:
    """By its hook, register_tariff_importers."""
    plugins = Plugins.of(tariff_ratebook=tariff_ratebook)

    assert list(plugins.tariff_importers()) == ["ratebook"]


def test_a_tariff_is_its_energy_and_its_fixed_charges() -> None:
    """With its names and its dates."""
    found = read(source()).tariff

    (version,) = found["versions"]
    assert (found["name"], found["timezone"]) == ("Acme: R", "America/Chicago")
    assert version["valid_from"] == "2025-01-02"
    assert version["charges"] == [
        {"kind": "energy.flat", "code": "energy", "rate": "0.12"},
        {"kind": "fixed", "code": "fixed", "amount": "14", "per": "bill"},
    ]


def test_several_fixed_charges_are_told_apart() -> None:
    """A credit is one of them."""
    document = source(
        fixed_charges=[{"amount": "14", "unit": "$/month"}, {"amount": "-0.5", "unit": "$/day"}]
    )

    _, first, second = read(document).tariff["versions"][0]["charges"]

    assert (first["code"], second["code"]) == ("fixed_0", "fixed_1")
    assert (second["amount"], second["per"]) == ("-0.5", "day")


def test_the_minimum_is_last_and_tiers_are_counted_by_period() -> None:
    """As the engine of the data set does."""
    tiers = [{**TIER, "max": "500"}, TIER]
    document = source(
        energy={"periods": [{"tiers": tiers}]}, min_charge={"amount": "10", "unit": "$/month"}
    )

    energy, _, least = read(document).tariff["versions"][0]["charges"]

    assert energy["scope"] == "per_period"
    assert (least["kind"], least["amount"]) == ("minimum", "10")


def test_named_holidays_become_dates() -> None:
    """Labor Day is the first Monday of September, Memorial Day the last of May."""
    schedule = {"holiday_policy": "as_weekend", "holidays": ["labor_day", "memorial_day"]}
    document = source(schedule={"weekday": ROWS, "weekend": ROWS, **schedule})

    (version,) = read(document).tariff["versions"]

    of_2026 = [day for day in version["holidays"] if day.startswith("2026")]
    assert of_2026 == ["2026-05-25", "2026-09-07"]


@pytest.mark.parametrize(
    ("observance", "day"),
    [("actual_day", "2026-07-04"), ("nearest_weekday", "2026-07-03")],
)
def test_a_holiday_on_a_saturday_is_where_it_is_observed(observance: str, day: str) -> None:
    """The Fourth of July 2026 is a Saturday."""
    schedule = {"holidays": ["independence_day"], "holiday_observance": observance}
    document = source(
        schedule={
            "weekday": ROWS,
            "weekend": ROWS,
            "holiday_policy": "as_weekend",
            **schedule,
        }
    )

    (version,) = read(document).tariff["versions"]

    assert day in version["holidays"]


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        ({"schema_version": 1}, "/schema_version", "unknown_version"),
        ({"energy": 5}, "/energy", "wrong_type"),
        (
            {"energy": {"periods": [{"tiers": [{**TIER, "rate": "x"}]}]}},
            "/energy/periods/0/tiers/0/rate",
            "wrong_type",
        ),
        (
            {"energy": {"periods": [{"tiers": [{**TIER, "max_unit": "MWh"}]}]}},
            "/energy/periods/0/tiers/0/max_unit",
            "unknown_unit",
        ),
        ({"unsupported": [{"reason": "demand_charge"}]}, "/unsupported/0", "unsupported"),
        ({"metering": "barter"}, "/metering", "unknown_rule"),
        ({"fixed_charges": [{"amount": "x"}]}, "/fixed_charges/0/amount", "wrong_type"),
        (
            {"schedule": {"weekday": ROWS[:3], "weekend": ROWS}},
            "/schedule/weekday",
            "wrong_shape",
        ),
        (
            {
                "schedule": {
                    "weekday": ROWS,
                    "weekend": ROWS,
                    "holiday_policy": "as_weekend",
                    "holidays": ["pi_day"],
                }
            },
            "/schedule/holidays/0",
            "unknown_holiday",
        ),
    ],
)
def test_faults_point_into_the_source(fields: dict[str, Any], pointer: str, code: str) -> None:
    """Not into the rate that it is read as."""
    assert refused(source(**fields)) == {pointer: code}
