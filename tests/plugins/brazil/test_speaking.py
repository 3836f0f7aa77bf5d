"""The kit speaks the language of its caller: Portuguese, or English to who prefers it."""

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest

from energia.plugins import Plugins
from energia_plugins.tariff_brazil.english import ENGLISH
from energia_plugins.tariff_brazil.provenance import PORTUGUESE
from energia_plugins.tariff_brazil.speaking import english, portuguese_source
from tests.imports import modules
from tests.serving import Serving, make_core

#: What says something to a caller, and which of its arguments does.
_SAYERS = {
    **dict.fromkeys(("Fault", "Unfit", "assume"), (0, 1)),
    **dict.fromkeys(("source", "rest_on"), (0,)),
    "of": (1,),
    "Assumption": (),
}
#: A letter, or a word, that no English text has: what has none of them is no Portuguese.
_PORTUGUESE = re.compile(r"[ãõçáéíóúâêô]|\b(de|da|do|em|não|ou|um|uma|que|diga)\b")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def said() -> Iterator[tuple[str, str]]:
    """Yield each Portuguese text that callers are told, with `{}` for what is filled in."""
    for name, path in modules("energia_plugins").items():
        if "tariff_brazil" in name and not name.endswith((".english", ".speaking", "commands")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for scope in (tree, *(one for one in ast.walk(tree) if isinstance(one, _FUNCTIONS))):
                for text in _of_scope(scope):
                    if _PORTUGUESE.search(text):
                        yield name, text


def _of_scope(scope: ast.AST) -> Iterator[str]:
    named: dict[str, list[str]] = {}
    for node in ast.walk(scope):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                named.setdefault(name, []).extend(_texts(value))
    for call in (node for node in ast.walk(scope) if isinstance(node, ast.Call)):
        name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
        if name in _SAYERS:
            given = [call.args[at] for at in _SAYERS[name] if at < len(call.args)]
            given += [one.value for one in call.keywords if one.arg in ("what", "source")]
            for argument in given:
                if isinstance(argument, ast.Name):
                    yield from named.get(argument.id, ())
                else:
                    yield from _texts(argument)


def _texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts
            )
        case ast.IfExp(body=body, orelse=other):
            yield from _texts(body)
            yield from _texts(other)


def test_every_message_is_said_in_english() -> None:
    """What the kit tells a caller in Portuguese has its English: no answer is half in one."""
    filled = {re.sub(r"\{\}", "X9", text) for _, text in said()}

    assert {text for text in filled if english(text) == text} == set()


@pytest.mark.parametrize(("text", "told"), [*ENGLISH.items(), *PORTUGUESE.items()])
def test_what_is_filled_in_is_the_same(text: str, told: str) -> None:
    """Both languages name the same things."""
    assert sorted(re.findall(r"\{\w+\}", told)) == sorted(re.findall(r"\{\w+\}", text))


def test_a_text_within_another() -> None:
    """What is told of a line of a file, or of what there is, is in English, too."""
    assert english("linha 3: 2 colunas, e não 5: o arquivo está inteiro?") == (
        "line 3: 2 columns, and not 5: is the file whole?"
    )
    assert english("TUSD_FioB B3: o do B1") == "TUSD_FioB B3: that of B1"
    assert english("Enel") == "Enel"
    assert english(
        "a tabela não tem tarifa A4 azul (comercial) de Light em 01/01/2020 (há a partir de "
        "15/03/2025): comece em 15/03/2025, diga-a em overrides.rates, ou atualize a tabela"
    ) == (
        "the table has no tariff A4 azul (comercial) of Light on 01/01/2020 (there are some from "
        "15/03/2025): begin on 15/03/2025, say it in overrides.rates, or update the table"
    )


def test_where_tables_are_from() -> None:
    """Who reads Portuguese is told in Portuguese, part by part; what no part is known of stays."""
    row = "ANEEL open data (resource fcf2906c) of 2026-03-27, as stored in a/b; start [?]"

    assert portuguese_source(row) == (
        "dados abertos da ANEEL (recurso fcf2906c) de 2026-03-27, guardados em a/b; início [?]"
    )
    assert portuguese_source("REH 3.430/2024") == "REH 3.430/2024"


BODY = {"distributor": "nenhuma", "subgroup": "B1", "from": "2026-08-01"}
KNOWN = {"distributor": "light", "subgroup": "B1", "from": "2026-08-01"}


async def _asked(serving: Serving, body: dict[str, str], accepted: str | None) -> tuple[Any, Any]:
    headers = {} if accepted is None else {"Accept-Language": accepted}
    async with serving(make_core(plugins=Plugins.installed())) as client:
        answer = await client.post("/v1/brazil/tariff", json=body, headers=headers)
        return answer.headers, await answer.json()


@pytest.mark.parametrize(
    ("accepted", "language", "begins"),
    [
        (None, "pt-BR", "não há distribuidora 'nenhuma'"),
        ("pt", "pt-BR", "não há distribuidora"),
        ("en-GB, pt;q=0.5", "en", "there is no distributor 'nenhuma'"),
        ("fr", "pt-BR", "não há distribuidora"),
    ],
)
async def test_an_error(serving: Serving, accepted: str | None, language: str, begins: str) -> None:
    """The detail and each fault are in the language that the caller prefers of the two."""
    headers, problem = await _asked(serving, BODY, accepted)

    assert problem["detail"].startswith(begins)
    assert problem["errors"][0]["message"].startswith(begins)
    assert headers["Content-Language"] == language
    assert "Accept-Language" in headers["Vary"]


async def test_what_an_answer_rests_on(serving: Serving) -> None:
    """Sources and assumptions are in the language of the caller; the tariff is the same."""
    _, ours = await _asked(serving, KNOWN, None)
    _, theirs = await _asked(serving, KNOWN, "en")

    assert theirs["tariff"] == ours["tariff"]
    assert "bandeiras tarifárias" in {one["what"] for one in ours["sources"]}
    assert {"bandeiras", "how Light prints its bills"} <= {one["what"] for one in theirs["sources"]}
    assert len(theirs["assumptions"]) == len(ours["assumptions"])


async def test_doubts_about_a_printed_bill(serving: Serving) -> None:
    """What does not add up is said in the language of the caller."""
    body = {"text": "Consumo kWh 200 0,95 190,00"}
    async with serving(make_core(plugins=Plugins.installed())) as client:
        english_ = {"Accept-Language": "en"}
        ours = await (await client.post("/v1/brazil/bills/read", json=body)).json()
        answer = await client.post("/v1/brazil/bills/read", json=body, headers=english_)
        theirs = await answer.json()

    assert "as datas de leitura não foram encontradas" in ours["doubts"]
    assert "the days of the reads were not found" in theirs["doubts"]
    assert len(ours["doubts"]) == len(theirs["doubts"])


async def test_other_routes_are_left_alone(serving: Serving) -> None:
    """What is not of the kit says nothing of languages."""
    async with serving(make_core(plugins=Plugins.installed())) as client:
        answer = await client.get("/v1/sites", headers={"Accept-Language": "pt"})

    assert "Content-Language" not in answer.headers
