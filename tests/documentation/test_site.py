"""What the site is made from; `make docs` builds it, and CI too."""

import tomllib
from pathlib import Path

from tests.documentation.pages import DOCS, PORTUGUESE, Page, documentation
from tests.documentation.site import BRAZILIAN, ENGLISH, adapted, prepare


def test_every_page_is_in_the_menu(tmp_path: Path) -> None:
    """None can be forgotten, in either language."""
    wanted = {
        page.path.relative_to(DOCS).as_posix()
        for page in documentation()
        if not page.name.endswith(PORTUGUESE)
    }
    for language in (ENGLISH, BRAZILIAN):
        made = tomllib.loads(prepare(language, tmp_path).read_text(encoding="utf-8"))
        tables = [entry for table in made["project"]["nav"] for entry in table.values()]
        listed = {
            name for entry in tables for name in ([entry] if isinstance(entry, str) else entry)
        }
        pages = tmp_path / made["project"]["docs_dir"]

        assert listed >= wanted
        assert all((pages / name).is_file() for name in listed)
        assert made["project"]["theme"]["language"] == language.code
        assert not list(pages.rglob(f"*{PORTUGUESE}"))


def test_what_is_not_translated_says_so() -> None:
    """A page in English among Portuguese ones has a note; a translation has none."""
    note, page = BRAZILIAN.foreign, Page(DOCS / "how-to/access.md")

    assert note in adapted(page, BRAZILIAN)
    assert note not in adapted(page, ENGLISH)
    assert note not in adapted(Page(DOCS / "how-to/deploy-coolify.md"), BRAZILIAN)


def test_links_that_leave_the_pages_name_the_file() -> None:
    """A site has no code beside it: the reader is told where in the repository it is."""
    text = adapted(Page(DOCS / "how-to/plugins.md"), ENGLISH)

    assert "](../../examples/" not in text
    assert "(`examples/energia-peak-shaving`)" in text


def test_a_translation_has_the_anchors_of_its_page() -> None:
    """A link to a heading in English leads to the same heading in Portuguese."""
    text = adapted(Page(DOCS / "tutorial/first-bill.md"), BRAZILIAN)

    assert "## 6. Uma correção { #6-a-correction }" in text
