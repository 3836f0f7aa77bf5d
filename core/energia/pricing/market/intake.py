"""Prices that come in: exact, of the canonical unit, in order, each slot once."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Final

import attrs

from energia.convert.faults import step
from energia.errors import Fault, Invalid
from energia.pricing.market.models import InlinePrices, PriceBatch, PricePoint
from energia.pricing.market.series import Price, PriceSeries, shifted
from energia.time import DAY, instant_of, seconds_in, utc_text

#: So many faults are named.
_NAMED: Final = 1000
#: By how many digits a price of the unit is shifted to one of its canonical unit.
_SHIFTS: Final = {"kWh": 0, "MWh": -3, "m3": 0}
#: The unit that is stored.
CANONICAL: Final = {"kWh": "kWh", "MWh": "kWh", "m3": "m3"}


def canonical(price: Decimal, unit: str) -> Decimal:
    """Return the price of one canonical unit, given that of one *unit*; exact."""
    digits = _SHIFTS[unit]
    return shifted(price, digits) if digits else price


def shown(price: Decimal, unit: str) -> Decimal:
    """Return the price of one *unit*, given that of one canonical unit; exact."""
    return shifted(price, -_SHIFTS[unit])


def prices_of(
    prices: InlinePrices, unit: str, interval: timedelta | None = None, pointer: str = ""
) -> list[Price]:
    """Return *prices* of one canonical unit each, in order, each slot once.

    Args:
        prices: As they were sent.
        unit: What they are for, if they do not say.
        interval: How long one lasts, if it does not say.
        pointer: Where they are in the request.

    Raises:
        Invalid: A slot has no length, two overlap, or one has two different prices.

    """
    batch = prices if isinstance(prices, PriceBatch) else PriceBatch(prices=prices)
    unit, interval = batch.unit or unit, batch.interval or interval
    if batch.values is not None:
        return _row(batch, unit, interval, pointer)
    within = f"{pointer}{_member(prices)}"
    pairs, faults = list[tuple[Price, str]](), list[Fault]()
    for index, item in enumerate(batch.prices or ()):
        price = _price(item, unit, interval, f"{within}/{index}")
        if isinstance(price, Fault):
            faults.append(price)
        else:
            pairs.append((price, f"{within}/{index}"))
    ordered = _once(sorted(pairs, key=lambda pair: (pair[0].start, pair[0].end)), faults)
    if faults:
        raise Invalid(faults[0].message, faults[:_NAMED], Counter(fault.code for fault in faults))
    return ordered


def inline(prices: Mapping[str, InlinePrices], currency: str) -> dict[str, PriceSeries]:
    """Return the series that come with a request, in the currency of its tariff.

    Raises:
        Invalid: As `prices_of`; faults point below `/prices`.

    """
    series = {}
    for name, batch in prices.items():
        unit = (batch.unit if isinstance(batch, PriceBatch) else None) or "kWh"
        points = prices_of(batch, unit, None, f"/prices{step(name)}")
        series[name] = PriceSeries.of(name, currency, CANONICAL[unit], points)
    return series


def number_of(prices: InlinePrices) -> int:
    """Return how many prices there are."""
    batch = prices if isinstance(prices, PriceBatch) else PriceBatch(prices=prices)
    return len(batch.prices or ()) + len(batch.values or ())


def _member(prices: InlinePrices) -> str:
    if not isinstance(prices, PriceBatch):
        return ""
    return "/prices" if prices.values is None else "/values"


def _row(batch: PriceBatch, unit: str, interval: timedelta | None, pointer: str) -> list[Price]:
    """Return prices of consecutive slots: in order, none over another, so all of them fit."""
    if interval is None:
        raise Invalid.of(
            "missing_field", "values need an interval: the series has none", f"{pointer}/interval"
        )
    assert batch.start is not None
    starts = count(instant_of(batch.start), lasts := seconds_in(interval))
    return [
        Price(start, start + lasts, canonical(value, unit))
        for start, value in zip(starts, batch.values or (), strict=False)
        if value is not None
    ]


def _price(item: PricePoint, unit: str, interval: timedelta | None, pointer: str) -> Price | Fault:
    if item.end is None and interval is None:
        return Fault(
            "missing_field", "the price has no end, and the series no interval", f"{pointer}/end"
        )
    start = instant_of(item.start)
    # Not `item.start + interval`: that is wall-clock arithmetic where the zone is not fixed.
    lasts = 0 if interval is None else seconds_in(interval)
    end = start + lasts if item.end is None else instant_of(item.end)
    if not start < end <= start + 366 * DAY:
        message = "a price lasts from one second up to 366 days"
        return Fault("wrong_interval", message, f"{pointer}/end")
    return Price(start, end, canonical(item.price, unit))


def _once(pairs: Sequence[tuple[Price, str]], faults: list[Fault]) -> list[Price]:
    """Return each slot once; add the faults of those that contradict each other."""
    distinct: list[Price] = []
    for price, pointer in pairs:
        last = distinct[-1] if distinct else None
        if last is None or price.start >= last.end:
            distinct.append(price)
        elif (last.start, last.end) != (price.start, price.end):
            message = f"the price of {_slot(price)} overlaps that of {_slot(last)}"
            faults.append(Fault("overlapping_prices", message, pointer))
        elif last.price != price.price:
            message = f"{_slot(price)} has two prices: {last.price:f} and {price.price:f}"
            faults.append(Fault("duplicate_price", message, pointer))
    return distinct


def _slot(price: Price) -> str:
    return f"{utc_text(price.start)} to {utc_text(price.end)}"


@attrs.frozen
class Merge:
    """How new prices change the stored ones.

    Attributes:
        add: Prices to store.
        gone: The starts of the stored prices that they replace.
        unchanged: How many are stored already.

    """

    add: Sequence[Price]
    gone: Sequence[int]
    unchanged: int


def merged(new: Sequence[Price], old: Sequence[Price]) -> Merge:
    """Return what to store of *new* prices, where *old* ones are stored; both are in order.

    Raises:
        Invalid: A stored price would lose a part of its slot.

    """
    starts, same, gone = [price.start for price in new], set[int](), list[int]()
    for previous in old:
        # The new price before may reach into this one: it is looked at too.
        first = max(0, bisect_right(starts, previous.start) - 1)
        past = bisect_right(starts, previous.end - 1)
        inside = [price for price in new[first:past] if price.end > previous.start]
        if not inside:
            continue
        if previous == inside[0] or _equal(previous, inside[0]):
            same.add(previous.start)
            continue
        # New prices do not overlap one another, so the lengths of their shares may be added up.
        covered = sum(min(p.end, previous.end) - max(p.start, previous.start) for p in inside)
        if covered < previous.end - previous.start:
            raise Invalid.of(
                "partly_replaced",
                f"the stored price of {_slot(previous)} would lose a part of its slot",
            )
        gone.append(previous.start)
    add = [price for price in new if price.start not in same]
    return Merge(add, gone, len(same))


def _equal(old: Price, new: Price) -> bool:
    return (old.start, old.end, old.price) == (new.start, new.end, new.price)
