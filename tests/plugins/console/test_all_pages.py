"""Every page of the console, with the data of two customers."""

import re
from pathlib import Path

import pytest

from tests.imports import ROOT
from tests.plugins.console.browser import chromium
from tests.plugins.console.screenshots import (
    CHOSEN,
    EXAMPLES,
    SMALL,
    pages,
    paths_of,
    service_of_customers,
    show,
)


def test_every_page_can_be_filled_in() -> None:
    """A part of a path has an example, so no page is left out of the pictures."""
    parts = {part for path in pages() for part in re.findall(r"\{(\w+)\}", path)}

    assert parts - EXAMPLES.keys() == set()
    assert {one.path for one in CHOSEN} <= set(pages())


@pytest.mark.parametrize("name", [one.name for one in CHOSEN])
def test_the_pictures_of_the_documentation(name: str) -> None:
    """They are there, and small."""
    picture = ROOT / "docs/pictures" / f"{name}.png"

    assert 5_000 < picture.stat().st_size <= SMALL


@pytest.mark.long
@pytest.mark.needs("chromium")
@pytest.mark.parametrize("language", ["en", "pt-BR"])
async def test_everybody_can_use_every_page(language: str, tmp_path: Path) -> None:
    """On a phone none is too wide; axe finds nothing; nothing is asked of others, or fails."""
    async with service_of_customers() as shown, chromium() as browser:
        paths = await paths_of(browser, shown, "")
        faults = await show(browser, shown, tmp_path, language, paths, [360], ["dark"])

    assert faults == []
    assert len(list(tmp_path.iterdir())) == len(pages())
