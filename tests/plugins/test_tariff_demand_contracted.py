"""The charge `demand.contracted`: two real bills, and its own rules."""

import json
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.plugins import Plugins
from energia.pricing.engine import Cost, price
from energia.pricing.schedule import DayTypes
from energia.pricing.slots import Slots
from energia.pricing.tariffs import Tariff, tariff_converter
from energia.pricing.usage import Days, cut
from energia.time import Zone
from energia_plugins import tariff_demand_contracted
from energia_plugins.tariff_demand_contracted import Exceeding
from tests.core.pricing.documents import document, exact_total, faults, line, series, tariff
from tests.imports import ROOT

CONVERTER = tariff_converter(
    Plugins.of(tariff_demand_contracted=tariff_demand_contracted).charges()
)
BILLS = json.loads((ROOT / "tests/data/brazil-demand/grupo_a_faturas.json").read_text())["cases"]
START = "2022-08-01T00:00:00-03:00"
POSTOS = {
    "default": "fora_ponta",
    "rules": [{"period": "ponta", "days": ["weekday"], "from": "17:30", "to": "20:30"}],
}


def read(charge: dict[str, Any]) -> Tariff:
    """Return a tariff of one charge, which rounds nothing."""
    body = document(
        [{"kind": "demand.contracted", **charge}],
        "America/Sao_Paulo",
        "BRL",
        rounding={"amount_decimals": None},
    )
    return CONVERTER.structure(body, Tariff)


def cost(charge: dict[str, Any], kw: dict[int, str], days: int = 31) -> Cost:
    """Price days from August 2022 on, with these demands in some quarters of an hour."""
    values = [0] * (96 * days)
    for at, demand in kw.items():
        values[at] = int(Fraction(demand) * 1_000_000 / 4)
    usage = series(START, 900, values)
    return price(read(charge), {"import": usage}, usage.start, usage.end)


def printed(case: int, *names: str) -> list[tuple[Fraction, Fraction]]:
    """Return the quantity and the price of lines of a real bill."""
    lines = {name: (Fraction(kw), Fraction(rate)) for name, kw, rate in BILLS[case]["lines"]}
    return [lines[name] for name in names]


def test_the_plugin_offers_one_kind() -> None:
    """Only what the plugin brings is known."""
    plugins = Plugins.of(tariff_demand_contracted=tariff_demand_contracted)

    assert list(plugins.charges()) == ["demand.contracted"]


def test_a_real_bill_parts_the_contract_into_used_and_unused() -> None:
    """30 kW are contracted and 4.13 kW used: the other 25.87 kW bear a tag, and no ICMS."""
    used, unused = printed(0, "demanda (with ICMS) kW", "demanda isenta ICMS kW")

    found = cost({"contracted": "30", "rate": "24.474576"}, {700: "4.13"})
    untaxed = cost({"contracted": "30", "rate": "18.023966"}, {700: "4.13"})

    assert [(one.code, one.quantity) for one in found.lines] == [
        ("demand.contracted", "4.13"),
        ("demand.contracted.unused", "25.87"),
    ]
    assert Fraction(found.lines[0].exact) == used[0] * used[1]
    assert Fraction(untaxed.lines[1].exact) == unused[0] * unused[1]


def test_a_real_bill_charges_the_overrun_on_top() -> None:
    """1055.80 kW of 890 at the rate, and 165.80 kW again at twice the rate without a discount."""
    measured, excess = printed(1, "demanda medida TUSD kW", "demanda ULTRAPASSAGEM kW")
    charge = {
        "contracted": "890",
        "rate": "9.227335",
        "overrun": {"multiplier": "2", "rate": "18.4218635"},
    }

    found = cost(charge, {700: "1055.80"})

    assert [one.code for one in found.lines] == ["demand.contracted", "demand.contracted.overrun"]
    assert [
        (Fraction(one.quantity or 0), Fraction(one.rate or 0), Fraction(one.exact))
        for one in found.lines
    ] == [(kw, rate, kw * rate) for kw, rate in (measured, excess)]


@pytest.mark.parametrize(
    ("kw", "overrun", "excess"),
    [
        ("105", {}, None),
        ("106", {}, "6"),
        ("106", {"base": "tolerance"}, "1"),
        ("101", {"tolerance_percent": "0"}, "1"),
        ("110", {"tolerance_percent": "10"}, None),
    ],
)
def test_the_excess_is_as_the_fields_say(
    kw: str, overrun: dict[str, str], excess: str | None
) -> None:
    """100 kW are contracted; within the tolerance nothing is paid on top."""
    found = cost({"contracted": "100", "rate": "1", "overrun": overrun}, {700: kw})

    quantities = {one.code: one.quantity for one in found.lines}
    assert quantities["demand.contracted"] == kw
    assert quantities.get("demand.contracted.overrun") == excess


