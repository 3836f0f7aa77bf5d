"""Counters are there before they count: a rise from nothing to 1 is none to Prometheus."""

from types import SimpleNamespace
from typing import Any, Final, cast

from prometheus_client.parser import text_string_to_metric_families

from energia import BillIssued
from energia.db.pool import Pool
from energia.hookspecs import hookimpl
from energia.metering.outcome import OUTCOMES
from energia.plugins import Plugins
from energia.settings import PluginSelection
from energia_plugins.metrics_prometheus import Metrics
from energia_plugins.metrics_prometheus.energy import Energy
from tests.serving import Serving, make_core

#: What is counted by labels of which nobody knows beforehand what they will be: routes with their
#: answers, codes of faults, currencies; and what there is only with feeds, sources, or previews.
UNKNOWN: Final = {
    "http_exceptions",
    "http_request_duration_seconds",
    "energia_price_feed_fetches",
    "energia_readings_rejected",
    "energia_bills_issued",
    "energia_source_readings",
    "energia_source_failures",
    "energia_previews_reaped",
    "energia_preview_drop_failures",
}
FEEDS: Final[dict[str, dict[str, Any]]] = {
    "price-feed-file": {
        "feeds": {"spot": {"series": "spot", "path": "none.csv", "currency": "EUR"}}
    }
}


class Deaf:
    """A plugin that hears of readings, and fails."""

    @hookimpl
    def readings_stored(self) -> None:
        """Hear of nothing."""


async def families(serving: Serving, plugins: Plugins, pool: Pool) -> dict[str, dict[str, float]]:
    """Return the values of a service that has only just started: by metric, and by labels."""
    async with (
        serving(make_core(plugins=plugins, pool=pool)) as client,
        client.get("/metrics") as answer,
    ):
        text = await answer.text()
    return {
        family.name: {
            ",".join(sample.labels.values()): sample.value
            for sample in family.samples
            if not sample.name.endswith("_bucket")
        }
        for family in text_string_to_metric_families(text)
        if family.type in ("counter", "histogram")
    }


async def test_every_counter_is_there_from_the_start(serving: Serving, pool: Pool) -> None:
    """With all of its labels, where it is known what they can be."""
    found = await families(serving, Plugins.installed(PluginSelection()), pool)

    assert {name for name, values in found.items() if not values} == UNKNOWN & found.keys()
    assert len(found) > 10


async def test_the_labels_that_there_can_be_are_there(serving: Serving, pool: Pool) -> None:
    """Outcomes, operations, codes, and what plugins are told of: all of them, at 0."""
    plugins = Plugins.of(metrics_prometheus=Metrics, deaf=Deaf)
    found = await families(serving, plugins, pool)

    assert found["energia_readings"] == dict.fromkeys(OUTCOMES, 0)
    assert found["energia_pricing_duration_seconds"].keys() == {"cost", "compare", "bill", "run"}
    assert {"in_use", "unique_violation"} <= found["energia_conflicts"].keys()
    assert found["energia_observer_failures"]["readings_stored,deaf"] == 0
    assert found["energia_background_failures"]["metrics-loop"] == 0
    assert set(found["energia_conflicts"].values()) == {0}


async def test_feeds_are_there_before_they_are_asked(serving: Serving, pool: Pool) -> None:
    """Each with its three outcomes."""
    selection = PluginSelection(enabled=("metrics-*", "price-feed-file"), settings=FEEDS)
    found = await families(serving, Plugins.installed(selection), pool)

    assert {f"spot,{outcome}" for outcome in ("stored", "unchanged", "failed")} <= found[
        "energia_price_feed_fetches"
    ].keys()


def test_a_currency_brings_both_kinds_of_bills() -> None:
    """So that its first correction is a rise."""
    energy = Energy()
    energy.issued(cast(BillIssued, SimpleNamespace(currency="EUR", corrects=None)))
    (bills,) = (
        metric
        for collector in energy.collectors()
        for metric in collector.collect()
        if metric.name == "energia_bills_issued"
    )
    counts = {
        sample.labels["correction"]: sample.value
        for sample in bills.samples
        if sample.name.endswith("_total")
    }

    assert counts == {"false": 1, "true": 0}
