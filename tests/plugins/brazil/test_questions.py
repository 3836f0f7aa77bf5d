"""Questions that a person asks: branca or not, before the readjustment, whether a bill is right."""

import asyncio
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from energia import Invalid, structure
from energia.costing.groups import price_groups
from energia.costing.request import costing_of
from energia.costing.trials import Subject, Trial
from energia.pricing.tariffs import Tariff
from energia.settings import Limits
from energia_plugins.tariff_brazil.commands import brasil
from energia_plugins.tariff_brazil.document import brazilian_tariff
from energia_plugins.tariff_brazil.questions import branca, credits, printed, readjustment
from energia_plugins.tariff_brazil.request import TariffRequest
from energia_plugins.tariff_brazil.tables import Tables, tables
from tests.core.pricing.documents import CONVERTER

LAYOUTS = Path(__file__).parents[2] / "data" / "brazil-bills" / "layouts"
PIRATININGA = {"distributor": "cpfl-piratininga", "subgroup": "B1", "from": "2026-02-01"}
#: What the bill of the layout of Light says of its taxes.
LIGHT = {
    "distributor": "light",
    "subgroup": "B1",
    "phases": "bifasico",
    "from": "2026-07-04",
    "overrides": {"pis": "0.01", "cofins": "0.046"},
}


async def price(subject: Subject, documents: Mapping[str, Mapping[str, Any]]) -> Trial:
    """Price usage that comes along, without a database."""
    tariffs: dict[str, str | Tariff] = {
        name: CONVERTER.structure(document, Tariff) for name, document in documents.items()
    }
    costing = await costing_of(subject, tariffs, None, CONVERTER, Limits())
    groups = {
        name: price_groups(tariff, costing.inputs.usage, costing.bounds, costing.terms)
        for name, tariff in zip(documents, costing.tariffs, strict=True)
    }
    return Trial(costing.zone, groups, costing.inputs.coverage)


def usage(start: str, hours: list[str]) -> dict[str, Any]:
    """Return hours of energy from a local instant on."""
    channel = {"start": f"{start}T00:00:00-03:00", "values": hours}
    return {"timezone": "America/Sao_Paulo", "interval": "PT1H", "channels": {"import": channel}}


def asked_branca(hours: list[str], **customer: Any) -> branca.BrancaAnswer:
    """Ask whether the branca is cheaper in March 2026, by its hours."""
    body = {"customer": {**PIRATININGA, **customer}, "usage": usage("2026-03-01", hours)}
    return asyncio.run(branca.answer(structure(body, branca.BrancaQuestion), tables(), price))


def of_march(ponta: str, outside: str) -> list[str]:
    """Return hours with so much from 18:00 to 21:00, and so much at 02:00, each day."""
    day = ["0"] * 24
    day[18:21] = [ponta] * 3
    day[2] = outside
    return day * 31


def test_energy_outside_the_ponta_is_cheaper_with_branca() -> None:
    """All of it in the fora ponta: the branca wins, and the ponta's share is nothing."""
    found = asked_branca(of_march("0", "10"))

    assert (found.best, found.ponta_share) == ("branca", "0.0000")
    assert Decimal(found.difference) < 0
    assert Decimal(found.convencional) + Decimal(found.difference) == Decimal(found.branca)


def test_energy_in_the_ponta_is_dearer_with_branca() -> None:
    """Working days have a ponta; the answer says by how much it costs more."""
    found = asked_branca(of_march("2", "1"))

    assert found.best == "convencional"
    assert found.texts["pt-BR"].endswith("na ponta, a branca compensa.")
    assert "a mais que a convencional" in found.texts["pt-BR"]
    assert "more than the convencional" in found.texts["en"]


@settings(max_examples=10)
@given(st.integers(1, 40), st.integers(0, 40))
def test_at_the_break_even_both_cost_the_same(outside: int, ponta: int) -> None:
    """Below it the branca is cheaper, above it the convencional: but for a centavo of rounding."""
    found = asked_branca(of_march(f"{Decimal(ponta) / 10}", f"{outside}"))

    assert found.break_even is not None
    apart = Decimal(found.ponta_share) - Decimal(found.break_even)
    if abs(apart) > Decimal("0.001"):
        assert (found.best == "convencional") == (apart > 0)


