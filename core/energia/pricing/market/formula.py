"""What a charge makes of a price series: the price of each slot, exactly."""

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final, Literal

import attrs
import numpy as np

from energia.errors import Fault, Invalid
from energia.pricing.calendar import Grid
from energia.pricing.exact import fraction
from energia.pricing.market.series import (
    LIMIT,
    PriceSeries,
    SlotPrices,
    Whole,
    exponent,
    refuse_missing,
    shifted,
)
from energia.pricing.rounding import Rounding
from energia.zones import Zone

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
        finer: What becomes of several prices in one slot of the meter: their mean, weighted by
            time, or a refusal.

    """

    series: str
    multiplier: Decimal = _ONE
    adder: Decimal = _ZERO
    floor: Decimal | None = None
    cap: Decimal | None = None
    finer: Literal["average", "refuse"] = "average"

    def prices(self, series: PriceSeries, grid: Grid, rounding: Rounding) -> SlotPrices:
        """Return the price of each slot of *grid*; those without one are marked.

        Raises:
            Invalid: Prices are finer than the slots and must not be averaged.

        """
        return _priced(self, series, grid, rounding)

    def of(self, found: SlotPrices, interval: int, rounding: Rounding) -> SlotPrices:
        """Return what becomes of the prices of a series in slots of *interval* seconds."""
        if self.finer == "refuse" and len(found.averaged):
            raise _too_fine(self.series, len(found.averaged))
        values, scale = self._bounded(*_simplest(found, interval))
        if rounding.unit_price_decimals is not None:
            values, scale = _rounded(values, scale, rounding)
        return SlotPrices(values, scale, found.known, found.averaged)

    def complete(
        self, series: PriceSeries, grid: Grid, rounding: Rounding, zone: Zone
    ) -> SlotPrices:
        """Return the price of each slot of *grid*; raises `IncompletePrices` if one is missing."""
        found = self.prices(series, grid, rounding)
        refuse_missing(series, grid, found.known, zone)
        return found

    def _bounded(self, values: Whole, scale: int) -> tuple[Whole, int]:
        """Return prices scaled, shifted and bounded, and their new scale."""
        bounds = [one for one in (self.floor, self.cap) if one is not None]
        of_product = max(0, -exponent(self.multiplier))
        decimals = max([of_product, *(max(0, -exponent(one)) for one in (self.adder, *bounds))])
        factor = int(shifted(self.multiplier, decimals))
        scale *= 10**decimals
        adder = _times(self.adder, scale)
        largest = (int(abs(values).max()) if len(values) else 0) * abs(factor) + abs(adder)
        limits = [abs(_times(one, scale)) for one in bounds]
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


@lru_cache(maxsize=16)
def _priced(
    formula: SlotFormula, series: PriceSeries, grid: Grid, rounding: Rounding
) -> SlotPrices:
    """Price slots; all meters on one grid share the prices of a window."""
    return formula.of(series.aligned(grid), grid.interval, rounding)


def _simplest(found: SlotPrices, interval: int) -> tuple[Whole, int]:
    """Return prices without the length of a slot in their scale, where nothing was averaged."""
    if len(found.averaged) or (found.values % interval).any():
        return found.values, found.scale
    return found.values // interval, found.scale // interval


def _times(number: Decimal, scale: int) -> int:
    """Return *number* in units of `1/scale`, which is a multiple of its last decimal."""
    found = fraction(number) * scale
    assert found.denominator == 1
    return found.numerator


def _rounded(values: Whole, scale: int, rounding: Rounding) -> tuple[Whole, int]:
    """Return prices rounded as the version rounds rates."""
    decimals = rounding.unit_price_decimals or 0
    different, index = np.unique(values, return_inverse=True)
    exact = [rounding.rate(Fraction(one, scale))[0] * 10**decimals for one in different.tolist()]
    scaled = [int(one) for one in exact]
    fits = all(abs(one) <= LIMIT for one in scaled)
    return np.array(scaled, np.int64 if fits else object)[index], 10**decimals


def _too_fine(name: str, slots: int) -> Invalid:
    message = (
        f"{slots} slots of the meter have several prices of {name!r}: the charge refuses to average"
    )
    return Invalid(message, [Fault("prices_too_fine", message)])
