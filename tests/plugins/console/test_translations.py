"""Every text of the console is said in Portuguese, too, and nothing else is."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

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
    for path in FOLDER.glob("**/templates/*.html"):
        for text in _of_template(path.read_text(encoding="utf-8")):
            found[text].add(path.name)
    for path in FOLDER.glob("**/*.py"):
        for text in _of_module(ast.parse(path.read_text(encoding="utf-8"))):
            found[text].add(path.name)
    return found


def _of_template(source: str) -> Iterator[Text]:
    """Yield what a template says: by `_`, `trans`, and by words of its own, as `w.count`."""
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    for _, _, said in environment.extract_translations(source):  # type: ignore[attr-defined]
        texts = (said,) if isinstance(said, str) else tuple(filter(None, said))
        yield texts if len(texts) > 1 else texts[0]
    for call in environment.parse(source).find_all(nodes.Call):
        if isinstance(call.node, nodes.Getattr) and call.node.attr in _TAKERS:
            given = [one.value for one in call.args if isinstance(one, nodes.Const)]
            yield from _text_of(given, _TAKERS[call.node.attr])


def _of_module(module: ast.Module) -> Iterator[Text]:
    """Yield what a module says, or keeps for later: `marked`, or a pair that begins so."""
    pairs = set[ast.AST]()
    for node in ast.walk(module):
        match node:
            case ast.Tuple(elts=[ast.Call() as first, ast.Constant(value=str(several))]):
                if _name(first) == "marked":
                    pairs.add(first)
                    yield from ((one, several) for one in _texts(first, 1))
            case ast.Call() if node not in pairs and (name := _name(node)) in _TAKERS:
                yield from _texts(node, _TAKERS[name])


def _name(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _texts(call: ast.Call, count: int) -> Iterator[Any]:
    given = [one.value for one in call.args if isinstance(one, ast.Constant)]
    yield from _text_of(given, count)


def _text_of(given: Sequence[object], count: int) -> Iterator[Text]:
    texts = tuple(one for one in given[:count] if isinstance(one, str))
    if len(texts) == count:
        yield texts if count > 1 else texts[0]


@cache
def translated() -> dict[Text, dict[str, Text]]:
    """Return every text that has a translation: by the file that has it."""
    found: dict[Text, dict[str, Text]] = defaultdict(dict)
    for path in sorted((FOLDER / "locale/pt-BR").glob("*.po")):
        with path.open("rb") as file:
            messages: list[Any] = list(read_po(file, locale="pt_BR"))
        for message in messages:
            if message.id and not message.context:  # codes have one: see test_faults
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


def test_everything_is_said_in_one_way() -> None:
    """Two files that translate the same text say the same."""
    ways = {text: files for text, files in translated().items() if len({*files.values()}) > 1}

    assert ways == {}


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
