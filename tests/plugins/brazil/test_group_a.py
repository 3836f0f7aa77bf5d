"""Tariffs of group A: prices of the tables, contracts, discounts, reactive energy, losses."""

import json
from decimal import Decimal
from functools import cache
from typing import Any

import attrs
import pytest

from energia import Invalid
from energia_plugins.tariff_brazil.rows import Postos
from energia_plugins.tariff_brazil.tables import Tables, tables
from tests.imports import ROOT
from tests.plugins.brazil.high_voltage import Meter, amounts, bill, made, readings, tariff_of

ROWS: dict[str, dict[str, str]] = json.loads(
    (ROOT / "tests/data/brazil-aneel/grupo_a_verde_azul_2026.json").read_text(encoding="utf-8"),
    parse_float=str,
    parse_int=str,
)["tariffs"]
#: Has no price of demand fora ponta in azul; a zero in a row is what its source lacks.
LACKING = "EMT-A3a"
TAXES = {"pis": "0.0103", "cofins": "0.0483", "icms": [{"rate": "0.18"}]}
AZUL = {"distributor": "cpfl-paulista", "subgroup": "A4", "modality": "azul", "from": "2026-07-01"}
VERDE = {**AZUL, "subgroup": "A3a", "modality": "verde", "from": "2026-01-01"}
DAYS = ("2026-07-01", "2026-08-01")


@cache
def with_postos() -> Tables:
    """Return the tables, with hours of ponta for every distributor."""
    hours = (Postos(ponta=("18:00", "21:00"), source="assumed"),)
    known = tables()
    return attrs.evolve(
        known,
        distributors={
            one.id: attrs.evolve(one, postos=hours) for one in known.distributors.values()
        },
    )


def charges(tables_: Tables | None = None, /, **request: Any) -> dict[str, dict[str, Any]]:
    """Return the charges of the first version of a tariff, by their codes."""
    answer = made(tables_, **{"overrides": TAXES, **request})
    return {charge["code"]: charge for charge in answer.tariff["versions"][0]["charges"]}


def of_aneel(name: str, modality: str) -> dict[str, dict[str, Any]]:
    """Return the charges of a row."""
    row = ROWS[name]
    return charges(
        with_postos(),
        **{"from": row["vigencia"]},
        distributor=row["sigAgente"],
        subgroup=row["subgroup"],
        modality=modality,
        reactive="none",
        overrides={**TAXES, "energy": "apart"},
    )


@pytest.mark.parametrize("name", sorted(ROWS))
def test_prices_are_those_of_aneel(name: str) -> None:
    """Both modalities of 42 distributors and subgroups have the prices of ANEEL's open data."""
    verde, azul = of_aneel(name, "verde"), {} if name == LACKING else of_aneel(name, "azul")
    mine = {"verde_TUSD_Demanda": verde["demanda"]["rate"]}
    for modality, found in (("verde", verde), ("azul", azul)):
        for posto, short in (("ponta", "Ponta"), ("fora_ponta", "FP")) if found else ():
            parts = found["consumo"]["rates"][posto]["components"]
            mine[f"{modality}_TUSD_{short}"] = Decimal(parts["tusd"]) * 1000
            mine[f"{modality}_TE_{short}"] = Decimal(parts["te"]) * 1000
    for posto, price in azul["demanda"]["rates"].items() if azul else ():
        mine[f"azul_TUSD_Dem_{'Ponta' if posto == 'ponta' else 'FP'}"] = price

    theirs = {key: Decimal(ROWS[name][key]) for key in mine}
    assert {key: Decimal(value) for key, value in mine.items() if theirs[key]} == {
        key: value for key, value in theirs.items() if value
    }


def test_a_price_that_is_lacking_is_refused() -> None:
    """The open data had none for the demand fora ponta of one distributor's azul."""
    with pytest.raises(Invalid, match="não tem tarifa A3a azul"):
        of_aneel(LACKING, "azul")


def test_contracts_say_what_is_contracted() -> None:
    """Verde has one parameter, azul one of each posto; a request may say the contract instead."""
    assert [one.name for one in made(**VERDE, overrides=TAXES).parameters] == ["contracted_kw"]
    assert [one.name for one in made(**AZUL, overrides=TAXES).parameters] == [
        "contracted_kw_ponta",
        "contracted_kw_fora_ponta",
    ]
    said = made(**VERDE, overrides=TAXES, contracted={"unico": "180"})
    assert said.parameters == ()
    assert said.tariff["versions"][0]["charges"][2]["contracted"] == "180"


def test_incentivised_energy_lessens_demand_and_not_its_overrun() -> None:
    """Half of TUSD of demand, and of what ponta of verde is above fora ponta (114.47, 1294.59)."""
    found = charges(**VERDE, discount="0.5")

    assert found["demanda"]["rate"] == "7.965"
    assert found["demanda"]["overrun"]["rate"] == "15.93"
    tusd = {posto: rate["components"]["tusd"] for posto, rate in found["consumo"]["rates"].items()}
    assert {posto: Decimal(each) for posto, each in tusd.items()} == {
        "ponta": Decimal("0.70453"),
        "fora_ponta": Decimal("0.11447"),
    }


