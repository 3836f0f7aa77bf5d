"""The examples of the pages about some kinds are true."""

import json
import re
from pathlib import Path

import pytest

from energia.plugins import Plugins
from tests.core.pricing.asking import ask
from tests.serving import make_core, serving

PAGES = Path(__file__).parents[2] / "docs" / "charges"


@pytest.mark.parametrize(
    "kind", ["adjustment.calendar", "energy.dynamic", "event", "percent", "table", "tax"]
)
async def test_the_example_costs_what_the_page_says(kind: str) -> None:
    """Each line with what the page has of it, and the total."""
    blocks = re.findall(r"```json (\w+)\n(.*?)```", (PAGES / f"{kind}.md").read_text(), re.DOTALL)
    given = {name: json.loads(text) for name, text in blocks}
    async with serving(make_core(plugins=Plugins.installed())) as client:
        status, cost = await ask(client, "POST", "/v1/costs", given["request"])

    assert status == 200, cost
    expected = given["answer"]
    assert cost["total"] == expected["total"]
    assert [
        {name: line.get(name) for name in wanted}
        for line, wanted in zip(cost["lines"], expected["lines"], strict=True)
    ] == expected["lines"]
