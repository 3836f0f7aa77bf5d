"""Exemplars: for each bucket of a histogram a trace that fell into it, where traces are recorded.

OpenMetrics has them; the older text format, which has no place for them, leaves them out.
"""

import attrs
from prometheus_client import Histogram

from energia import tracing


def exemplar() -> dict[str, str] | None:
    """Return the labels of the present span, if its trace can be looked up."""
    ids = tracing.ids()
    if ids is None or not ids.is_sampled:
        return None
    return {"trace_id": ids.trace_id, "span_id": ids.span_id}


@attrs.frozen
class Exemplified:
    """A histogram that keeps the present span with what it observes."""

    histogram: Histogram

    def observe(self, seconds: float, /) -> None:
        """Note how long something took."""
        self.histogram.observe(seconds, exemplar())
