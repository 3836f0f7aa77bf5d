"""Every text of the console is said in Portuguese, too, and nothing else is."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from energia_plugins import console
from energia_plugins.console.words import words

FOLDER = Path(console.__file__).parent
#: One text, or two: of one thing and of several; and where in a call they are.
Text = str | tuple[str, ...]
#: What takes texts in Python, and how many.
_TAKERS = {"text": 1, "marked": 1, "count": 2}
_FIELD = re.compile(r"%\((\w+)\)s")


@cache
def said() -> dict[Text, set[str]]:
    """Return every text of templates and pages, with where it is said."""
    found: dict[Text, set[str]] = defaultdict(set)
    options = {"extensions": "jinja2.ext.i18n", "silent": "false"}
    for path in FOLDER.glob("**/templates/*.html"):
        with path.open("rb") as file:
            for line, _, text, _ in babel_extract(file, list(DEFAULT_KEYWORDS), (), options):
                found[_one_or_several(text)].add(f"{path.name}:{line}")
    for path in FOLDER.glob("**/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (text := _of_call(node)):
                found[text].add(f"{path.name}:{node.lineno}")
    return found


def _one_or_several(text: Any) -> Text:
    """Return what a call in a template says: without what chooses, and what is filled in."""
    texts = (text,) if isinstance(text, str) else tuple(filter(None, text))
    return texts if len(texts) > 1 else texts[0]


def _of_call(node: ast.Call) -> Text | None:
    """Return what a call in Python says; None where it is none of ours."""
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in _TAKERS:
            given = [one.value for one in node.args if isinstance(one, ast.Constant)]
            texts = tuple(one for one in given[: _TAKERS[name]] if isinstance(one, str))
            if len(texts) == _TAKERS[name]:
                return texts if len(texts) > 1 else texts[0]
    return None


@cache
def translated() -> dict[Text, dict[str, Text]]:
    """Return every text that has a translation: by the file that has it."""
    found: dict[Text, dict[str, Text]] = defaultdict(dict)
    for path in sorted((FOLDER / "locale/pt-BR").glob("*.po")):
        with path.open("rb") as file:
            messages: list[Any] = list(read_po(file, locale="pt_BR"))
        for message in messages:
            if message.id:
                text = message.id if isinstance(message.id, str) else tuple(message.id)
                found[text][path.name] = message.string
    return found


def parts(text: Text) -> Iterator[str]:
    """Yield the texts of one or of several things."""
    yield from (text,) if isinstance(text, str) else text


def test_everything_is_translated() -> None:
    """No page is half in English."""
    missing = [
        (text, sorted(where))
        for text, where in said().items()
        if not all(all(parts(one)) for one in translated().get(text, {"": ""}).values())
    ]

    assert missing == []


def test_nothing_is_translated_that_is_not_said() -> None:
    """A text that is gone leaves no translation behind."""
    assert [(text, *files) for text, files in translated().items() if text not in said()] == []


def test_everything_is_translated_once() -> None:
    """Two files do not say the same text in two ways."""
    assert {text: files for text, files in translated().items() if len(files) > 1} == {}


def test_what_is_filled_in_is_the_same() -> None:
    """A translation has the fields of its text, and no other."""
    wrong = [
        text
        for text, files in translated().items()
        for one in files.values()
        if {name for part in parts(one) for name in _FIELD.findall(part)}
        != {name for part in parts(text) for name in _FIELD.findall(part)}
    ]

    assert wrong == []


@pytest.mark.parametrize("text", ["Overview", "Sign in", "There is nothing here"])
def test_the_catalogs_are_read(text: str) -> None:
    """All files of a language count."""
    assert words("pt-BR").text(text) != text
    assert words("en").text(text) == text
