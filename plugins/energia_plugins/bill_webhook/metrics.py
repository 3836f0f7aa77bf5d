"""What is measured of the deliveries of bills."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Deliveries(Collector):
    """How many bills wait for their receiver, and when it last took one.

    Attributes:
        waiting: Bills that are to be sent, and are neither taken nor given up.
        succeeded: When the receiver last took one from this process, in seconds since 1970; 0
            before the first.

    """

    def __init__(self) -> None:
        self.waiting = 0
        self.succeeded = 0.0

    def collect(self) -> Iterator[Metric]:
        """Yield both."""
        yield GaugeMetricFamily(
            "energia_bill_webhook_waiting", "Bills that the receiver has not taken.", self.waiting
        )
        yield GaugeMetricFamily(
            "energia_bill_webhook_last_success_timestamp_seconds",
            "When the receiver last took a bill from this process; 0 before the first.",
            self.succeeded,
        )
