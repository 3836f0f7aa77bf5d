"""Sites, and the meters at them with their channels."""

from typing import Annotated

from msgspec import Meta

from energia.billing import zones
from energia.convert import Id
from energia.core import Core
from energia.db.holds import holding
from energia.db.pool import Tenant
from energia.errors import Conflict, InUse, NotFound
from energia.metering import registry
from energia.metering.models import Meter, NewMeter, NewSite, Site
from energia.web.resources import (
    READERS,
    WRITERS,
    Cursor,
    Limit,
    MeterId,
    Page,
    SiteId,
    examples,
    page,
    place_of,
)
from energia.web.routes import Created, MergePatch, Routes

_SITE_EXAMPLES = examples("sites")
_SITE_CHANGES = {"Another name": {"name": "Casa na praia"}, "No subdivision": {"subdivision": None}}

site_routes = Routes(tag="Sites", reads=READERS, writes=WRITERS)


@site_routes.get("/v1/sites", from_replica=True)
async def list_sites(tenant: Tenant, limit: Limit = 100, cursor: Cursor = "") -> Page[Site]:
    """List the sites by id."""
    return page(
        await registry.sites(tenant, place_of(cursor), limit + 1), limit, lambda site: site.id
    )


@site_routes.post("/v1/sites", errors=(Conflict,), examples=_SITE_EXAMPLES, once="together")
async def post_site(body: NewSite, tenant: Tenant) -> Site | Created[Site]:
    """Make a site; 409 if there is another one with its id, 200 if it is the same."""
    record, created = await registry.add_site(tenant, body)
    return _site_created(record) if created else record


@site_routes.get("/v1/sites/{site}", errors=(NotFound,), holds=holding("site"))
async def get_site(site: SiteId, tenant: Tenant) -> Site:
    """Return a site."""
    return await registry.site(tenant, site)


@site_routes.put("/v1/sites/{site}", errors=(InUse,), examples=_SITE_EXAMPLES)
async def put_site(site: SiteId, body: NewSite, tenant: Tenant) -> Site | Created[Site]:
    """Make a site or replace it; 409 if bills are issued and its time zone would change."""
    record, created = await zones.put_site(tenant, site, body)
    return _site_created(record) if created else record


@site_routes.patch("/v1/sites/{site}", errors=(NotFound, InUse), examples=_SITE_CHANGES)
async def update_site(site: SiteId, body: MergePatch[NewSite], tenant: Tenant) -> Site:
    """Change what is named of a site, and leave the rest; see `PUT`."""
    new = body.onto(await registry.site(tenant, site))
    return (await zones.put_site(tenant, site, new))[0]


@site_routes.delete("/v1/sites/{site}", errors=(NotFound, InUse))
async def delete_site(site: SiteId, tenant: Tenant) -> None:
    """Delete a site; 409 if it has meters."""
    await registry.delete_site(tenant, site)


def _site_created(site: Site) -> Created[Site]:
    return Created(f"/v1/sites/{site.id}", site)


# Meters, with their channels.

OfSite = Annotated[Id, Meta(description="Only meters at this site.")]
Search = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        description="Only meters with this text in their id, name or serial number.",
    ),
]
_METER_EXAMPLES = examples("meters")

meter_routes = Routes(tag="Meters", reads=READERS, writes=WRITERS)


@meter_routes.get("/v1/meters", from_replica=True)
async def list_meters(
    tenant: Tenant,
    site: OfSite | None = None,
    search: Search | None = None,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> Page[Meter]:
    """List the meters by id."""
    meters = await registry.meters(tenant, place_of(cursor), limit + 1, site, search)
    return page(meters, limit, lambda meter: meter.id)


@meter_routes.post("/v1/meters", errors=(Conflict,), examples=_METER_EXAMPLES, once="together")
async def post_meter(body: NewMeter, core: Core, tenant: Tenant) -> Meter | Created[Meter]:
    """Make a meter; 409 if there is another one with its id, 200 if it is the same."""
    record, created = await registry.add_meter(tenant, body, core.clock.now())
    return _meter_created(record) if created else record


@meter_routes.get("/v1/meters/{meter}", errors=(NotFound,), holds=holding("meter"))
async def get_meter(meter: MeterId, tenant: Tenant) -> Meter:
    """Return a meter with its channels."""
    return await registry.meter(tenant, meter)


@meter_routes.put("/v1/meters/{meter}", errors=(InUse,), examples=_METER_EXAMPLES)
async def put_meter(
    meter: MeterId, body: NewMeter, core: Core, tenant: Tenant
) -> Meter | Created[Meter]:
    """Make a meter or replace it.

    Channels are the same by id; one that has readings cannot go, nor change its quantity,
    direction, interval or offset; one that is billed stays in its time zone (409).
    """
    record, created = await zones.put_meter(tenant, meter, body, core.clock.now())
    return _meter_created(record) if created else record


@meter_routes.patch(
    "/v1/meters/{meter}",
    errors=(NotFound, InUse),
    examples={"Another serial number": {"serial": "A-2026-17"}, "No name": {"name": None}},
)
async def update_meter(
    meter: MeterId, body: MergePatch[NewMeter], core: Core, tenant: Tenant
) -> Meter:
    """Change what is named of a meter, and leave the rest; `channels` are replaced as a whole."""
    new = body.onto(await registry.meter(tenant, meter))
    return (await zones.put_meter(tenant, meter, new, core.clock.now()))[0]


@meter_routes.delete("/v1/meters/{meter}", errors=(NotFound, InUse))
async def delete_meter(meter: MeterId, tenant: Tenant) -> None:
    """Delete a meter; 409 if it has readings or contracts."""
    await registry.delete_meter(tenant, meter)


def _meter_created(meter: Meter) -> Created[Meter]:
    return Created(f"/v1/meters/{meter.id}", meter)
