"""The probe of the work in the background: the core's own, and that of plugins."""

import time

import attrs

from energia.core import Core
from energia.health.probes import Criticality, Observed


@attrs.frozen
class BackgroundProbe:
    """Whether work in the background has failed in the last minutes; it was begun again."""

    name: str = "background"
    criticality: Criticality = "degraded"
    measurement: str = "failures"

    def active(self, core: Core) -> bool:
        """Return whether any work has failed since the service has started."""
        return core.background.failures.total() > 0

    async def check(self, core: Core) -> Observed:
        """Return how often work has failed, with a warning that names what failed of late."""
        now, recent = time.monotonic(), core.background.recent()
        told = (f"{name} {now - it.at:.0f} s ago: {it.error}" for name, it in recent.items())
        return Observed(core.background.failures.total(), "failures", "; ".join(told) or None)
