"""Which demand to contract, by readings: priced month by month under the generated tariffs."""

import json
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from energia import Core, Invalid, structure
from energia.cli.main import energia
from energia.costing.trials import trial
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.pricing.engine import price
from energia.pricing.tariffs import Tariff
from energia_plugins.tariff_brazil.questions.contract_answer import DemandAnswer
from energia_plugins.tariff_brazil.questions.contracts import DemandQuestion, answer
from energia_plugins.tariff_brazil.questions.demand_of_bills import (
    BilledDemandQuestion,
    answer_of_bills,
)
from energia_plugins.tariff_brazil.tables import tables
from tests.core.pricing.asking import answer_of
from tests.core.pricing.documents import series
from tests.plugins.brazil.high_voltage import ZONE, made, midnight, tariff_of
from tests.serving import Serving, make_core

CUSTOMER: dict[str, Any] = {
    "distributor": "cpfl-paulista",
    "subgroup": "A3a",
    "modality": "verde",
    "from": "2026-01-01",
    "overrides": {"pis": "0.0103", "cofins": "0.0483", "icms": [{"rate": "0.18"}]},
}
MONTHS = ("2026-04-01", "2026-05-01", "2026-06-01")
QUARTER = 900
#: National holidays of these months.
HOLIDAYS = ("2026-04-03", "2026-04-21", "2026-05-01")


@cache
def values() -> tuple[str, ...]:
    """Return the kWh of each quarter of an hour of two months: hills by day, higher in May."""
    start, end = midnight(MONTHS[0]), midnight(MONTHS[-1])
    found = []
    for at in range(start, end, QUARTER):
        quarter = (at - start) // QUARTER
        hour, day = quarter // 4 % 24, quarter // 96
        hill = max(0, 9 - abs(hour - 14)) * 4 + (6 if 18 <= hour < 21 else 0)
        found.append(f"{10 + hill + (day * 7) % 11 + (5 if day == 40 else 0)}.25")
    return tuple(found)


def usage(count: int | None = None) -> dict[str, Any]:
    """Return it as a request has it."""
    channel = {"start": f"{MONTHS[0]}T00:00:00-03:00", "values": [*map(float, values()[:count])]}
    return {"timezone": "America/Sao_Paulo", "interval": "PT15M", "channels": {"import": channel}}


@cache
def core() -> Core:
    """Return a service whose database is away."""
    return make_core(plugins=Plugins.installed())


async def ask(customer: dict[str, Any], **more: Any) -> DemandAnswer:
    """Ask which demand to contract."""
    body = {"customer": {**CUSTOMER, **customer}, "usage": usage(), **more}
    tenant = core().pool.tenant()
    return await answer(
        structure(body, DemandQuestion),
        tables(),
        lambda subject, documents: trial(subject, documents, core(), tenant),
    )


def billed(modality: str, contracted: dict[str, int]) -> Fraction:
    """Return what the months cost under the generated tariff with a contract."""
    tariff = _tariff(modality, tuple(sorted(contracted.items())))
    readings = {
        "import": series(
            midnight(MONTHS[0]), QUARTER, [int(Decimal(kwh) * 1_000_000) for kwh in values()]
        )
    }
    edges = list(map(midnight, MONTHS))
    costs = (price(tariff, readings, *each) for each in pairwise(edges))
    return sum((Fraction(cost.total) for cost in costs), Fraction(0))


def _tariff(modality: str, contracted: tuple[tuple[str, int], ...]) -> Tariff:
    request = {
        **CUSTOMER,
        "modality": modality,
        "reactive": "none",
        "contracted": {posto: f"{kw}" for posto, kw in contracted},
    }
    return tariff_of(made(**request))


async def test_totals_are_those_of_the_bills() -> None:
    """What each modality costs is what its bills come to, to the centavo; so is the present one."""
    found = await ask({"contracted": {"unico": "150"}})

    first, second = found.modalities
    assert found.best == first.modality
    assert {first.modality, second.modality} == {"verde", "azul"}
    assert Fraction(first.total) < Fraction(second.total)
    for one in found.modalities:
        contracts = {posto.posto: posto.contracted for posto in one.postos}
        assert Fraction(one.total) == billed(one.modality, contracts)
    assert Fraction(found.current or 0) == billed("verde", {"unico": 150})
    assert Fraction(found.saving or 0) == Fraction(found.current or 0) - Fraction(first.total)


