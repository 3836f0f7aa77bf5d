"""The tarifa social of families of low income, by its dates, and the desconto social."""

from decimal import Decimal
from typing import Any

import pytest

from tests.core.pricing.documents import line
from tests.plugins.brazil.customers import amounts, bill, made, refused, tariff

UNTAXED = {"icms": [{"rate": "0"}], "pis": "0", "cofins": "0"}
READING = ("2026-07-31", "2026-08-31")
CEMIG: dict[str, Any] = {"distributor": "cemig", "subgroup": "B1", "from": "2026-08-01"}


def paid(kwh: int, **more: Any) -> dict[str, str]:
    """Return what a family of Cemig pays without taxes in August 2026, by line."""
    overrides = {**UNTAXED, **more.pop("overrides", {})}
    cost = bill(tariff(**CEMIG, overrides=overrides, **more), kwh, READING)
    return {code: f"{amount}" for code, amount in amounts(cost).items() if "tributos" not in code}


def test_the_first_80_kwh_are_free() -> None:
    """Lei 15.235/2025; (0.41831 + 0.29702 + 0.01885) x 120 are 88.10 for the other 120."""
    assert paid(80, class_="baixa_renda") == {"consumo.tier1": "0.00"}
    assert paid(200, class_="baixa_renda") == {"consumo.tier1": "0.00", "consumo.tier2": "88.10"}


def test_the_minimum_is_discounted_as_other_energy() -> None:
    """Of the 100 kWh of three phases 80 are free, the other 20 are billed."""
    found = paid(10, class_="baixa_renda", phases="trifasico")

    assert found == {"consumo.tier1": "0.00", "custo_de_disponibilidade": "14.68"}


def test_the_flag_is_discounted_too_unless_it_is_said_otherwise() -> None:
    """Nobody showed a bill of it: the answer says that it was assumed, and the setting."""
    line_ = {"flag": "line"}
    plain = paid(100, class_="baixa_renda", overrides=line_)
    full = paid(100, class_="baixa_renda", overrides={**line_, "social_flag": False})

    assert {code: each for code, each in plain.items() if "bandeira" in code} == {
        "bandeira.amarela.consumo.tier1": "0.00",
        "bandeira.amarela.consumo.tier2": "0.38",
    }
    assert full["bandeira.amarela.consumo.tier1"] == "1.51"
    settings = [one.setting for one in made(**CEMIG, class_="baixa_renda").assumptions]
    assert "/overrides/social_flag" in settings


def test_tiers_before_july_2025() -> None:
    """65, 40 and 10 % on tiers to 30, 100 and 220 kWh (Lei 12.212/2010), at prices of each."""
    rates = {"unico": {"te": "0.30", "tusd": "0.30"}}
    flags = {"2025-05": "0", "2025-06": "0"}
    request = {**CEMIG, "from": "2025-05-01", "class": "baixa_renda"}

    cost = bill(
        tariff(**request, overrides={**UNTAXED, "rates": rates, "flags": flags}),
        300,
        ("2025-05-10", "2025-06-09"),
    )

    found = [(one.quantity, Decimal(one.rate or 0)) for one in cost.lines if one.unit == "kWh"]
    assert found == [
        ("30", Decimal("0.21")),
        ("70", Decimal("0.36")),
        ("120", Decimal("0.54")),
        ("80", Decimal("0.60")),
    ]


def test_the_rule_changes_on_its_day() -> None:
    """The tariff has a version from 5 July 2025 on."""
    rates = {"unico": {"te": "0.30", "tusd": "0.30"}}
    request = {**CEMIG, "from": "2025-06-01", "class": "baixa_renda", "overrides": {"rates": rates}}

    versions = made(**request).tariff["versions"]

    assert [one["valid_from"] for one in versions][:2] == ["2025-06-01", "2025-07-05"]
    assert [len(one["charges"][0]["tiers"]) for one in versions][:2] == [4, 2]


def test_the_desconto_social_has_a_lower_tariff_to_120_kwh() -> None:
    """ANEEL's subclasses faixa 01 (0.73643) and faixa 02 (0.90329), each with the bandeira."""
    found = paid(200, class_="desconto_social")

    assert found == {"consumo.tier1": "90.63", "consumo.tier2": "73.77"}
    least = bill(tariff(**CEMIG, class_="desconto_social"), 0, READING)
    assert line(least, "consumo.tier1").quantity == "30"


def test_the_desconto_social_began_in_2026() -> None:
    """Before, there is none."""
    found = refused(**{**CEMIG, "from": "2025-12-01"}, class_="desconto_social",
                    overrides={"rates": {"unico": {"te": "0.3", "tusd": "0.3"}}})  # fmt: skip

    assert (found["code"], found["pointer"]) == ("no_social_discount", "/class")


@pytest.mark.parametrize("class_", ["baixa_renda", "desconto_social"])
def test_they_are_no_branca(class_: str) -> None:
    """The tarifa branca is for others (REN 1.000/2021)."""
    found = refused(**CEMIG, class_=class_, modality="branca",
                    overrides={"rates": {"fora_ponta": {"te": "0.3", "tusd": "0.3"}}})  # fmt: skip

    assert (found["code"], found["pointer"]) == ("wrong_modality", "/modality")


def test_their_icms_is_that_of_homes() -> None:
    """Rio's 18 % up to 300 kWh, where no rule of their own is known."""
    request = {"distributor": "light", "subgroup": "B1", "from": "2026-08-01"}
    homes, families = made(**request), made(**request, class_="baixa_renda")

    taxes = [found.tariff["versions"][0]["charges"] for found in (homes, families)]
    icms = [next(one for one in of if one["kind"] == "tax")["taxes"][0] for of in taxes]
    assert icms[0] == icms[1]