def test_the_discount_of_a_month_begins_a_version() -> None:
    """The CCEE finds it month by month: 49.911 % in August, the request's before and after."""
    answer = made(**VERDE, discount="0.5", overrides={**TAXES, "discounts": {"2026-02": "0.49911"}})

    rates = {
        version["valid_from"]: version["charges"][2]["rate"]
        for version in answer.tariff["versions"]
    }
    assert rates["2026-01-01"] == "7.965"
    assert Decimal(rates["2026-02-01"]) == Decimal("7.9791777")
    assert rates["2026-03-01"] == "7.965"


def test_the_free_market_has_no_te_and_no_flag() -> None:
    """The distributor charges TUSD alone; energy and flags are the supplier's."""
    found = charges(**AZUL, free_market=True)

    assert "bandeira" not in found
    assert found["consumo"]["rates"]["ponta"] == {"components": {"tusd": "0.16416"}}


def test_capacitive_hours_are_those_of_the_distributor() -> None:
    """Where they are not known, those that are assumed are told."""
    answer = made(**AZUL, overrides=TAXES)

    (reactive,) = (
        charge for charge in answer.tariff["versions"][0]["charges"] if charge["code"] == "reativo"
    )
    hours = reactive["capacitive_hours"]
    assert hours == {"from": "00:30", "to": "06:30"}
    assert any("00:30 a 06:30" in one.what for one in answer.assumptions)


@pytest.mark.parametrize(("reactive", "roles"), [("both", 3), ("inductive", 2), ("none", 1)])
def test_reactive_energy_may_not_be_metered(reactive: str, roles: int) -> None:
    """What is not metered is not charged, and that is told."""
    answer = made(
        **AZUL, overrides=TAXES, reactive=reactive, contracted={"ponta": "100", "fora_ponta": "150"}
    )
    usage = readings(DAYS, {"ponta": Meter(kwh=4000, kw=90), "fora_ponta": Meter(kwh=9000, kw=80)})
    metered = dict(list(usage.items())[:roles])

    assert bill(tariff_of(answer), DAYS, metered).total
    assert any("/reactive" in one.setting for one in answer.assumptions) == (reactive != "both")


def test_losses_of_the_transformer_are_added() -> None:
    """2.5 % of energy, flag, demand and reactive energy: what a low-voltage meter lacks."""
    postos = {
        "ponta": Meter(kwh=4000, kw=100, kvarh=60),
        "fora_ponta": Meter(kwh=9000, kw=120, kvarh=80),
    }
    usage = readings(DAYS, postos)
    contracted = {"ponta": "110", "fora_ponta": "110"}
    request = {**AZUL, "overrides": {**TAXES, "unit_price_decimals": 12}, "contracted": contracted}

    high = amounts(bill(tariff_of(made(**request)), DAYS, usage))
    answer = made(**request, metered="low")
    low = amounts(bill(tariff_of(answer), DAYS, usage))

    for code in [code for code in high if code.startswith(("consumo", "bandeira", "reativo"))]:
        assert float(low[code]) == pytest.approx(float(high[code]) * 1.025, abs=0.011), code
    # 120 x 1.025 = 123 kW: 13 above the contract, which 120 is by less.
    assert float(low["demanda.fora_ponta"]) / 123 == pytest.approx(
        float(high["demanda.fora_ponta"]) / 120, rel=1e-5
    )
    assert float(low["demanda.fora_ponta.overrun"]) / 13 == pytest.approx(
        float(high["demanda.fora_ponta.overrun"]) / 10, rel=1e-5
    )
    # 110 - 102.5 kW are not used.
    assert float(low["demanda.ponta.unused"]) / 7.5 == pytest.approx(
        float(high["demanda.ponta.unused"]) / 10, rel=1e-5
    )
    assert any("2.5 %" in one.what for one in answer.assumptions)


@pytest.mark.parametrize(
    ("request_", "code", "pointer"),
    [
        ({**AZUL, "modality": "convencional"}, "wrong_modality", "/modality"),
        (
            {**AZUL, "subgroup": "A2", "modality": "verde", "overrides": {"rates": {"ponta": {}}}},
            "wrong_modality",
            "/modality",
        ),
        ({**AZUL, "contracted": {"unico": "100"}}, "wrong_postos", "/contracted"),
        ({**VERDE, "contracted": {"ponta": "100"}}, "wrong_postos", "/contracted"),
    ],
)
def test_what_is_refused(request_: dict[str, Any], code: str, pointer: str) -> None:
    """A modality that the subgroup lacks, and contracts of postos that the modality lacks."""
    overrides = {**TAXES, "rates": {"ponta": {"tusd": "1"}}, **request_.get("overrides", {})}
    with pytest.raises(Invalid) as refused:
        made(**{**request_, "overrides": overrides})

    assert [(fault.code, fault.pointer) for fault in refused.value.faults] == [(code, pointer)]


def test_lines_speak_portuguese() -> None:
    """What was not used and what exceeds the contract is named."""
    answer = made(**AZUL, overrides=TAXES, contracted={"ponta": "110", "fora_ponta": "110"})
    postos = {"ponta": Meter(kwh=4000, kw=100), "fora_ponta": Meter(kwh=9000, kw=120)}
    usage = readings(DAYS, postos)

    named = {line.code: line.description for line in bill(tariff_of(answer), DAYS, usage).lines}

    assert "não utilizada" in named["demanda.ponta.unused"]
    assert "ultrapassagem" in named["demanda.fora_ponta.overrun"]
