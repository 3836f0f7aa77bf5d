"""The charge `demand`: its fields, one by one."""

from fractions import Fraction
from typing import Any

import pytest

from energia.plugins import Plugins
from energia.pricing.engine import Cost, price
from energia.pricing.explain import Charged, explain
from energia.pricing.segments import segments
from energia.pricing.tariffs import Tariff, tariff_converter
from energia.pricing.usage import Terms
from energia_plugins import tariff_demand
from tests.core.pricing.documents import document, instant, line, series, tariff

CONVERTER = tariff_converter(Plugins.of(tariff_demand=tariff_demand).charges())
ZONE = "America/Sao_Paulo"
#: Two days in March 2026 and, from the third on, April: 10 kWh a quarter at most is 40 kW.
START = "2026-03-30T00:00:00-03:00"
DAY = 96
EVENING = {
    "default": "rest",
    "rules": [{"period": "peak", "days": ["weekday"], "from": "18:00", "to": "21:00"}],
}


def read(charge: dict[str, Any]) -> Tariff:
    """Return a tariff of one charge, which rounds nothing."""
    body = document([{"kind": "demand", **charge}], ZONE, "BRL", rounding={"amount_decimals": None})
    return CONVERTER.structure(body, Tariff)


def cost(charge: dict[str, Any], slots: dict[int, int], days: int = 4) -> Cost:
    """Price days from 30 March on, with 0.25 kWh in each quarter but for some *slots* (kWh)."""
    values = [250_000] * (DAY * days)
    for at, kwh in slots.items():
        values[at] = kwh * 1_000_000
    channel = charge.get("channel", "import")
    usage = {channel: series(START, 900, values)}
    start = usage[channel].start
    return price(read(charge), usage, start, start + 86_400 * days)


def only(charge: dict[str, Any], slots: dict[int, int], days: int = 4) -> tuple[str | None, str]:
    """Return the quantity and the exact amount of the only line."""
    (found,) = cost(charge, slots, days).lines
    return found.quantity, found.exact


def test_the_plugin_offers_one_kind() -> None:
    """Only what the plugin brings is known."""
    assert list(Plugins.of(tariff_demand=tariff_demand).charges()) == ["demand"]


@pytest.mark.parametrize(
    ("charge", "quantity", "exact"),
    [
        ({"rate": "2"}, "40", "80"),
        ({"rate": "2", "per": "day"}, "160", "320"),
        ({"rate": "2", "unit": "kVA", "power_factor": "0.8"}, "50", "100"),
        ({"rate": "2", "minimum": "45"}, "45", "90"),
        ({"rate": "2", "interval": "PT1H"}, "10.75", "21.5"),
        ({"rate": "2", "statistic": {"top": 2}}, "36", "72"),
        ({"rate": "2", "statistic": {"top": 2, "distinct_days": True}}, "24", "48"),
        ({"rate": "2", "channel": "apparent_energy.import", "unit": "kVA"}, "40", "80"),
        ({"rate": "2", "channel": "reactive_energy.import", "unit": "kvar"}, "40", "80"),
    ],
)
def test_the_demand_is_as_the_fields_say(charge: dict[str, Any], quantity: str, exact: str) -> None:
    """10 kWh at noon are 40 kW; 8 kWh that evening 32 kW; 2 kWh the day after 8 kW."""
    assert only(charge, {48: 10, 72: 8, 100: 2}) == (quantity, exact)


def test_a_horsepower_is_exact() -> None:
    """550 ft lbf/s, of 0.3048 m and 4.4482216152605 N, are 745.69987158227022 W."""
    watts = 550 * Fraction("0.3048") * Fraction("4.4482216152605")

    found = cost({"rate": "1", "unit": "hp"}, {48: 10})

    assert Fraction(found.lines[0].exact) == 40_000 / watts


