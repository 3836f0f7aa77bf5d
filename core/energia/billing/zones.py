"""What issued bills hold as it was: the zones of their meters."""

from datetime import date, datetime
from typing import Final

from energia.db.queries import load
from energia.db.tenant import Queries, Tenant
from energia.errors import InUse
from energia.metering import registry
from energia.metering.models import Meter, NewMeter, NewSite, Site

SQL: Final = load(__package__)


async def put_site(tenant: Tenant, id_: str, new: NewSite) -> tuple[Site, bool]:
    """Make a site or replace it, and tell whether it was made.

    Who issues a bill holds its contract. Contracts are held here before bills are looked for:
    either that bill is found, or its period is one of the new zone.

    Raises:
        Invalid: It does not fit.
        InUse: Bills of its meters are issued in another zone.

    """
    async with tenant.transaction() as queries:
        billed = await _billed(queries, site=id_)
        if billed:
            old = await registry.site(queries, id_)
            _refuse_other_zone(old.timezone, new.timezone, billed, "/timezone")
        return await registry.put_site(queries, id_, new)


async def put_meter(tenant: Tenant, id_: str, new: NewMeter, now: datetime) -> tuple[Meter, bool]:
    """Make a meter or replace it, and tell whether it was made.

    Raises:
        Invalid: It does not fit; there is no such site.
        InUse: Bills are issued and the site is of another zone; as `registry.write_meter`.

    """
    async with tenant.transaction() as queries:
        await queries.fetch(str, SQL["contract_meter"], id_)
        billed = await _billed(queries, meter=id_)
        old = await registry.zone_of(queries, id_) if billed else None
        result = await registry.write_meter(queries, id_, new, now)
        if billed and old is not None:
            _refuse_other_zone(old, await registry.zone_of(queries, id_), billed, "/site")
        return result


async def _billed(
    queries: Queries, *, site: str | None = None, meter: str | None = None
) -> date | None:
    """Return until when a meter, or any of a site, is billed; its contracts are held."""
    held = await queries.fetch(str, SQL["contract_hold_at"], {"site": site, "meter": meter})
    return await billed_until(queries, held)


def _refuse_other_zone(old: str, new: str, billed: date, pointer: str) -> None:
    if old != new:
        message = f"bills are issued until {billed}: the time zone stays {old}"
        raise InUse.of(InUse.code, message, pointer)


async def billed_until(queries: Queries, ids: list[str]) -> date | None:
    """Return until when bills of any of some contracts are issued; None if none is."""
    (billed,) = await queries.fetch(_day, SQL["contracts_billed"], ids)
    return billed


def _day(day: date | None) -> date | None:
    return day
