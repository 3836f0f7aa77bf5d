"""The dashboards of `config/grafana/` are whole, and ask for what there is."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from prometheus_client.parser import text_string_to_metric_families

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import PluginSelection
from tests.monitoring.dashboards import FILES, Target, panels, read, targets
from tests.serving import Serving, make_core

#: A name in an expression that is followed by its labels.
METRIC = re.compile(r"[a-z]\w*(?=\{)")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_they_are_written_alike(path: Path) -> None:
    """A change in Grafana, exported, differs from what is here by what was changed."""
    text = path.read_text(encoding="utf-8")

    assert text == json.dumps(json.loads(text), indent=2) + "\n"


def test_they_behave_alike() -> None:
    """All have the same settings and variables: time, refresh, the job to look at."""
    own = ("uid", "title", "description", "panels")
    settings = {
        json.dumps({key: value for key, value in dashboard.items() if key not in own}).replace(
            "label_values(energia_build_info, job)", "label_values(app_ready, job)"
        )
        for dashboard in read().values()
    }

    assert len(settings) == 1


@pytest.mark.parametrize("kind", ["timeseries", "stat"])
def test_panels_look_alike(kind: str) -> None:
    """All of one kind have the same size and options; values begin at 0."""
    alike = [panel for one in read().values() for panel in panels(one) if panel["type"] == kind]
    sizes = {(panel["gridPos"]["w"], panel["gridPos"]["h"]) for panel in alike}

    assert sizes == {(8, 8)}
    assert len({json.dumps(panel["options"]) for panel in alike}) == 1
    assert {panel["fieldConfig"]["defaults"]["min"] for panel in alike} == {0}


@pytest.mark.parametrize("name", read())
def test_targets_are_whole(name: str) -> None:
    """Each is about the chosen jobs, and asks for an instant where one value is shown."""
    for panel in panels(read()[name]):
        letters = [target["refId"] for target in panel["targets"]]
        assert letters == [chr(ord("A") + number) for number in range(len(letters))]
        for target in panel["targets"]:
            asks_once = panel["type"] == "stat"
            assert (target["instant"], target["range"]) == (asks_once, not asks_once)
            assert target["datasource"] == panel["datasource"]
            for labels in re.findall(r"\{([^}]*)\}", target["expr"]):
                assert 'job=~"$job"' in labels


@pytest.mark.parametrize("name", read())
def test_they_can_be_provisioned(name: str) -> None:
    """The classic model, with a fixed id and a data source to choose, and no inputs."""
    dashboard = read()[name]
    variables = {one["name"]: one for one in dashboard["templating"]["list"]}

    assert (dashboard["uid"], dashboard["id"]) == (f"energia-{name}", None)
    assert "__inputs" not in dashboard
    assert variables["datasource"]["type"] == "datasource"
    assert {source["uid"] for source in _sources(dashboard)} == {"${datasource}"}


def _sources(part: object) -> Iterator[dict[str, str]]:
    """Yield every data source that is named in a part of a dashboard, at any depth."""
    if isinstance(part, list):
        for item in part:
            yield from _sources(item)
    elif isinstance(part, dict):
        if isinstance(part.get("datasource"), dict):
            yield part["datasource"]
        for item in part.values():
            yield from _sources(item)


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