def test_each_month_has_a_maximum_and_is_charged_for_its_days() -> None:
    """40 kW of two days of March and 20 kW of two of April: 80/31 + 40/30 kW."""
    charge = {"rate": "3", "reset": "month"}

    found = cost(charge, {48: 10, 2 * DAY + 50: 5})

    assert Fraction(found.lines[0].exact) == 3 * (Fraction(80, 31) + Fraction(40, 30))
    (detail,) = found.details
    assert [(step.description, step.expression) for step in detail.steps] == [
        ("2026-03", "(40 at 2026-03-30T12:00:00-03:00) x 2/31 days"),
        ("2026-04", "(20 at 2026-04-01T12:30:00-03:00) x 2/30 days"),
    ]


def test_each_day_of_each_month_may_be_charged() -> None:
    """Two days of 40 kW, two of 20 kW."""
    assert only({"rate": "1", "reset": "month", "per": "day"}, {48: 10, 2 * DAY: 5}) == (
        "120",
        "120",
    )


def test_components_are_lines() -> None:
    """Each part of a rate prints its own line."""
    found = cost({"components": {"te": "1", "tusd": "2.5"}}, {48: 10})

    assert [(one.code, one.unit, one.exact) for one in found.lines] == [
        ("demand.te", "kW", "40"),
        ("demand.tusd", "kW", "100"),
    ]


def test_each_period_has_a_line() -> None:
    """Periods with tiers stand beside those with a rate."""
    rates = {"peak": [{"up_to": "10", "rate": "1"}, {"rate": "2"}], "rest": "0.5"}

    found = cost({"schedule": EVENING, "rates": rates}, {48: 10, 72: 8})

    assert [(one.code, one.quantity, one.exact) for one in found.lines] == [
        ("demand.peak", "32", "54"),
        ("demand.rest", "40", "20"),
    ]


@pytest.mark.parametrize(
    ("tiers", "more", "exact"),
    [
        ([{"up_to": "10", "rate": "1"}, {"rate": "2"}], {}, "70"),
        ([{"up_to": "10", "rate": "1"}, {"up_to": "30", "rate": "2"}], {}, "70"),
        ([{"up_to": "10", "rate": "1"}, {"up_to": "30", "rate": "2"}], {"last": "closed"}, "50"),
        ([{"up_to": "40", "rate": "1"}, {"rate": "2"}], {"scope": "whole_band"}, "40"),
        ([{"up_to": "39", "rate": "1"}, {"rate": "2"}], {"scope": "whole_band"}, "80"),
        ([{"up_to": "39", "amount": "1"}, {"amount": "700"}], {"scope": "whole_band"}, "700"),
        ([{"rate": "2", "amount": "15"}], {"scope": "whole_band"}, "95"),
    ],
)
def test_tiers_of_40_kw(tiers: list[dict[str, str]], more: dict[str, str], exact: str) -> None:
    """Blocks: 10 x 1 + 30 x 2; bands: all of it at one rate, or for one amount."""
    assert only({"tiers": tiers, **more}, {48: 10}) == ("40", exact)


def test_components_may_have_tiers() -> None:
    """Each part climbs its own ladder."""
    tiers = [
        {"up_to": "10", "rate": {"components": {"a": "1", "b": "0"}}},
        {"rate": {"components": {"a": "2", "b": "5"}}},
    ]

    found = cost({"tiers": tiers}, {48: 10})

    assert [(one.component, one.exact) for one in found.lines] == [("a", "70"), ("b", "150")]


def test_the_highest_reading_below_zero_is_no_demand() -> None:
    """What only flows out is not paid for."""
    values = [-1_000_000] * DAY
    usage = series(START, 900, values)

    found = price(read({"rate": "1"}), {"import": usage}, usage.start, usage.end)

    assert found.total == "0"


