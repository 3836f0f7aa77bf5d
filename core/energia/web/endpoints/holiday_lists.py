"""Lists of holidays, which tariffs name."""

from typing import Annotated

import attrs
from msgspec import Meta

from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import Conflict, Fault, InUse, Invalid, NotFound
from energia.metering.identifiers import new_id
from energia.pricing.holidays.models import HolidayList
from energia.pricing.holidays.store import HolidayLists
from energia.web.examples import examples
from energia.web.ids import HolidayListId
from energia.web.pages import Cursor, Limit, Page, page
from energia.web.routes import Created, Routes

OneVersion = Annotated[
    int | None, Meta(ge=1, le=999_999_999, description="Which version; the newest without.")
]
_EXAMPLES = examples("holiday_lists")

routes = Routes(tag="Holidays")


@routes.get("/v1/holiday-lists")
async def list_holiday_lists(
    tenant: Tenant, limit: Limit = 100, cursor: Cursor = ""
) -> Page[HolidayList]:
    """List the lists of holidays by id, each in its newest version."""
    found = await HolidayLists(tenant).page(cursor, limit + 1)
    return page(found, limit, lambda one: str(one.id))


@routes.post("/v1/holiday-lists", errors=(Conflict,), examples=_EXAMPLES)
async def post_holiday_list(body: HolidayList, core: Core, tenant: Tenant) -> Created[HolidayList]:
    """Make a list of holidays; 409 if there is one with its id."""
    made = attrs.evolve(body, id=body.id or new_id())
    async with tenant.transaction() as queries:
        if await HolidayLists(queries).known([str(made.id)]):
            raise Conflict(f"there is a list of holidays {made.id!r} already")
        stored, _ = await HolidayLists(queries).put(made, core.clock.now())
    return _created(stored)


@routes.get("/v1/holiday-lists/{holiday_list}", errors=(NotFound,))
async def get_holiday_list(
    holiday_list: HolidayListId,
    tenant: Tenant,
    version: OneVersion = None,
) -> HolidayList:
    """Return the newest version of a list of holidays, or the one that is named."""
    reference = holiday_list if version is None else f"{holiday_list}@{version}"
    return await HolidayLists(tenant).get(reference)


@routes.put("/v1/holiday-lists/{holiday_list}", errors=(Conflict,), examples=_EXAMPLES)
async def put_holiday_list(
    holiday_list: HolidayListId,
    body: HolidayList,
    core: Core,
    tenant: Tenant,
) -> HolidayList | Created[HolidayList]:
    """Store a list of holidays: another version of it, unless nothing is different.

    No tariff changes with it. To take the dates of a new version over, save the tariff anew with a
    reference to it: bills that are issued keep their versions of the tariff as these are.
    """
    if body.id not in (None, holiday_list):
        message = f"the path says {holiday_list!r}"
        raise Invalid(message, [Fault("wrong_id", message, "/id")])
    named = attrs.evolve(body, id=holiday_list)
    async with tenant.transaction() as queries:
        made, created = await HolidayLists(queries).put(named, core.clock.now())
    return _created(made) if created else made


@routes.delete("/v1/holiday-lists/{holiday_list}", errors=(NotFound, InUse))
async def delete_holiday_list(
    holiday_list: HolidayListId,
    tenant: Tenant,
) -> None:
    """Delete a list of holidays with its versions; 409 if a tariff names it."""
    await HolidayLists(tenant).delete(holiday_list)


def _created(made: HolidayList) -> Created[HolidayList]:
    return Created(f"/v1/holiday-lists/{made.id}", made)
