"""The rules and alerts of `config/prometheus/`, judged by Prometheus's own tool."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from energia.db.pool import Pool
from energia.plugins import Plugins
from tests.imports import ROOT
from tests.serving import Serving, make_core

FOLDER = ROOT / "config" / "prometheus"
TESTS = sorted((FOLDER / "tests").glob("*.yml"))


def read(path: Path) -> Any:
    """Return what a YAML file holds."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def alerts() -> dict[str, dict[str, Any]]:
    """Return the alerts by name."""
    rules = [rule for group in read(FOLDER / "alerts.yml")["groups"] for rule in group["rules"]]
    return {rule["alert"]: rule for rule in rules}


def promtool(*arguments: str, text: str | None = None) -> str:
    """Run promtool, which must find nothing wrong, and return what it says."""
    command = ["promtool", *arguments]
    done = subprocess.run(
        command, cwd=FOLDER, input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.needs("promtool")
def test_rules_are_clean() -> None:
    """No rule is doubtful."""
    assert "FAILED" not in promtool("check", "rules", "--lint=all", "rules.yml", "alerts.yml")


@pytest.mark.needs("promtool")
def test_the_configuration_is_one() -> None:
    """The example for Coolify is a configuration of Prometheus."""
    promtool("check", "config", "--syntax-only", "prometheus.yml")


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should(path: Path) -> None:
    """The cases of `config/prometheus/tests/` come out as they say."""
    assert "SUCCESS" in promtool("test", "rules", f"tests/{path.name}")


def test_every_alert_has_cases() -> None:
    """Each alert is seen to fire, and not to."""
    checks = [
        (check["alertname"], bool(check["exp_alerts"]))
        for path in TESTS
        for test in read(path)["tests"]
        for check in test["alert_rule_test"]
    ]

    assert set(checks) == {(name, fires) for name in alerts() for fires in (True, False)}


def test_every_alert_says_what_to_do() -> None:
    """The runbook of each is a heading of docs/how-to/metrics.md; each is a page or a ticket."""
    headings = re.findall(
        r"^### (\w+)$", (ROOT / "docs/how-to/metrics.md").read_text(), re.MULTILINE
    )

    assert headings == list(alerts())
    for name, alert in alerts().items():
        assert alert["annotations"]["runbook"] == f"docs/how-to/metrics.md#{name.lower()}"
        assert alert["labels"]["severity"] in ("page", "ticket")


def test_alerts_bear_deploys_and_restarts() -> None:
    """Each is about all containers together, and counters are read by `rate` alone."""
    for path in ("rules.yml", "alerts.yml"):
        for group in read(FOLDER / path)["groups"]:
            for rule in group["rules"]:
                assert "instance" not in rule["expr"]
                for counter in re.finditer(r"\w+_(?:total|count|bucket|sum)\b", rule["expr"]):
                    assert "rate(" in rule["expr"][: counter.start()]


@pytest.mark.needs("promtool")
async def test_metrics_are_well_named(pool: Pool, serving: Serving) -> None:
    """Prometheus's linter has nothing to say about `/metrics`."""
    async with serving(make_core(plugins=Plugins.installed(), pool=pool)) as client:
        (await client.get("/v1/sites/none")).release()
        async with client.get("/metrics") as answer:
            text = await answer.text()
    said = promtool("check", "metrics", text=text)

    assert said == ""
