"""At a glance: every site in a line, and what needs attention at any of them."""

from typing import Annotated

from msgspec import Meta

from energia.access.callers import Caller
from energia.billing.concerns import Concern, concerns
from energia.billing.summaries import SiteSummary, Wanted, summaries
from energia.convert import Id
from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import NotFound
from energia.metering import registry
from energia.web.resources import (
    BILLERS,
    READERS,
    Cursor,
    Limit,
    Page,
    SiteId,
    cursor_of,
    number_of,
    page,
    place_of,
)
from energia.web.routes import Routes

OfSite = Annotated[Id, Meta(description="Only what is about this site, its meters and contracts.")]
Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        description="Only sites with this in their name or id, in capitals or not.",
        examples=["casa"],
    ),
]

routes = Routes(tag="Sites", reads=(*READERS, *BILLERS))


@routes.get("/v1/site-summaries", from_replica=True)
async def list_site_summaries(
    core: Core,
    tenant: Tenant,
    caller: Caller,
    name: Name | None = None,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> Page[SiteSummary]:
    """List the sites by id, each with what it has used this month and its newest issued bill.

    What the caller may not read is null.
    """
    async with tenant.snapshot() as queries:
        wanted = Wanted(place_of(cursor), limit + 1, name)
        found = await summaries(core, queries, caller, wanted)
    return page(found, limit, lambda summary: summary.site)


@routes.get("/v1/sites/{site}/summary", errors=(NotFound,), from_replica=True)
async def get_site_summary(site: SiteId, core: Core, tenant: Tenant, caller: Caller) -> SiteSummary:
    """Return a site with what it has used this month and its newest issued bill.

    What the caller may not read is null.
    """
    async with tenant.snapshot() as queries:
        await registry.site(queries, site)
        (found,) = await summaries(core, queries, caller, Wanted(site=site))
    return found


@routes.get("/v1/concerns")
async def list_concerns(
    core: Core,
    tenant: Tenant,
    caller: Caller,
    site: OfSite | None = None,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> Page[Concern]:
    """List what needs attention: readings that are missing, prices, bills and contracts.

    It is worked out anew each time. Of all sites together only the newest issued bill of each
    contract is looked at; those of a `site` for two years, and then without prices, which are of
    no site. `GET /v1/bills?affected=true` prices what has changed. What the caller may not read is
    not listed.
    """
    first = number_of(cursor)
    async with tenant.snapshot() as queries:
        found = await concerns(core, queries, caller, None if site is None else [site])
    more = len(found) > first + limit
    items = tuple(found[first : first + limit])
    return Page(items, cursor_of(str(first + limit)) if more else None)
