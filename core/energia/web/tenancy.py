"""Whose data a request sees."""

from energia.core import Core
from energia.db.connection import Connection
from energia.db.pool import Pool, Tenant
from energia.errors import DatabaseAway
from energia.settings import Database


class _Away(Pool):
    """Refuses statements until the database has been reached and migrated."""

    def __init__(self, reason: str) -> None:
        super().__init__("dbname=away", Database())
        self._reason = reason

    async def take(self) -> Connection:
        """Refuse."""
        raise DatabaseAway(f"the service is {self._reason}")


def tenant_of(core: Core) -> Tenant:
    """Return the database as the implicit organization sees it.

    Before the database is migrated every statement raises `DatabaseAway`; what needs none works.
    """
    if core.state.usable:
        return core.pool.tenant()
    return _Away(core.state.phase).tenant()
