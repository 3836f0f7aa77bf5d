"""Health: whether the schema is the one that this release knows."""

from energia import ComponentType, Core, Criticality, Observed, Probe, hookimpl
from energia.db.connect import address
from energia.db.migrate import CORE_MIGRATIONS, pending


class MigrationsHealth:
    """The plugin, which is also its probe.

    After a roll-back an older release runs on a newer schema: that works, and is a warning. What a
    plugin has left that is switched off is not a complaint.
    """

    name = "migrations"
    criticality: Criticality = "degraded"
    measurement = "unapplied"
    component_type: ComponentType = "datastore"
    #: It opens a connection of its own, so it asks seldom: a schema does not change often.
    period: float = 60.0

    @hookimpl
    def register_probes(self) -> list[Probe]:
        """Offer the probe."""
        return [self]

    async def check(self, core: Core) -> Observed:
        """Return how many migrations are pending, with a warning if they and ours differ."""
        folders = {**CORE_MIGRATIONS, **core.plugins.migrations()}
        schema = await pending(address(core.settings.database), folders)
        complaints = [f"pending: {migration}" for migration in schema.pending]
        complaints += [
            f"unknown to this release: {migration}"
            for migration in schema.unknown
            if migration.partition(" ")[0] in folders
        ]
        return Observed(len(schema.pending), "migrations", "; ".join(complaints) or None)
