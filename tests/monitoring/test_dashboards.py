"""The dashboards of `config/grafana/` are whole, and ask for what there is."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from prometheus_client.parser import text_string_to_metric_families

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import PluginSelection
from tests.monitoring.dashboards import FOLDER, Target, panels, read, targets
from tests.serving import Serving, make_core

#: A name in an expression that is followed by its labels.
METRIC = re.compile(r"[a-z]\w*(?=\{)")


def test_they_are_what_the_script_writes(tmp_path: Path) -> None:
    """Whoever changes one changes the script."""
    subprocess.run([sys.executable, FOLDER / "generate.py", tmp_path], check=True)
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}

    assert written == {p.name: p.read_text() for p in (FOLDER / "dashboards").iterdir()}


@pytest.mark.parametrize("name", read())
def test_they_can_be_provisioned(name: str) -> None:
    """The classic model, with a fixed id and a data source to choose, and no inputs."""
    dashboard = read()[name]
    variables = {one["name"]: one for one in dashboard["templating"]["list"]}

    assert (dashboard["uid"], dashboard["id"]) == (f"energia-{name}", None)
    assert "__inputs" not in dashboard
    assert variables["datasource"]["type"] == "datasource"
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in panels(dashboard))


@pytest.mark.parametrize("name", read())
def test_panels_are_whole(name: str) -> None:
    """Each has an id of its own, a description, a unit and a place that no other one covers."""
    dashboard = read()[name]
    covered = [
        (x, y)
        for panel in dashboard["panels"]
        for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]

    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    assert len(covered) == len(set(covered))
    assert max(x for x, _ in covered) < 24
    for panel in panels(dashboard):
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert len({target["legendFormat"] for target in panel["targets"]}) == len(panel["targets"])


@pytest.mark.parametrize("target", targets(), ids=str)
def test_expressions_parse(target: Target) -> None:
    """Each is PromQL, is about all containers together, and invents no value."""
    promql_parser.parse(target.expression)

    assert "vector(" not in target.expression
    assert "by (instance" not in target.expression


async def test_every_metric_exists(pool: Pool, serving: Serving) -> None:
    """The service measures each metric that a dashboard names."""
    settings: dict[str, dict[str, Any]] = {"bill-webhook": {"url": "http://127.0.0.1:1/"}}
    plugins = Plugins.installed(PluginSelection(settings=settings))
    async with (
        serving(make_core(plugins=plugins, pool=pool)) as client,
        client.get("/metrics") as answer,
    ):
        text = await answer.text()
    known = set[str]()
    for family in text_string_to_metric_families(text):
        total = family.name + "_total" if family.type == "counter" else family.name
        known |= {total, *(f"{family.name}_{part}" for part in ("bucket", "count", "sum", "info"))}
    named = {name for target in targets() for name in METRIC.findall(target.expression)}

    assert named - known == set()