async def test_the_answer_has_tables_curves_and_sentences() -> None:
    """Months add up to the posto's cost; a month sets the contract; both languages name it."""
    found = await ask({})

    posto = found.modalities[0].postos[0]
    assert sum(Decimal(month.cost) for month in posto.months) == Decimal(posto.cost)
    assert [month.month for month in posto.months] == ["2026-04", "2026-05"]
    assert any(month.sets for month in posto.months)
    least = min(Decimal(point.cost) for point in posto.curve)
    assert abs(least - Decimal(posto.cost)) <= Decimal("0.03")
    assert posto.plot.startswith("<svg")
    for language, word in (("pt-BR", "Contrate"), ("en", "Contract")):
        assert found.texts[language].startswith(f"{word} {posto.contracted} kW")
    assert ": os 2 meses custam ao todo R$" in found.texts["pt-BR"]
    assert ": the 2 months cost in all R$" in found.texts["en"]


@pytest.mark.parametrize(
    ("customer", "more", "expected"),
    [
        ({}, {"end": "2026-05-20"}, {"/end": "not_whole_months"}),
        ({"subgroup": "B3"}, {}, {"/customer/subgroup": "wrong_subgroup"}),
        ({}, {"group": "P1D"}, {"/group": "out_of_range"}),
        ({}, {"parameters": {"kw": 1}}, {"/parameters": "unknown_parameter"}),
        ({"contracted": {"ponta": "1"}}, {}, {"/customer/contracted": "wrong_postos"}),
        ({"contracted": {"unico": "1.5"}}, {}, {"/customer/contracted": "out_of_range"}),
        ({"subgroup": "A1"}, {}, {"/customer/subgroup": "unknown_tariff"}),
    ],
)
async def test_what_is_refused(
    customer: dict[str, Any], more: dict[str, Any], expected: dict[str, str]
) -> None:
    """A part of a month, group B and contracts of other postos have no answer."""
    with pytest.raises(Invalid) as refused:
        await ask(customer, **more)

    assert {fault.pointer: fault.code for fault in refused.value.faults} == expected


async def ask_by_bills(bills: list[dict[str, Any]], **customer: Any) -> DemandAnswer:
    """Ask by what bills say."""
    body = {"customer": {**CUSTOMER, **customer}, "bills": bills}
    tenant = core().pool.tenant()
    return await answer_of_bills(
        structure(body, BilledDemandQuestion),
        tables(),
        lambda subject, documents: trial(subject, documents, core(), tenant),
    )


def bills_of_readings() -> list[dict[str, Any]]:
    """Return what the readings' bills say."""
    start, bills = midnight(MONTHS[0]), dict[str, dict[str, dict[str, Decimal]]]()
    for number, kwh in enumerate(map(Decimal, values())):
        at = datetime.fromtimestamp(start + number * QUARTER, ZONE)
        is_working = at.weekday() < 5 and f"{at.date()}" not in HOLIDAYS
        posto = "ponta" if is_working and 18 <= at.hour < 21 else "fora_ponta"
        said = bills.setdefault(f"{at:%Y-%m}", {"demand": {}, "energy": {}})
        said["demand"][posto] = max(said["demand"].get(posto, Decimal(0)), 4 * kwh)
        said["energy"][posto] = said["energy"].get(posto, Decimal(0)) + kwh
    return [
        {
            "month": month,
            **{what: {p: f"{n}" for p, n in by.items()} for what, by in said.items()},
        }
        for month, said in bills.items()
    ]


async def test_bills_answer_as_the_readings_do() -> None:
    """The energy and the highest demand of each posto are all that it takes."""
    by_bills = await ask_by_bills(bills_of_readings()[1:], contracted={"unico": "150"})
    by_readings = await ask({"contracted": {"unico": "150"}}, start=MONTHS[1])

    assert by_bills.modalities == by_readings.modalities
    assert (by_bills.current, by_bills.texts) == (by_readings.current, by_readings.texts)


