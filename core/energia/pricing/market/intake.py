"""Prices that come in: exact, of the canonical unit, in order, each slot once."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, timedelta
from decimal import Decimal
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
    return shifted(price, _SHIFTS[unit])


def shown(price: Decimal, unit: str) -> Decimal:
    """Return the price of one *unit*, given that of one canonical unit; exact."""
    return shifted(price, -_SHIFTS[unit])


def prices_of(
    sent: InlinePrices, unit: str, interval: timedelta | None = None, pointer: str = ""
) -> list[Price]:
    """Return the prices that were sent, of the canonical unit, in order, each slot once.

    Args:
        sent: The prices.
        unit: What they are for, if they do not say.
        interval: How long one lasts, if it does not say.
        pointer: Where they are in the request.

    Raises:
        Invalid: A slot has no length, two overlap, or one has two different prices.

    """
    batch = sent if isinstance(sent, PriceBatch) else PriceBatch(prices=sent)
    unit, interval = batch.unit or unit, batch.interval or interval
    within = f"{pointer}{_member(sent)}"
    found, faults = list[tuple[Price, str]](), list[Fault]()
    for index, item in enumerate(_items(batch, interval, pointer)):
        if item is None:
            continue
        one = _price(item, unit, interval, f"{within}/{index}")
        if isinstance(one, Fault):
            faults.append(one)
        else:
            found.append((one, f"{within}/{index}"))
    ordered = _once(sorted(found, key=lambda pair: (pair[0].start, pair[0].end)), faults)
    if faults:
        raise Invalid(faults[0].message, faults[:_NAMED], Counter(one.code for one in faults))
    return ordered


def inline(prices: Mapping[str, InlinePrices], currency: str) -> dict[str, PriceSeries]:
    """Return the series that come with a request, in the currency of its tariff.

    Raises:
        Invalid: As `prices_of`; faults point below `/prices`.

    """
    found = {}
    for name, sent in prices.items():
        unit = (sent.unit if isinstance(sent, PriceBatch) else None) or "kWh"
        points = prices_of(sent, unit, None, f"/prices{step(name)}")
        found[name] = PriceSeries.of(name, currency, CANONICAL[unit], points)
    return found


def _member(sent: InlinePrices) -> str:
    if not isinstance(sent, PriceBatch):
        return ""
    return "/prices" if sent.values is None else "/values"


def _items(
    sent: PriceBatch, interval: timedelta | None, pointer: str
) -> Iterable[PricePoint | None]:
    """Return the prices one by one; None where there is none."""
    if sent.values is None:
        return sent.prices or ()
    if interval is None:
        raise Invalid.of(
            "missing_field", "values need an interval: the series has none", f"{pointer}/interval"
        )
    return _consecutive(sent, interval)


def _consecutive(sent: PriceBatch, interval: timedelta) -> Iterator[PricePoint | None]:
    assert sent.start is not None
    for index, price in enumerate(sent.values or ()):
        start = sent.start.astimezone(UTC) + index * interval
        yield None if price is None else PricePoint(start=start, end=start + interval, price=price)


def _price(item: PricePoint, unit: str, interval: timedelta | None, at: str) -> Price | Fault:
    if item.end is None and interval is None:
        return Fault(
            "missing_field", "the price has no end, and the series no interval", f"{at}/end"
        )
    start = instant_of(item.start)
    # Not `item.start + interval`: that is wall-clock arithmetic where the zone is not fixed.
    lasts = 0 if interval is None else seconds_in(interval)
    end = start + lasts if item.end is None else instant_of(item.end)
    if not start < end <= start + 366 * DAY:
        message = "a price lasts from one second up to 366 days"
        return Fault("wrong_interval", message, f"{at}/end")
    return Price(start, end, canonical(item.price, unit))


def _once(found: Sequence[tuple[Price, str]], faults: list[Fault]) -> list[Price]:
    """Return each slot once; add the faults of those that contradict each other."""
    kept: list[Price] = []
    for price, pointer in found:
        last = kept[-1] if kept else None
        if last is None or price.start >= last.end:
            kept.append(price)
        elif (last.start, last.end) != (price.start, price.end):
            message = f"the price of {_slot(price)} overlaps that of {_slot(last)}"
            faults.append(Fault("overlapping_prices", message, pointer))
        elif last.price != price.price:
            message = f"{_slot(price)} has two prices: {last.price:f} and {price.price:f}"
            faults.append(Fault("duplicate_price", message, pointer))
    return kept


def _slot(price: Price) -> str:
    return f"{utc_text(price.start)} to {utc_text(price.end)}"


@attrs.frozen
class Merge:
    """What becomes of stored prices.

    Attributes:
        add: Prices to store.
        gone: The starts of those in whose place they are.
        unchanged: How many are stored as they are.

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
    for one in old:
        first = max(0, bisect_right(starts, one.start) - 1)
        past = bisect_right(starts, one.end - 1)
        inside = [price for price in new[first:past] if price.end > one.start]
        if not inside:
            continue
        if one == inside[0] or _equal(one, inside[0]):
            same.add(one.start)
            continue
        covered = sum(min(p.end, one.end) - max(p.start, one.start) for p in inside)
        if covered < one.end - one.start:
            raise Invalid.of(
                "partly_replaced", f"the stored price of {_slot(one)} would lose a part of its slot"
            )
        gone.append(one.start)
    add = [price for price in new if price.start not in same]
    return Merge(add, gone, len(same))


def _equal(one: Price, other: Price) -> bool:
    return (one.start, one.end, one.price) == (other.start, other.end, other.price)