def slots(micro: list[int], first: int, past: int) -> Slots:
    """Return quarter-hours of a day as what a measure looks at."""
    usage = series(START, 900, micro)
    start, end = (usage.start + at * 900 for at in (first, past))
    zone, types = Zone.named("America/Sao_Paulo"), DayTypes()
    found = cut({"import": usage}, ["import"], (start, end), Days(zone, types))
    return Slots(start, end, zone, types, found.portions, found.assumptions)


#: What is above the contract in Spain, quarter by quarter; 1.4064 EUR/kW in 2021.
ABOVE = {"tolerance_percent": "0", "multiplier": "1", "of": "intervals"}
SPAIN: dict[str, Any] = {"contracted": "60", "overrun": {**ABOVE, "rate": "1.4064"}}


def test_all_quarter_hours_above_the_contract_are_billed_together() -> None:
    """The root of 10^2 + 4^2: neither of 60 kW, nor of 59.99; there is no line but the excess."""
    found = cost(SPAIN, {7: "70", 8: "60", 700: "64", 701: "59.99"})

    (only,) = found.lines
    assert (only.code, only.quantity, only.unit) == (
        "demand.contracted.overrun",
        "10.77033",
        "kW",
    )
    assert Fraction(only.exact) == Fraction("10.770330") * Fraction("1.4064")
    assert found.details[0].steps[0].expression == (
        "sqrt of the sum of (P - 60)^2 of intervals with P above 60"
    )


def test_nothing_is_billed_where_nothing_exceeds() -> None:
    """A quarter-hour at the contract is none above it."""
    assert cost(SPAIN, {7: "60"}).lines == ()


def test_each_period_exceeds_its_own_contract() -> None:
    """6 kW above 20 in the peak, once; 3 and 4 kW above 30 elsewhere: 5 kW, each at its price."""
    charge = {
        "contracted": {"ponta": "20", "fora_ponta": "30"},
        "schedule": POSTOS,
        "overrun": {**ABOVE, "rates": {"ponta": "1", "fora_ponta": "0.5"}},
    }

    found = cost(charge, {0: "33", 70: "26", 82: "34"})  # 70 begins at 17:30 of a Monday

    assert [(one.code, one.quantity, one.amount) for one in found.lines] == [
        ("demand.contracted.ponta.overrun", "6", "6"),
        ("demand.contracted.fora_ponta.overrun", "5", "2.5"),
    ]


@pytest.mark.parametrize(
    ("more", "quantity"),
    [
        ({"tolerance_percent": "5"}, "10"),  # 62 kW are within
        ({"tolerance_percent": "5", "base": "tolerance"}, "7"),
        ({"tolerance_percent": "20"}, None),
    ],
)
def test_intervals_within_the_tolerance_do_not_count(
    more: dict[str, str], quantity: str | None
) -> None:
    """Those beyond it are in excess of the contract, or of the tolerance."""
    overrun = {**SPAIN["overrun"], **more}

    found = cost({"contracted": "60", "overrun": overrun}, {7: "70", 8: "62"})

    assert [one.quantity for one in found.lines] == ([quantity] if quantity else [])


def test_losses_are_metered_power_of_intervals_too() -> None:
    """50 kW behind a transformer that loses a fifth are 60: at the contract; 55 are 66."""
    charge = {**SPAIN, "losses_percent": "20"}

    assert cost(charge, {7: "50"}).lines == ()
    assert [one.quantity for one in cost(charge, {7: "50", 8: "55"}).lines] == ["6"]


@given(
    st.lists(st.integers(0, 10**9), min_size=1, max_size=8),
    st.decimals(0, 900, places=4),
    st.integers(1, 7),
)
def test_windows_that_follow_each_other_are_one(
    micro: list[int], contract: Decimal, at: int
) -> None:
    """Two parts of a bill merge to what the whole measures, and that is the root, to a micro-kW."""
    base = Fraction(contract) * 1_000_000
    measure = Exceeding("import", None, 900, (("total", base, base),), "kW")
    at = min(at, len(micro))

    whole = measure.evaluate(slots(micro, 0, len(micro)))

    parts = (slots(micro, 0, at), slots(micro, at, len(micro)))
    assert measure.merge(*map(measure.evaluate, parts)) == whole
    squares = sum(max(4 * each - base, Fraction(0)) ** 2 for each in micro)
    root = whole.get("total", 0)
    assert (root - Fraction(1, 2)) ** 2 <= squares <= (root + Fraction(1, 2)) ** 2 or not squares


