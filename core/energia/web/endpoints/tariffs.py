"""Tariffs: what energy costs, in versions by date."""

import attrs

from energia.billing.errors import VersionInUse
from energia.billing.versions import put_tariff as put
from energia.convert import Converter
from energia.db.pool import Tenant
from energia.errors import Conflict, Fault, InUse, Invalid, NotFound
from energia.metering.identifiers import new_id
from energia.pricing.holidays.store import resolved
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff
from energia.web.examples import examples
from energia.web.ids import TariffId
from energia.web.pages import Cursor, Limit, Page, page
from energia.web.routes import Created, Routes

_EXAMPLES = examples("tariffs")

routes = Routes(tag="Tariffs")


@routes.get("/v1/tariffs", errors=(Conflict,))
async def list_tariffs(
    tenant: Tenant, converter: Converter, limit: Limit = 100, cursor: Cursor = ""
) -> Page[Tariff]:
    """List the tariffs by id."""
    found = await Tariffs(tenant, converter).page(cursor, limit + 1)
    return page(found, limit, lambda tariff: str(tariff.id))


@routes.post("/v1/tariffs", errors=(Conflict,), examples=_EXAMPLES)
async def post_tariff(body: Tariff, tenant: Tenant, converter: Converter) -> Created[Tariff]:
    """Make a tariff; 409 if there is one with its id."""
    made = await resolved(tenant, attrs.evolve(body, id=body.id or new_id()))
    await Tariffs(tenant, converter).add(made)
    return _created(made)


@routes.get("/v1/tariffs/{tariff}", errors=(NotFound, Conflict))
async def get_tariff(tariff: TariffId, tenant: Tenant, converter: Converter) -> Tariff:
    """Return a tariff with its versions."""
    return await Tariffs(tenant, converter).get(tariff)


@routes.put("/v1/tariffs/{tariff}", errors=(Conflict, VersionInUse), examples=_EXAMPLES)
async def put_tariff(
    tariff: TariffId, body: Tariff, tenant: Tenant, converter: Converter
) -> Tariff | Created[Tariff]:
    """Make a tariff or replace it; versions that it does not list are removed.

    A version by which bills are issued stays as it is, but for its end, which may not be before
    theirs; so do then the currency and the time zone (409 `version_in_use`).
    """
    if body.id not in (None, tariff):
        message = f"the path says {tariff!r}"
        raise Invalid(message, [Fault("wrong_id", message, "/id")])
    made, created = await put(tenant, converter, attrs.evolve(body, id=tariff))
    return _created(made) if created else made


@routes.delete("/v1/tariffs/{tariff}", errors=(NotFound, InUse))
async def delete_tariff(tariff: TariffId, tenant: Tenant, converter: Converter) -> None:
    """Delete a tariff with its versions; 409 if contracts refer to it."""
    await Tariffs(tenant, converter).delete(tariff)


def _created(tariff: Tariff) -> Created[Tariff]:
    return Created(f"/v1/tariffs/{tariff.id}", tariff)
