"""Whose data a request sees."""

import attrs

from energia.core import Core
from energia.db.connection import Connection
from energia.db.pool import Tenant
from energia.errors import DatabaseAway


@attrs.frozen
class _Away:
    """Has no connections until the database has been reached and migrated."""

    phase: str
    limit: float = 0.0

    async def take(self) -> Connection:
        """Refuse."""
        raise DatabaseAway(f"the service is {self.phase}")

    def give(self, connection: Connection) -> None:
        """Take nothing back: nothing was taken."""


def tenant_of(core: Core) -> Tenant:
    """Return the database as the implicit organization sees it.

    Before the database is migrated every statement raises `DatabaseAway`; what needs none works.
    """
    if core.state.usable:
        return core.pool.tenant()
    return Tenant(_Away(core.state.phase), 1)
