"""What is measured of readings, prices and bills: what the observers' hooks bring."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, get_args

import attrs
from prometheus_client import Counter, Histogram
from prometheus_client.registry import Collector

from energia.costing.timing import Operation
from energia.metering.outcome import OUTCOMES
from energia_plugins.metrics_prometheus.exemplars import exemplar
from energia_plugins.metrics_prometheus.requests import Few

if TYPE_CHECKING:
    from energia import (
        BillIssued,
        PriceFeed,
        PricesFetched,
        PricingFinished,
        ReadingsRejected,
        ReadingsStored,
    )

#: From one day of a meter to a run over many contracts, in seconds.
WORK_BUCKETS: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1, 2.5, 5, 10, 60, 300),
)


class Energy:
    """The metrics of the energy that this service works on; one method for each event."""

    def __init__(self) -> None:
        self._readings = Counter(
            "energia_readings", "Readings received, by outcome.", ["outcome"],
            registry=None,
        )  # fmt: skip
        self._rejected = Counter(
            "energia_readings_rejected",
            "Faults of readings that were refused, by code; an unreadable body counts once.",
            ["reason"],
            registry=None,
        )
        self._bills = Counter(
            "energia_bills_issued", "Bills issued.", ["currency", "correction"], registry=None
        )
        self._pricing = Histogram(
            "energia_pricing_duration_seconds",
            "How long it took to price: a cost, a comparison, the bills of a transaction, a run.",
            ["operation"],
            buckets=WORK_BUCKETS,
            registry=None,
        )
        self._fetches = Counter(
            "energia_price_feed_fetches",
            "How often a price feed was asked, by outcome.",
            ["feed", "outcome"],
            registry=None,
        )
        self._reasons = Few()
        # A rise from nothing to 1 is none to Prometheus: what labels there can be, there are.
        for outcome in OUTCOMES:
            self._readings.labels(outcome)
        for operation in get_args(Operation):
            self._pricing.labels(operation)

    def expect(self, feeds: "Iterable[PriceFeed]") -> None:
        """Have the series of the price feeds that there are, before they are asked."""
        from energia.pricing.market.feeds import Fetched

        for feed in feeds:
            for outcome in get_args(Fetched):
                self._fetches.labels(feed.name, outcome)

    def collectors(self) -> list[Collector]:
        """Return what is measured."""
        return [self._readings, self._rejected, self._bills, self._pricing, self._fetches]

    def stored(self, event: "ReadingsStored") -> None:
        """Count readings."""
        for outcome, count in attrs.asdict(event.counts).items():
            if outcome != "received":
                self._readings.labels(outcome).inc(count)

    def rejected(self, event: "ReadingsRejected") -> None:
        """Count faults."""
        for reason, count in event.reasons.items():
            self._rejected.labels(self._reasons.of(reason)).inc(count)

    def issued(self, event: "BillIssued") -> None:
        """Count bills."""
        corrections, others = (self._bills.labels(event.currency, is_) for is_ in ("true", "false"))
        (corrections if event.corrects else others).inc()

    def fetched(self, event: "PricesFetched") -> None:
        """Count fetches of price feeds, which are as many as the configuration has."""
        self._fetches.labels(event.feed, event.outcome).inc()

    def priced(self, event: "PricingFinished") -> None:
        """Time a pricing."""
        self._pricing.labels(event.operation).observe(event.seconds, exemplar())
