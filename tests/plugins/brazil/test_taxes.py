"""ICMS, PIS and COFINS inside the price: bands, forms, months, and that they come out again."""

import json
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energia.pricing.tariffs import Tariff
from tests.core.pricing.documents import line
from tests.plugins.brazil.customers import BILLS, bill, made, tariff

LIGHT = json.loads((BILLS / "light_rj_2026.json").read_text())
HOME: dict[str, Any] = {"distributor": "light", "subgroup": "B1", "from": "2026-07-04"}
RATES = {"unico": {"te": "0.30200", "tusd": "0.64593"}}


@pytest.mark.parametrize("case", LIGHT["cases_real_bills"], ids=lambda case: case["nome"])
def test_lights_bills_come_out(case: dict[str, Any]) -> None:
    """Energy and its taxes within 0.01, lighting exactly; credits and debits are no tariff."""
    of = tariff(**HOME, municipality="Rio de Janeiro", phases="trifasico")

    cost = bill(
        of,
        case["kwh"],
        (case["leitura_anterior"], case["leitura"]),
        lighting_average_kwh=case["cosip_media_kwh"],
    )

    expected = case["expected"]
    told = {
        "energia": Decimal(line(cost, "consumo").amount),
        "icms_valor": Decimal(line(cost, "tributos.icms").quantity or 0),
        "pis_valor": Decimal(line(cost, "tributos.pis").quantity or 0),
        "cofins_valor": Decimal(line(cost, "tributos.cofins").quantity or 0),
    }
    for name, value in told.items():
        assert abs(value - Decimal(expected[name])) <= Decimal("0.0151"), name
    assert abs(Decimal(line(cost, "consumo").rate or 0) - Decimal(expected["preco"])) <= Decimal(
        "0.000011"
    )
    assert line(cost, "iluminacao_publica").amount == expected["iluminacao"]
    others = Decimal(case["outros_debitos"]) - Decimal(case["creditos"])
    assert abs(Decimal(cost.total) + others - Decimal(expected["total"])) <= Decimal("0.01")


@pytest.mark.parametrize("case", LIGHT["cases_published_prices"]["cases"], ids=str)
def test_the_band_of_all_energy_has_one_rate(case: dict[str, Any]) -> None:
    """Light, September 2026: none of 50 kWh, 18 % of all 51 and 24 % of all 301."""
    of = tariff(**HOME, overrides={"flags": {"2026-09": "0"}})

    cost = bill(of, case["kwh"], ("2026-08-31", "2026-09-30"))

    assert line(cost, "consumo").rate == case["price"]


@pytest.mark.parametrize(
    ("form", "price"),
    # 0.94793 / (0.75 x 0.944) and 0.94793 / (1 - 0.25 - 0.056)
    [("inside_product", "1.33888"), ("inside_sum", "1.36589")],
)
def test_old_and_new_bills_have_taxes_inside_in_two_ways(form: str, price: str) -> None:
    """Since the STF's Tema 69 ICMS is out of the base of PIS and COFINS."""
    said = {"icms": [{"rate": "0.25"}], "form": form, "pis": "0.010", "cofins": "0.046"}

    cost = bill(
        tariff(**HOME, overrides={**said, "flags": {"2026-09": "0"}}),
        100,
        ("2026-08-31", "2026-09-30"),
    )

    assert line(cost, "consumo").rate == price


def test_each_month_has_its_own_pis_and_cofins() -> None:
    """Those of the month of the reading: 6.90 % in August 2026, 5.69 % in October."""
    of = tariff(**HOME)

    august, october = (
        bill(of, 100, reading)
        for reading in (("2026-07-03", "2026-08-05"), ("2026-09-03", "2026-10-06"))
    )

    assert [line(cost, "tributos.cofins").description for cost in (august, october)] == [
        "COFINS 5,67%",
        "COFINS 4,68%",
    ]


def test_what_is_not_sure_is_told_with_its_setting() -> None:
    """A month that no bill shows both taxes of, among others."""
    found = made(**HOME)

    told = {one.what: one.setting for one in found.assumptions}
    assert told["PIS e COFINS de Light em 2026-09"] == "/overrides/pis_cofins"


PARTS = st.decimals("0", "0.3", places=4)


@settings(max_examples=60, deadline=None)
@given(kwh=st.integers(30, 3000), icms=PARTS, pis=PARTS, cofins=PARTS, data=st.data())
def test_what_is_grossed_up_comes_out_again(
    kwh: int, icms: Decimal, pis: Decimal, cofins: Decimal, data: st.DataObject
) -> None:
    """What is paid less the taxes that are told is the price before taxes, exactly."""
    form = data.draw(st.sampled_from(["inside_product", "inside_sum"]))
    of = _taxed(form, icms, pis, cofins)

    cost = bill(of, kwh, ("2026-08-31", "2026-09-30"))

    gross = sum(Fraction(one.exact) for one in cost.lines)
    told = [one for one in cost.lines if one.code.startswith("tributos")]
    taxes = sum((Fraction(one.quantity_exact or one.quantity or 0) for one in told), Fraction(0))
    net = kwh * (Fraction("0.94793") + Fraction("0.01885"))
    # Prices have 12 decimals here.
    assert abs(gross - taxes - net) <= kwh * Fraction(1, 10**12)


def _taxed(form: str, icms: Decimal, pis: Decimal, cofins: Decimal) -> Tariff:
    said = {
        "icms": [{"rate": f"{icms}"}],
        "pis": f"{pis}",
        "cofins": f"{cofins}",
        "form": form,
        "unit_price_decimals": 12,
    }
    return tariff(**HOME, overrides=said)


@cache
def _home(distributor: str, class_: str, phases: str) -> Tariff:
    request = {"distributor": distributor, "subgroup": "B1", "from": "2026-01-01"}
    return tariff(**request, class_=class_, phases=phases)


@settings(max_examples=60, deadline=None)
@given(
    distributor=st.sampled_from(["celesc", "cemig", "copel", "cpfl-piratininga"]),
    class_=st.sampled_from(["residencial", "baixa_renda", "desconto_social"]),
    phases=st.sampled_from(["monofasico", "bifasico", "trifasico"]),
    kwh=st.decimals(0, 1500, places=3),
    day=st.integers(1, 28),
)
def test_lines_add_up_to_the_total(
    distributor: str, class_: str, phases: str, kwh: Decimal, day: int
) -> None:
    """Of every customer, to the centavo."""
    cost = bill(
        _home(distributor, class_, phases), kwh, (f"2026-03-{day:02d}", f"2026-04-{day:02d}")
    )

    assert sum(Decimal(one.amount) for one in cost.lines) == Decimal(cost.total)
