"""The audit log: who changed what."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from energia.audit.entries import Action, Entry, Filter, Place, Resource, entries
from energia.db.pool import Tenant
from energia.web.resources import Cursor, Limit, Page, page, place_of
from energia.web.routes import Routes

OfResource = Annotated[Resource, Meta(description="Only changes of this kind of thing.")]
OfId = Annotated[
    str, Meta(max_length=300, description="Only changes of things with this id.", examples=["casa"])
]
OfCaller = Annotated[
    str,
    Meta(
        max_length=300,
        description="Only changes that this caller has made.",
        examples=["command:root"],
    ),
]
OfAction = Annotated[Action, Meta(description="Only changes of this kind.")]
Start = Annotated[datetime, Meta(description="Only changes at this instant or later.")]
End = Annotated[datetime, Meta(description="Only changes before this instant.")]

# For `admin` alone, as all routes are that state no scope.
routes = Routes(tag="Service")


@routes.get("/v1/audit")
async def list_audit_entries(
    tenant: Tenant,
    resource: OfResource | None = None,
    id: OfId | None = None,
    caller: OfCaller | None = None,
    action: OfAction | None = None,
    start: Start | None = None,
    end: End | None = None,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> Page[Entry]:
    """List who changed what, the newest first: before and after.

    Tariffs, contracts, bills (issued, corrected, deleted), sites, meters, lists of holidays, price
    series, tokens and organizations are watched. Entries are kept for `audit.retention`.
    """
    wanted = Filter(resource, id, caller, action, start, end)
    before = Place.read(place_of(cursor)) if cursor else None
    found = await entries(tenant, wanted, before, limit + 1)
    return page(found, limit, lambda entry: str(Place.of(entry)))
