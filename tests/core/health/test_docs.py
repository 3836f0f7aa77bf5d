"""`docs/reference/health.md` is true: every check, state and setting is in it, as it is."""

import re
from typing import get_args

import attrs
import pytest

from energia.health.monitor import StateName
from energia.plugins import Plugins
from energia.settings import Health, Server
from energia.web.job_probe import JobProbe
from energia.web.replica_probe import ReplicaProbe
from energia.web.webhook_probe import WebhookProbe
from tests.imports import ROOT

DOCS = (ROOT / "docs/reference/health.md").read_text(encoding="utf-8")


def rows(of: str) -> dict[str, list[str]]:
    """Return the cells of the rows of tables whose first cell is code that matches, by that."""
    found = re.findall(rf"^\| `({of})` \| (.*?) \|$", DOCS, re.MULTILINE)
    return {name: [cell.strip(" `") for cell in rest.split("|")] for name, rest in found}


def test_checks() -> None:
    """Every bundled probe is described, under its key and with its kind."""
    probes = [*Plugins.installed().probes(), JobProbe(), WebhookProbe(), ReplicaProbe()]
    known = {
        f"{probe.name}:{getattr(probe, 'measurement', 'responseTime')}": probe.criticality
        for probe in probes
        if type(probe).__module__.startswith(("energia_plugins.", "energia.web."))
    }

    assert {key: cells[0] for key, cells in rows(r"[\w-]+:\w+").items()} == known


def test_states() -> None:
    """Every state is described."""
    assert list(rows("[a-z]+")) == list(get_args(StateName))


@pytest.mark.parametrize(
    ("section", "names"),
    [
        (Health(), {field.name for field in attrs.fields(Health)}),
        (Server(), {"drain_ready", "drain", "shutdown_timeout", "stop_grace"}),
    ],
)
def test_settings(section: Health | Server, names: set[str]) -> None:
    """Every setting is described with its default."""
    prefix = type(section).__name__.lower()
    described = {
        name.partition(".")[2]: cells[0] for name, cells in rows(rf"{prefix}\.\w+").items()
    }

    assert set(described) == names
    for name, default in described.items():
        value = getattr(section, name)
        assert default == (f"{value:g}" if isinstance(value, float) else "")
