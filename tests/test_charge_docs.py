"""The pages of charges are true: a page for each kind of charge, with examples that are priced."""

import json
import re
from collections.abc import AsyncIterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast

import attrs
import pytest

from energia.plugins import Plugins
from tests.serving import Client, Serving, make_core

PAGES = Path(__file__).parents[1] / "docs/reference/charges"
BLOCK = re.compile(r"```json (request|answer)\n(.*?)```", re.DOTALL)


def tariffs() -> Plugins:
    """Return the bundled plugins that offer charges."""
    found = [one for one in entry_points(group="energia") if one.name.startswith("tariff-")]
    return Plugins.of(**{one.name.replace("-", "_"): one.load() for one in found})


def examples() -> list[Any]:
    """Return the requests of all pages, each with the answer that follows it."""
    found = []
    for page in sorted(PAGES.glob("*.md")):
        blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
        kinds, texts = [kind for kind, _ in blocks], [text for _, text in blocks]
        assert kinds == ["request", "answer"] * (len(blocks) // 2), page.name
        for at, (sent, answer) in enumerate(zip(texts[::2], texts[1::2], strict=True), 1):
            found.append(pytest.param(sent, answer, id=f"{page.stem}-{at}"))
    return found


def part_of(answer: Any, expected: Any) -> Any:
    """Return what of *answer* the page tells."""
    if isinstance(expected, dict):
        return {name: part_of(answer.get(name), value) for name, value in expected.items()}
    if isinstance(expected, list) and isinstance(answer, list) and len(expected) == len(answer):
        return [part_of(one, value) for one, value in zip(answer, expected, strict=True)]
    return answer


@pytest.fixture(scope="module")
def kinds() -> dict[str, type]:
    """Give the bundled kinds of charge."""
    return dict(Plugins.installed().charges())


@pytest.fixture
async def client(serving: Serving) -> AsyncIterator[Client]:
    """Give a client of a service whose database is away."""
    async with serving(make_core(plugins=tariffs())) as client:
        yield client


def test_every_kind_has_a_page(kinds: dict[str, type]) -> None:
    """What a tariff may use is described, and nothing else is."""
    assert {page.stem for page in PAGES.glob("*.md")} - {"README"} == set(kinds)


def test_a_page_names_every_field(kinds: dict[str, type]) -> None:
    """A field that is not on the page of its kind cannot be found by a user."""
    common = {"code", "description", "channel", "tags"}
    missing = {
        f"{kind}: {field.name}"
        for kind, class_ in kinds.items()
        for field in attrs.fields(cast("type[attrs.AttrsInstance]", class_))
        if field.name not in common
        and f"`{field.name.rstrip('_')}" not in (PAGES / f"{kind}.md").read_text(encoding="utf-8")
    }

    assert not missing


def test_every_page_has_an_example(kinds: dict[str, type]) -> None:
    """A request that can be sent as it is shows each kind at work."""
    for kind in kinds:
        assert f'"kind": "{kind}"' in (PAGES / f"{kind}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("request_", "answer"), examples())
async def test_an_example_gives_what_its_page_says(
    client: Client, request_: str, answer: str
) -> None:
    """The request of a page costs what the page says, line by line."""
    async with client.post("/v1/costs", json=json.loads(request_)) as got:
        found = await got.json()

    assert (got.status, part_of(found, json.loads(answer))) == (200, json.loads(answer)), found
