"""Gas that is metered in cubic metres, and charged as energy."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.pricing.engine import Cost, price
from energia.pricing.usage import Terms
from energia.units import unit
from tests.core.pricing.documents import faults, instant, line, series, tariff
from tests.core.pricing.markets import market

HOUR = 3600
GAS = "gas_volume.import"
CONVERSION = {"volume_correction": "1.02264", "calorific_value": "39.2", "calorific_unit": "MJ/m3"}
FLAT = {"kind": "energy.flat", "code": "g", "channel": GAS, "rate": "0.036"}
#: The values of two days of February.
DATED = {
    "volume_correction": "1.02264",
    "calorific_unit": "MJ/m3",
    "calorific_values": [
        {"from": "2022-02-14", "value": "39.2"},
        {"from": "2022-02-15", "to": "2022-02-16", "value": "39.6"},
    ],
}


def cost(
    charge: Mapping[str, Any],
    cubic_metres: Sequence[str],
    start: str = "2022-02-14T00:00:00+00:00",
    **version: Any,
) -> Cost:
    """Price hours of gas in London."""
    usage = series(start, HOUR, [int(Decimal(value) * 10**6) for value in cubic_metres])
    first = instant(start)
    end = first + HOUR * len(cubic_metres)
    return price(tariff([charge], "Europe/London", **version), {GAS: usage}, first, end)


def hours(*at: tuple[int, str], number: int = 24) -> list[str]:
    """Return hours of no gas but for some of them."""
    return [dict(at).get(hour, "0") for hour in range(number)]


def test_the_energy_is_on_the_bill() -> None:
    """6.547 m3 x 1.02264 x 39.2 / 3.6 are 72.90 kWh, at 0.036 (case c35)."""
    rounding = {"amount_decimals": 2}

    found = cost({**FLAT, "conversion": CONVERSION}, hours((7, "6.547")), rounding=rounding)

    charged = line(found, "g")
    assert (charged.quantity, charged.unit, charged.rate) == ("72.903551", "kWh", "0.036")
    assert charged.amount == "2.62"
    (step,) = found.details[0].steps
    assert step.expression == "6.547 m3 x 1.02264 x 39.2 MJ/m3 / 3.6"
    assert step.value == Fraction("72.903551")
    assert found.assumptions == ()


def test_each_day_has_its_calorific_value() -> None:
    """2 m3 at 39.2 and 3 m3 at 39.6, each a step of the line."""
    values = hours((5, "2"), (30, "3"), number=48)

    found = cost({**FLAT, "conversion": DATED}, values)

    assert [(each.description, each.expression) for each in found.details[0].steps] == [
        ("calorific value from 2022-02-14", "2 m3 x 1.02264 x 39.2 MJ/m3 / 3.6"),
        ("calorific value from 2022-02-15", "3 m3 x 1.02264 x 39.6 MJ/m3 / 3.6"),
    ]
    assert line(found, "g").quantity == "56.017947"  # 22.270827 + 33.747120


@pytest.mark.parametrize("start", ["2022-02-13T00:00:00+00:00", "2022-02-15T00:00:00+00:00"])
def test_a_day_without_a_calorific_value_is_refused(start: str) -> None:
    """Neither the value before nor the one after is taken for it."""
    values = hours((5, "2"), (30, "3"), number=48)

    found = faults(lambda: cost({**FLAT, "conversion": DATED}, values, start))

    assert found == {None: "missing_calorific_value"}


@pytest.mark.parametrize(
    ("calorific_unit", "into", "value", "quantity", "text"),
    [
        ("kWh/m3", "kWh", "11.2", "11.2", "1 m3 x 11.2 kWh/m3"),
        ("MJ/m3", "MJ", "39.2", "39.2", "1 m3 x 39.2 MJ/m3"),
        ("MJ/m3", "GJ", "39.2", "0.0392", "1 m3 x 39.2 MJ/m3 / 1000"),
        # 100 cubic feet are 2.8316846592 m3, and have 1.037 therms.
        ("therm/ccf", "therm", "1.037", "0.366213", "1 m3 x 1.037 therm/ccf / 2.8316846592"),
        ("MMBtu/Mcf", "MMBtu", "1.037", "0.036621", "1 m3 x 1.037 MMBtu/Mcf / 28.316846592"),
    ],
)
def test_energy_has_its_unit(
    calorific_unit: str, into: str, value: str, quantity: str, text: str
) -> None:
    """Calorific values are in one of several units, and so is what is charged."""
    conversion = {"calorific_unit": calorific_unit, "calorific_value": value, "unit": into}

    found = cost({**FLAT, "conversion": conversion}, ["1"])

    assert (line(found, "g").quantity, line(found, "g").unit) == (quantity, into)
    assert found.details[0].steps[0].expression == text


def test_gas_by_time_of_use_shows_the_volume_of_each_period() -> None:
    """2 m3 of the day and 1 of the night are converted apart, and are all of it together."""
    schedule = {"default": "day", "rules": [{"period": "night", "to": "06:00"}]}
    charge = {
        "kind": "energy.time_of_use",
        "code": "g",
        "channel": GAS,
        "schedule": schedule,
        "rates": {"day": "0.04", "night": "0.03"},
        "conversion": {"calorific_value": "10", "calorific_unit": "kWh/m3"},
    }

    found = cost(charge, hours((2, "1"), (12, "2")))

    assert found.total == "1.1"
    assert [detail.steps[0].expression for detail in found.details] == [
        "2 m3 x 10 kWh/m3",
        "1 m3 x 10 kWh/m3",
    ]


@pytest.mark.parametrize("unit_of_bounds", ["therm", "kWh"])
@pytest.mark.parametrize("scope", ["pooled_prorated", "pooled_chronological"])
def test_tiers_are_of_the_energy(unit_of_bounds: str, scope: str) -> None:
    """Of 12 therms 10 are at 1.20 and 2 at 1.50; kWh stands for the unit that is charged."""
    charge = {
        "kind": "energy.tiered",
        "code": "g",
        "channel": GAS,
        "unit": unit_of_bounds,
        "scope": scope,
        "tiers": [{"up_to": "10", "rate": "1.20"}, {"rate": "1.50"}],
        "conversion": {
            "calorific_unit": "MJ/m3",
            "calorific_value": "105.505585262",
            "unit": "therm",
        },
    }

    found = cost(charge, ["5", "7"])

    assert [(each.quantity, each.unit) for each in found.lines] == [("10", "therm"), ("2", "therm")]
    assert found.total == "15"
    assert found.details[0].steps[0].description == "up to 10 therm"
    (told,) = found.assumptions
    assert told.code == "converted"
    assert "12 m3 x 105.505585262 MJ/m3 / 105.505585262 = 12 therm" in told.message


def test_prices_of_a_series_are_of_the_energy() -> None:
    """3 m3 of one day at 0.05 and 2 of the next at 0.06 a kWh, each 10 kWh: a tracker of gas."""
    conversion = {"calorific_unit": "kWh/m3", "calorific_value": "10"}
    charge = {
        "kind": "energy.dynamic",
        "code": "g",
        "channel": GAS,
        "series": "spot",
        "conversion": conversion,
    }
    start = "2022-02-14T00:00:00+00:00"
    usage = series(start, 24 * HOUR, [3_000_000, 2_000_000])
    terms = Terms(prices={"spot": market(start, 24 * HOUR, ["0.05", "0.06"])})

    found = price(tariff([charge]), {GAS: usage}, usage.start, usage.end, terms)

    assert (line(found, "g").quantity, line(found, "g").unit, found.total) == ("50", "kWh", "2.7")
    assert [each.code for each in found.assumptions] == ["converted"]
    without = {name: value for name, value in charge.items() if name != "conversion"}
    assert faults(
        lambda: price(tariff([without]), {GAS: usage}, usage.start, usage.end, terms)
    ) == {None: "wrong_unit"}


@given(values=st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
def test_nothing_is_lost_from_slot_to_slot(values: list[int]) -> None:
    """The energy of all slots is the energy of all volume, within half a millionth."""
    usage = series("2022-02-14T00:00:00+00:00", HOUR, values)
    charge = tariff([{**FLAT, "rate": "1", "conversion": CONVERSION}])

    found = price(charge, {GAS: usage}, usage.start, usage.end)

    exact = Fraction(sum(values), 10**6) * Fraction("1.02264") * Fraction("39.2") / Fraction("3.6")
    assert abs(Fraction(found.total) - exact) <= Fraction(1, 2 * 10**6)


def test_the_calorific_value_may_be_a_parameter() -> None:
    """The region of the contract has its own."""
    charge = {**FLAT, "conversion": {**CONVERSION, "calorific_value": {"parameter": "cv"}}}
    usage = series("2022-02-14T00:00:00+00:00", HOUR, [6_547_000])

    found = price(tariff([charge]).filled({"cv": "39.2"}), {GAS: usage}, usage.start, usage.end)

    assert line(found, "g").quantity == "72.903551"


@pytest.mark.parametrize(
    ("charge", "expected"),
    [
        ({"channel": "import", "conversion": CONVERSION}, {"/conversion": "wrong_channel"}),
        (
            {"conversion": {**CONVERSION, "calorific_value": None}},
            {"/conversion/calorific_value": "value_or_values"},
        ),
        (
            {"conversion": {"calorific_value": "39.2"}},
            {"/conversion/calorific_unit": "missing_field"},
        ),
        (
            {"conversion": {**CONVERSION, "volume_correction": "0"}},
            {"/conversion/volume_correction": "out_of_range"},
        ),
        (
            {
                "conversion": {
                    **DATED,
                    "calorific_values": DATED["calorific_values"][::-1],
                }
            },
            {"/conversion/calorific_values/1/from": "ranges_overlap"},
        ),
    ],
)
def test_conversions_that_cannot_be_are_refused(
    charge: dict[str, Any], expected: dict[str, str]
) -> None:
    """Nothing is taken for what is not declared."""
    found = faults(lambda: tariff([{**FLAT, **charge}]))

    assert found == {f"/versions/0/charges/0{pointer}": code for pointer, code in expected.items()}


@pytest.mark.parametrize(
    ("name", "canonical", "factor"),
    [
        ("therm", "kWh", Fraction(105_505_585_262, 3_600_000_000)),
        ("MMBtu", "kWh", Fraction(105_505_585_262, 360_000_000)),
        ("ccf", "m3", Fraction("2.8316846592")),
        ("CCF", "m3", Fraction("2.8316846592")),
        ("Mcf", "m3", Fraction("28.316846592")),
    ],
)
def test_units_of_gas_are_known(name: str, canonical: str, factor: Fraction) -> None:
    """A therm is 100,000 International Table Btu, C and M are Roman numbers of cubic feet."""
    assert (unit(name).canonical, unit(name).factor) == (canonical, factor)
