"""The tutorial, executed as written."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from tests.documentation.pages import DOCS, Page
from tests.e2e.service import environment
from tests.e2e.test_tour import has

PAGE = Page(DOCS / "tutorial/first-bill.md")
TRANSLATION = Page(DOCS / "tutorial/first-bill.pt-BR.md")


def steps(page: Page) -> list[tuple[str, str | None]]:
    """Return the commands of a page, each with the answer that follows it."""
    found: list[tuple[str, str | None]] = []
    for block in page.blocks:
        if block.language == "sh":
            found.append((block.text, None))
        elif block.language == "json":
            found[-1] = (found[-1][0], block.text)
    return found


async def printed(commands: list[str], url: str, folder: Path) -> list[str]:
    """Run all commands in one shell, in a folder, and return what each printed."""
    process = await asyncio.create_subprocess_exec(
        *("sh", "-eu", "-c", "\nprintf '\\036'\n".join(commands)),
        cwd=folder,
        env=environment(ENERGIA=url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode().split("\036")


@pytest.mark.needs("curl")
async def test_the_tutorial_works_as_written(url: str, tmp_path: Path) -> None:
    """Every command works, and answers what the page shows."""
    commands = steps(PAGE)
    for (command, shown), text in zip(
        commands[1:], (await printed([one for one, _ in commands], url, tmp_path))[1:], strict=True
    ):
        if text.strip():
            answer = json.loads(text)
            assert has(answer, json.loads(shown or "{}")), text
            assert ("errors" in answer) == ("422" in (shown or "")), (command, text)


def test_both_languages_have_the_same_steps() -> None:
    """What a reader types and sees is the same; only the words around it differ."""
    assert steps(PAGE) == steps(TRANSLATION)
    assert len(re.findall("^## ", PAGE.text, re.MULTILINE)) == len(PAGE.headings) - 1
    assert len(PAGE.headings) == len(TRANSLATION.headings)