@pytest.mark.parametrize(
    ("bills", "expected"),
    [
        ([0, 0], {"/bills/1/month": "not_consecutive"}),
        ([{"energy": {"ponta": "1"}}], {"/bills/0/energy/fora_ponta": "missing_field"}),
    ],
)
async def test_bills_follow_each_other(
    bills: list[dict[str, Any] | int], expected: dict[str, str]
) -> None:
    """Months are in order, and each says both postos."""
    first = bills_of_readings()[0]

    with pytest.raises(Invalid) as refused:
        await ask_by_bills([first if isinstance(one, int) else {**first, **one} for one in bills])

    assert {fault.pointer: fault.code for fault in refused.value.faults} == expected


async def test_one_modality_alone_says_so() -> None:
    """Rates that the request says are of one modality: the other is not compared."""
    rates = {"ponta": {"tusd": "1", "te": "0.4"}, "fora_ponta": {"tusd": "0.1", "te": "0.3"}}
    overrides = {**CUSTOMER["overrides"], "rates": {**rates, "unico": {"demand": "20"}}}

    found = await ask({"overrides": overrides})

    assert [one.modality for one in found.modalities] == ["verde"]
    assert any("azul" in one.what for one in found.assumptions)


async def test_it_is_asked_over_http(serving: Serving) -> None:
    """Readings that come along need no database."""
    body = {"customer": CUSTOMER, "usage": usage()}
    async with serving(make_core(plugins=Plugins.installed())) as client:
        status, found = await answer_of(client, "POST", "/v1/brazil/questions/demand", body)

    assert status == 200
    assert found["months"] == 2


async def test_a_stored_meter_answers_as_its_readings_do(pool: Pool, serving: Serving) -> None:
    """Readings in the database, by the meter's id and a window of whole months."""
    site = {"name": "F", "timezone": "America/Sao_Paulo", "country": "BR", "currency": "BRL"}
    channel = {"id": "import", "quantity": "active_energy", "direction": "import", "unit": "kWh"}
    meter = {"site": "f", "channels": [{**channel, "interval": "PT15M"}]}
    sent = usage()["channels"]["import"]
    read = {"meter": "uc", "channel": "import", "interval": "PT15M", **sent}
    body = {"customer": CUSTOMER, "meter": "uc", "start": MONTHS[0], "end": MONTHS[-1]}
    async with serving(make_core(plugins=Plugins.installed(), pool=pool)) as client:
        await answer_of(client, "PUT", "/v1/sites/f", site)
        await answer_of(client, "PUT", "/v1/meters/uc", meter)
        await answer_of(client, "POST", "/v1/readings", {"series": [read]})
        status, found = await answer_of(client, "POST", "/v1/brazil/questions/demand", body)

    assert status == 200, found
    expected = await ask({})
    assert found["texts"] == expected.texts


def test_the_command_line_speaks_portuguese(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`energia brasil demanda` prints sentences and tables, and draws the curves."""
    monkeypatch.chdir(tmp_path)
    Path("leituras.json").write_text(json.dumps(usage()))
    Path("cliente.json").write_text(json.dumps({"overrides": CUSTOMER["overrides"]}))
    named = ["--distribuidora", "cpfl-paulista", "--subgrupo", "A3a", "--modalidade", "verde"]
    files = ["--leituras", "leituras.json", "--pedido", "cliente.json", "--grafico", "."]

    result = CliRunner().invoke(
        energia, ["brasil", "demanda", *named, *files, "--contratada", "150", "--de", "01/04/2026"]
    )

    assert result.exit_code == 0, result.output
    assert "a economia é de R$" in result.output
    assert "2026-05" in result.output
    assert sorted(path.name for path in tmp_path.glob("*.svg")) == [
        "demanda-azul-fora_ponta.svg",
        "demanda-azul-ponta.svg",
        "demanda-verde-unico.svg",
    ]