def test_the_plot_says_what_it_shows() -> None:
    """It is an SVG document with a description, and both marks."""
    found = asked_branca(of_march("1", "5"))

    assert found.plot.startswith("<svg ")
    assert "empate: " in found.plot
    assert "medido: " in found.plot


@pytest.mark.parametrize(
    ("customer", "code", "pointer"),
    [
        ({"subgroup": "A4"}, "wrong_subgroup", "/customer/subgroup"),
        ({"class": "baixa_renda"}, "wrong_class", "/customer/class"),
    ],
)
def test_who_may_not_choose_the_branca_is_told(
    customer: dict[str, str], code: str, pointer: str
) -> None:
    """REN 1000/2021 leaves out group A, public lighting and low incomes."""
    with pytest.raises(Invalid) as refused:
        asked_branca(of_march("1", "1"), **customer)

    assert [(fault.code, fault.pointer) for fault in refused.value.faults] == [(code, pointer)]


CEMIG = {
    "distributor": "cemig",
    "subgroup": "B1",
    "from": "2026-01-01",
    "overrides": {"pis": "0.01", "cofins": "0.04"},
}


def asked_readjustment(known: Tables) -> readjustment.ReadjustmentAnswer:
    """Ask what July 2026 would have cost before, at 10 kWh a day."""
    hours = (["10"] + ["0"] * 23) * 31
    body = {"customer": CEMIG, "usage": usage("2026-07-01", hours)}
    question = structure(body, readjustment.ReadjustmentQuestion)
    return asyncio.run(readjustment.answer(question, known, price))


def test_a_readjustment_is_priced_alone() -> None:
    """Cemig, 28 May 2026: 0.85858 R$/kWh became 0.90329, under the same flag and taxes."""
    found = asked_readjustment(tables())

    gross = 1 / (Fraction("0.82") * Fraction("0.95"))
    assert f"{found.readjusted}" == "2026-05-28"
    for told, net in ((found.now, "0.90329"), (found.before, "0.85858")):
        expected = 310 * (Fraction(net) + Fraction("0.01885")) * gross
        assert abs(Fraction(told) - expected) < Fraction(2, 100)
    assert Decimal(found.now) - Decimal(found.before) == Decimal(found.difference)


def test_a_readjustment_that_is_not_known_is_refused() -> None:
    """A table that begins with the present tariff does not know what was before."""
    present = tuple(row for row in tables().tariffs if row.start >= date(2026, 5, 28))

    with pytest.raises(Invalid) as refused:
        asked_readjustment(attrs.evolve(tables(), tariffs=present))

    assert [fault.code for fault in refused.value.faults] == ["unknown_tariff"]


def test_another_readjustment_within_the_window_is_told() -> None:
    """Light, 15 March and 4 July 2026: a window from June on has prices of both."""
    customer = {"distributor": "light", "subgroup": "B1", "from": "2026-06-01"}
    body = {"customer": customer, "usage": usage("2026-06-01", ["1"] * 24 * 61)}
    question = structure(body, readjustment.ReadjustmentQuestion)

    found = asyncio.run(readjustment.answer(question, tables(), price))

    assert f"{found.readjusted}" == "2026-03-15"
    assert "04/07/2026" in found.assumptions[0].what


def test_a_window_before_the_readjustment_is_told_from_when_to_ask() -> None:
    """The year that has it begins too early: the day of the readjustment is named."""
    present = tuple(row for row in tables().tariffs if row.start >= date(2025, 5, 28))
    body = {"customer": CEMIG, "usage": usage("2026-02-01", ["1"] * 24 * 28)}
    question = structure(body, readjustment.ReadjustmentQuestion)

    with pytest.raises(Invalid) as refused:
        known = attrs.evolve(tables(), tariffs=present)
        asyncio.run(readjustment.answer(question, known, price))

    assert "pergunte de 28/05/2026 em diante" in str(refused.value.faults[0].message)


def asked_bill(text: str, **more: Any) -> printed.BillAnswer:
    """Ask whether a bill of Light is right."""
    body = {"customer": LIGHT, "text": text, **more}
    return asyncio.run(printed.answer(structure(body, printed.BillQuestion), tables(), price))


