"""Whose data a request sees, and from which server: the primary, or a replica of it.

A route that may be answered from a replica says so (`Route.from_replica`). Its answers say where
they were read: `Energia-Read-From: replica;age=0.004`, or `primary`. The age is in seconds: all
that was committed before is in the answer. A client may ask for less than `database.replica_age`:
`Cache-Control: no-cache` for all that was committed when the request came, whoever wrote it and
through whichever process; `max-age=2` for all but the last two seconds.
"""

import re
from typing import Final

import attrs
from aiohttp import web

from energia.db.connection import Connection
from energia.db.copies import Copies
from energia.db.pool import Limits, Tenant
from energia.db.shards import Shards
from energia.errors import DatabaseAway, EnergiaError
from energia.web.keys import CALLER, CORE, READ_FROM, REQUEST_ID

_PRIMARY: Final = "primary"
_MAX_AGE: Final = re.compile(r"max-age\s*=\s*\"?(\d{1,9})\"?")


@attrs.frozen
class _Away:
    """Has no connections until the database has been reached and migrated."""

    phase: str
    limit: float = 0.0
    shards: Shards = attrs.field(factory=Shards)
    copies: Copies = attrs.field(factory=lambda: Copies(0))

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


async def on_replica(request: web.Request, tenant: Tenant) -> Tenant | None:
    """Return *tenant* as the replica has it, if that may answer a request; else None."""
    core = request.app[CORE]
    replica = core.replica
    if replica is None or not core.state.usable:
        return None
    request[READ_FROM] = _PRIMARY
    if not await replica.may_answer(_age(request)):
        return None
    request[READ_FROM] = f"replica;age={replica.behind:.3f}"
    return tenant.by(replica.pool)


def replica_failed(request: web.Request, error: EnergiaError) -> None:
    """Note that the replica has failed a request, which the primary answers then."""
    replica = request.app[CORE].replica
    request[READ_FROM] = _PRIMARY
    if replica is not None and type(error) is DatabaseAway:
        replica.fail(error.detail)


def _age(request: web.Request) -> float | None:
    """Return how many seconds old an answer may be, if the client says so (RFC 9111, 5.2.1)."""
    stated = ",".join(request.headers.getall("Cache-Control", [])).lower().split(",")
    ages = [float(match[1]) for each in stated if (match := _MAX_AGE.fullmatch(each.strip()))]
    return min([*ages, *(0.0 for each in stated if each.strip() == "no-cache")], default=None)
