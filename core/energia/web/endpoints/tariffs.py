"""Tariffs and the lists of holidays that they name: documents of ours, or imported ones."""

from typing import Annotated

import attrs
from msgspec import Meta

from energia.assembly import late
from energia.billing.errors import VersionInUse
from energia.billing.guards import delete_tariff as delete
from energia.billing.guards import put_tariff as put
from energia.billing.superseded import Superseded, page_of
from energia.codes import Currency, ZoneOrOffset
from energia.convert import Converter
from energia.core import Core
from energia.db.holds import holding
from energia.db.pool import Tenant
from energia.errors import Conflict, InUse, Invalid, NotFound, meant_or_known
from energia.ids import new_id
from energia.pricing.allowance import refuse_many_lines
from energia.pricing.holidays.lists import HolidayList
from energia.pricing.holidays.store import HolidayLists, resolved
from energia.pricing.importing import (
    DemandInterval,
    Exports,
    ImportedTariff,
    ImportOptions,
    TariffImporter,
    TierScope,
    imported,
)
from energia.pricing.store import Tariffs, UnreadableTariff
from energia.pricing.tariffs import Tariff
from energia.web.resources import (
    PRICERS,
    TARIFF_WRITERS,
    CorrectionReason,
    Cursor,
    HolidayListId,
    Limit,
    Page,
    TariffId,
    correction_of,
    examples,
    number_of,
    page,
    place_of,
)
from energia.web.routes import Created, MergePatch, Routes
from energia.work import off_loop

_TARIFF_EXAMPLES = examples("tariffs")

routes = Routes(tag="Tariffs", reads=PRICERS, writes=TARIFF_WRITERS)


@routes.get("/v1/tariffs")
async def list_tariffs(
    tenant: Tenant, converter: Converter, limit: Limit = 100, cursor: Cursor = ""
) -> Page[Tariff | UnreadableTariff]:
    """List the tariffs by id.

    One that needs a plugin that is not loaded has `unreadable`: the kinds of charge that are
    missing and their plugins. It cannot be priced (409); all others can.
    """
    tariffs = await Tariffs(tenant, converter).page(place_of(cursor), limit + 1)
    return page(tariffs, limit, lambda tariff: str(tariff.id))


@routes.post("/v1/tariffs", errors=(Conflict,), examples=_TARIFF_EXAMPLES, once="together")
async def post_tariff(
    body: Tariff, core: Core, tenant: Tenant, converter: Converter
) -> Tariff | Created[Tariff]:
    """Make a tariff; 409 if there is another one with its id, 200 if it is the same."""
    refuse_many_lines(body, core.settings.limits.lines)
    tariff = await resolved(tenant, attrs.evolve(body, id=body.id or new_id()))
    created = await Tariffs(tenant, converter).add(tariff)
    return _tariff_created(tariff) if created else tariff


@routes.get("/v1/tariffs/{tariff}", errors=(NotFound, Conflict), holds=holding("tariff"))
async def get_tariff(tariff: TariffId, tenant: Tenant, converter: Converter) -> Tariff:
    """Return a tariff with its versions."""
    return await Tariffs(tenant, converter).get(tariff)


@routes.put("/v1/tariffs/{tariff}", errors=(Conflict, VersionInUse), examples=_TARIFF_EXAMPLES)
async def put_tariff(
    tariff: TariffId,
    body: Tariff,
    core: Core,
    tenant: Tenant,
    converter: Converter,
    correction: CorrectionReason | None = None,
) -> Tariff | Created[Tariff]:
    """Make a tariff or replace it; versions that it does not list are removed.

    A version by which bills are issued stays as it is, but for its end, which may not be before
    theirs; so do then the currency and the time zone (409 `version_in_use`). With a `correction`,
    the reason why it was wrong, all but the currency may be another one: what the bills are by is
    kept (`GET /v1/tariffs/{tariff}/corrections`), they are `affected`, and correcting them prices
    them anew.
    """
    if body.id not in (None, tariff):
        raise Invalid.of("wrong_id", f"the path says {tariff!r}", "/id")
    refuse_many_lines(body, core.settings.limits.lines)
    why = correction_of(core, correction)
    record, created = await put(tenant, converter, attrs.evolve(body, id=tariff), why)
    return _tariff_created(record) if created else record


@routes.patch(
    "/v1/tariffs/{tariff}",
    errors=(NotFound, Conflict, VersionInUse),
    examples={"Another name": {"name": "Branca 2026"}},
)
async def update_tariff(
    tariff: TariffId,
    body: MergePatch[Tariff],
    core: Core,
    tenant: Tenant,
    converter: Converter,
    correction: CorrectionReason | None = None,
) -> Tariff:
    """Change what is named of a tariff, and leave the rest; `versions` are replaced as a whole."""
    new = body.onto(await Tariffs(tenant, converter).get(tariff))
    if new.id != tariff:
        raise Invalid.of("wrong_id", f"the path says {tariff!r}", "/id")
    refuse_many_lines(new, core.settings.limits.lines)
    return (await put(tenant, converter, new, correction_of(core, correction)))[0]


@routes.delete("/v1/tariffs/{tariff}", errors=(NotFound, InUse))
async def delete_tariff(tariff: TariffId, tenant: Tenant, converter: Converter) -> None:
    """Delete a tariff with its versions; 409 if contracts or issued bills refer to it."""
    await delete(tenant, converter, tariff)


