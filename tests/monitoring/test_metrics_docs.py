"""`docs/how-to/metrics.md` lists the metrics that there are."""

import re
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import PluginSelection
from tests.imports import ROOT
from tests.serving import Serving, make_core

ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([\w, ]*?) ?\|", re.MULTILINE)
#: What comes with the client library.
OTHERS = ("process_", "python_")
#: What there is with a replica of the database alone; its own tests see it.
OF_REPLICA = "db_replica_"


async def test_the_table_is_true(pool: Pool, serving: Serving) -> None:
    """Its rows are the metrics of the service with their types, and name every label they have."""
    documented = {
        name: type_ for name, type_, _ in ROW.findall(text()) if not name.startswith(OF_REPLICA)
    }
    labels = {name: set(filter(None, found.split(", "))) for name, _, found in ROW.findall(text())}
    settings: dict[str, dict[str, Any]] = {"bill-webhook": {"url": "http://127.0.0.1:1/"}}
    plugins = Plugins.installed(PluginSelection(settings=settings))
    async with serving(make_core(plugins=plugins, pool=pool)) as client:
        (await client.get("/v1/sites/none")).release()
        async with client.get("/metrics") as answer:
            families = list(text_string_to_metric_families(await answer.text()))
    measured = {
        family.name + ("_total" if family.type == "counter" else ""): family
        for family in families
        if not family.name.startswith(OTHERS)
    }

    assert {name: family.type for name, family in measured.items()} == documented
    for name, family in measured.items():
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == labels[name]


def text() -> str:
    """Return the page."""
    return (ROOT / "docs/how-to/metrics.md").read_text(encoding="utf-8")
