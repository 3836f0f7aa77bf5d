"""Prices: what one unit costs in each slot, past and ahead."""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Final

import attrs
import msgspec
import numpy as np
from msgspec import Meta

from energia.billing.contracts import Contracts
from energia.convert import Converter, Id
from energia.convert.scalars import Unfit
from energia.core import Core
from energia.costing.budget import refuse_costly_slots
from energia.db.holds import holding
from energia.db.pool import Tenant
from energia.errors import (
    Conflict,
    Fault,
    IncompletePrices,
    InUse,
    Invalid,
    NotFound,
    TooLarge,
)
from energia.metering.series import refuse_length
from energia.pricing.calendar import Grid
from energia.pricing.charges import Role, unit_of
from energia.pricing.exact import decimal_text
from energia.pricing.market.intake import shown
from energia.pricing.market.models import (
    FeedState,
    NewPriceSeries,
    PriceBatch,
    StoredPrices,
    StoredSeries,
)
from energia.pricing.market.needs import refuse_unfit
from energia.pricing.market.series import PriceSeries
from energia.pricing.market.store import PriceSpan, PriceStore, store
from energia.pricing.prices import Market, Prices, prices, series_of_prices
from energia.pricing.slots import Assumption
from energia.pricing.store import Tariffs
from energia.time import (
    DAY,
    HOUR,
    BadDuration,
    Instant,
    Int64,
    Zone,
    instant_of,
    length_of,
    length_text,
)
from energia.units import ceiling
from energia.web.resources import (
    PRICERS,
    TARIFF_WRITERS,
    Cursor,
    End,
    KnownAt,
    Limit,
    Page,
    PriceSeriesId,
    Start,
    TariffId,
    examples,
    page,
    place_of,
    window_of,
)
from energia.web.routes import Created, Routes
from energia.web.streams import FILES, JSON, ROWS, Accepted, Batch, Cell, Rows, stamps
from energia.work import off_loop

_COLUMNS: Final = ("start", "end", "price", "period")

#: The text of an instant: there are too many of them to make each a datetime.
Stamp = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class SlotPrice(msgspec.Struct, omit_defaults=True):
    """What one unit costs in a slot.

    Attributes:
        start: When the slot starts, with the offset of the tariff's zone.
        end: When it ends.
        price: The sum of the components.
        components: The price of each charge, or of each component of one.
        period: The period, where the charges that have a schedule have the same one.

    """

    start: Stamp
    end: Stamp
    price: str
    components: Mapping[str, str]
    period: str | None = None


def slot_prices(prices: Prices, zone: Zone) -> list[SlotPrice]:
    """Return the price of each slot."""
    begins, ends = _stamps(prices, zone, slice(None))
    runs = [prices.runs[run] for run in _runs(prices).tolist()]
    return [
        SlotPrice(begin, end, run.price, run.components, run.period)
        for begin, end, run in zip(begins, ends, runs, strict=True)
    ]


def price_rows(prices: Prices, zone: Zone) -> Rows:
    """Return a row for each slot."""
    components = list(dict.fromkeys(name for run in prices.runs for name in run.components))
    columns = (*_COLUMNS, *(f"component.{name}" for name in components))
    return Rows(columns, _batches(prices, zone, components))


async def _batches(
    prices: Prices, zone: Zone, components: Sequence[str]
) -> AsyncGenerator[Batch, None]:
    runs, cells = _runs(prices), _cells(prices, components)
    for first in range(0, len(runs), ROWS):
        span = slice(first, first + ROWS)
        times = await off_loop(_stamps, prices, zone, span)
        which = runs[span].tolist()
        yield [*times, *([column[run] for run in which] for column in cells)]


def _cells(prices: Prices, components: Sequence[str]) -> list[Sequence[Cell]]:
    """Return the columns of the runs, but for their times."""
    parts = [[run.components.get(name) for run in prices.runs] for name in components]
    return [[run.price for run in prices.runs], [run.period for run in prices.runs], *parts]


def _runs(prices: Prices) -> Int64:
    """Return the run that each slot is in."""
    lengths = np.array([run.past - run.first for run in prices.runs], np.int64)
    return np.repeat(np.arange(len(prices.runs)), lengths)


def _stamps(prices: Prices, zone: Zone, span: slice) -> tuple[list[str], list[str]]:
    starts = prices.grid.starts[span]
    return stamps(zone, starts), stamps(zone, starts + prices.grid.interval)


#: Where faults of the contract point to.
_CONTRACT: Final = "/query/contract"
_RESOLUTION: Final = (
    "The length of a slot: divides a day, at most PT1H; without, that of the prices, or PT1H."
)
Resolution = Annotated[
    str,
    Meta(
        max_length=20,
        description=_RESOLUTION,
    ),
]
OfContract = Annotated[
    Id, Meta(description="The contract of this tariff whose parameters its charges take.")
]
#: How many slots one answer has at most.
_SLOTS: Final = 100_000
#: Faults of price series, which no parameter of the query mends.
_OF_SERIES: Final = (
    *("unknown_price_series", "wrong_currency", "wrong_unit", "missing_price", "prices_too_fine"),
)

