"""Health: whether requests find a database connection; asks nothing of the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from energia import Core, Criticality, Observed, Probe, hookimpl
from energia.health.probes import ComponentType

if TYPE_CHECKING:
    from energia.db.pool import PoolStats


class PoolHealth:
    """The plugin, which is also its probe: it warns while requests wait for a connection."""

    name = "pool"
    criticality: Criticality = "degraded"
    measurement = "utilization"
    component_type: ComponentType = "datastore"

    def __init__(self) -> None:
        self._stats: PoolStats | None = None
        self._timeouts = 0

    @property
    def active(self) -> bool:
        """Whether there are connections to look at: the service has started."""
        return self._stats is not None

    @hookimpl
    def register_probes(self) -> list[Probe]:
        """Return the probe."""
        return [self]

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, core: Core) -> AsyncIterator[None]:
        """Look at the service's pool."""
        self._stats = core.pool.stats
        yield
        self._stats = None

    async def check(self) -> Observed | None:
        """Return how much is in use, with a warning if somebody waits, or waited in vain."""
        stats = self._stats
        if stats is None:
            return None
        in_vain, self._timeouts = stats.timeouts - self._timeouts, stats.timeouts
        complaints = []
        if stats.waiting:
            complaints.append(f"{stats.waiting} wait for one of {stats.limit} connections")
        if in_vain:
            complaints.append(f"{in_vain} waited in vain since the last check")
        used = round(100 * stats.used / stats.limit)
        return Observed(used, "percent", "; ".join(complaints) or None)
