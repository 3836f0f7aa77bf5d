"""Price series, exact: their prices in the slots of a meter, and what a charge makes of them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Literal, Self, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from energia.errors import Fault, IncompletePrices, Invalid
from energia.pricing.cache import CACHE
from energia.pricing.calendar import Grid
from energia.pricing.exact import RateRounding, fraction
from energia.time import Instant, Int64, Zone
from energia.units import QUANTITIES, quantity_of

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

    start: Instant
    end: Instant
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
        slots = list(prices)
        decimals, scaled = scaled_of([slot.price for slot in slots])
        starts = np.array([slot.start for slot in slots], np.int64)
        ends = np.array([slot.end for slot in slots], np.int64)
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
        # Integrals of prices over time may not fit int64; then Python's integers are added.
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
        index = np.searchsorted(self.starts, instants, side="right") - 1
        if not len(self.starts):
            return np.zeros(len(instants), prices.dtype)
        # An index of -1, before the first price, picks the last one: `where` drops what it gives.
        inside = np.minimum(instants - self.starts[index], lengths[index])
        integral: Whole = np.where(index < 0, 0, whole[index] + prices[index] * inside)
        return integral

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
    decimals = max((max(0, -exponent(price)) for price in prices), default=0)
    return decimals, whole([int(shifted(price, decimals)) for price in prices])


def shifted(number: Decimal, digits: int) -> Decimal:
    """Return `number x 10**digits`, exactly: no context of decimals rounds it."""
    sign, figures, _ = number.as_tuple()
    return Decimal((sign, figures, exponent(number) + digits))


def exponent(number: Decimal) -> int:
    """Return the exponent of a finite number."""
    value = number.as_tuple().exponent
    assert isinstance(value, int)
    return value


def whole(numbers: Sequence[int]) -> Whole:
    """Return whole numbers as an array: int64 if all of them fit, else Python's own."""
    fits = all(-LIMIT <= number <= LIMIT for number in numbers)
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
    begin, end = (zone.text(grid.start + slot * grid.interval) for slot in (first, past))
    return f"{name}: no price from {begin} to {end} ({past - first} slots)"


def refuse_unit(series: PriceSeries, role: str, unit: str | None = None) -> None:
    """Refuse a series that does not price the *unit* of *role*, or its own; raises `Invalid`."""
    unit = unit or QUANTITIES[quantity_of(role)]
    if series.unit != unit:
        raise Invalid.of(
            "wrong_unit", f"{series.name!r} prices {series.unit}, and {role} is in {unit}"
        )


# What a charge makes of a price series: the price of each slot, exactly.

_ONE: Final = Decimal(1)
_ZERO: Final = Decimal(0)


