"""Tariffs that are made anew from time to time, out of tables or from elsewhere.

What issued bills are by stays as it is, to the day until which there are bills; whatever comes
after is as the new document says.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import attrs

from energia.billing.contracts import SQL
from energia.billing.guards import billed_versions, held, put_tariff
from energia.db.tenant import Queries, Tenant
from energia.pricing.allowance import refuse_many_lines
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff, Version, tariff_converter

if TYPE_CHECKING:
    from energia.core import Core

__all__ = ["BilledDays", "TariffRenewal", "renew_tariff"]

_FIELDS: Final = tuple(
    field.name for field in attrs.fields(Version) if field.name not in ("valid_from", "valid_to")
)


@attrs.frozen
class BilledDays:
    """Days of a tariff that stay as they are, since bills are issued by them.

    The new document would have charged otherwise.

    Attributes:
        start: The first day.
        end: The day after the last: until then there are issued bills.

    """

    start: date
    end: date


@attrs.frozen
class TariffRenewal:
    """What became of a tariff.

    Attributes:
        created: There was none before.
        changed: It is another one than before.
        kept: What it has otherwise than the new document, since bills are issued.

    """

    created: bool
    changed: bool
    kept: tuple[BilledDays, ...] = ()


async def renew_tariff(
    core: "Core", tenant: Tenant, id_: str, document: Mapping[str, Any]
) -> TariffRenewal:
    """Store a tariff, or another one in its place that leaves issued bills as they are.

    Versions by which bills are issued keep their charges, until the last day that is billed; after
    it the new ones begin. Nothing is written where nothing changes.

    Args:
        core: The service.
        tenant: The database; `tenant.whole()` to store more in the same transaction.
        id_: The id of the tariff.
        document: The tariff, as `PUT /v1/tariffs/{tariff}` takes it.

    Raises:
        Invalid: The document does not fit.
        Conflict: Bills are issued in another currency or time zone; or what is stored needs a
            plugin that is not loaded.

    """
    converter = tariff_converter(core.plugins.charges())
    new = attrs.evolve(converter.structure(dict(document), Tariff), id=id_)
    refuse_many_lines(new, core.settings.limits.lines)
    async with tenant.whole() as whole:
        async with whole.transaction() as queries:
            new = await held(queries, new)
            tariffs = Tariffs(queries, converter)
            old, used = await billed_versions(tariffs, id_)
            kept = [] if old is None else await _kept(queries, old, used)
            tariff = attrs.evolve(new, versions=tuple(_merged(kept, new.versions)))
            before = old or (await tariffs.known([id_])).get(id_)
        if tariff == before:
            return TariffRenewal(created=False, changed=False, kept=_told(kept, new))
        _, created = await put_tariff(whole, converter, tariff)
    return TariffRenewal(created=created, changed=True, kept=_told(kept, new))


async def _kept(queries: Queries, old: Tariff, used: Sequence[date]) -> list[Version]:
    """Return the versions that bills are by, each until the last day that is billed."""
    arguments = {
        "tariff": old.id,
        "versions": list(used),
        "ends": list(used),  # all bills end later than their version begins
        "billed": [version.valid_to for day in used for version in _of(old, day)],
    }
    ends = dict(await queries.fetch(_pair, SQL["bill_version_ends"], arguments))
    return [
        attrs.evolve(version, valid_to=ends.get(day, version.valid_to))
        for day in sorted(used)
        for version in _of(old, day)
    ]


def _of(tariff: Tariff, day: date) -> Iterator[Version]:
    return (version for version in tariff.versions if version.valid_from == day)


def _pair(version: date, end: date) -> tuple[date, date]:
    return version, end


def _merged(kept: Sequence[Version], new: Sequence[Version]) -> list[Version]:
    """Return what is kept, and between and after it what is new; as one where both are the same."""
    added = [part for version in new for part in _beside(version, kept)]
    longer = []
    for version in kept:
        same = [one for one in added if one.valid_from == version.valid_to and _same(one, version)]
        added = [one for one in added if one not in same]
        longer.append(attrs.evolve(version, valid_to=same[0].valid_to) if same else version)
    return sorted([*longer, *added], key=lambda version: version.valid_from)


def _beside(version: Version, kept: Sequence[Version]) -> Iterator[Version]:
    """Yield the parts of a new version on days that are not kept."""
    start, end = version.valid_from, version.valid_to
    for other in kept:
        assert other.valid_to is not None  # a bill ends
        if (end is not None and other.valid_from >= end) or other.valid_to <= start:
            continue
        if start < other.valid_from:
            yield attrs.evolve(version, valid_from=start, valid_to=other.valid_from)
        start = other.valid_to
    if end is None or start < end:
        yield attrs.evolve(version, valid_from=start)


def _same(one: Version, two: Version) -> bool:
    return all(getattr(one, name) == getattr(two, name) for name in _FIELDS)


def _told(kept: Sequence[Version], new: Tariff) -> tuple[BilledDays, ...]:
    """Return what of the kept days the new document says otherwise."""
    return tuple(
        BilledDays(version.valid_from, version.valid_to)
        for version in kept
        if version.valid_to is not None and not _is_covered(version, new.versions)
    )


def _is_covered(version: Version, new: Sequence[Version]) -> bool:
    """Return whether new versions say the same of all days of a kept one."""
    left = list(_beside(version, [_ended(one) for one in new if _same(one, version)]))
    return not left


def _ended(version: Version) -> Version:
    return attrs.evolve(version, valid_to=version.valid_to or date.max)
