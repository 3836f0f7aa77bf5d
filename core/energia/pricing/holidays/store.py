"""Lists of holidays in the database, and their dates in a tariff that is saved."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import attrs

from energia.convert import dumps, structure
from energia.convert.faults import Faults, refusal
from energia.db.holds import holding
from energia.db.queries import load
from energia.db.tenant import Queries
from energia.errors import Conflict, Fault, InUse, NotFound
from energia.pricing.holidays.lists import HolidayList, split
from energia.pricing.tariffs import HOLIDAYS, Tariff, Version

SQL: Final = load(__package__)
#: Who stores a version holds those before, so that no other one comes in between.
_HOLD: Final = holding("holiday_list")


@attrs.frozen
class HolidayLists:
    """The lists of an organization."""

    queries: Queries

    async def put(self, new: HolidayList, now: datetime) -> tuple[HolidayList, bool]:
        """Store a list, which has an id: another version of it, unless nothing is different.

        Returns:
            The newest version, and whether it is the first.

        Raises:
            Conflict: The newest version is not the one that is stated; or somebody else stored one
                at the same time.

        """
        id_, said = str(new.id), new.said
        await _HOLD(self.queries, id_)
        newest = (await self.known([id_])).get(id_)
        if new.version is not None and (newest is None or newest.version != new.version):
            raise Conflict(f"the newest version of the list {id_!r} is not {new.version}")
        if newest is not None and newest.said == said:
            return newest, False
        version = 1 if newest is None else (newest.version or 0) + 1
        row = {"id": id_, "version": version, "now": now, "document": dumps(said).decode()}
        if not await self.queries.fetch(int, SQL["holiday_list_add"], row):
            raise Conflict(f"another version of the list {id_!r} was stored at the same time")
        return attrs.evolve(said, version=version, stored_at=now), newest is None

    async def get(self, reference: str) -> HolidayList:
        """Return the newest version of a list, or the one that is named; raises `NotFound`."""
        lists = await self.known([reference])
        if reference not in lists:
            raise NotFound(f"there is no list of holidays {reference!r}")
        return lists[reference]

    async def known(self, references: Collection[str]) -> dict[str, HolidayList]:
        """Return those that there are, by their references."""
        ordered = sorted(set(references))
        ids, versions = (
            zip(*(split(reference) for reference in ordered), strict=True) if ordered else ((), ())
        )
        arguments = {"references": ordered, "ids": list(ids), "versions": list(versions)}
        return dict(await self.queries.fetch(_referenced, SQL["holiday_list_get"], arguments))

    async def page(self, after: str, limit: int) -> list[HolidayList]:
        """Return the newest versions of at most *limit* lists that come after *after*, by id."""
        rows = await self.queries.fetch(_referenced, SQL["holiday_list_list"], after, limit)
        return [newest for _, newest in rows]

    async def delete(self, id_: str) -> None:
        """Delete a list with its versions; raises `NotFound`, or `InUse` if a tariff names it."""
        users = await self.queries.fetch(str, SQL["holiday_list_used"], id_)
        if users:
            raise InUse(f"the tariff {users[0]!r} names the list {id_!r}")
        if not await self.queries.execute(SQL["holiday_list_delete"], id_):
            raise NotFound(f"there is no list of holidays {id_!r}")


async def resolved(queries: Queries, tariff: Tariff) -> Tariff:
    """Return *tariff* with the dates of the lists that it names among its own holidays.

    Its versions name the version of each list from then on: a list that grows changes no tariff.

    Raises:
        Invalid: There is no such list; or there are too many dates.

    """
    named = {reference for version in tariff.versions for reference in version.holiday_lists or ()}
    if not named:
        return tariff
    lists, faults = await HolidayLists(queries).known(named), Faults()
    versions = [
        _with_dates(version, lists, faults, f"/versions/{index}")
        for index, version in enumerate(tariff.versions)
    ]
    if faults.kept:
        raise refusal(faults)
    return attrs.evolve(tariff, versions=tuple(versions))


def _with_dates(
    version: Version, lists: Mapping[str, HolidayList], faults: Faults, pointer: str
) -> Version:
    references = version.holiday_lists or ()
    for index, reference in enumerate(references):
        if reference not in lists:
            message = f"there is no list of holidays {reference!r}"
            faults.append(
                Fault("unknown_holiday_list", message, f"{pointer}/holiday_lists/{index}")
            )
    known = [lists[reference] for reference in references if reference in lists]
    dates = {*version.holidays, *(day for list_ in known for day in list_.dates)}
    if len(dates) > HOLIDAYS:
        message = f"{len(dates)} holidays are more than {HOLIDAYS}"
        faults.append(Fault("too_many_holidays", message, f"{pointer}/holiday_lists"))
    pinned = dict.fromkeys(f"{list_.id}@{list_.version}" for list_ in known)
    return attrs.evolve(version, holidays=tuple(sorted(dates)), holiday_lists=tuple(pinned) or None)


def _referenced(
    reference: str, version: int, stored_at: datetime, document: Any
) -> tuple[str, HolidayList]:
    list_ = structure(document, HolidayList)
    return reference, attrs.evolve(list_, version=version, stored_at=stored_at)
