"""Prices: what one unit costs in each slot, past and ahead."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Final

import attrs
from msgspec import Meta

from energia.billing.contracts import Contracts
from energia.convert import Converter, Id
from energia.convert.scalars import Unfit
from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import Conflict, Fault, IncompletePrices, Invalid, NotFound
from energia.metering import durations
from energia.metering.series import refuse_length
from energia.pricing.calendar import Grid
from energia.pricing.charges import Role, unit_of
from energia.pricing.market.ahead import Market
from energia.pricing.market.intake import seconds_of
from energia.pricing.market.models import FeedState
from energia.pricing.market.needs import refuse_unfit
from energia.pricing.market.store import PriceStore
from energia.pricing.prices import prices, series_of_prices
from energia.pricing.slots import Assumption
from energia.pricing.store import Tariffs
from energia.web.ids import TariffId
from energia.web.prices import SlotPrice, price_rows, slot_prices
from energia.web.routes import Routes
from energia.web.streams import FILES, JSON, Accepted, Rows
from energia.web.windows import End, Start, instant
from energia.zones import DAY, Zone

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
_HOUR: Final = 3600
#: Faults of price series, which no parameter of the query mends.
_OF_SERIES: Final = (
    *("unknown_price_series", "wrong_currency", "wrong_unit", "missing_price", "prices_too_fine"),
)

routes = Routes(tag="Tariffs")


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
    "/v1/tariffs/{tariff}/prices", errors=(NotFound, Conflict, IncompletePrices), produces=FILES
)
async def get_prices(
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

    The sum of the charges that have a price per unit; dates are midnights of the tariff's zone, and
    a slot has the price at its start. Where charges have parameters, the contract tells them.
    Prices of a series are told as far as they are known, slot by slot of the series unless a
    resolution is asked for; nothing is said of later slots (`beyond_horizon` in `assumptions`).

    As a file: `start,end,price,period`, then a column `component.<name>` for each component.
    """
    asked = await Tariffs(tenant, converter).get(tariff)
    zone, limit = asked.zone, min(_SLOTS, core.settings.limits.slots)
    window = _window(instant(zone, start, "start"), instant(zone, end, "end"))
    parameters = await _parameters(tenant, converter, tariff, contract)
    with _pointing():
        names = series_of_prices(asked, channel, window, parameters)
        market, feeds = await _market(core, tenant, names, window)
        refuse_unfit(names, market.series, asked.currency)
    grid = _grid(*window, resolution or _native(market), limit)
    with _pointing():
        found = await asyncio.to_thread(prices, asked, channel, grid, parameters, market)
    if accepted != JSON:
        return price_rows(found, zone)
    data = await asyncio.to_thread(slot_prices, found, zone)
    return TariffPrices(
        currency=asked.currency,
        unit=unit_of(channel),
        timezone=zone.name,
        data=data,
        assumptions=found.assumptions,
        next_update=_next(feeds, zone),
        stale=any(feed.stale for feed in feeds),
    )


async def _market(
    core: Core, tenant: Tenant, names: Sequence[str], window: tuple[int, int]
) -> tuple[Market, list[FeedState]]:
    """Return the price series in a window, and how the feeds that fill them are doing."""
    if not names:
        return Market(), []
    store = PriceStore(tenant)
    heads = await store.known(names, core.clock.now())
    series = await store.covering(list(heads), *window)
    horizons = {
        name: None if one.horizon is None else seconds_of(one.horizon)
        for name, one in heads.items()
    }
    return Market(series, horizons), [one.feed for one in heads.values() if one.feed]


def _next(feeds: Sequence[FeedState], zone: Zone) -> datetime | None:
    """Return when the first of *feeds* expects more prices."""
    expected = [feed.next_update for feed in feeds if feed.next_update is not None]
    return min(expected).astimezone(zone.tzinfo) if expected else None


def _native(market: Market) -> str:
    """Return the length of a slot that has a price of its own; an hour if it is no length."""
    shortest = market.native()
    fits = shortest is not None and shortest <= _HOUR and DAY % shortest == 0
    return durations.text(shortest if fits and shortest else _HOUR)


async def _parameters(
    tenant: Tenant, converter: Converter, tariff: str, contract: str | None
) -> Mapping[str, Any]:
    """Return the parameters of a contract of the tariff; none without a contract."""
    if contract is None:
        return {}
    try:
        found = await Contracts(tenant, converter).get(contract)
    except NotFound as error:
        raise Invalid(error.detail, [_of_contract("unknown_contract", error.detail)]) from None
    if found.tariff != tariff:
        message = f"the contract {contract!r} is of the tariff {found.tariff!r}"
        raise Invalid(message, [_of_contract("other_tariff", message)])
    return found.parameters


def _of_contract(code: str, message: str) -> Fault:
    return Fault(code, message, "/query/contract")


@contextmanager
def _pointing() -> Iterator[None]:
    """Let faults point to the parameter of the query that they are about."""
    try:
        yield
    except Invalid as error:
        faults = [attrs.evolve(one, pointer=_place(one)) for one in error.faults]
        raise type(error)(error.detail, faults, error.counts) from error


def _place(fault: Fault) -> str | None:
    if fault.code in _OF_SERIES:
        return None
    if fault.pointer is None:
        return "/query/channel"
    return "/query/contract" if fault.code != "no_version_in_force" else f"/query{fault.pointer}"


def _window(start: int, end: int) -> tuple[int, int]:
    if end <= start:
        message = "the end must be after the start"
        raise Invalid(message, [Fault("empty_window", message, "/query/end")])
    return start, end


def _grid(start: int, end: int, resolution: str, limit: int) -> Grid:
    try:
        step = durations.seconds(resolution)
        refuse_length(step)
    except (durations.BadDuration, Unfit) as error:
        fault = Fault("wrong_interval", str(error), "/query/resolution")
        raise Invalid(str(error), [fault]) from None
    count = -((start - end) // step)
    if count > limit:
        message = f"the window has more than {limit} slots"
        raise Invalid(message, [Fault("too_many_slots", message, "/query/end")])
    return Grid(start, step, count)
