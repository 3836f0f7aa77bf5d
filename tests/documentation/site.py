"""Builds the documentation as a site, in English and in Portuguese: `make docs`.

What is not translated is there in English, and says so. Pages stay as they are read on GitHub: what
a site needs besides is made here (lists of the pages of each section, links that leave the pages).
It needs Zensical and nothing else of the project: `requirements/docs.lock`.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from tests.documentation.pages import DOCS, PORTUGUESE, ROOT, SECTIONS, Page, slug_of

BUILD: Final = ROOT / "build"
_FENCE: Final = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s#]+)(#[^()\s]*)?\)")
#: What leads from a page to itself in the other language: the site has a menu for that.
_SWITCH: Final = re.compile(r" *(?:Em português|In English): \[[^\]]*\]\([^)]*\)\.")


@attrs.frozen
class Language:
    """A language of the site.

    Attributes:
        code: Its code.
        folder: Where it is in the site.
        sections: What the sections are called.
        about: What each of them has.
        links: Where both languages are, seen from its start page.
        foreign: What a page says that is not translated.

    """

    code: str
    folder: str
    sections: tuple[str, ...]
    about: tuple[str, ...]
    links: tuple[str, str]
    foreign: str = ""


ENGLISH: Final = Language(
    "en",
    "docs",
    ("Tutorial", "How-to guides", "Reference", "Explanation"),
    (
        "Lessons: begin here, and have a result at the end of each.",
        "Guides: how to reach an aim, step by step.",
        "What there is, all of it, to be looked up.",
        "Why things are as they are.",
    ),
    ("./", "./pt-BR/"),
)
BRAZILIAN: Final = Language(
    "pt-BR",
    "docs/pt-BR",
    ("Tutorial", "Guias", "Referência", "Explicação"),
    (
        "Lições: comece por aqui; cada uma chega a um resultado.",
        "Guias: como chegar a um objetivo, passo a passo.",
        "Tudo o que existe, para consulta.",
        "Por que as coisas são como são.",
    ),
    ("../", "./"),
    "Esta página ainda não foi traduzida.",
)


def prepare(language: Language, to: Path) -> Path:
    """Write the pages of a language as the site takes them, and return the configuration."""
    pages = to / f"docs-{language.code}"
    for path in sorted(DOCS.rglob("*")):
        if path.is_file() and path.suffix in (".md", ".svg", ".png"):
            _copy(path, pages, language)
    nav: list[object] = [{title(language, Page(DOCS / "index.md")): "index.md"}]
    for name, heading, about in zip(SECTIONS, language.sections, language.about, strict=True):
        listed = _pages(DOCS / name)
        nav.append({heading: [f"{name}/index.md", *map(_in_pages, _ordered(language, listed))]})
        text = _index(language, heading, about, DOCS / name, listed)
        (pages / name / "index.md").write_text(text, encoding="utf-8")
    names = (("English", "en"), ("Português", "pt-BR"))
    languages = [
        {"name": name, "lang": code, "link": link}
        for (name, code), link in zip(names, language.links, strict=True)
    ]
    configuration = to / f"docs-{language.code}.toml"
    look, table = (DOCS / "site.toml").read_text(encoding="utf-8"), "[project.theme]"
    configuration.write_text(
        "[project]\n"
        'site_name = "Energia"\n'
        f"docs_dir = {json.dumps(pages.name)}\n"
        f"site_dir = {json.dumps(language.folder)}\n"
        f"nav = {_toml(nav)}\n"
        f"extra.alternate = {_toml(languages)}\n\n"
        + look.replace(table, f"{table}\nlanguage = {json.dumps(language.code)}", 1),
        encoding="utf-8",
    )
    return configuration


def title(language: Language, page: Page) -> str:
    """Return the title of a page in a language, without marks."""
    return translated(language, page).title.replace("`", "")


def translated(language: Language, page: Page) -> Page:
    """Return a page in a language: the English one where there is no other."""
    path = page.path.with_name(page.path.stem + PORTUGUESE)
    return Page(path) if language is BRAZILIAN and path.exists() else page


def _pages(folder: Path) -> list[Page]:
    return [
        Page(path) for path in sorted(folder.rglob("*.md")) if not path.name.endswith(PORTUGUESE)
    ]


def _in_pages(page: Page) -> str:
    return page.path.relative_to(DOCS).as_posix()


def _ordered(language: Language, pages: list[Page]) -> list[Page]:
    """Return pages by their titles; the kinds of charge after all others."""
    return sorted(pages, key=lambda page: (len(page.path.parts), title(language, page).casefold()))


def _copy(path: Path, pages: Path, language: Language) -> None:
    target = pages / path.relative_to(DOCS)
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix != ".md":
        shutil.copyfile(path, target)
    elif not path.name.endswith(PORTUGUESE):
        target.write_text(adapted(Page(path), language), encoding="utf-8")


def adapted(page: Page, language: Language) -> str:
    """Return the text of a page as the site takes it."""
    own = translated(language, page)
    parts = _FENCE.split(_SWITCH.sub("", own.text))
    text = "".join(
        part if part.startswith("```") else _LINK.sub(lambda link: _led(link, page), part)
        for part in parts
    )
    if own is not page:
        text = _with_anchors(text, page)
    elif language.foreign and page.path.parent != DOCS:
        first, _, rest = text.partition("\n")
        text = f'{first}\n\n!!! note "{language.foreign}"\n\n{rest.lstrip()}'
    return text


def _led(link: re.Match[str], page: Page) -> str:
    """Return a link as it is, or what it is about where it leaves the pages."""
    mark, label, target, anchor = link.groups()
    if ":" in target or target.endswith(PORTUGUESE):
        return link[0] if ":" in target else label
    path = (page.path.parent / target).resolve()
    if path.is_relative_to(DOCS):
        name = f"{target.rstrip('/')}/README.md" if path.is_dir() else target
        return f"{mark}[{label}]({name}{anchor or ''})"
    return f"{label} (`{path.relative_to(ROOT)}`)"


def _with_anchors(text: str, page: Page) -> str:
    """Give the headings of a translation the anchors of the page that it is of."""
    anchors: Iterator[str] = map(slug_of, page.headings)
    parts = _FENCE.split(text)
    heading = re.compile(r"^(#+ .+)$", re.MULTILINE)
    return "".join(
        part
        if part.startswith("```")
        else heading.sub(lambda match: f"{match[1]} {{ #{next(anchors)} }}", part)
        for part in parts
    )


def _index(language: Language, heading: str, about: str, folder: Path, listed: list[Page]) -> str:
    """Return the list of the pages of a section, each with what it is for."""
    lines = [f"# {heading}", "", about, ""]
    for page in _ordered(language, listed):
        link = page.path.relative_to(folder).as_posix()
        own = translated(language, page)
        lines.append(f"- [{title(language, page)}]({link}): {own.purpose}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """Return a list of tables and texts as TOML in one line."""
    match value:
        case dict():
            inner = (
                f"{json.dumps(key, ensure_ascii=False)} = {_toml(one)}"
                for key, one in value.items()
            )
            return f"{{ {', '.join(inner)} }}"
        case list():
            return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def build() -> None:
    """Build both languages; a dead link, or one to no heading, ends it."""
    site = BUILD / ENGLISH.folder
    shutil.rmtree(site, ignore_errors=True)
    for language in (ENGLISH, BRAZILIAN):
        shutil.rmtree(BUILD / f"docs-{language.code}", ignore_errors=True)
        configuration = prepare(language, BUILD)
        zensical = Path(sys.executable).with_name("zensical")
        options = ("--strict", "--clean", "--config-file", str(configuration))
        subprocess.run([str(zensical), "build", *options], check=True)
    print(f"See it with python -m http.server --directory {site.relative_to(ROOT)}")


if __name__ == "__main__":
    build()
