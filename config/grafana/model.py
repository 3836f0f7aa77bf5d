"""Dashboards, and the classic JSON that Grafana reads them from."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
#: The grid of Grafana is 24 wide; three panels are in a row.
WIDTH: Final = 8
HEIGHT: Final = 8


class Panel(NamedTuple):
    """A panel: its text, its unit, and its expressions after their legends."""

    title: str
    description: str
    unit: str
    targets: dict[str, str]
    kind: str = "timeseries"
    most: float | None = None


class Dashboard(NamedTuple):
    """A dashboard: rows of panels under headings."""

    uid: str
    title: str
    description: str
    jobs: str
    rows: dict[str, list[Panel]]


def document(dashboard: Dashboard) -> dict[str, Any]:
    """Return the classic JSON model of a dashboard."""
    return {
        "id": None,
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": ["energia"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": list(_variables(dashboard.jobs))},
        "annotations": {"list": []},
        "links": [],
        "panels": list(_panels(dashboard)),
    }


def _variables(jobs: str) -> Iterator[dict[str, Any]]:
    yield {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
    }
    query = f"label_values({jobs}, job)"
    yield {
        "name": "job",
        "label": "Job",
        "type": "query",
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": "job"},
        "refresh": 2,
        "sort": 1,
        "includeAll": True,
        "allValue": ".+",
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }


def _panels(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    number, y = 0, 0
    for heading, panels in dashboard.rows.items():
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": heading,
            "collapsed": False,
            "panels": [],
            "gridPos": {"x": 0, "y": y, "w": 24, "h": 1},
        }
        y += 1
        for at, panel in enumerate(panels):
            number += 1
            row, column = divmod(at, 24 // WIDTH)
            place = {"x": column * WIDTH, "y": y + row * HEIGHT, "w": WIDTH, "h": HEIGHT}
            yield {"id": number, "gridPos": place, **_panel(panel)}
        y += HEIGHT * -(-len(panels) // (24 // WIDTH))


def _panel(panel: Panel) -> dict[str, Any]:
    stat = panel.kind == "stat"
    defaults = {"unit": panel.unit, "min": 0, "max": panel.most}
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "fieldConfig": {
            "defaults": {key: value for key, value in defaults.items() if value is not None},
            "overrides": [],
        },
        "options": (
            {"reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": "value_and_name"}
            if stat
            else {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
        ),
        "targets": [
            {
                "refId": chr(ord("A") + at),
                "datasource": DATASOURCE,
                "expr": expression,
                "legendFormat": legend_of,
                "instant": stat,
                "range": not stat,
            }
            for at, (legend_of, expression) in enumerate(panel.targets.items())
        ],
    }
