"""What is measured of previews."""

from collections.abc import Iterable

import attrs
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from energia.previews.removal import REASONS
from energia_plugins.preview_github.reaper import Counts

STANDINGS = ("open", "closed", "expired", "foreign")


@attrs.frozen(eq=False)
class PreviewCollector(Collector):
    """The counts of the reaper; in a service without a reaper there are none."""

    counts: Counts

    def describe(self) -> Iterable[Metric]:
        """Return the metrics without values."""
        return _metrics()

    def collect(self) -> Iterable[Metric]:
        """Return the metrics."""
        previews, reaped, failures = _metrics()
        if self.counts.standings is not None:
            for standing in STANDINGS if self.counts.is_current else ():
                previews.add_metric([standing], self.counts.standings[standing])
            for reason in REASONS:
                reaped.add_metric([reason], self.counts.reaped[reason])
            failures.add_metric([], self.counts.failures)
        return (previews, reaped, failures)


def _metrics() -> tuple[GaugeMetricFamily, CounterMetricFamily, CounterMetricFamily]:
    return (
        GaugeMetricFamily(
            "energia_previews", "Databases of previews, by how they stand.", labels=["state"]
        ),
        CounterMetricFamily(
            "energia_previews_reaped", "Databases of previews dropped.", labels=["reason"]
        ),
        CounterMetricFamily(
            "energia_preview_drop_failures", "Databases of previews that could not be dropped."
        ),
    )
