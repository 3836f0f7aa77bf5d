"""The page of `export`: its examples are priced as it says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from energia.plugins import Plugins
from tests.core.pricing.asking import ask
from tests.serving import make_core, serving

PAGE = (Path(__file__).parents[3] / "docs" / "charges" / "export.md").read_text()
BLOCKS = re.findall(r"^```json (request|answer)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PAIRS = [
    (json.loads(body), json.loads(answer))
    for (_, body), (_, answer) in zip(BLOCKS[::2], BLOCKS[1::2], strict=True)
]


@pytest.mark.parametrize(("body", "answer"), PAIRS)
async def test_an_example_is_priced_as_the_page_says(
    body: dict[str, Any], answer: dict[str, Any]
) -> None:
    """The total, and every line in its order."""
    async with serving(make_core(plugins=Plugins.installed(hook="register_charges"))) as client:
        status, cost = await ask(client, "POST", "/v1/costs", body)

    assert status == 200, cost
    assert cost["total"] == answer["total"]
    lines = [
        {name: line[name] for name in shown}
        for line, shown in zip(cost["lines"], answer["lines"], strict=True)
    ]
    assert lines == answer["lines"]
