"""The reference for authors is what the docstrings say, and its examples run."""

import doctest
from pathlib import Path

import pytest

from tests.plugins.test_public_names import documented
from tests.reference import FOLDER, PAGES, names, pages


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_up_to_date(page: str) -> None:
    """`python -m tests.reference` draws it anew."""
    path = FOLDER / f"{page}.md"

    assert path.read_text(encoding="utf-8") == pages()[path]


@pytest.mark.parametrize("page", PAGES)
def test_the_example_of_a_page_runs(page: str) -> None:
    """It gives what it says; nothing of it is left out."""
    path = FOLDER / f"{page}.md"
    by_hand = path.read_text(encoding="utf-8").partition("<!-- reference")[0]
    test = doctest.DocTestParser().get_doctest(by_hand, {"__name__": page}, page, str(path), 0)
    told: list[str] = []

    results = doctest.DocTestRunner(verbose=False).run(test, out=told.append)

    assert results.attempted > 3
    assert not results.failed, "".join(told)


def test_every_public_name_is_told_of_once() -> None:
    """On the page of its subject."""
    told = [one for page in names().values() for one in page]
    public = {(module, name) for module, names in documented().items() for name in names}
    # What `energia` has of a module that is told of as a whole is told of there.
    whole = {name for module, name in told if module != "energia"}

    assert len(told) == len(set(told))
    assert set(told) <= public
    assert {(module, name) for module, name in public - set(told) if name not in whole} == {
        ("energia.convert.scalars", "Unfit")  # told of as one of `energia`
    }


def test_the_index_names_every_page() -> None:
    """Nobody has to know that it is there."""
    text = Path(FOLDER / "README.md").read_text(encoding="utf-8")

    assert all(f"({page}.md)" in text for page in PAGES)
