"""Whose data a request sees."""

import attrs
from aiohttp import web

from energia.db.connection import Connection
from energia.db.pool import Limits, Tenant
from energia.db.shards import Shards
from energia.errors import DatabaseAway
from energia.web.keys import CALLER, CORE, REQUEST_ID


@attrs.frozen
class _Away:
    """Has no connections until the database has been reached and migrated."""

    phase: str
    limit: float = 0.0
    shards: Shards = attrs.field(factory=Shards)

    async def take(self) -> Connection:
        """Refuse."""
        raise DatabaseAway(f"the service is {self.phase}")

    def give(self, connection: Connection) -> None:
        """Take nothing back: nothing was taken."""


def tenant_of(request: web.Request) -> Tenant:
    """Return the database as the organization of the caller sees it, within the caller's limits.

    Before the database is migrated every statement raises `DatabaseAway`; what needs none works.
    """
    core, caller = request.app[CORE], request[CALLER]
    if core.state.usable:
        limits = Limits(caller.id, caller.sites, caller.meters) if caller.limited else None
        return core.pool.tenant(
            caller.organization, caller.id, limits, name=caller.name, request=request[REQUEST_ID]
        )
    return Tenant(_Away(core.state.phase), caller.organization, caller.id)
