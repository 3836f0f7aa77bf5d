"""Pages lead where they say, their code can be read, and each says what it is for."""

import ast
import doctest
import json
import re
import shlex
import tomllib
from collections.abc import Callable
from itertools import pairwise

import pytest
import yaml

from tests.documentation.pages import (
    DOCS,
    PORTUGUESE,
    ROOT,
    SECTIONS,
    Block,
    Page,
    documentation,
    everywhere,
    slug_of,
)

PAGES = documentation()
ALL = list(everywhere())


def named(page: Page) -> str:
    """Return the name of a page, for the name of a test."""
    return page.name


@pytest.mark.parametrize("page", ALL, ids=named)
def test_links_lead_somewhere(page: Page) -> None:
    """Every file that a page links to is there, and so is the heading in it."""
    dead = []
    for link in page.links:
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        path = (page.path.parent / target).resolve() if target else page.path
        is_dead = not path.exists() or not path.is_relative_to(ROOT)
        if is_dead or (anchor and path.suffix == ".md" and anchor not in Page(path).anchors):
            dead.append(link)

    assert dead == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_page_says_what_it_is_for(page: Page) -> None:
    """Below its title a line says whom it is for, and what: lists of pages show it."""
    assert page.text.startswith("# ")
    assert re.fullmatch(r"(For|Para) [^:]+: .{10,130}\.", page.purpose), page.purpose


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_page_is_of_one_kind(page: Page) -> None:
    """Tutorials, guides, reference and explanations are apart; only the start page is neither."""
    first, *rest = page.path.relative_to(DOCS).parts

    assert first in SECTIONS if rest else first.startswith("index.")


@pytest.mark.parametrize("page", [one for one in PAGES if one.name.endswith(PORTUGUESE)], ids=named)
def test_a_translation_is_of_a_page(page: Page) -> None:
    """It has as many headings, so that links to them lead to the same place."""
    english = Page(page.path.with_name(page.path.name.removesuffix(PORTUGUESE) + ".md"))

    assert len(page.headings) == len(english.headings)
    assert [one.text for one in page.blocks] == [one.text for one in english.blocks]


@pytest.mark.parametrize("page", ALL, ids=named)
def test_code_can_be_read(page: Page) -> None:
    """A block in a language is in that language: what is copied is not refused at once."""
    wrong = [
        f"line {block.line}: {error}" for block in page.blocks if (error := _unreadable(block))
    ]

    assert wrong == []


def _unreadable(block: Block) -> str | None:
    """Return what is wrong with a block of code in a language that is known."""
    readers: dict[str, Callable[[str], object]] = {
        "json": _read_json,
        "toml": tomllib.loads,
        "python": _read_python,
        "yaml": lambda text: list(yaml.safe_load_all(text)),
        "sh": _read_shell,
    }
    language = block.language.partition(" ")[0]
    try:
        readers.get(language, str)(block.text)
    except (ValueError, SyntaxError, yaml.YAMLError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def _read_json(text: str) -> None:
    """Read one document, or one on each line."""
    try:
        json.loads(text)
    except ValueError:
        for line in text.splitlines():
            json.loads(line)


def _read_python(text: str) -> None:
    """Read a module, or what is typed at a prompt."""
    if text.startswith(">>> "):
        text = "".join(one.source for one in doctest.DocTestParser().get_examples(text))
    ast.parse(text)


def _read_shell(text: str) -> None:
    """Read a script; what is sent as JSON is JSON."""
    without_files = re.sub(r"<<'END'\n.*?^END$", "", text, flags=re.DOTALL | re.MULTILINE)
    words = shlex.split(without_files, comments=True)
    for flag, word in pairwise(words):
        if flag in ("-d", "--data") and word.startswith(("{", "[")):
            json.loads(word)


def test_anchors_are_those_of_github() -> None:
    """Code, links and punctuation leave only their letters; blanks become hyphens, each."""
    assert slug_of("`register_probes() -> Iterable[Probe]`") == "register_probes---iterableprobe"
    assert slug_of("What a price may *cost*, and [why](x.md)") == "what-a-price-may-cost-and-why"
