"""The probe of the replica of the database."""

import attrs

from energia.core import Core
from energia.health.probes import ComponentType, Criticality, Observed


@attrs.frozen
class ReplicaProbe:
    """Whether the replica can be read, and for how long it may be behind."""

    name: str = "replica"
    criticality: Criticality = "degraded"
    measurement: str = "lag"
    component_type: ComponentType = "datastore"

    def active(self, core: Core) -> bool:
        """Return whether the service has a replica."""
        return core.replica is not None

    async def check(self, core: Core) -> Observed:
        """Return for how many seconds it may be behind, with a warning where it is not read."""
        replica = core.replica
        assert replica is not None
        await replica.check()
        if replica.fault is not None:
            return Observed(0.0, "s", f"it is not read: {replica.fault}")
        slow = replica.behind > max(replica.age, 2 * core.settings.health.period)
        warning = f"it is {replica.behind:.1f} s behind: the primary answers" if slow else None
        return Observed(round(replica.behind, 3), "s", warning)