def light() -> str:
    """Return the text of a bill of Light."""
    return (LAYOUTS / "light.txt").read_text()


def test_a_bill_that_is_right() -> None:
    """Its energy costs what the tariff says; what the municipality charges is not of the tariff."""
    found = asked_bill(light())

    assert (f"{found.start}", f"{found.end}") == ("2026-07-04", "2026-08-06")
    by_code = {line.code: line.amount.result for line in found.check.lines if line.code}
    assert by_code["consumo"] == "match"
    assert found.check.total.result == "match"


def test_another_rate_of_icms_is_found_out() -> None:
    """249.79 with 18 % is 269.51 with 24 %."""
    wrong = light().replace("249,79", "269,51").replace("1,24894", "1,34755")
    found = asked_bill(wrong.replace("267,79", "287,51"))

    assert found.result == "mismatch"
    assert "ICMS de 24 % em vez de 18 %" in found.texts["pt-BR"][0]
    assert "ICMS of 24 % in place of 18 %" in found.texts["en"][0]


def test_a_line_that_is_not_of_the_tariff_is_told() -> None:
    """A fine does not make the energy wrong."""
    text = light().replace("Total 267,79", "Multa 5,00\nTotal 272,79")
    found = asked_bill(text)

    assert found.check.total.result == "match"
    assert any(line.startswith("Multa: R$ 5,00 não são da tarifa") for line in found.texts["pt-BR"])


def test_a_bill_whose_energy_is_not_read_is_refused() -> None:
    """60 kWh times the price are not the amount: none are priced as if they were right."""
    dates = "Leitura anterior 03/02/2026 Leitura atual 03/03/2026"

    with pytest.raises(Invalid) as error:
        asked_bill(f"{dates}\nConsumo kWh 60 1,07880 107,88\nTotal 107,88")

    (fault,) = error.value.faults
    assert fault.code == "unread_energy"
    assert "deem R$ 107,88" in fault.message


def test_a_bill_without_dates_asks_for_them() -> None:
    """Flags and taxes are those of its days."""
    with pytest.raises(Invalid) as refused:
        asked_bill("Consumo kWh 200 1,25 250,00\nTotal 250,00")

    assert [(fault.code, fault.pointer) for fault in refused.value.faults] == [
        ("no_dates", "/start")
    ]


def test_the_command_speaks_portuguese(tmp_path: Path) -> None:
    """`energia brasil conta` prints a table of a file; assumptions go to the other stream."""
    customer = tmp_path / "cliente.json"
    customer.write_text('{"overrides": {"pis": "0.01", "cofins": "0.046"}}')
    arguments = ["conta", str(LAYOUTS / "light.txt"), "--distribuidora", "light"]
    arguments += ["--ligacao", "bifasico", "--pedido", str(customer)]

    result = CliRunner().invoke(brasil(None), arguments)

    assert result.exit_code == 0, result.output
    assert "Consumo " in result.stdout
    assert "confere" in result.stdout
    assert "suposto: " in result.stderr


def said(*arguments: str, refused: bool = False) -> str:
    """Return what `energia brasil` prints."""
    result = CliRunner().invoke(brasil(None), arguments)
    assert (result.exit_code == 2) == refused, result.output
    return result.stderr if refused else result.stdout


def test_a_typed_line_of_a_tariff_with_two_parts_has_its_energy_once() -> None:
    """Where TE and TUSD are lines of their own, a line of both is not of half the energy."""
    body = {
        "customer": {"distributor": "enel-sp", "subgroup": "B1", "from": "2026-07-04"},
        "text": "Consumo kWh 304 1,36636 415,37\nTotal 415,37",
        "start": "2026-07-04",
        "end": "2026-08-06",
    }
    found = asyncio.run(printed.answer(structure(body, printed.BillQuestion), tables(), price))

    assert found.texts["pt-BR"][0].startswith("Consumo: a conta cobra R$ 415,37, a tarifa R$ ")
    assert "quantidade" not in found.texts["pt-BR"][0]