routes = Routes(tag="Tariffs", reads=PRICERS, writes=TARIFF_WRITERS)


@attrs.frozen
class TariffPrices:
    """What one unit costs in each slot.

    Attributes:
        currency: ISO 4217.
        unit: The unit that is priced.
        timezone: The tariff's.
        data: The slots.
        assumptions: What was taken for granted.
        next_update: When more prices are expected; null if all are known.
        stale: Whether newer prices should be known already.

    """

    currency: str
    unit: str
    timezone: str
    data: list[SlotPrice]
    assumptions: tuple[Assumption, ...]
    next_update: datetime | None
    stale: bool


@routes.get(
    "/v1/tariffs/{tariff}/prices",
    errors=(NotFound, Conflict, IncompletePrices, TooLarge),
    produces=FILES,
)
async def get_tariff_prices(
    tariff: TariffId,
    start: Start,
    end: End,
    core: Core,
    tenant: Tenant,
    converter: Converter,
    accepted: Accepted,
    resolution: Resolution | None = None,
    channel: Role = "import",
    contract: OfContract | None = None,
) -> TariffPrices | Rows:
    """Return what one unit of a channel costs, slot by slot, from the start of the window.

    The sum of the charges that have a price per unit, with the taxes and percentages on them that
    do not depend on a whole bill: `assumptions` name the charges that are not in it. Dates are
    midnights of the tariff's zone, and a slot has the price at its start. Where charges have
    parameters, the contract gives them.
    Prices of a series are given as far as they are known, slot by slot of the series unless a
    resolution is asked for; later slots are left out (`beyond_horizon` in `assumptions`).

    As a file: `start,end,price,period`, then a column `component.<name>` for each component.
    """
    definition = await Tariffs(tenant, converter).get(tariff)
    zone, limit = definition.zone, min(_SLOTS, core.settings.limits.slots)
    window = window_of(zone, start, end)
    parameters = await _parameters(tenant, converter, tariff, contract)
    with _pointing():
        names = series_of_prices(definition, channel, window, parameters)
        market, feeds = await _market(core, tenant, names, window)
        refuse_unfit(names, market.series, definition.currency)
    grid = _grid(*window, resolution or _native(market), limit)
    budget = core.settings.limits.pricing
    refuse_costly_slots(definition, window, grid.count, budget, one_by_one=bool(names))
    with _pointing():
        unit_prices = await off_loop(prices, definition, channel, grid, parameters, market)
    if accepted != JSON:
        return price_rows(unit_prices, zone)
    data = await off_loop(slot_prices, unit_prices, zone)
    return TariffPrices(
        currency=definition.currency,
        unit=unit_of(channel),
        timezone=zone.name,
        data=data,
        assumptions=unit_prices.assumptions,
        next_update=_next(feeds, zone),
        stale=any(feed.stale for feed in feeds),
    )


async def _market(
    core: Core, tenant: Tenant, names: Sequence[str], window: tuple[int, int]
) -> tuple[Market, list[FeedState]]:
    """Return the price series in a window, and the state of the feeds that fill them."""
    if not names:
        return Market(), []
    store = PriceStore(tenant)
    heads = await store.known(names, core.clock.now())
    series = await store.covering(list(heads), *window)
    horizons = {
        name: None if head.horizon is None else instant_of(head.horizon)
        for name, head in heads.items()
    }
    return Market(series, horizons), [head.feed for head in heads.values() if head.feed]


def _next(feeds: Sequence[FeedState], zone: Zone) -> datetime | None:
    """Return when the first of *feeds* expects more prices."""
    expected = [feed.next_update for feed in feeds if feed.next_update is not None]
    return min(expected).astimezone(zone.tzinfo) if expected else None


def _native(market: Market) -> str:
    """Return the length of a slot that has a price of its own; an hour if it is no length."""
    shortest = market.native()
    fits = shortest is not None and shortest <= HOUR and DAY % shortest == 0
    return length_text(shortest if fits and shortest else HOUR)


async def _parameters(
    tenant: Tenant, converter: Converter, tariff: str, contract: str | None
) -> Mapping[str, Any]:
    """Return the parameters of a contract of the tariff; none without a contract."""
    if contract is None:
        return {}
    try:
        record = await Contracts(tenant, converter).get(contract)
    except NotFound as error:
        raise Invalid.of("unknown_contract", error.detail, _CONTRACT) from None
    if record.tariff != tariff:
        message = f"the contract {contract!r} is of the tariff {record.tariff!r}"
        raise Invalid.of("other_tariff", message, _CONTRACT)
    return record.parameters


