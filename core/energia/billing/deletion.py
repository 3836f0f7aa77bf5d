"""Deletion that a law asks for, with what is made from the readings.

Issued bills are kept, with their lines and measures: they can be shown, checked and explained, and
say that readings were deleted. Drafts, and what was measured of growing bills, go with the
readings. Locks are taken in one order: the meter, its contracts, its channels.
"""

from datetime import date
from typing import Final

from energia.billing.contracts import SQL
from energia.db.tenant import Queries, Tenant
from energia.errors import Invalid
from energia.metering import deletion, registry
from energia.metering.deletion import Asked, Deletion
from energia.time import Instant, Zone

_FUTURE: Final = "readings are deleted up to today: what is to come is not there yet"


async def delete_readings(
    tenant: Tenant, meter: str, before: date, reason: str, now: Instant
) -> Deletion:
    """Delete the readings of *meter* before a day of its site's zone, for good.

    Raises:
        NotFound: There is no such meter.
        Invalid: The day is to come.

    """
    async with tenant.transaction() as queries:
        zone = await _hold(queries, meter)
        midnight = zone.midnight(before)
        if midnight > now:
            raise Invalid.of("out_of_range", _FUTURE, "/query/before")
        await _forget(queries, meter, before)
        return await deletion.delete_readings(
            queries, meter, midnight, Asked(tenant.caller, reason)
        )


async def delete_meter(tenant: Tenant, meter: str, reason: str, now: Instant) -> Deletion:
    """Delete *meter* with all that is its own: readings, contracts, drafts; but no issued bill.

    A meter that is billed stays for its bills, with its channels and the contracts of these bills,
    which end where the bills do; it has no name and no serial any more.

    Raises:
        NotFound: There is no such meter.

    """
    async with tenant.transaction() as queries:
        await _hold(queries, meter)
        await _forget(queries, meter, None)
        deleted = await deletion.delete_all(queries, meter, now, Asked(tenant.caller, reason))
        await queries.execute(SQL["deletion_contracts"], {"meter": meter})
        (is_billed,) = await queries.fetch(bool, SQL["deletion_contract_ends"], {"meter": meter})
        await registry.empty_meter(queries, meter, keep=is_billed)
        return deleted


async def _hold(queries: Queries, meter: str) -> Zone:
    """Hold a meter and its contracts, and return the zone of its site."""
    await registry.hold_meter(queries, meter)
    await queries.fetch(str, SQL["contract_hold_at"], {"site": None, "meter": meter})
    return Zone.named(await registry.zone_of(queries, meter))


async def _forget(queries: Queries, meter: str, before: date | None) -> None:
    """Delete what is made from the readings of *meter* before a day, or from any."""
    arguments = {"meter": meter, "before": before}
    await queries.execute(SQL["deletion_drafts"], arguments)
    await queries.execute(SQL["deletion_to_date"], arguments)
