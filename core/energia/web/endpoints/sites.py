"""Sites: where meters are."""

from energia.billing import places
from energia.db.pool import Tenant
from energia.errors import Conflict, InUse, NotFound
from energia.metering import registry
from energia.metering.models import NewSite, Site
from energia.web.examples import examples
from energia.web.ids import SiteId
from energia.web.pages import Cursor, Limit, Page, page
from energia.web.routes import Created, Routes

_EXAMPLES = examples("sites")

routes = Routes(tag="Sites")


@routes.get("/v1/sites")
async def list_sites(tenant: Tenant, limit: Limit = 100, cursor: Cursor = "") -> Page[Site]:
    """List the sites by id."""
    return page(await registry.sites(tenant, cursor, limit + 1), limit, lambda site: site.id)


@routes.post("/v1/sites", errors=(Conflict,), examples=_EXAMPLES)
async def post_site(body: NewSite, tenant: Tenant) -> Created[Site]:
    """Make a site; 409 if there is one with its id."""
    return _created(await registry.add_site(tenant, body))


@routes.get("/v1/sites/{site}", errors=(NotFound,))
async def get_site(site: SiteId, tenant: Tenant) -> Site:
    """Return a site."""
    return await registry.site(tenant, site)


@routes.put("/v1/sites/{site}", errors=(InUse,), examples=_EXAMPLES)
async def put_site(site: SiteId, body: NewSite, tenant: Tenant) -> Site | Created[Site]:
    """Make a site or replace it; 409 if bills are issued and its time zone would change."""
    made, created = await places.put_site(tenant, site, body)
    return _created(made) if created else made


@routes.delete("/v1/sites/{site}", errors=(NotFound, InUse))
async def delete_site(site: SiteId, tenant: Tenant) -> None:
    """Delete a site; 409 if it has meters."""
    await registry.delete_site(tenant, site)


def _created(site: Site) -> Created[Site]:
    return Created(f"/v1/sites/{site.id}", site)
