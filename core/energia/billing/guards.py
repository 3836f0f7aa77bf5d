"""What issued bills hold as it was: the versions of their tariffs; only their end may change."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

import attrs

from energia.billing.contracts import SQL
from energia.billing.errors import VersionInUse
from energia.billing.superseded import Correction, supersede
from energia.convert import Converter
from energia.db.tenant import Queries, Tenant
from energia.errors import Fault, InUse, NotFound
from energia.pricing.holidays.store import resolved
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff, Version

_FIELDS: Final = tuple(
    field.name for field in attrs.fields(Version) if field.name not in ("valid_from", "valid_to")
)


@attrs.frozen
class _End:
    """Until when bills are by a version.

    Attributes:
        version: The first day of the version.
        day: The end of the last bill, or of the version as it was billed.

    """

    version: date
    day: date


async def put_tariff(
    tenant: Tenant, converter: Converter, tariff: Tariff, correction: Correction | None = None
) -> tuple[Tariff, bool]:
    """Make or replace a tariff; return it with its holidays, and tell whether it was made.

    Who issues a bill holds its tariff as it is (`price_periods`). The tariff is held here before
    bills are looked for: either that bill is found, or it is priced by what is put.

    Args:
        tenant: The database.
        converter: Knows the charges of the loaded plugins.
        tariff: The tariff.
        correction: Why it is another one for bills that are issued: what they are by is kept.

    Raises:
        VersionInUse: Issued bills would not be what the tariff charges any more, and that is no
            correction; or they would be in another currency.
        Invalid: It names a list of holidays that there is not.

    """
    async with tenant.transaction() as queries:
        tariff = await held(queries, tariff)
        tariffs = Tariffs(queries, converter)
        old, used = await billed_versions(tariffs, str(tariff.id))
        if old is not None:
            faults = [*_changes(old, tariff, used), *await _too_early(queries, old, tariff, used)]
            lasting = [fault for fault in faults if not correction or fault.pointer == "/currency"]
            if lasting:
                raise VersionInUse.of_all(lasting)
            if faults and correction:
                await supersede(queries, "tariff", str(tariff.id), correction)
        return tariff, await tariffs.put(tariff)


async def held(queries: Queries, tariff: Tariff) -> Tariff:
    """Hold a tariff against who bills by it; return what is put in its place, with its holidays."""
    await queries.fetch(str, SQL["tariff_lock"], tariff.id)
    return await resolved(queries, tariff)


async def billed_versions(tariffs: Tariffs, id_: str) -> tuple[Tariff | None, list[date]]:
    """Return a tariff and the first days of those versions that issued bills are by; None if none.

    The tariff is held.
    """
    billed = await tariffs.queries.fetch(_days, SQL["bill_versions"], id_)
    if not billed:
        return None, []
    old = await tariffs.get(id_)
    return old, _used(old, billed)


async def delete_tariff(tenant: Tenant, converter: Converter, id_: str) -> None:
    """Delete a tariff with its versions.

    Raises:
        NotFound: There is no such tariff.
        InUse: A contract refers to it, or a bill of one that referred to it before.

    """
    async with tenant.transaction() as queries:
        if not await queries.fetch(str, SQL["tariff_lock"], id_):
            raise NotFound(f"there is no tariff {id_!r}")
        if await queries.fetch(bool, SQL["tariff_billed"], id_) == [True]:
            raise InUse(f"bills by the tariff {id_!r} are issued")
        await Tariffs(queries, converter).delete(id_)


def _changes(old: Tariff, new: Tariff, used: Sequence[date]) -> Iterator[Fault]:
    """Yield what differs, but for when versions end."""
    for name in ("currency", "timezone"):
        if getattr(old, name) != getattr(new, name):
            message = f"bills by the tariff are issued: its {name} stays {getattr(old, name)}"
            yield Fault(VersionInUse.code, message, f"/{name}")
    before, after = _by_day(old), _by_day(new)
    for day in used:
        if day not in after:
            message = (
                f"bills by the version of {day} are issued: it stays, unless it is a `correction`"
            )
            yield Fault(VersionInUse.code, message, "/versions")
            continue
        index, version = after[day]
        for name in _FIELDS:
            if getattr(before[day][1], name) != getattr(version, name):
                message = (
                    f"bills by the version of {day} are issued: its {name} stay as they are; add "
                    "a version that is valid from a later day, or say why in a `correction`"
                )
                yield Fault(VersionInUse.code, message, f"/versions/{index}/{name}")


async def _too_early(
    queries: Queries, old: Tariff, new: Tariff, used: Sequence[date]
) -> Iterator[Fault]:
    """Yield the faults of versions that would end before an issued bill does."""
    before, after = _by_day(old), _by_day(new)
    ends = {
        day: after[day][1].valid_to
        for day in used
        if day in after and after[day][1].valid_to != before[day][1].valid_to
    }
    arguments = {
        "tariff": new.id,
        "versions": list(ends),
        "ends": list(ends.values()),
        "billed": [before[day][1].valid_to for day in ends],
    }
    later = await queries.fetch(_End, SQL["bill_version_ends"], arguments) if ends else []
    return _cut(later, ends, new, {day: index for day, (index, _) in after.items()})


def _cut(
    later: Sequence[_End],
    ends: Mapping[date, date | None],
    new: Tariff,
    indexes: Mapping[date, int],
) -> Iterator[Fault]:
    for last in later:
        end = ends[last.version]
        if end and last.day > end:  # both are days of the site
            message = f"bills by the version of {last.version} are issued until {last.day}"
            yield Fault(VersionInUse.code, message, f"/versions/{indexes[last.version]}/valid_to")


def _by_day(tariff: Tariff) -> dict[date, tuple[int, Version]]:
    """Return the versions with their places, by their first days."""
    return {version.valid_from: (index, version) for index, version in enumerate(tariff.versions)}


def _used(old: Tariff, billed: Sequence[tuple[date, date]]) -> list[date]:
    """Return the versions that bills are by: from the first to the last of some bill."""
    days = sorted(version.valid_from for version in old.versions)
    return [day for day in days if any(first <= day <= last for first, last in billed)]


def _days(first: date, last: date) -> tuple[date, date]:
    return first, last
