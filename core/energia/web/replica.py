"""Reads from a replica: what of a request allows it, what the answer says, and its health.

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

from energia.core import Core
from energia.db.tenant import Tenant
from energia.errors import DatabaseAway, EnergiaError
from energia.health.probes import ComponentType, Criticality, Observed
from energia.web.keys import CORE

#: Where an answer was read, as its header says it.
READ_FROM: Final = web.RequestKey("READ_FROM", str)
HEADER: Final = "Energia-Read-From"
PRIMARY: Final = "primary"
_MAX_AGE: Final = re.compile(r"max-age\s*=\s*\"?(\d{1,9})\"?")


async def reader(request: web.Request, tenant: Tenant) -> Tenant | None:
    """Return *tenant* as the replica has it, if that may answer a request; else None."""
    replica = request.app[CORE].replica
    if replica is None:
        return None
    request[READ_FROM] = PRIMARY
    if not await replica.may_answer(_age(request)):
        return None
    request[READ_FROM] = f"replica;age={replica.behind:.3f}"
    return tenant.by(replica.pool)


def failed(request: web.Request, error: EnergiaError) -> None:
    """Note that the replica has failed a request, which the primary answers then."""
    replica = request.app[CORE].replica
    request[READ_FROM] = PRIMARY
    if replica is not None and type(error) is DatabaseAway:
        replica.fail(error.detail)


def _age(request: web.Request) -> float | None:
    """Return how many seconds old an answer may be, if the client says so (RFC 9111, 5.2.1)."""
    stated = ",".join(request.headers.getall("Cache-Control", [])).lower().split(",")
    ages = [float(match[1]) for each in stated if (match := _MAX_AGE.fullmatch(each.strip()))]
    return min([*ages, *(0.0 for each in stated if each.strip() == "no-cache")], default=None)


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
