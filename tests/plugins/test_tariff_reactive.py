"""The charge `reactive`: power factors by hand (3-4-5 triangles), and by the formula of ANEEL."""

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia.plugins import Plugins
from energia.pricing.engine import Cost, price
from energia.pricing.tariffs import Tariff, tariff_converter
from energia_plugins import tariff_demand, tariff_demand_contracted, tariff_reactive
from tests.core.pricing.documents import document, faults, line, series

CONVERTER = tariff_converter(
    Plugins.of(
        tariff_demand=tariff_demand,
        tariff_demand_contracted=tariff_demand_contracted,
        tariff_reactive=tariff_reactive,
    ).charges()
)
#: A Monday.
START = "2026-03-02T00:00:00-03:00"
POSTOS = {
    "default": "fora_ponta",
    "rules": [{"period": "ponta", "days": ["weekday"], "from": "18:00", "to": "21:00"}],
}
NIGHT = {
    "capacitive": "reactive_energy.export",
    "capacitive_hours": {"from": "00:00", "to": "06:00"},
}
#: At other hours: 12 kWh and 5 kvarh are 13 kVAh, a power factor of 0.923.
GOOD = (12, 5, 0)
#: An hour's kWh, inductive kvarh, capacitive kvarh.
Hour = tuple[int, int, int]


def read(*charges: dict[str, Any]) -> Tariff:
    """Return a tariff that rounds nothing; the first charge is `reactive`, if none is named."""
    named = [{"kind": "reactive", **charge} for charge in charges]
    body = document(named, "America/Sao_Paulo", "BRL", rounding={"amount_decimals": None})
    return CONVERTER.structure(body, Tariff)


def usage(hours: dict[int, Hour]) -> dict[str, Any]:
    """Return a day of hours in kWh and kvarh."""
    day = [hours.get(hour, GOOD) for hour in range(24)]
    roles = ("import", "reactive_energy.import", "reactive_energy.export")
    return {
        role: series(START, 3600, [hour[at] * 10**6 for hour in day])
        for at, role in enumerate(roles)
    }


def cost(hours: dict[int, Hour], *charges: dict[str, Any]) -> Cost:
    """Price a day."""
    readings = usage(hours)
    start = readings["import"].start
    return price(read(*charges), readings, start, start + 86_400)


def quantities(found: Cost) -> dict[str, str | None]:
    """Return the quantity of each line, by its code."""
    return {one.code: one.quantity for one in found.lines}


def test_the_plugin_offers_one_kind() -> None:
    """Only what the plugin brings is known."""
    assert list(Plugins.of(tariff_reactive=tariff_reactive).charges()) == ["reactive"]


@pytest.mark.parametrize(
    ("hour", "kvarh"),
    [
        ((3, 4, 0), "1.6"),
        ((4, 3, 0), "0.6"),
        ((12, 5, 0), "0"),
        ((0, 5, 0), "4.6"),
        ((-3, 4, 0), "3.68"),
        ((3, -4, 0), "0"),
        ((0, 0, 0), "0"),
    ],
)
def test_energy_beyond_the_power_factor_is_charged(hour: Hour, kvarh: str) -> None:
    """P = 3 and Q = 4 are S = 5: 0.92 x 5 - 3 = 1.6; a good factor gives none back."""
    found = cost({9: hour}, {"energy": "0.5"})

    assert quantities(found) == {"reactive.energy": kvarh}
    assert Fraction(found.total) == Fraction(kvarh) / 2


def test_each_hour_counts_by_itself() -> None:
    """A good hour does not make up for a bad one: 1.6 + 0.6."""
    assert quantities(cost({9: (3, 4, 0), 10: (4, 3, 0)}, {"energy": "1"})) == {
        "reactive.energy": "2.2"
    }


def test_energy_is_charged_by_period() -> None:
    """1.6 kvarh outside of the peak, 0.6 in it; each at its price."""
    charge = {"schedule": POSTOS, "energy": {"ponta": "2", "fora_ponta": "1"}}

    found = cost({9: (3, 4, 0), 19: (4, 3, 0)}, charge)

    assert [(one.code, one.quantity, one.exact) for one in found.lines] == [
        ("reactive.ponta.energy", "0.6", "1.2"),
        ("reactive.fora_ponta.energy", "1.6", "1.6"),
    ]


def test_capacitive_energy_counts_in_its_hours_only() -> None:
    """At night the capacitive, by day the inductive: what is of the other kind is free."""
    night = {2: (3, 0, 4), 3: (3, 4, 0), 9: (4, 3, 0), 10: (3, 0, 4)}

    assert quantities(cost(night, {"energy": "1", **NIGHT})) == {"reactive.energy": "2.2"}


#: Of a whole day, too, some are small and some have squares of more than 64 bits.
MICRO_KWH = st.integers(0, 20) | st.integers(0, 10**9) | st.integers(0, 10**10)


@given(st.lists(st.tuples(MICRO_KWH, MICRO_KWH), min_size=1, max_size=24))
def test_the_energy_is_that_of_the_formula(hours: list[tuple[int, int]]) -> None:
    """Sum of P (0.92 / f - 1) with f = P / sqrt(P^2 + Q^2) below 0.92, to 1e-6 kvarh."""
    readings = {
        role: series(START, 3600, [hour[at] for hour in hours])
        for at, role in enumerate(("import", "reactive_energy.import"))
    }
    start, end = readings["import"].start, readings["import"].end

    found = price(read({"energy": "1"}), readings, start, end)

    with localcontext(prec=60):
        expected = sum(
            (
                Decimal("0.92") * Decimal(p * p + q * q).sqrt() - p
                for p, q in hours
                if p < Decimal("0.92") * Decimal(p * p + q * q).sqrt()
            ),
            Decimal(0),
        )
        assert abs(Decimal(found.total) * 10**6 - expected) <= Decimal("0.500001")


