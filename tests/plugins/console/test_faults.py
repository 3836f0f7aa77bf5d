"""What the API says is wrong is said in Portuguese, too: each code has a meaning."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

from energia.errors import Conflict, Fault, Invalid
from energia_plugins import console
from energia_plugins.console import faults
from energia_plugins.console.faults import Meaning, meant, of_error, refused, said
from energia_plugins.console.forms import Form
from energia_plugins.console.words import words
from tests.imports import ROOT, modules

EN, PT = words("en"), words("pt-BR")
#: These cannot be met on a page: they end the process when it begins, or are of its settings.
_OF_SETTINGS = {
    *(
        "default_secret",
        "grace_too_long",
        "no_database",
        "no_folder",
        "no_pull_request",
        "not_a_preview",
    ),
    *("not_a_pull_request", "not_toml", "open_to_all", "reaper_busy", "repository_not_allowed"),
    *("stop_too_slow", "ttl_too_short", "two_pull_requests", "two_variables", "unknown_map"),
    *("unknown_place", "unknown_plugin", "unknown_preset", "unknown_profile", "unknown_register"),
    *("unknown_variable", "unreadable_file"),
}


@cache
def meanings() -> dict[str, str]:
    """Return what codes mean in Portuguese."""
    path = Path(console.__file__).parent / "locale/pt-BR/faults.po"
    with path.open("rb") as file:
        messages: list[Any] = [one for one in read_po(file, locale="pt_BR") if one.id]
    assert {one.context for one in messages} == {"fault"}
    return {one.id: one.string for one in messages}


def _sources(*, brazil: bool) -> str:
    """Return all sources of the core and of plugins, or those of the kit for Brazil."""
    found = (
        path.read_text(encoding="utf-8")
        for package in ("energia", "energia_plugins")
        for name, path in modules(package).items()
        if ("tariff_brazil" in name) is brazil
    )
    return "\n".join(found)


def _documented() -> set[str]:
    """Return the codes of the reference, which is drawn from the sources."""
    text = (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8")
    return set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))


def test_every_code_has_a_meaning() -> None:
    """Whatever the API refuses, a page in Portuguese says it in Portuguese.

    What only the kit for Brazil says is Portuguese already.
    """
    core = _sources(brazil=False)
    wanted = {code for code in _documented() if f'"{code}"' in core}

    assert wanted - meanings().keys() - faults._SAID.keys() - _OF_SETTINGS == set()


def test_no_meaning_is_left_over() -> None:
    """What no source says has no meaning, and what is said in both languages has one only."""
    sources = _sources(brazil=False)
    gone = {code for code in meanings() if f'"{code}"' not in sources}

    assert gone - faults._LIMITS.keys() == set()
    assert meanings().keys() & faults._SAID.keys() == set()


def test_meanings_are_sentences() -> None:
    """They begin with a capital or a number, end with a point, and fill in what is known."""
    for code, text in meanings().items():
        assert re.fullmatch(r"[A-ZÀ-Ý%].*[^.]\.", text), code
        assert set(re.findall(r"%\((\w+)\)s", text)) <= {"first", "last", "bound"}, code
        assert "!" not in text, code


@pytest.mark.parametrize(
    ("code", "message", "portuguese"),
    [
        ("not_a_number", "not a number", "Isto não é um número."),
        ("out_of_range", "must be at least 0.5", "Deve ser pelo menos 0,5."),
        ("too_long", "must have at most 1000 characters", None),
        (
            "unknown_channel",
            "the meter 'casa' has no channel of 'export'",
            "O medidor não tem este canal (casa, export).",
        ),
        (
            "too_many_lines",
            "with this charge a bill has at least 70 lines, more than limits.lines (1000)",
            "A conta teria linhas demais: no máximo 1.000.",
        ),
        (
            "missing_as_zero",
            "1200 missing slots of import count 0",
            "Intervalos sem leitura contam como 0: 1.200.",
        ),
        (
            "incomplete_usage",
            "import: no reading from 2026-03-04 to 2026-03-05T12:00:00-03:00",
            "Faltam leituras no período (4 mar. 2026, 5 mar. 2026, 12:00).",
        ),
        ("of_a_plugin", "it is 'so'", "It is 'so'."),
    ],
)
def test_what_is_said(code: str, message: str, portuguese: str | None) -> None:
    """The names and numbers of a message are in what it means; a plugin's own code has its own."""
    expected = portuguese or "Deve ter no máximo 1.000 caracteres ou itens."

    assert said(PT, code, message).replace("\N{NO-BREAK SPACE}", " ") == expected


def test_english_is_the_api_s() -> None:
    """A page in English says what the API says, which is more exact, as a sentence."""
    assert meant(EN, "unknown_channel", "the meter has no channel 'x'") is None
    assert said(EN, "unknown_channel", "the meter has no channel 'x'") == (
        "The meter has no channel 'x'."
    )


def test_a_number_that_is_not_there() -> None:
    """Where a message lacks what the meaning fills in, the message itself is shown."""
    assert said(PT, "too_many_groups", "there are more groups") == "There are more groups."


def test_both_languages_by_a_click() -> None:
    """The words of the API stay at hand where they are not those of the page."""
    fault = {"code": "off_grid", "message": "'08:07' is not on the grid of PT15M"}

    told = Meaning.of(PT, fault)

    assert told.text == "A hora não é o começo de um intervalo do canal (08:07)."
    assert told.original == "'08:07' is not on the grid of PT15M."
    assert not Meaning.of(EN, fault).original


def test_errors_without_faults() -> None:
    """A conflict, or an error that is about no field, is said at the head of the form."""
    error = Conflict("the site 'casa' has meters")
    error.code = "in_use"  # type: ignore[misc]

    assert of_error(PT, error) == "Ainda há coisas que dependem disto: apague-as antes (casa)."
    assert (
        of_error(PT, Invalid("the year is odd")) == "O que foi enviado não serve: the year is odd."
    )
    assert of_error(PT, Invalid.of("off_grid", "it is off")) == (
        "A hora não é o começo de um intervalo do canal."
    )


def test_faults_at_their_fields() -> None:
    """Each is at the field that it points to, at the nearest one above it, or at the head."""
    form = Form({"/name": "x", "/channels/0": "", "/zone": "Mars"})
    wrong = [
        Fault("unfit", "is too short", "/name"),
        Fault("unfit", "is odd", "/name"),
        Fault("unfit", "is no word", "/channels/0/unit"),
        Fault("unfit", "is missing", "/owner"),
        Fault("unfit", "does not fit"),
    ]

    told = refused(EN, form, Invalid("two things", wrong))

    assert told.values == form.values
    assert told.faults == {
        "/name": "Is too short. Is odd.",
        "/channels/0": "Is no word.",
        "": "Is missing. Does not fit.",
    }


def test_a_refusal_without_faults() -> None:
    """Is said at the head of the form."""
    assert refused(EN, Form(), Invalid("the window is odd")).faults == {"": "The window is odd."}
    assert refused(EN, Form(), Invalid()).faults == {"": "The request does not fit."}