@contextmanager
def _pointing() -> Iterator[None]:
    """Let faults point to the parameter of the query that they are about."""
    try:
        yield
    except Invalid as error:
        faults = [attrs.evolve(fault, pointer=_place(fault)) for fault in error.faults]
        raise type(error)(error.detail, faults, error.counts) from error


def _place(fault: Fault) -> str | None:
    if fault.code in _OF_SERIES:
        return None
    if fault.pointer is None:
        return "/query/channel"
    return _CONTRACT if fault.code != "no_version_in_force" else f"/query{fault.pointer}"


def _grid(start: Instant, end: Instant, resolution: str, limit: int) -> Grid:
    try:
        step = length_of(resolution)
        refuse_length(step)
    except (BadDuration, Unfit) as error:
        raise Invalid.of("wrong_interval", str(error), "/query/resolution") from None
    count = ceiling(end - start, step)
    if count > limit:
        raise Invalid.of("too_many_slots", f"the window has more than {limit} slots", "/query/end")
    return Grid(start, step, count)


# Price series: prices of each slot, sent by clients or fetched by feeds.

series_routes = Routes(tag="Prices", reads=PRICERS, writes=TARIFF_WRITERS)


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
        data: The prices, in order; slots whose price is not known are left out.
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


@series_routes.get("/v1/price-series")
async def list_price_series(
    core: Core, tenant: Tenant, limit: Limit = 100, cursor: Cursor = ""
) -> Page[StoredSeries]:
    """List the price series by id, each with the state of its feed."""
    listed = await PriceStore(tenant).page(place_of(cursor), limit + 1, core.clock.now())
    return page(listed, limit, lambda series: series.id)


@series_routes.get("/v1/price-series/{series}", errors=(NotFound,), holds=holding("price_series"))
async def get_price_series(series: PriceSeriesId, core: Core, tenant: Tenant) -> StoredSeries:
    """Return a price series, with the state of its feed."""
    return await PriceStore(tenant).get(series, core.clock.now())


@series_routes.put(
    "/v1/price-series/{series}", errors=(Conflict,), examples=examples("price_series")
)
async def put_price_series(
    series: PriceSeriesId, body: NewPriceSeries, core: Core, tenant: Tenant
) -> StoredSeries | Created[StoredSeries]:
    """Make a price series, or replace its definition; its prices stay.

    409 if it has prices in another currency, or of a unit of another kind.
    """
    if body.id not in (None, series):
        raise Invalid.of("wrong_id", f"the path says {series!r}", "/id")
    created = await PriceStore(tenant).put(series, body)
    record = await PriceStore(tenant).get(series, core.clock.now())
    return Created(f"/v1/price-series/{series}", record) if created else record


@series_routes.delete("/v1/price-series/{series}", errors=(NotFound, InUse))
async def delete_price_series(series: PriceSeriesId, tenant: Tenant) -> None:
    """Delete a price series with its prices; 409 if issued bills use it."""
    await PriceStore(tenant).delete(series)


@series_routes.post(
    "/v1/price-series/{series}/prices",
    errors=(NotFound,),
    examples=examples("slot_prices"),
    once="together",
)
async def post_series_prices(
    series: PriceSeriesId, body: PriceBatch, tenant: Tenant
) -> StoredPrices:
    """Store prices; what differs from a price that is known becomes a new revision of it.

    All of them, or none: two prices for one slot are 422 `duplicate_price`. The same again changes
    nothing. Bills that are issued keep the prices that they were made from.
    """
    return await store(tenant, series, body)


@series_routes.get(
    "/v1/price-series/{series}/prices", errors=(NotFound,), produces=FILES, from_replica=True
)
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
    window = window_of(zone, start, end)
    (points,) = await PriceStore(tenant).read([PriceSpan(series, *window, known_at)])
    assert points is not None
    if len(points.starts) > min(_SLOTS, core.settings.limits.slots):
        raise Invalid.of(
            "too_many_slots",
            f"the window has {len(points.starts)} prices, more than {_SLOTS}",
            "/query/end",
        )
    data = await off_loop(_data, points, head.unit, zone)
    if accepted != JSON:
        rows = ((slot.start, slot.end, slot.price) for slot in data)
        return Rows.listed(("start", "end", "price"), rows)
    return SeriesPrices(
        currency=head.currency,
        unit=head.unit,
        timezone=head.timezone,
        data=data,
        revision_at=points.revision_at,
        horizon=head.horizon,
        next_update=None if head.feed is None else head.feed.next_update,
        stale=head.feed is not None and head.feed.stale,
    )


def _data(points: PriceSeries, unit: str, zone: Zone) -> list[SeriesPrice]:
    starts, ends = stamps(zone, points.starts), stamps(zone, points.ends)
    prices = [decimal_text(shown(points.text(index), unit), 12) for index in range(len(starts))]
    return [SeriesPrice(*row) for row in zip(starts, ends, prices, strict=True)]
