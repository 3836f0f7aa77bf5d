"""Health: whether the database answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import attrs

from energia import Core, Criticality, Probe, hookimpl
from energia.errors import DatabaseAway
from energia.health.probes import ComponentType

if TYPE_CHECKING:
    from energia.db.pool import Pool


@attrs.define(eq=False)
class DatabaseProbe:
    """Asks the database for an answer, beside the connections that requests may have exhausted.

    Attributes:
        pool: The connections of the service; None before it has started.

    """

    name: str = "database"
    criticality: Criticality = "critical"
    component_type: ComponentType = "datastore"
    pool: "Pool | None" = None

    async def check(self) -> None:
        """Return if the database answers."""
        if self.pool is None:
            raise DatabaseAway("the service has not reached its database yet")
        await self.pool.ping()


@hookimpl
def register_probes() -> list[Probe]:
    """Return the probe of the database."""
    return [DatabaseProbe()]


@hookimpl
@asynccontextmanager
async def lifespan(core: Core) -> AsyncIterator[None]:
    """Let the probe use the service's pool."""
    probes = [probe for probe in core.plugins.probes() if isinstance(probe, DatabaseProbe)]
    for probe in probes:
        probe.pool = core.pool
    yield
    for probe in probes:
        probe.pool = None