DEMAND: dict[str, Any] = {"kind": "demand", "interval": "PT1H", "rate": "10"}


def test_demand_is_corrected_to_the_power_factor() -> None:
    """24 kW and 18 kvar are 30 kVA: 27.6 kW at 0.92, of which 24 kW are billed already."""
    charge = {"demand": "10", "billed": {"charges": ["demand"]}}

    found = cost({9: (24, 18, 0)}, DEMAND, charge)

    assert quantities(found) == {"demand": "24", "reactive.demand": "3.6"}
    assert found.details[1].steps[0].expression == "max(27.6 at 2026-03-02T09:00:00-03:00 - 24, 0)"


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("pt-BR", ["Excedente reativo, energia", "Excedente reativo, demanda"]),
        ("en", ["Reactive excess, energy", "Reactive excess, demand"]),
    ],
)
def test_both_parts_have_words_of_the_language(language: str, names: list[str]) -> None:
    """Energy and demand are told apart in the language of the tariff."""
    charge = {
        "kind": "reactive",
        "energy": "0.4",
        "demand": "10",
        "billed": {"charges": ["demand"]},
    }
    body = document([DEMAND, charge], "America/Sao_Paulo", "BRL", language=language)
    readings = usage({9: (24, 18, 0)})
    start = readings["import"].start

    found = price(CONVERTER.structure(body, Tariff), readings, start, start + 86_400)

    assert [one.description for one in found.lines[1:]] == names


def test_demand_is_never_less_than_nothing() -> None:
    """30 kW are billed at least: 27.6 kW are not beyond them."""
    contracted = {**DEMAND, "kind": "demand.contracted", "contracted": "30"}
    charge = {"demand": "10", "billed": {"charges": ["demand.contracted"]}}

    found = cost({9: (24, 18, 0)}, contracted, charge)

    assert line(found, "reactive.demand").exact == "0"


def test_demand_beyond_that_of_each_period_is_charged() -> None:
    """In the peak 4.6 - 4 of (4, 3); outside 27.6 - 24; what exceeds a contract is left out."""
    contracted = {
        **DEMAND,
        "kind": "demand.contracted",
        "schedule": POSTOS,
        "rate": None,
        "components": {"fio_a": "1", "fio_b": "2"},
        "contracted": {"ponta": "1", "fora_ponta": "20"},
        "overrun": {},
    }
    charge = {
        "schedule": POSTOS,
        "demand": {"ponta": "30", "fora_ponta": "10"},
        "billed": {"charges": ["demand.contracted"]},
    }
    hours = dict.fromkeys(range(24), (0, 0, 0)) | {9: (24, 18, 0), 19: (4, 3, 0)}

    found = cost(hours, contracted, charge)

    assert [(one.code, one.quantity) for one in found.lines if one.code.startswith("reactive")] == [
        ("reactive.ponta.demand", "0.6"),
        ("reactive.fora_ponta.demand", "3.6"),
    ]


def test_demand_that_no_line_bills_is_refused() -> None:
    """Otherwise all of it would be charged."""
    charge = {"demand": "10", "billed": {"charges": ["demand"], "tags": ["nowhere"]}}

    assert list(faults(lambda: cost({}, DEMAND, charge)).values()) == ["no_billed_demand"]


@pytest.mark.parametrize(
    ("bands", "exact"),
    [
        ([{"over_percent": "33", "rate": "0.1"}], "6.7"),
        ([{"over_percent": "33", "rate": "0.1"}, {"over_percent": "75", "rate": "0.2"}], "9.2"),
        ([{"over_percent": "100", "rate": "0.1"}], "0"),
    ],
)
def test_what_is_beyond_a_share_is_charged(bands: list[dict[str, str]], exact: str) -> None:
    """100 kvarh of 100 kWh: 67 above 33 %; or 42 up to 75 %, and 25 above."""
    day = dict.fromkeys(range(24), (0, 0, 0)) | {9: (100, 100, 0)}

    assert cost(day, {"bands": bands}).total == exact


def test_shares_may_be_of_each_period() -> None:
    """The active energy of one period allows none of another."""
    day = dict.fromkeys(range(24), (0, 0, 0)) | {9: (100, 0, 0), 19: (0, 10, 0)}

    found = cost(day, {"schedule": POSTOS, "bands": [{"over_percent": "50", "rate": "1"}]})

    assert quantities(found) == {"reactive.ponta": "10", "reactive.fora_ponta": "0"}


def test_losses_are_added_to_all() -> None:
    """2.5 % of both energies: 1.6 kvarh are 1.64, and 11.96 - 10 kvar are 12.259 - 10."""
    demand = {"kind": "demand", "rate": "1", "interval": "PT1H"}
    charge = {"losses_percent": "2.5", "billed": {"charges": ["demand"]}}

    found = cost(
        {9: (3, 4, 0)}, demand, {"kind": "reactive", "energy": "1", "demand": "1", **charge}
    )

    assert quantities(found) == {
        "demand": "12",
        "reactive.energy": "1.64",
        "reactive.demand": "0.259",
    }
