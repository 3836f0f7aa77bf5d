"""Prices: what one unit costs in each slot, past and ahead."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Final

import attrs
from msgspec import Meta

from energia.convert import Converter
from energia.convert.scalars import Unfit
from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import Conflict, Fault, Invalid, NotFound
from energia.metering import durations
from energia.metering.series import refuse_length
from energia.pricing.calendar import Grid
from energia.pricing.charges import Role, unit_of
from energia.pricing.inline import boundary
from energia.pricing.prices import SlotPrice, prices
from energia.pricing.slots import Assumption
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff
from energia.web.ids import TariffId
from energia.web.routes import Routes
from energia.web.streams import FILES, JSON, Accepted, Rows
from energia.web.windows import End, Start
from energia.zones import rfc3339

Resolution = Annotated[
    str, Meta(max_length=20, description="The length of a slot: divides a day, at most PT1H.")
]
#: How many slots one answer has at most.
_SLOTS: Final = 100_000

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
    data: tuple[SlotPrice, ...]
    assumptions: tuple[Assumption, ...]
    next_update: datetime | None
    stale: bool


@routes.get("/v1/tariffs/{tariff}/prices", errors=(NotFound, Conflict), produces=FILES)
async def get_prices(
    tariff: TariffId,
    start: Start,
    end: End,
    core: Core,
    tenant: Tenant,
    converter: Converter,
    accepted: Accepted,
    resolution: Resolution = "PT1H",
    channel: Role = "import",
) -> TariffPrices | Rows:
    """Return what one unit of a channel costs, slot by slot, from the start of the window.

    The sum of the charges that have a price per unit; dates are midnights of the tariff's zone, and
    a slot has the price at its start. As a file: `start,end,price,period`, then the components.
    """
    found = (await Tariffs(tenant, converter).get(tariff)).filled({})
    limit = min(_SLOTS, core.settings.limits.slots)
    grid = _grid(found, boundary(start, found.zone), boundary(end, found.zone), resolution, limit)
    with _pointing():
        priced = await asyncio.to_thread(prices, found, channel, grid)
    if accepted != JSON:
        return _rows(priced.slots)
    unit = unit_of(channel)
    name = found.timezone
    return TariffPrices(
        found.currency, unit, name, priced.slots, priced.assumptions, None, stale=False
    )


@contextmanager
def _pointing() -> Iterator[None]:
    """Let faults point to the parameter that they are about."""
    try:
        yield
    except Invalid as error:
        places = {"no_version_in_force": "/query/start", "no_unit_price": "/query/channel"}
        faults = [attrs.evolve(one, pointer=places.get(one.code)) for one in error.faults]
        raise Invalid(error.detail, faults) from error


def _grid(tariff: Tariff, start: int, end: int, resolution: str, limit: int) -> Grid:
    try:
        step = durations.seconds(resolution)
        refuse_length(step)
    except (durations.BadDuration, Unfit) as error:
        fault = Fault("wrong_interval", str(error), "/query/resolution")
        raise Invalid(str(error), [fault]) from None
    if end <= start:
        message = "the end must be after the start"
        raise Invalid(message, [Fault("empty_window", message, "/query/end")])
    count = -((start - end) // step)
    if count > limit:
        message = f"the window has more than {limit} slots"
        raise Invalid(message, [Fault("too_many_slots", message, "/query/end")])
    return Grid(start, step, count)


def _rows(slots: tuple[SlotPrice, ...]) -> Rows:
    components = list(dict.fromkeys(name for slot in slots for name in slot.components))
    columns = ("start", "end", "price", "period", *components)
    return Rows.listed(
        columns,
        (
            (
                rfc3339(slot.start),
                rfc3339(slot.end),
                slot.price,
                slot.period,
                *(slot.components.get(name) for name in components),
            )
            for slot in slots
        ),
    )