def test_the_overrun_costs_the_multiplied_rate() -> None:
    """6 kW at 2 x 10 on top of 106 kW at 10: 18 x 6 kW altogether."""
    found = cost({"contracted": "100", "rate": "10", "overrun": {}}, {700: "106"})

    assert line(found, "demand.contracted.overrun").rate == "20"
    assert found.total == "1180"


def test_only_a_part_of_the_contract_may_be_paid() -> None:
    """85 % of 100 kW: 35 kW are unused beside 50 kW, and none beside 90 kW."""
    charge = {"contracted": "100", "paid_percent": "85", "rate": "2"}

    assert [cost(charge, {700: kw}).total for kw in ("50", "90")] == ["170", "180"]


def test_each_period_has_a_contract() -> None:
    """Azul: 40 kW in the peak of 50, 120 kW outside of 100; each at its rate."""
    charge = {
        "schedule": POSTOS,
        "contracted": {"ponta": "50", "fora_ponta": "100"},
        "rates": {"ponta": "30", "fora_ponta": "10"},
        "overrun": {},
    }

    found = cost(charge, {72: "40", 40: "120"})

    assert [(one.code.removeprefix("demand.contracted."), one.quantity, one.exact)
            for one in found.lines] == [
        ("ponta", "40", "1200"),
        ("ponta.unused", "10", "300"),
        ("fora_ponta", "120", "1200"),
        ("fora_ponta.overrun", "20", "400"),
    ]  # fmt: skip


def test_components_are_lines() -> None:
    """Each part of the rate is charged for what is used and for what is not."""
    charge = {"contracted": "10", "components": {"fio_a": "1", "fio_b": "2"}}

    found = cost(charge, {5: "4"})

    assert {one.code: one.exact for one in found.lines} == {
        "demand.contracted.fio_a": "4",
        "demand.contracted.fio_b": "8",
        "demand.contracted.fio_a.unused": "6",
        "demand.contracted.fio_b.unused": "12",
    }


def test_each_month_has_its_maximum() -> None:
    """8 kW in August, nothing in 15 days of September: 10 kW, and half of 10 kW unused."""
    found = cost({"contracted": "10", "rate": "1", "reset": "month"}, {5: "8"}, 46)

    assert {one.code: one.quantity for one in found.lines} == {
        "demand.contracted": "8",
        "demand.contracted.unused": "7",
    }


def test_the_steps_tell_how() -> None:
    """The peak's time, what is left of the contract, and why there is an overrun."""
    under = cost({"contracted": "30", "rate": "1"}, {0: "4.13"})
    over = cost({"contracted": "890", "rate": "1", "overrun": {}}, {0: "1055.8"})

    assert [one.steps[0].expression for one in (*under.details, over.details[1])] == [
        "4.13 at 2022-08-01T00:00:00-03:00",
        "30 - 4.13",
        "1055.8 - 890, as it is above 890 x (1 + 5 %)",
    ]


@given(st.integers(0, 10**9), st.integers(0, 1000), st.integers(0, 200))
def test_at_least_the_contract_is_paid(micro: int, contract: int, percent: int) -> None:
    """Used and unused are max(measured, k x contract), whatever these are."""
    usage = series(START, 3600, [micro])
    charge = {
        "contracted": str(contract),
        "paid_percent": str(percent),
        "rate": "1",
        "interval": "PT1H",
    }

    found = price(read(charge), {"import": usage}, usage.start, usage.end)

    assert Fraction(found.total) == max(Fraction(micro, 10**6), Fraction(contract * percent, 100))


