"""Stores prices that come in: from clients and from feeds, one way."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from energia.errors import Conflict, NotFound
from energia.pricing.market.intake import merged, prices_of
from energia.pricing.market.models import (
    NewPriceSeries,
    PriceBatch,
    PricePoint,
    PriceUnit,
    StoredPrices,
)
from energia.pricing.market.series import Price
from energia.pricing.market.store import SQL

if TYPE_CHECKING:
    from energia.db.tenant import Queries, Tenant


@attrs.frozen
class _Head:
    """What `price_lock` gives."""

    currency: str
    unit: PriceUnit
    interval: int | None

    @property
    def length(self) -> timedelta | None:
        return None if self.interval is None else timedelta(seconds=self.interval)


async def store(
    tenant: "Tenant",
    id_: str,
    sent: PriceBatch | tuple[PricePoint, ...],
    of: NewPriceSeries | None = None,
) -> StoredPrices:
    """Store prices of a series: what is new or different becomes a revision.

    Args:
        tenant: The database.
        id_: The series.
        sent: The prices.
        of: What prices are that do not say; without, what the series says.

    Raises:
        NotFound: There is no such series.
        Conflict: The series is in another currency than *of* says.
        Invalid: The prices contradict each other, or a part of what is stored.

    """
    async with tenant.transaction() as queries:
        held = await queries.fetch(_Head, SQL["price_lock"], id_)
        if not held:
            raise NotFound(f"there is no price series {id_!r}")
        (head,) = held
        unit, interval = head.unit, head.length
        if of is not None:
            if of.currency != head.currency:
                message = f"the series {id_!r} is in {head.currency}, the prices in {of.currency}"
                raise Conflict(message)
            unit, interval = of.unit, of.interval
        new = await asyncio.to_thread(prices_of, sent, unit, interval)
        return await _merged(queries, id_, new) if new else StoredPrices(0, 0, 0, None)


async def _merged(queries: "Queries", id_: str, new: Sequence[Price]) -> StoredPrices:
    """Store what is different from the prices in force; the series is held."""
    asked = {"id": id_, "start": new[0].start, "end": max(one.end for one in new)}
    old = await queries.fetch(Price, SQL["price_current"], asked)
    merge = await asyncio.to_thread(merged, new, old)
    if not merge.add:
        return StoredPrices(0, 0, merge.unchanged, None)
    row = {
        "id": id_,
        "longest": max(one.end - one.start for one in merge.add),
        "gone": list(merge.gone),
        "starts": [one.start for one in merge.add],
        "ends": [one.end for one in merge.add],
        "prices": [one.price for one in merge.add],
    }
    (at,) = await queries.fetch(_time, SQL["price_write"], row)
    corrected = min(len(merge.gone), len(merge.add))
    return StoredPrices(len(merge.add) - corrected, corrected, merge.unchanged, at)


def _time(at: datetime) -> datetime:
    return at
