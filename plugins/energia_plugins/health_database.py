"""Health: whether the database answers."""

import attrs

from energia import ComponentType, Core, Criticality, Probe, hookimpl


@attrs.frozen
class DatabaseProbe:
    """Asks the database for an answer, beside the connections that requests may have exhausted."""

    name: str = "database"
    criticality: Criticality = "critical"
    component_type: ComponentType = "datastore"

    async def check(self, core: Core) -> None:
        """Return if the database answers; raises `DatabaseAway`."""
        await core.pool.ping()


@hookimpl
def register_probes() -> list[Probe]:
    """Offer the probe."""
    return [DatabaseProbe()]