def test_the_command_takes_parameters(tmp_path: Path) -> None:
    """Public lighting of Rio goes by an average that the customer knows."""
    typed = tmp_path / "agosto.txt"
    typed.write_text(
        "Leitura anterior 03/07/2026 Leitura atual 05/08/2026\n"
        "Consumo kWh 304 1,36636 415,37\nIluminação pública 64,60\nTotal 479,97\n"
    )
    home = ("--distribuidora", "light", "--ligacao", "trifasico", "--municipio", "Rio de Janeiro")

    told = said("conta", str(typed), *home, "--parametro", "lighting_average_kwh=425")

    assert told.startswith("A conta confere, linha por linha.\n")


def test_the_command_tells_what_credits_are_worth() -> None:
    """`energia brasil creditos` takes one balance a month, in Portuguese numbers."""
    home = ("--distribuidora", "cemig", "--ligacao", "bifasico", "--geracao", "gd2")
    saldos = ("--credito", "2025-11=120,5", "--credito", "2026-03=40")

    told = said("creditos", *home, "--mes", "2026-08", *saldos, "--usados", "30")

    assert told.startswith("160,5 kWh de créditos valem R$ ")
    assert [line.split()[:3] for line in told.splitlines()[2:]] == [
        ["2025-11", "120,5", "2030-11"],
        ["2026-03", "40", "2031-03"],
    ]
    assert "de novembro de 2025, valem até a conta de novembro de 2030" in told
    assert told.splitlines()[0].endswith("Com esse uso, nenhum expira sem uso.")
    assert [line.split()[-1] for line in told.splitlines()[2:]] == ["0", "0"]


def test_days_that_are_said_are_not_in_doubt() -> None:
    """A bill that does not print its days has them from the question."""
    body = {
        "customer": {"distributor": "light", "subgroup": "B1", "from": "2026-07-04"},
        "text": "Consumo kWh 304 1,36636 415,37\nTotal 415,37",
        "start": "2026-07-04",
        "end": "2026-08-06",
    }
    found = asyncio.run(printed.answer(structure(body, printed.BillQuestion), tables(), price))

    assert found.printed.doubts == ()
    assert not any("datas" in text for text in found.texts["pt-BR"])


def test_a_price_that_is_not_sure_is_an_assumption() -> None:
    """A row of prices of which the table doubts something is told, with how to say it better."""
    customer = {
        "distributor": "cpfl-paulista",
        "subgroup": "A3a",
        "modality": "azul",
        "contracted": {"ponta": "100", "fora_ponta": "100"},
        "from": "2026-02-01",
    }
    made = brazilian_tariff(structure(customer, TariffRequest), tables())

    (doubt,) = [one for one in made.assumptions if one.what == "tarifa A3A azul fora ponta mwh"]
    assert "[?]" in doubt.source
    assert doubt.setting == "/overrides/rates/fora_ponta"


def test_a_file_says_the_rest_of_the_customer(tmp_path: Path) -> None:
    """What it says is not undone by what options are by default."""
    customer = tmp_path / "cliente.json"
    customer.write_text('{"subgroup": "B3", "phases": "bifasico", "modality": "branca"}')

    told = said(
        "tarifa", "--distribuidora", "light", "--pedido", str(customer), "--desde", "01/08/2026"
    )

    assert json.loads(told)["tariff"]["name"] == "Light B3 branca"


