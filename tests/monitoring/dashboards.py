"""The dashboards as they are committed."""

import json
from typing import Any

import attrs

from tests.imports import ROOT

FILES = sorted((ROOT / "config/grafana/dashboards").glob("*.json"))
#: What Grafana puts in the place of variables: production's job, but where previews are shown.
VARIABLES = {"$__rate_interval": "10s", "$job": "energia"}


@attrs.frozen
class Target:
    """An expression of a panel."""

    dashboard: str
    panel: str
    expression: str

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.panel}: {self.expression}"


def read() -> dict[str, Any]:
    """Return the dashboards, by the names of their files."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FILES}


def panels(dashboard: Any) -> list[Any]:
    """Return the panels of a dashboard that show something."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def targets() -> list[Target]:
    """Return all expressions, with values for the variables."""
    return [
        Target(name, panel["title"], filled(target["expr"], name))
        for name, dashboard in read().items()
        for panel in panels(dashboard)
        for target in panel["targets"]
    ]


def filled(expression: str, dashboard: str) -> str:
    """Return an expression as Grafana sends it."""
    variables = VARIABLES | ({"$job": ".+"} if dashboard == "previews" else {})
    for name, value in variables.items():
        expression = expression.replace(name, value)
    return expression
