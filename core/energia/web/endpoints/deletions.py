"""Deletions that a law asks for: of readings, and of meters with all that is theirs."""

from datetime import date
from typing import Annotated

from msgspec import Meta

from energia.billing import deletion
from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import NotFound
from energia.metering.deletion import Deletion, deletions
from energia.time import instant_of
from energia.web.resources import (
    DELETERS,
    READERS,
    Cursor,
    Limit,
    MeterId,
    Page,
    number_of,
    page,
)
from energia.web.routes import Routes

Reason = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=500,
        pattern=r"\S",
        extra={"words": "a text that is not blank"},
        description="Why it is deleted, for who asks later; it is kept.",
        examples=["request 17 under article 17 of the GDPR"],
    ),
]
Before = Annotated[
    date,
    Meta(
        description="The first day that stays, by the site's zone: not one to come.",
        examples=["2024-01-01"],
    ),
]

routes = Routes(tag="Readings", reads=READERS, writes=DELETERS)


@routes.get("/v1/deletions")
async def list_deletions(
    tenant: Tenant, meter: MeterId | None = None, limit: Limit = 100, cursor: Cursor = ""
) -> Page[Deletion]:
    """List what was deleted for good, the oldest first; of one meter with `meter`."""
    found = await deletions(tenant, meter, number_of(cursor), limit + 1)
    return page(found, limit, lambda one: str(one.id))


@routes.delete("/v1/meters/{meter}/readings", errors=(NotFound,))
async def delete_readings(
    meter: MeterId, before: Before, reason: Reason, core: Core, tenant: Tenant
) -> Deletion:
    """Delete the readings of a meter before a day, for good, as a law asks.

    They go with all their revisions, with the drafts and the sums that were made from them, and
    with the problems of imports, which quote values. Issued bills are kept, with their lines and
    measures. Nothing undoes it, and readings of that time are not stored again (`deleted_by_law`).
    """
    return await deletion.delete_readings(
        tenant, meter, before, reason, instant_of(core.clock.now())
    )


@routes.delete("/v1/meters/{meter}/everything", errors=(NotFound,))
async def erase_meter(meter: MeterId, reason: Reason, core: Core, tenant: Tenant) -> Deletion:
    """Delete a meter with all that is its own, for good, as a law asks.

    Its readings go with their revisions, its drafts, and its contracts. Issued bills are kept, with
    their lines and measures: where there are any, the meter stays for them, without a name and
    serial, and their contracts end where the bills do. Readings of the time until now are not
    stored again (`deleted_by_law`).
    """
    return await deletion.delete_meter(tenant, meter, reason, instant_of(core.clock.now()))