def test_the_command_takes_words_as_people_write_them() -> None:
    """Case, accents and spaces of a class or a connection do not matter; a month is 08/2026."""
    of = ("--distribuidora", "cemig", "--subgrupo", "b3", "--ligacao", "Trifásico")
    home = ("--distribuidora", "cemig", "--ligacao", "bifásico", "--geracao", "gd2")

    tariff = json.loads(said("tarifa", *of, "--modalidade", "Branca", "--desde", "01/05/2026"))
    told = said("creditos", *home, "--mes", "08/2026", "--credito", "11/2025=120,5")

    assert tariff["tariff"]["name"] == "Cemig B3 branca"
    assert told.splitlines()[2].startswith("2025-11")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("tarifa", "--desde", "ontem"), "'ontem' não é uma data como 31/12/2026"),
        (("branca", "--de", "01/07/2026"), "Diga --medidor"),
        (("branca", "--medidor", "m"), "Com --medidor, diga --de e --ate"),
        (("branca", "--leituras", __file__, "--canal", "t1"), "Diga --canal PAPEL=CANAL"),
        (("branca", "--classe", "loja"), "'loja' não é nenhum destes: residencial, baixa_renda"),
        (("creditos", "--mes", "13/2026"), "'13/2026' não é um mês como 08/2026"),
        (
            ("demanda", "--leituras", __file__, "--contratada", "muita"),
            "como 180 ou ponta=120,5, e não 'muita'",
        ),
        (("creditos", "--mes", "2026-08", "--credito", "2025-11"), "Diga --credito MÊS=KWH"),
        (
            ("reajuste", "--leituras", __file__, "--parametro", "media"),
            "Diga --parametro NOME=VALOR",
        ),
    ],
)
def test_the_command_says_what_an_option_is_like(arguments: tuple[str, ...], words: str) -> None:
    """A slip is told in Portuguese, with an example, before anything is asked."""
    assert words in said(*arguments, "--distribuidora", "light", refused=True)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "não é JSON"),
        (b"[]", "não tem um objeto JSON"),
        (b"a bill\0", "não é um PDF nem um texto"),
    ],
)
def test_the_command_names_the_file_that_it_cannot_read(
    tmp_path: Path, content: bytes, words: str
) -> None:
    """Whoever gives two files knows which of them it is."""
    file, bill = tmp_path / "given", tmp_path / "bill.txt"
    file.write_bytes(content)
    bill.write_text("Consumo kWh 100 0,95 95,00")
    given = [file] if b"\0" in content else [bill, "--pedido", file]
    arguments = ["conta", *map(str, given), "--distribuidora", "light"]

    result = CliRunner().invoke(brasil(None), arguments)

    assert result.exit_code == 2
    assert f"{file} {words}" in " ".join(result.output.split())


def test_examples_of_the_help_keep_their_lines() -> None:
    """They are copied from there."""
    for name in ("branca", "creditos", "reajuste", "conta", "demanda"):
        assert f"Exemplo:\n    energia brasil {name} " in said(name, "--help")


#: A home of Cemig with a roof under GD II.
ROOF = {**CEMIG, "phases": "bifasico", "generation": {"type": "gd2"}, "from": "2026-08-01"}


def asked_credits(**more: Any) -> credits.CreditsAnswer:
    """Ask what credits are worth in August 2026."""
    body = {"customer": ROOF, "month": "2026-08", **more}
    return asyncio.run(credits.answer(structure(body, credits.CreditsQuestion), tables(), price))


def test_a_credit_is_worth_what_a_bill_is_less() -> None:
    """GD II pays 60 % of Fio B in 2026, so that GD I saves more."""
    ledger = [{"month": "2025-11", "kwh": "100"}, {"month": "2026-03", "kwh": "50", "type": "gd1"}]
    found = asked_credits(ledger=ledger)

    old, new = found.credits
    assert (old.type, new.type) == ("gd2", "gd1")
    assert Decimal(new.price) > Decimal(old.price) > 0
    assert Decimal(found.worth) == Decimal(old.worth) + Decimal(new.worth)
    assert [credit.expires for credit in found.credits] == ["2030-11", "2031-03"]


def test_credits_that_are_not_used_in_time_are_lost() -> None:
    """Of 100 kWh that expire in October, three months use 90."""
    ledger = [{"month": "2021-10", "kwh": "100"}, {"month": "2026-03", "kwh": "40"}]
    found = asked_credits(ledger=ledger, used="30")

    assert [credit.lost for credit in found.credits] == ["10", "0"]
    assert found.lost == "10"
    assert found.texts["pt-BR"].endswith("10 kWh expiram sem uso.")


def test_an_expired_credit_is_worth_nothing() -> None:
    """Sixty months are over."""
    found = asked_credits(ledger=[{"month": "2021-07", "kwh": "100"}])

    assert found.worth == "0.00"


def test_a_customer_without_generation_has_no_credits() -> None:
    """The question needs its type."""
    with pytest.raises(Invalid) as refused:
        structure(
            {"customer": CEMIG, "month": "2026-08", "ledger": [{"month": "2026-03", "kwh": "1"}]},
            credits.CreditsQuestion,
        )

    assert refused.value.faults[0].pointer == "/customer/generation"