@pytest.mark.parametrize(
    ("charge", "pointer", "code"),
    [
        ({"contracted": "1"}, "/rate", "one_price"),
        ({"rate": "1"}, "/contracted", "missing_field"),
        ({"contracted": "-1", "rate": "1"}, "/contracted", "out_of_range"),
        ({"contracted": {"ponta": "1"}, "rate": "1"}, "/contracted/ponta", "unknown_period"),
        (
            {"contracted": {"ponta": "1"}, "rate": "1", "schedule": POSTOS},
            "/contracted/fora_ponta",
            "missing_rate",
        ),
        (
            {"contracted": "1", "rate": "1", "overrun": {"rates": {"ponta": "1"}}},
            "/overrun/rates/ponta",
            "unknown_period",
        ),
        ({"contracted": "1", "rate": "1", "unit": "kVA"}, "/power_factor", "missing_power_factor"),
        ({"contracted": "1", "overrun": {"of": "intervals"}}, "/rate", "one_price"),
        ({**SPAIN, "readings": False}, "/overrun/of", "unused_overrun"),
        ({**SPAIN, "reset": "month"}, "/reset", "unused_reset"),
        ({**SPAIN, "unit": "hp"}, "/unit", "wrong_unit"),
        (
            {**SPAIN, "unit": "kVA", "power_factor": "0.9"},
            "/power_factor",
            "unused_power_factor",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(
    charge: dict[str, Any], pointer: str, code: str
) -> None:
    """Each refusal names the place."""
    assert faults(lambda: read(charge)).get(f"/versions/0/charges/0{pointer}") == code


def test_the_contract_may_be_a_parameter() -> None:
    """Contracts of one tariff differ in what they contract."""
    tariff = read({"contracted": {"parameter": "contracted_kw"}, "rate": "2"})
    usage = series(START, 900, [0])

    filled = tariff.filled({"contracted_kw": "12.5"})

    assert price(filled, {"import": usage}, usage.start, usage.end).total == "25"


MADRID = "Europe/Madrid"


def contract(first: str, last: str, *versions: dict[str, Any], interval: int = 3600) -> Cost:
    """Price a contract without readings, under versions that follow on 1 January 2024."""
    zone = Zone.named(MADRID)
    start, end = (zone.midnight(date.fromisoformat(day)) for day in (first, last))
    several = [
        {
            "valid_from": begins,
            "rounding": {"amount_decimals": None},
            "charges": [{"kind": "demand.contracted", "readings": False, **charge}],
        }
        for begins, charge in zip(["2020-01-01", "2024-01-01"], versions, strict=False)
    ]
    for version in several[:-1]:
        version["valid_to"] = "2024-01-01"
    body = {"name": "c", "currency": "EUR", "timezone": MADRID, "versions": several}
    usage = {"import": series(start, interval, [3_600_000] * ((end - start) // interval))}
    return price(CONVERTER.structure(body, Tariff), usage, start, end)


@pytest.mark.parametrize("interval", [900, 3600])
def test_a_contract_is_paid_whatever_is_drawn(interval: int) -> None:
    """3.3 kW x 0.073783 x 29 days are 7.06, at any interval of the readings (c36, k01, k02)."""
    charge = {"contracted": "3.3", "rate": "0.073783", "per": "day"}

    found = contract("2024-02-01", "2024-03-01", charge, interval=interval)

    (only,) = found.lines
    assert (only.code, only.quantity, only.unit) == ("demand.contracted", "95.7", "kW.day")
    assert Fraction(only.exact) == Fraction("3.3") * Fraction("0.073783") * 29
    assert found.details[0].steps[0].expression == "(3.3 contracted) x 29 days"


def test_each_period_of_a_contract_has_a_rate() -> None:
    """As Spain's punta and valle, which need no schedule; and shares of it, in months."""
    charge = {
        "contracted": {"punta": "3.3", "valle": "4.6"},
        "rates": {"punta": "2", "valle": "0.5"},
        "paid_percent": "50",
        "reset": "month",
    }

    found = contract("2024-02-15", "2024-03-15", charge)

    months = Fraction(15, 29) + Fraction(14, 31)
    assert [(one.code, Fraction(one.exact)) for one in found.lines] == [
        ("demand.contracted.punta", Fraction("3.3") * months),
        ("demand.contracted.valle", Fraction("4.6") / 4 * months),
    ]


def test_each_version_of_a_contract_charges_its_days() -> None:
    """16 days of December at 1 and 14 of January at 2, for each day or by days of the bill."""
    for per, expected in (("day", 16 + 2 * 14), ("month", Fraction(16 + 2 * 14, 30))):
        prices = [{"contracted": "1", "rate": rate, "per": per} for rate in ("1", "2")]

        found = contract("2023-12-16", "2024-01-15", *prices)

        assert exact_total(found) == expected


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        ({"rate": "1", "overrun": {}}, "/overrun", "unused_overrun"),
        ({"rate": "1", "reset": "day"}, "/reset", "unused_reset"),
        ({"rate": "1", "power_factor": "0.9"}, "/power_factor", "unused_power_factor"),
        (
            {"contracted": {"a": "1"}, "rates": {"a": "1", "b": "2"}},
            "/contracted/b",
            "missing_period",
        ),
    ],
)
def test_what_is_about_readings_is_refused_without(
    fields: dict[str, Any], pointer: str, code: str
) -> None:
    """It would be passed over."""
    charge = {"kind": "demand.contracted", "readings": False, "contracted": "1", **fields}

    assert faults(lambda: tariff([charge])) == {f"/versions/0/charges/0{pointer}": code}


def test_a_contract_in_kva_needs_no_readings_of_it() -> None:
    """As in France: kVA of a contract are no kVA of a meter."""
    charge = {"contracted": "9", "rate": "1.25", "unit": "kVA"}

    found = contract("2024-02-01", "2024-03-01", charge)

    assert (found.lines[0].unit, found.lines[0].exact) == ("kVA", "11.25")


def test_losses_are_metered_nowhere() -> None:
    """2.5 % behind the customer's transformer: 120 kW of a meter are 123, 13 above 110."""
    charge = {"contracted": "110", "rate": "10", "overrun": {}, "losses_percent": "2.5"}

    found = cost(charge, {40: "120"})

    assert {line.code: line.quantity for line in found.lines} == {
        "demand.contracted": "123",
        "demand.contracted.overrun": "13",
    }


SHOWN = {"readings": False, "contracted": {"ponta": "120", "fora_ponta": "162"}}


def test_a_meter_may_show_the_highest_demand_alone() -> None:
    """A real bill without readings: 133.68 kW of 120 exceed, of 162 kW 3.36 are not used."""
    charge = {
        **SHOWN,
        "measured": {"ponta": "133.68", "fora_ponta": "158.64"},
        "rates": {"ponta": "51.94391332", "fora_ponta": "17.55895475"},
        "overrun": {},
    }

    found = price(read(charge), {}, *august())

    printed = {line.code: (line.quantity, round(Fraction(line.exact), 2)) for line in found.lines}
    assert printed == {
        "demand.contracted.ponta": ("133.68", Fraction("6943.86")),
        "demand.contracted.ponta.overrun": ("13.68", Fraction("1421.19")),
        "demand.contracted.fora_ponta": ("158.64", Fraction("2785.55")),
        "demand.contracted.fora_ponta.unused": ("3.36", Fraction("59.00")),
    }


def test_what_is_shown_has_losses_too() -> None:
    """The register is behind the transformer, as the meter is: 100 kW are 102.5."""
    charge = {"readings": False, "contracted": "90", "measured": "100", "rate": "1"}

    found = price(read({**charge, "losses_percent": "2.5"}), {}, *august())

    assert [line.quantity for line in found.lines] == ["102.5"]


def august() -> tuple[int, int]:
    """Return when August 2022 begins and ends."""
    start = series(START, 900, [0]).start
    return start, start + 31 * 86_400


@pytest.mark.parametrize(
    ("charge", "pointer", "code"),
    [
        ({"contracted": "1", "rate": "1", "measured": "1"}, "measured", "unused_measured"),
        ({**SHOWN, "rate": "1", "measured": {"ponta": "1"}}, "measured/fora_ponta", None),
        (
            {**SHOWN, "measured": "1", "rates": {"ponta": "1"}},
            "rates/fora_ponta",
            "missing_period",
        ),
        (
            {
                **SHOWN,
                "measured": "1",
                "rates": {"ponta": "1", "fora_ponta": "1"},
                "overrun": {"rates": {"ponta": "1"}},
            },
            "overrun/rates/fora_ponta",
            "missing_period",
        ),
        ({**SHOWN, "rate": "1", "losses_percent": "1"}, "losses_percent", "unused_losses"),
        ({**SHOWN, "rate": "1", "measured": "1", "reset": "month"}, "reset", "unused_reset"),
    ],
)
def test_what_does_not_go_together_without_readings(
    charge: dict[str, Any], pointer: str, code: str | None
) -> None:
    """A register shows one demand of each period that the tables name."""
    found = faults(lambda: read(charge))

    assert found == {f"/versions/0/charges/0/{pointer}": code or "missing_period"}
