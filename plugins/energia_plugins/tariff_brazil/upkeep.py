"""Tariffs that follow the tables: a request that is kept, and what is made of it anew."""

import asyncio
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Any, ClassVar, Final

import attrs
import structlog

from energia import Core, EnergiaError, NotFound, Tenant, dumps, structure
from energia.billing.renewal import BilledDays, TariffRenewal, renew_tariff
from energia.db.organizations import keys
from energia_plugins.tariff_brazil.document import brazilian_tariff
from energia_plugins.tariff_brazil.request import TariffRequest
from energia_plugins.tariff_brazil.tables import Tables

__all__ = [
    "TariffUpkeep",
    "TariffUpkeeps",
    "follow",
    "followed",
    "page",
    "renew_all",
    "unfollow",
]

#: What did not work is tried again after so long, even by the same tables.
_AGAIN: Final = timedelta(hours=1)
_OURS: Final = "organization_id = current_setting('energia.organization')::int"
_COLUMNS: Final = "tariff_id, request, tables, drawn_at, kept, trouble"
_PUT: Final = f"""insert into brazil_tariff
  (organization_id, tariff_id, request, tables, drawn_at, tried_at, kept)
  values (current_setting('energia.organization')::int, %(tariff)s, %(request)s::json,
    %(tables)s, %(now)s, %(now)s, %(kept)s::jsonb)
  on conflict (organization_id, tariff_id) do update set request = excluded.request,
    tables = excluded.tables, drawn_at = excluded.drawn_at, tried_at = excluded.tried_at,
    kept = excluded.kept, trouble = null
  returning {_COLUMNS}, xmax = 0"""  # noqa: S608 - ours
#: How a cursor begins: ids alone would be taken for one.
_AFTER: Final = "after:"
_GET: Final = f"select {_COLUMNS} from brazil_tariff where {_OURS} and tariff_id = %s"  # noqa: S608
_LIST: Final = f"""select {_COLUMNS} from brazil_tariff
  where {_OURS} and tariff_id > %s order by tariff_id limit %s"""  # noqa: S608 - ours
_DELETE: Final = f"delete from brazil_tariff where {_OURS} and tariff_id = %s"  # noqa: S608
_DUE: Final = f"""select tariff_id, request, request::text, trouble from brazil_tariff
  where {_OURS} and (tables <> %(tables)s or trouble is not null and tried_at < %(before)s)
  order by tariff_id"""  # noqa: S608 - ours
_DRAWN: Final = f"""update brazil_tariff set tables = %(tables)s, drawn_at = %(now)s,
  tried_at = %(now)s, kept = %(kept)s::jsonb, trouble = null
  where {_OURS} and tariff_id = %(tariff)s and request::text = %(request)s"""  # noqa: S608 - ours
_STUCK: Final = f"""update brazil_tariff set tables = %(tables)s, tried_at = %(now)s,
  trouble = %(trouble)s
  where {_OURS} and tariff_id = %(tariff)s and request::text = %(request)s"""  # noqa: S608 - ours
log = structlog.get_logger(__name__)


@attrs.frozen(kw_only=True)
class DaysOfBills:
    """Days that stay as they are, since bills are issued by them, though the tables say otherwise.

    Attributes:
        start: The first day.
        end: The day after the last: until then there are issued bills.

    """

    __public_name__: ClassVar[str] = "BrazilianBilledDays"

    start: date
    end: date


@attrs.frozen(kw_only=True)
class TariffUpkeep:
    """A tariff that follows the tables.

    Attributes:
        tariff: The id of the tariff.
        request: The customer, by which it is made.
        tables: The version of the tables by which it was made, or tried, last.
        drawn_at: When it was made of tables last.
        kept: What stays as it was, since bills are issued.
        trouble: Why it does not follow the tables any more; null if it does.

    """

    __public_name__: ClassVar[str] = "BrazilianTariffUpkeep"

    tariff: str
    request: TariffRequest
    tables: str
    drawn_at: datetime
    kept: tuple[DaysOfBills, ...]
    trouble: str | None


@attrs.frozen(kw_only=True)
class TariffUpkeeps:
    """Some tariffs that follow the tables, by id.

    Attributes:
        items: The tariffs.
        next: The `cursor` of the next page; null on the last one.

    """

    __public_name__: ClassVar[str] = "BrazilianTariffUpkeeps"

    items: tuple[TariffUpkeep, ...]
    next: str | None


