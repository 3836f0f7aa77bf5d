"""Health: whether the schema is the one that this release knows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from energia import Core, Criticality, Observed, Probe, hookimpl
from energia.db.connect import address
from energia.db.migrate import CORE_MIGRATIONS, pending
from energia.health.probes import ComponentType


class MigrationsHealth:
    """The plugin, which is also its probe.

    After a roll-back an older release runs on a newer schema: that works, and is a warning. What a
    plugin has left that is switched off is none.
    """

    name = "migrations"
    criticality: Criticality = "degraded"
    measurement = "unapplied"
    component_type: ComponentType = "datastore"
    #: It opens a connection of its own, so it asks seldom: a schema does not change often.
    period: float = 60.0

    def __init__(self) -> None:
        self._core: Core | None = None

    @property
    def active(self) -> bool:
        """Whether the database is known: the service has started."""
        return self._core is not None

    @hookimpl
    def register_probes(self) -> list[Probe]:
        """Return the probe."""
        return [self]

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, core: Core) -> AsyncIterator[None]:
        """Look at the service's database."""
        self._core = core
        yield
        self._core = None

    async def check(self) -> Observed | None:
        """Return how many migrations are pending, with a warning if they and ours differ."""
        if self._core is None:
            return None
        folders = {**CORE_MIGRATIONS, **self._core.plugins.migrations()}
        found = await pending(address(self._core.settings.database), folders)
        newer = [one for one in found.unknown if one.partition(" ")[0] in folders]
        complaints = [f"pending: {one}" for one in found.pending]
        complaints += [f"unknown to this release: {one}" for one in newer]
        return Observed(len(found.pending), "migrations", "; ".join(complaints) or None)
