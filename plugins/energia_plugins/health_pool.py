"""Health: whether requests find a database connection; asks nothing of the database."""

from energia import ComponentType, Core, Criticality, Observed, Probe, hookimpl


class PoolHealth:
    """The plugin, which is also its probe: it warns while requests wait for a connection."""

    name = "pool"
    criticality: Criticality = "degraded"
    measurement = "utilization"
    component_type: ComponentType = "datastore"

    def __init__(self) -> None:
        self._timeouts = 0

    @hookimpl
    def register_probes(self) -> list[Probe]:
        """Offer the probe."""
        return [self]

    async def check(self, core: Core) -> Observed:
        """Return how much is in use, with a warning if somebody waits, or waited in vain."""
        stats = core.pool.stats
        in_vain, self._timeouts = stats.timeouts - self._timeouts, stats.timeouts
        complaints = []
        if stats.waiting:
            complaints.append(f"{stats.waiting} wait for one of {stats.limit} connections")
        if in_vain:
            complaints.append(f"{in_vain} waited in vain since the last check")
        used = round(100 * stats.used / stats.limit)
        return Observed(used, "percent", "; ".join(complaints) or None)
