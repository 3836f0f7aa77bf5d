"""The pages of the documentation: titles, what each is for, links, anchors, blocks of code."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
#: The folders of the four kinds of documentation (Diataxis), in the order of the site.
SECTIONS: Final = ("tutorial", "how-to", "reference", "explanation")
#: What the name of a page in Portuguese ends with.
PORTUGUESE: Final = ".pt-BR.md"

_FENCE: Final = re.compile(
    r"^(?P<mark>`{3,})(?P<language>[^\n]*)\n(?P<text>.*?)^(?P=mark)$", re.M | re.S
)
_LINK: Final = re.compile(
    r"!?\[(?P<label>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^()\s]+(?:\([^)]*\))?)\)"
)
_HEADING: Final = re.compile(r"^(?P<level>#+) +(?P<text>.+)$", re.MULTILINE)
_HTML_ID: Final = re.compile(r"""\b(?:id|name)=["']([^"']+)["']""")


@attrs.frozen
class Block:
    """A block of code.

    Attributes:
        language: What is behind the fence: a language, and perhaps more words.
        text: The code.
        line: The line of the fence, from 1.

    """

    language: str
    text: str
    line: int


@attrs.frozen
class Page:
    """A page, wherever it is in the repository."""

    path: Path

    @property
    def name(self) -> str:
        """Its path in the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """All of it but blocks of code."""
        return _FENCE.sub("", self.text)

    @property
    def title(self) -> str:
        """Its first heading."""
        return self.text.partition("\n")[0].removeprefix("# ")

    @property
    def purpose(self) -> str:
        """The line that says whom it is for, and what; empty without one."""
        third = "\n".join(self.text.splitlines()[2:3])
        return third.strip("*") if re.fullmatch(r"\*[^*].*[^*]\*", third) else ""

    @property
    def links(self) -> list[str]:
        """Where its links lead, pictures included."""
        without_code = re.sub(r"`[^`\n]*`", lambda code: "`" * len(code[0]), self.prose)
        return [match["target"] for match in _LINK.finditer(without_code)]

    @property
    def headings(self) -> list[str]:
        """Its headings."""
        return [match["text"].strip() for match in _HEADING.finditer(self.prose)]

    @property
    def anchors(self) -> set[str]:
        """What a link may lead to within it."""
        counts: dict[str, int] = {}
        found = set(_HTML_ID.findall(self.prose))
        for heading in self.headings:
            slug = slug_of(heading)
            number = counts[slug] = counts.get(slug, -1) + 1
            found.add(f"{slug}-{number}" if number else slug)
        return found

    @property
    def blocks(self) -> list[Block]:
        """Its blocks of code."""
        text = self.text
        return [
            Block(match["language"].strip(), match["text"], text.count("\n", 0, match.start()) + 1)
            for match in _FENCE.finditer(text)
        ]


def slug_of(heading: str) -> str:
    """Return the anchor of a heading, as GitHub and the site make it."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    plain = re.sub(r"[*`]", "", plain).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def documentation() -> list[Page]:
    """Return the pages of the documentation."""
    return [Page(path) for path in sorted(DOCS.rglob("*.md"))]


def everywhere() -> Iterator[Page]:
    """Yield all pages: those of the documentation, and those that stand beside code."""
    yield from (Page(path) for path in sorted(ROOT.glob("*.md")))
    yield from documentation()
    for folder in ("plugins", "examples", "config"):
        yield from (Page(path) for path in sorted((ROOT / folder).rglob("*.md")))