@routes.get("/v1/tariffs/{tariff}/corrections", errors=(NotFound,))
async def list_tariff_corrections(
    tariff: TariffId,
    tenant: Tenant,
    converter: Converter,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> Page[Superseded]:
    """List how the tariff was corrected after bills: what it said before, why and when it changed.

    The oldest comes first; what came in its place is the next one, or the tariff as it is.
    """
    await Tariffs(tenant, converter).document(tariff)
    corrections = await page_of(tenant, "tariff", tariff, number_of(cursor), limit + 1)
    return page(corrections, limit, lambda superseded: str(superseded.number))


def _tariff_created(tariff: Tariff) -> Created[Tariff]:
    return Created(f"/v1/tariffs/{tariff.id}", tariff)


# Tariffs in the formats of others, turned into tariff documents.

FormatName = Annotated[
    str, Meta(description="A name of `GET /v1/tariff-formats`.", examples=["urdb"])
]
Document = Annotated[object, Meta(description="The tariff, as the format has it.")]


@routes.post("/v1/tariffs/import", examples=examples("tariff_imports"))
async def import_tariff(
    format: FormatName,
    timezone: Annotated[ZoneOrOffset, Meta(description="The zone of its dates and hours.")],
    body: Document,
    core: Core,
    converter: Converter,
    currency: Currency | None = None,
    tier_scope: TierScope | None = None,
    demand_interval: DemandInterval | None = None,
    exports: Exports = "leave_out",
) -> ImportedTariff:
    """Turn a tariff of another format into a tariff document; nothing is stored.

    The tariff can be sent to `PUT /v1/tariffs/{tariff}` as it is. `warnings` lists everything that
    was left out or taken for granted; what cannot be priced is refused, with pointers into the
    source.
    """
    options = ImportOptions(
        timezone=timezone,
        currency=currency,
        tier_scope=tier_scope,
        demand_interval=demand_interval,
        exports=exports,
    )
    importer = await _importer(core, format)
    return await off_loop(imported, importer, body, options, converter)


async def _importer(core: Core, name: str) -> TariffImporter:
    importers = await late(core.plugins.tariff_importers)
    if name not in importers:
        raise Invalid.of(
            "unknown_format",
            f"there is no format {name[:40]!r}{meant_or_known(name, importers)}",
            "/query/format",
        )
    return importers[name]


# Lists of holidays, which tariffs name.

OneVersion = Annotated[
    int | None, Meta(ge=1, le=999_999_999, description="Which version; the newest without.")
]
_HOLIDAY_EXAMPLES = examples("holiday_lists")

holiday_routes = Routes(tag="Holidays", reads=PRICERS, writes=TARIFF_WRITERS)


@holiday_routes.get("/v1/holiday-lists")
async def list_holiday_lists(
    tenant: Tenant, limit: Limit = 100, cursor: Cursor = ""
) -> Page[HolidayList]:
    """List the lists of holidays by id, each in its newest version."""
    lists = await HolidayLists(tenant).page(place_of(cursor), limit + 1)
    return page(lists, limit, lambda item: str(item.id))


@holiday_routes.post(
    "/v1/holiday-lists", errors=(Conflict,), examples=_HOLIDAY_EXAMPLES, once="together"
)
async def post_holiday_list(
    body: HolidayList, core: Core, tenant: Tenant
) -> HolidayList | Created[HolidayList]:
    """Make a list of holidays; 409 if there is another one with its id, 200 if it is the same."""
    holidays = attrs.evolve(body, id=body.id or new_id())
    async with tenant.transaction() as queries:
        for newest in (await HolidayLists(queries).known([str(holidays.id)])).values():
            if newest.said != holidays.said:
                raise Conflict(f"there is another list of holidays {holidays.id!r} already")
        stored, created = await HolidayLists(queries).put(holidays, core.clock.now())
    return _list_created(stored) if created else stored


@holiday_routes.get(
    "/v1/holiday-lists/{holiday_list}", errors=(NotFound,), holds=holding("holiday_list")
)
async def get_holiday_list(
    holiday_list: HolidayListId,
    tenant: Tenant,
    version: OneVersion = None,
) -> HolidayList:
    """Return the newest version of a list of holidays, or the one that is named."""
    reference = holiday_list if version is None else f"{holiday_list}@{version}"
    return await HolidayLists(tenant).get(reference)


@holiday_routes.put(
    "/v1/holiday-lists/{holiday_list}", errors=(Conflict,), examples=_HOLIDAY_EXAMPLES
)
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
        raise Invalid.of("wrong_id", f"the path says {holiday_list!r}", "/id")
    named = attrs.evolve(body, id=holiday_list)
    async with tenant.transaction() as queries:
        record, created = await HolidayLists(queries).put(named, core.clock.now())
    return _list_created(record) if created else record


@holiday_routes.delete("/v1/holiday-lists/{holiday_list}", errors=(NotFound, InUse))
async def delete_holiday_list(
    holiday_list: HolidayListId,
    tenant: Tenant,
) -> None:
    """Delete a list of holidays with its versions; 409 if a tariff names it."""
    await HolidayLists(tenant).delete(holiday_list)


def _list_created(holiday_list: HolidayList) -> Created[HolidayList]:
    return Created(f"/v1/holiday-lists/{holiday_list.id}", holiday_list)