async def follow(
    core: Core, tenant: Tenant, id_: str, request: TariffRequest, tables: Tables
) -> tuple[TariffUpkeep, bool]:
    """Make a tariff of a request and remember it; return it, and whether it is new.

    Raises:
        Invalid: The tables lack something, or the request does not fit.
        Conflict: Bills by the tariff are issued in another currency or zone.

    """
    made = await asyncio.to_thread(brazilian_tariff, request, tables)
    async with tenant.whole() as whole:
        renewed = await renew_tariff(core, whole, id_, made.tariff)
        row = {
            **{"tariff": id_, "request": dumps(request).decode(), "tables": tables.version},
            **{"now": core.clock.now(), "kept": _kept(renewed)},
        }
        ((found, created),) = await whole.fetch(_row_and_more, _PUT, row)
    return found, created


async def followed(tenant: Tenant, id_: str) -> TariffUpkeep:
    """Return a tariff that follows the tables; raises `NotFound`."""
    found = await tenant.fetch(_row, _GET, id_)
    if not found:
        raise NotFound(f"the tariff {id_!r} follows no tables")
    return found[0]


async def page(tenant: Tenant, after: str, limit: int) -> TariffUpkeeps:
    """Return at most so many that come after what a cursor says."""
    found = await tenant.fetch(_row, _LIST, after.removeprefix(_AFTER), limit + 1)
    items = tuple(found[:limit])
    more = f"{_AFTER}{items[-1].tariff}" if len(found) > limit else None
    return TariffUpkeeps(items=items, next=more)


async def unfollow(tenant: Tenant, id_: str) -> None:
    """Let a tariff stay as it is from now on; raises `NotFound`."""
    if not await tenant.execute(_DELETE, id_):
        raise NotFound(f"the tariff {id_!r} follows no tables")


@attrs.frozen
class _Due:
    """A tariff to make anew, in the order of the columns."""

    tariff: str
    request: Any
    text: str
    trouble: str | None


class _OtherRequest(Exception):
    """Somebody has sent another request meanwhile."""


async def renew_all(core: Core, tables: Tables) -> None:
    """Make the tariffs anew that were made by other tables, of each organization.

    One that cannot follow leaves the others alone.
    """
    for key in await keys(core.pool):
        tenant = core.pool.tenant(key)
        wanted = {"tables": tables.version, "before": core.clock.now() - _AGAIN}
        for due in await tenant.fetch(_Due, _DUE, wanted):
            await _renew(core, tenant, due, tables)


async def _renew(core: Core, tenant: Tenant, due: _Due, tables: Tables) -> None:
    """Make a tariff anew, or note why that does not work."""
    row = {"tariff": due.tariff, "request": due.text, "tables": tables.version}
    try:
        request = structure(due.request, TariffRequest)
        made = await asyncio.to_thread(brazilian_tariff, request, tables)
        async with tenant.whole() as whole:
            renewed = await renew_tariff(core, whole, due.tariff, made.tariff)
            drawn = {**row, "now": core.clock.now(), "kept": _kept(renewed)}
            if not await whole.execute(_DRAWN, drawn):
                raise _OtherRequest
    except _OtherRequest:
        return
    except EnergiaError as error:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        await tenant.execute(_STUCK, {**row, "now": core.clock.now(), "trouble": error.detail})
        if error.detail != due.trouble:
            log.warning("brazil_tariff_stuck", tariff=due.tariff, reason=error.detail)
    else:
        if renewed.changed:
            log.info("brazil_tariff_renewed", tariff=due.tariff, tables=tables.version)


def _kept(renewed: TariffRenewal) -> str:
    return dumps([_days(one) for one in renewed.kept]).decode()


def _days(one: BilledDays) -> DaysOfBills:
    return DaysOfBills(start=one.start, end=one.end)


def _row(  # noqa: PLR0913, PLR0917 - columns
    tariff: str, request: Any, tables: str, drawn_at: datetime, kept: Any, trouble: str | None
) -> TariffUpkeep:
    return TariffUpkeep(
        tariff=tariff,
        request=structure(request, TariffRequest),
        tables=tables,
        drawn_at=drawn_at,
        kept=structure(kept, tuple[DaysOfBills, ...]),
        trouble=trouble,
    )


def _row_and_more(*columns: Any) -> tuple[TariffUpkeep, bool]:
    *row, created = columns
    return _row(*row), created
