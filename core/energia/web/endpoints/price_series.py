"""Price series: prices of each slot, sent by clients or fetched by feeds."""

from datetime import datetime
from typing import Final

import attrs

from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import Conflict, Fault, InUse, Invalid, NotFound
from energia.pricing.exact import decimal_text
from energia.pricing.market.intake import shown
from energia.pricing.market.models import NewPriceSeries, PriceBatch, StoredPrices, StoredSeries
from energia.pricing.market.series import PriceSeries
from energia.pricing.market.store import PriceSpan, PriceStore
from energia.pricing.market.storing import store
from energia.web.cells import stamps
from energia.web.examples import examples
from energia.web.ids import PriceSeriesId
from energia.web.pages import Cursor, Limit, Page, page
from energia.web.prices import Stamp
from energia.web.routes import Created, Routes
from energia.web.streams import FILES, JSON, Accepted, Rows
from energia.web.windows import End, KnownAt, Start, instant
from energia.zones import Zone

#: How many prices one answer has at most.
_SLOTS: Final = 100_000

routes = Routes(tag="Prices")


@attrs.frozen
class SeriesPrice:
    """The price of one slot.

    Attributes:
        start: When the slot starts, with the offset of the series' zone.
        end: When it ends.
        price: For one unit.

    """

    start: Stamp
    end: Stamp
    price: str


@attrs.frozen(kw_only=True)
class SeriesPrices:
    """The prices of a series in part of its time.

    Attributes:
        currency: ISO 4217.
        unit: What a price is for.
        timezone: The zone of the times.
        data: The prices, in order; there are none for slots that are not known.
        revision_at: When the newest of these prices was recorded.
        horizon: When the last price ends that is known.
        next_update: When the series' feed expects more prices.
        stale: Whether these should be known already.

    """

    currency: str
    unit: str
    timezone: str
    data: list[SeriesPrice]
    revision_at: datetime | None
    horizon: datetime | None
    next_update: datetime | None
    stale: bool


@routes.get("/v1/price-series")
async def list_price_series(
    core: Core, tenant: Tenant, limit: Limit = 100, cursor: Cursor = ""
) -> Page[StoredSeries]:
    """List the price series by id, each with how its feed is doing."""
    found = await PriceStore(tenant).page(cursor, limit + 1, core.clock.now())
    return page(found, limit, lambda one: one.id)


@routes.get("/v1/price-series/{series}", errors=(NotFound,))
async def get_price_series(series: PriceSeriesId, core: Core, tenant: Tenant) -> StoredSeries:
    """Return a price series, with how its feed is doing."""
    return await PriceStore(tenant).get(series, core.clock.now())


@routes.put("/v1/price-series/{series}", errors=(Conflict,), examples=examples("price_series"))
async def put_price_series(
    series: PriceSeriesId, body: NewPriceSeries, core: Core, tenant: Tenant
) -> StoredSeries | Created[StoredSeries]:
    """Make a price series, or replace what is said of it; its prices stay.

    409 if it has prices in another currency, or of a unit of another kind.
    """
    if body.id not in (None, series):
        message = f"the path says {series!r}"
        raise Invalid(message, [Fault("wrong_id", message, "/id")])
    made = await PriceStore(tenant).put(series, body)
    found = await PriceStore(tenant).get(series, core.clock.now())
    return Created(f"/v1/price-series/{series}", found) if made else found


@routes.delete("/v1/price-series/{series}", errors=(NotFound, InUse))
async def delete_price_series(series: PriceSeriesId, tenant: Tenant) -> None:
    """Delete a price series with its prices; 409 if issued bills are by it."""
    await PriceStore(tenant).delete(series)


@routes.post(
    "/v1/price-series/{series}/prices", errors=(NotFound,), examples=examples("slot_prices")
)
async def post_prices(series: PriceSeriesId, body: PriceBatch, tenant: Tenant) -> StoredPrices:
    """Store prices; what differs from a price that is known becomes a new revision of it.

    All of them, or none: two prices for one slot are 422 `duplicate_price`. The same again changes
    nothing. Bills that are issued keep the prices that they were made from.
    """
    return await store(tenant, series, body)


@routes.get("/v1/price-series/{series}/prices", errors=(NotFound,), produces=FILES)
async def get_series_prices(
    series: PriceSeriesId,
    start: Start,
    end: End,
    core: Core,
    tenant: Tenant,
    accepted: Accepted,
    known_at: KnownAt | None = None,
) -> SeriesPrices | Rows:
    """Return the prices of the slots in a window, as they are, or were known at an instant.

    Dates are midnights of the series' zone. As a file: `start,end,price`.
    """
    head = await PriceStore(tenant).get(series, core.clock.now())
    zone = Zone.named(head.timezone)
    window = (instant(zone, start, "start"), instant(zone, end, "end"))
    if window[1] <= window[0]:
        message = "the end must be after the start"
        raise Invalid(message, [Fault("empty_window", message, "/query/end")])
    (found,) = await PriceStore(tenant).read([PriceSpan(series, *window, known_at)])
    assert found is not None
    if len(found.starts) > min(_SLOTS, core.settings.limits.slots):
        message = f"the window has {len(found.starts)} prices, more than {_SLOTS}"
        raise Invalid(message, [Fault("too_many_slots", message, "/query/end")])
    data = _data(found, head.unit, zone)
    if accepted != JSON:
        rows = ((one.start, one.end, one.price) for one in data)
        return Rows.listed(("start", "end", "price"), rows)
    return SeriesPrices(
        currency=head.currency,
        unit=head.unit,
        timezone=head.timezone,
        data=data,
        revision_at=found.revision_at,
        horizon=head.horizon,
        next_update=None if head.feed is None else head.feed.next_update,
        stale=head.feed is not None and head.feed.stale,
    )


def _data(found: PriceSeries, unit: str, zone: Zone) -> list[SeriesPrice]:
    starts, ends = stamps(zone, found.starts), stamps(zone, found.ends)
    prices = [decimal_text(shown(found.text(at), unit)) for at in range(len(starts))]
    return [SeriesPrice(*one) for one in zip(starts, ends, prices, strict=True)]
