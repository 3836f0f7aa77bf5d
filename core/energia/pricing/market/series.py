"""Series of prices, exact, and their prices in the slots of a meter.

Prices are whole numbers of `10**-decimals` of the currency for one unit. A slot that several
prices fall into has their mean, weighted by time, as a fraction.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Self, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from energia.errors import Fault, IncompletePrices
from energia.pricing.calendar import Grid
from energia.zones import Int64, Zone

#: Whole numbers: int64 where they and what is made of them fit, else Python's.
Whole: TypeAlias = npt.NDArray[Any]
LIMIT: Final = 2**63 - 1
#: So many gaps are named in one refusal.
_NAMED: Final = 100


@attrs.frozen
class Price:
    """What one unit costs from one instant to another.

    Attributes:
        start: In seconds since 1970-01-01T00:00Z.
        end: In seconds since 1970-01-01T00:00Z.
        price: For one unit.

    """

    start: int
    end: int
    price: Decimal


@attrs.frozen(eq=False)
class PriceSeries:
    """Prices of slots that follow one another, with or without gaps, and do not overlap.

    Attributes:
        name: What charges call it.
        currency: ISO 4217.
        unit: What is priced: kWh, m3.
        starts: int64[n], when each slot starts, in seconds since 1970-01-01T00:00Z, rising.
        ends: int64[n], when each ends.
        prices: int[n], in `10**-decimals` of the currency.
        decimals: How many decimals prices have.
        revision_at: When the newest of them was recorded, where they are stored.

    """

    name: str
    currency: str
    unit: str
    starts: Int64
    ends: Int64
    prices: Whole
    decimals: int
    revision_at: datetime | None = None

    @classmethod
    def of(
        cls,
        name: str,
        currency: str,
        unit: str,
        prices: Iterable[Price],
        revision_at: datetime | None = None,
    ) -> Self:
        """Return a series of *prices* in the order of their starts."""
        found = list(prices)
        decimals, scaled = scaled_of([one.price for one in found])
        starts = np.array([one.start for one in found], np.int64)
        ends = np.array([one.end for one in found], np.int64)
        return cls(name, currency, unit, starts, ends, scaled, decimals, revision_at)

    @property
    def horizon(self) -> int | None:
        """When the last price ends; None without prices."""
        return int(self.ends[-1]) if len(self.ends) else None

    def text(self, index: int) -> Decimal:
        """Return one price."""
        return shifted(Decimal(int(self.prices[index])), -self.decimals)

    def aligned(self, grid: Grid) -> "SlotPrices":
        """Return the price of each slot of *grid*.

        A price that lasts longer than a slot holds in all of it; shorter ones are averaged, each
        for as long as it lasts. A slot that prices do not cover wholly has none.
        """
        starts, ends = grid.starts, grid.starts + grid.interval
        prices, bound = self.prices, self._bound(grid.interval)
        if bound > LIMIT:
            prices = prices.astype(object)
        lengths = self.ends - self.starts
        known = self._until(lengths, np.ones(len(lengths), np.int64), ends)
        known = known - self._until(lengths, np.ones(len(lengths), np.int64), starts)
        sums = self._until(lengths, prices, ends) - self._until(lengths, prices, starts)
        scale = 10**self.decimals * grid.interval
        return SlotPrices(sums, scale, known == grid.interval, self._averaged(starts, ends))

    def _bound(self, interval: int) -> int:
        """Return a bound of the integral of all prices."""
        if not len(self.prices):
            return 0
        largest = int(abs(self.prices).max())
        return largest * (int(self.ends[-1] - self.starts[0]) + interval)

    def _until(self, lengths: Int64, prices: Whole, instants: Int64) -> Whole:
        """Return the integral of *prices* over time up to each of *instants*."""
        whole = np.concatenate([np.zeros(1, prices.dtype), np.cumsum(prices * lengths)])
        at = np.searchsorted(self.starts, instants, side="right") - 1
        if not len(self.starts):
            return np.zeros(len(instants), prices.dtype)
        inside = np.minimum(instants - self.starts[at], lengths[at])
        found: Whole = np.where(at < 0, 0, whole[at] + prices[at] * inside)
        return found

    def _averaged(self, starts: Int64, ends: Int64) -> Int64:
        """Return the indexes of the slots that more than one price falls into."""
        first = np.searchsorted(self.starts, starts, side="right")
        last = np.searchsorted(self.starts, ends, side="left")
        return np.flatnonzero(first != last)


@attrs.frozen(eq=False)
class SlotPrices:
    """The prices of consecutive slots of a meter.

    Attributes:
        values: int[n], in `1/scale` of the currency for one unit.
        scale: A whole number.
        known: bool[n], which slots have a price; the values of others mean nothing.
        averaged: The indexes of slots that more than one price falls into.

    """

    values: Whole
    scale: int
    known: npt.NDArray[np.bool_]
    averaged: Int64

    def fractions(self) -> list[Fraction]:
        """Return the prices."""
        return [Fraction(value, self.scale) for value in self.values.tolist()]


def scaled_of(prices: Sequence[Decimal]) -> tuple[int, Whole]:
    """Return how many decimals *prices* have, and what they are in units of the last one."""
    decimals = max((max(0, -exponent(one)) for one in prices), default=0)
    return decimals, whole([int(shifted(one, decimals)) for one in prices])


def shifted(number: Decimal, digits: int) -> Decimal:
    """Return `number x 10**digits`, exactly: no context of decimals rounds it."""
    sign, figures, _ = number.as_tuple()
    return Decimal((sign, figures, exponent(number) + digits))


def exponent(number: Decimal) -> int:
    """Return the exponent of a finite number."""
    found = number.as_tuple().exponent
    assert isinstance(found, int)
    return found


def whole(numbers: Sequence[int]) -> Whole:
    """Return whole numbers as an array: int64 if all of them fit, else Python's own."""
    fits = all(-LIMIT <= one <= LIMIT for one in numbers)
    return np.array(numbers, np.int64 if fits else object)


def refuse_missing(
    series: PriceSeries, grid: Grid, known: npt.NDArray[np.bool_], zone: Zone
) -> None:
    """Refuse slots of *grid* without a price; raises `IncompletePrices`, which names them."""
    holes = np.flatnonzero(~known)
    if not len(holes):
        return
    begins = holes[np.flatnonzero(np.diff(holes, prepend=-2) != 1)]
    ends = holes[np.flatnonzero(np.diff(holes, append=grid.count + 2) != 1)] + 1
    faults = [
        Fault("missing_price", _told(series.name, grid, first, past, zone))
        for first, past in zip(begins.tolist(), ends.tolist(), strict=True)
    ]
    message = f"{len(holes)} slots have no price in the series {series.name!r}"
    raise IncompletePrices(message, faults[:_NAMED], {"missing_price": len(faults)})


def _told(name: str, grid: Grid, first: int, past: int, zone: Zone) -> str:
    begin, end = (zone.text(grid.start + at * grid.interval) for at in (first, past))
    return f"{name}: no price from {begin} to {end} ({past - first} slots)"