def test_when_the_peak_was_is_explained() -> None:
    """The line tells the local time; the measure gives kW, not kWh."""
    tariff = read({"rate": "2", "schedule": None})
    values = [250_000] * DAY
    values[74] = 10_000_000
    usage = {"import": series(START, 900, values)}
    window = (instant(START), instant(START) + 86_400)
    charged = Charged.of(price(tariff, usage, *window))

    (told,) = explain(charged, segments(tariff, usage, *window, Terms()), "BRL")

    assert [step.expression for step in told.arithmetic.steps] == [
        "40 at 2026-03-30T18:30:00-03:00"
    ]
    assert [(one.label, one.quantity, one.unit) for one in told.measures] == [
        ("total", "40", "kW"),
        ("total@2026-03-30T18:30:00-03:00", "40", "kW"),
    ]
    assert told.calendar is not None
    assert told.reproduced


def test_a_line_is_explained_by_its_period() -> None:
    """The measures of a line are those of its period."""
    tariff = read({"schedule": EVENING, "rates": {"peak": "1", "rest": "2"}})
    usage = {"import": series(START, 900, [250_000] * DAY)}
    window = (instant(START), instant(START) + 86_400)
    charged = Charged.of(price(tariff, usage, *window))

    told = explain(charged, segments(tariff, usage, *window, Terms()), "BRL")

    assert [one.label for one in told[0].measures] == ["peak", "peak@2026-03-30T18:00:00-03:00"]


def test_a_long_bill_is_told() -> None:
    """One maximum of 46 days is hardly what the tariff means."""
    by_bill, by_month = (
        [said.code for said in cost({"rate": "1", "reset": reset}, {}, 46).assumptions]
        for reset in ("bill", "month")
    )

    assert by_bill == ["long_bill"]
    assert "long_bill" not in by_month


def test_peaks_by_period_are_remembered() -> None:
    """A ratchet of each period looks back at its own peaks."""
    charge = {
        "schedule": EVENING,
        "rates": {"peak": "1", "rest": "1"},
        "ratchet": {"percent": "50"},
    }

    found = cost(charge, {48: 10, 72: 8})

    assert found.state == {"demand": {"peaks": {"2026-04": {"peak": "32", "rest": "40"}}}}
    assert line(found, "demand.peak").quantity == "32"


def test_a_charge_is_written_as_it_was_read() -> None:
    """A tariff travels as JSON."""
    charge = {
        "kind": "demand",
        "schedule": EVENING,
        "rates": {"peak": [{"up_to": "10", "rate": "1"}, {"rate": "2"}], "rest": "0.5"},
        "ratchet": {"percent": ["50"] * 12, "months": [1, 4, 12]},
        "interval": "PT30M",
    }
    tariff = read(charge)

    assert CONVERTER.structure(CONVERTER.unstructure(tariff), Tariff) == tariff


def test_steps_of_tiers_tell_the_demand_once() -> None:
    """How the demand came about is told with the first tier."""
    found = cost({"tiers": [{"up_to": "10", "rate": "1"}, {"rate": "2"}]}, {48: 10})

    assert [(step.description, step.expression) for step in found.details[0].steps] == [
        ("up to 10 of 40 = 40 at 2026-03-30T12:00:00-03:00", "10 x 1"),
        ("above 10 of 40", "30 x 2"),
    ]


def test_a_ratchet_across_periods_sees_an_earlier_month_of_the_bill() -> None:
    """100 kW of the rest in June: half of it, 50, is the least of July in both periods.

    In June's ten of 30 days the night has 1 kW and the rest 100; July is billed for ten of 31.
    """
    night = {"default": "rest", "rules": [{"period": "night", "from": "22:00", "to": "06:00"}]}
    ratchet = {"percent": "50", "back": 1, "across_periods": True}
    charge = {"kind": "demand", "interval": "PT1H", "schedule": night, "reset": "month",
              "rates": {"night": "93", "rest": "93"}, "ratchet": ratchet}  # fmt: skip
    start, end = instant("2026-06-21T00:00:00Z"), instant("2026-07-11T00:00:00Z")
    values = [1_000_000] * 480
    values[12] = 100_000_000

    found = price(tariff([charge]), {"import": series(start, 3600, values)}, start, end)

    exact = {one.code: Fraction(one.exact) for one in found.lines}
    assert exact == {"demand.night": 31 * 1 + 30 * 50, "demand.rest": 31 * 100 + 30 * 50}