@attrs.frozen(cache_hash=True)
class SlotFormula:
    """A price series, scaled and bounded, in this order.

    The price of a slot is `series x multiplier + adder`; then not below the floor, not above the
    cap; then it is rounded to the `unit_price_decimals` of the version, if it has any.

    Attributes:
        series: The name of the series.
        multiplier: What its prices are multiplied by: losses, a VAT that is inside.
        adder: What is added for each unit: a margin.
        floor: The lowest price.
        cap: The highest price.
        finer: Whether several prices in one slot of the meter are averaged, weighted by time, or
            refused.

    """

    series: str
    multiplier: Decimal = _ONE
    adder: Decimal = _ZERO
    floor: Decimal | None = None
    cap: Decimal | None = None
    finer: Literal["average", "refuse"] = "average"

    def prices(self, series: PriceSeries, grid: Grid, rounding: RateRounding) -> SlotPrices:
        """Return the price of each slot of *grid*; those without one are marked.

        Raises:
            Invalid: Prices are finer than the slots and must not be averaged.

        """
        return _priced(self, series, grid, rounding)

    def of(self, prices: SlotPrices, interval: int, rounding: RateRounding) -> SlotPrices:
        """Apply the formula to the *prices* of a series in slots of *interval* seconds."""
        if self.finer == "refuse" and len(prices.averaged):
            raise _too_fine(self.series, len(prices.averaged))
        values, scale = self._bounded(*_simplest(prices, interval))
        if rounding.unit_price_decimals is not None:
            values, scale = _rounded(values, scale, rounding)
        return SlotPrices(values, scale, prices.known, prices.averaged)

    def complete(
        self, series: PriceSeries, grid: Grid, rounding: RateRounding, zone: Zone
    ) -> SlotPrices:
        """Return the price of each slot of *grid*; raises `IncompletePrices` if one is missing."""
        prices = self.prices(series, grid, rounding)
        refuse_missing(series, grid, prices.known, zone)
        return prices

    def _bounded(self, values: Whole, scale: int) -> tuple[Whole, int]:
        """Return prices scaled, shifted and bounded, and their new scale."""
        bounds = [bound for bound in (self.floor, self.cap) if bound is not None]
        of_product = max(0, -exponent(self.multiplier))
        decimals = max(
            [of_product, *(max(0, -exponent(number)) for number in (self.adder, *bounds))]
        )
        factor = int(shifted(self.multiplier, decimals))
        scale *= 10**decimals
        adder = _times(self.adder, scale)
        # Decided with Python's integers before anything is multiplied: numpy overflows silently.
        largest = (int(abs(values).max()) if len(values) else 0) * abs(factor) + abs(adder)
        limits = [abs(_times(bound, scale)) for bound in bounds]
        if max([largest, *limits]) > LIMIT:
            values = values.astype(object)
        values = values * factor + adder
        if self.floor is not None:
            values = np.maximum(values, _times(self.floor, scale))
        if self.cap is not None:
            values = np.minimum(values, _times(self.cap, scale))
        return values, scale

    def text(self) -> str:
        """Return the formula for a person: `spot x 1.05 + 0.02, at least 0`."""
        parts = [self.series]
        if self.multiplier != 1:
            parts.append(f"x {self.multiplier:f}")
        if self.adder:
            parts.append(f"{'-' if self.adder < 0 else '+'} {abs(self.adder):f}")
        text = " ".join(parts)
        text += "" if self.floor is None else f", at least {self.floor:f}"
        return text + ("" if self.cap is None else f", at most {self.cap:f}")


@CACHE.memo
def _priced(
    formula: SlotFormula, series: PriceSeries, grid: Grid, rounding: RateRounding
) -> SlotPrices:
    """Price slots; all meters on one grid share the prices of a window."""
    return formula.of(series.aligned(grid), grid.interval, rounding)


def _simplest(prices: SlotPrices, interval: int) -> tuple[Whole, int]:
    """Return prices without the length of a slot in their scale, where nothing was averaged."""
    if len(prices.averaged) or (prices.values % interval).any():
        return prices.values, prices.scale
    return prices.values // interval, prices.scale // interval


def _times(number: Decimal, scale: int) -> int:
    """Return *number* in units of `1/scale`, which is a multiple of its last decimal."""
    scaled = fraction(number) * scale
    assert scaled.denominator == 1
    return scaled.numerator


def _rounded(values: Whole, scale: int, rounding: RateRounding) -> tuple[Whole, int]:
    """Return prices rounded as the version rounds rates."""
    decimals = rounding.unit_price_decimals or 0
    # RateRounding goes by fractions and is slow; most slots of a window share few prices.
    different, index = np.unique(values, return_inverse=True)
    exact = [
        rounding.rate(Fraction(value, scale))[0] * 10**decimals for value in different.tolist()
    ]
    scaled = [int(rate) for rate in exact]
    fits = all(abs(number) <= LIMIT for number in scaled)
    return np.array(scaled, np.int64 if fits else object)[index], 10**decimals


def _too_fine(name: str, slots: int) -> Invalid:
    message = (
        f"{slots} slots of the meter have several prices of {name!r}: the charge refuses to average"
    )
    return Invalid.of("prices_too_fine", message)
