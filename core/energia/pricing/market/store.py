"""Price series in the database, every revision of every price."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs
import numpy as np

from energia.db.queries import load
from energia.errors import Conflict, InUse, NotFound
from energia.pricing.market.intake import CANONICAL, merged, prices_of
from energia.pricing.market.models import (
    FeedState,
    NewPriceSeries,
    PriceBatch,
    PricePoint,
    PriceUnit,
    StoredPrices,
    StoredSeries,
)
from energia.pricing.market.series import Price, PriceSeries, scaled_of
from energia.time import Instant, seconds_in

if TYPE_CHECKING:
    from energia.db.tenant import Queries, Tenant


SQL: Final = load(__package__)


@attrs.frozen
class PriceSpan:
    """Part of the time of a series.

    Attributes:
        series: Its name.
        start: In seconds since 1970-01-01T00:00Z.
        end: In seconds since 1970-01-01T00:00Z.
        known_at: The prices that were known then; those in force if None.

    """

    series: str
    start: Instant
    end: Instant
    known_at: datetime | None = None


@attrs.frozen
class _Row:
    """What `price_series_get` gives."""

    id: str
    currency: str
    unit: PriceUnit
    interval: int | None
    timezone: str
    revised_at: datetime | None
    horizon: datetime | None
    feed: str | None
    succeeded_at: datetime | None
    next_update: datetime | None
    error: str | None

    def shown(self, now: datetime) -> StoredSeries:
        feed = None
        if self.feed is not None:
            succeeded_at = self.succeeded_at
            age = None if succeeded_at is None else seconds_in(now - succeeded_at)
            feed = FeedState(
                name=self.feed,
                succeeded_at=self.succeeded_at,
                age=age,
                next_update=self.next_update,
                stale=is_stale(self.next_update, self.error, now),
                error=self.error,
            )
        return StoredSeries(
            id=self.id,
            currency=self.currency,
            unit=self.unit,
            interval=None if self.interval is None else timedelta(seconds=self.interval),
            timezone=self.timezone,
            horizon=self.horizon,
            revised_at=self.revised_at,
            feed=feed,
        )


def is_stale(next_update: datetime | None, error: str | None, now: datetime) -> bool:
    """Tell whether a feed should have given more than it has."""
    if next_update is None:
        return error is not None
    return next_update < now


@attrs.frozen
class _Read:
    """What `price_read` gives of one span."""

    index: int
    id: str
    currency: str
    unit: PriceUnit
    starts: Sequence[int] | None
    ends: Sequence[int] | None
    prices: str | None
    recorded_at: datetime | None

    def series(self) -> PriceSeries:
        decimals, scaled = scaled_of([Decimal(text) for text in (self.prices or "").split()])
        starts, ends = (
            np.array([] if column is None else column, np.int64)
            for column in (self.starts, self.ends)
        )
        unit, revision_at = CANONICAL[self.unit], self.recorded_at
        return PriceSeries(
            self.id, self.currency, unit, starts, ends, scaled, decimals, revision_at
        )


@attrs.frozen
class PriceStore:
    """The price series of an organization."""

    queries: "Queries"

    async def put(self, id_: str, new: NewPriceSeries) -> bool:
        """Make a series, or replace what is said of it; tell whether it was made.

        Raises:
            Conflict: It has prices in another currency, or of another kind of unit.

        """
        created = await self.queries.fetch(bool, SQL["price_series_put"], row_of(id_, new))
        if not created:
            raise Conflict(f"the series {id_!r} has prices in another currency or unit")
        return created[0]

    async def get(self, id_: str, now: datetime) -> StoredSeries:
        """Return a series; raises `NotFound`."""
        series = await self.known([id_], now)
        if id_ not in series:
            raise NotFound(f"there is no price series {id_!r}")
        return series[id_]

    async def known(self, ids: Sequence[str], now: datetime) -> dict[str, StoredSeries]:
        """Return those of some series that there are, by id."""
        rows = await self.queries.fetch(_Row, SQL["price_series_get"], list(ids))
        return {row.id: row.shown(now) for row in rows}

    async def page(self, after: str, limit: int, now: datetime) -> list[StoredSeries]:
        """Return at most *limit* series that come after *after*, by id."""
        ids = await self.queries.fetch(str, SQL["price_series_list"], after, limit)
        series = await self.known(ids, now)
        return [series[id_] for id_ in ids if id_ in series]

    async def delete(self, id_: str) -> None:
        """Delete a series with its prices; raises `NotFound`, or `InUse` if bills are by it."""
        bills = await self.queries.fetch(str, SQL["price_series_billed"], id_)
        if bills:
            raise InUse(f"the bill {bills[0]!r} is by the series {id_!r}")
        if not await self.queries.execute(SQL["price_series_delete"], {"id": id_}):
            raise NotFound(f"there is no price series {id_!r}")

    async def read(self, spans: Sequence[PriceSpan]) -> list[PriceSeries | None]:
        """Return the prices in part of each of *spans*; None where there is no such series."""
        if not spans:
            return []
        arguments = {
            "series": [span.series for span in spans],
            "starts": [span.start for span in spans],
            "ends": [span.end for span in spans],
            "known": [span.known_at for span in spans],
        }
        by_span: list[PriceSeries | None] = [None] * len(spans)
        rows = await self.queries.fetch(_Read, SQL["price_read"], arguments)
        series = await asyncio.to_thread(lambda: [row.series() for row in rows])
        for row, prices in zip(rows, series, strict=True):
            by_span[row.index - 1] = prices
        return by_span

    async def covering(
        self, names: Sequence[str], start: Instant, end: Instant
    ) -> dict[str, PriceSeries]:
        """Return the prices of some series in a window, by name, as far as there are series."""
        read = await self.read([PriceSpan(name, start, end) for name in names])
        return {series.name: series for series in read if series is not None}


def row_of(id_: str, new: NewPriceSeries) -> dict[str, object]:
    """Return what is stored of a series."""
    return {
        "id": id_,
        "currency": new.currency,
        "unit": new.unit,
        "interval": None if new.interval is None else seconds_in(new.interval),
        "timezone": new.timezone,
    }


def pins(prices: Mapping[str, PriceSeries]) -> tuple[list[str], list[datetime | None]]:
    """Return the names of series, and the newest revision that was seen of each."""
    return list(prices), [series.revision_at for series in prices.values()]


# Stores prices that come in: from clients and from feeds, one way.


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
    prices: PriceBatch | tuple[PricePoint, ...],
    of: NewPriceSeries | None = None,
) -> StoredPrices:
    """Store prices of a series: what is new or different becomes a revision.

    Args:
        tenant: The database.
        id_: The series.
        prices: The prices, as they were sent.
        of: The unit and interval of prices that do not state them; without, those of the series.

    Raises:
        NotFound: There is no such series.
        Conflict: The series is in another currency than *of* says.
        Invalid: The prices contradict each other, or a part of what is stored.

    """
    async with tenant.transaction() as queries:
        # Held until the commit: what `price_current` returns is what `price_write` replaces.
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
        new = await asyncio.to_thread(prices_of, prices, unit, interval)
        return await _merged(queries, id_, new) if new else StoredPrices(0, 0, 0, None)


async def _merged(queries: "Queries", id_: str, new: Sequence[Price]) -> StoredPrices:
    """Store what is different from the prices in force; the series is held."""
    arguments = {"id": id_, "start": new[0].start, "end": max(price.end for price in new)}
    old = await queries.fetch(Price, SQL["price_current"], arguments)
    merge = await asyncio.to_thread(merged, new, old)
    if not merge.add:
        return StoredPrices(0, 0, merge.unchanged, None)
    row = {
        "id": id_,
        "longest": max(price.end - price.start for price in merge.add),
        "gone": list(merge.gone),
        "starts": [price.start for price in merge.add],
        "ends": [price.end for price in merge.add],
        "prices": [price.price for price in merge.add],
    }
    (revision_at,) = await queries.fetch(_time, SQL["price_write"], row)
    corrected = min(len(merge.gone), len(merge.add))
    return StoredPrices(len(merge.add) - corrected, corrected, merge.unchanged, revision_at)


def _time(moment: datetime) -> datetime:
    return moment
