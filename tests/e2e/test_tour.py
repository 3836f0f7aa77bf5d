"""The tour of the README, executed as written."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.service import environment

README = (Path(__file__).parents[2] / "README.md").read_text()
TOUR = README.partition("## A tour")[2].partition("\n## ")[0]
STEPS: list[tuple[str, str | None]] = [
    (command, answer or None)
    for command, answer in re.findall(r"```sh\n(.*?)```\n(?:\n```json\n(.*?)```)?", TOUR, re.DOTALL)
]


async def run(commands: list[str], url: str) -> list[str]:
    """Run all commands in one shell and return what each printed."""
    script = "\nprintf '\\036'\n".join(commands)
    process = await asyncio.create_subprocess_exec(
        *("sh", "-eu", "-c", script),
        env=environment(ENERGIA=url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode().split("\036")


def has(answer: Any, shown: Any) -> bool:
    """Whether *answer* has all that is *shown* of it."""
    if isinstance(shown, dict):
        return all(key in answer and has(answer[key], value) for key, value in shown.items())
    if isinstance(shown, list):
        return len(answer) == len(shown) and all(map(has, answer, shown))
    return bool(answer == shown)


@pytest.mark.needs("curl")
async def test_the_tour_works_as_written(url: str) -> None:
    """Every command of the tour works, and answers what the README shows."""
    printed = await run([command for command, _ in STEPS], url)

    assert len(STEPS) == 14
    for (command, shown), text in zip(STEPS[1:], printed[1:], strict=True):
        answer = json.loads(text)
        assert has(answer, json.loads(shown or "{}")), text
        assert ("errors" in answer) == ("422" in (shown or "")), command
