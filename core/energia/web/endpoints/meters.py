"""Meters, with their channels."""

from energia.billing import places
from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import Conflict, InUse, NotFound
from energia.metering import registry
from energia.metering.models import Meter, NewMeter
from energia.web.examples import examples
from energia.web.ids import MeterId
from energia.web.pages import Cursor, Limit, Page, page
from energia.web.routes import Created, Routes

_EXAMPLES = examples("meters")

routes = Routes(tag="Meters")


@routes.get("/v1/meters")
async def list_meters(tenant: Tenant, limit: Limit = 100, cursor: Cursor = "") -> Page[Meter]:
    """List the meters by id."""
    return page(await registry.meters(tenant, cursor, limit + 1), limit, lambda meter: meter.id)


@routes.post("/v1/meters", errors=(Conflict,), examples=_EXAMPLES)
async def post_meter(body: NewMeter, core: Core, tenant: Tenant) -> Created[Meter]:
    """Make a meter; 409 if there is one with its id."""
    return _created(await registry.add_meter(tenant, body, core.clock.now()))


@routes.get("/v1/meters/{meter}", errors=(NotFound,))
async def get_meter(meter: MeterId, tenant: Tenant) -> Meter:
    """Return a meter with its channels."""
    return await registry.meter(tenant, meter)


@routes.put("/v1/meters/{meter}", errors=(InUse,), examples=_EXAMPLES)
async def put_meter(
    meter: MeterId, body: NewMeter, core: Core, tenant: Tenant
) -> Meter | Created[Meter]:
    """Make a meter or replace it.

    Channels are the same by id; one that has readings cannot go, nor change its quantity,
    direction, interval or offset; one that is billed stays in its time zone (409).
    """
    made, created = await places.put_meter(tenant, meter, body, core.clock.now())
    return _created(made) if created else made


@routes.delete("/v1/meters/{meter}", errors=(NotFound, InUse))
async def delete_meter(meter: MeterId, tenant: Tenant) -> None:
    """Delete a meter; 409 if it has readings."""
    await registry.delete_meter(tenant, meter)


def _created(meter: Meter) -> Created[Meter]:
    return Created(f"/v1/meters/{meter.id}", meter)
