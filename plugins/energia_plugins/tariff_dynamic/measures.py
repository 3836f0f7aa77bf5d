"""What `energy.dynamic` measures: energy, slots and amounts, by local day or by month."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import attrs
import numpy as np

from energia.pricing.calendar import Grid
from energia.pricing.charges import Role
from energia.pricing.exact import sums
from energia.pricing.market.formula import SlotFormula
from energia.pricing.market.series import LIMIT, Whole
from energia.pricing.slots import Portion, Slots
from energia.units import MICRO
from energia.zones import DAY, Int64, Zone

#: The label of what amounts are divided by.
SCALE: Final = "scale"
#: A window of more days is told by month.
_DAYS: Final = 45


@attrs.frozen
class Part:
    """Consecutive slots of one local day or month."""

    label: str
    first: int
    past: int


@lru_cache(maxsize=128)
def parts(grid: Grid, zone: Zone) -> list[Part]:
    """Return the slots of each local day; of each month, where there are many days."""
    if not grid.count:
        return []
    days = zone.local(grid.starts) // DAY
    dates = days.astype("datetime64[D]")
    if len(np.unique(days)) > _DAYS:
        dates = dates.astype("datetime64[M]")
    bounds = np.flatnonzero(np.append(True, dates[1:] != dates[:-1]))
    ends = [*bounds[1:].tolist(), grid.count]
    labels = np.datetime_as_string(dates[bounds]).tolist()
    return [Part(*one) for one in zip(labels, bounds.tolist(), ends, strict=True)]


def _added(found: list[Part], values: list[int]) -> dict[str, int]:
    """Add the values up by label: a local day may come back for an hour."""
    by_label: dict[str, int] = {}
    for part, value in zip(found, values, strict=True):
        by_label[part.label] = by_label.get(part.label, 0) + value
    return by_label


def _sums(values: Whole, largest: int, found: list[Part]) -> list[int]:
    """Return the exact sum of *values* in each part."""
    if not found:
        return []
    bounds: Int64 = np.array([part.first for part in found], np.int64)
    if values.dtype == object:
        return [int(one) for one in np.add.reduceat(values, bounds)]
    each = np.arange(len(bounds), dtype=np.int64)
    return sums(values, largest, bounds, each, each)


@attrs.frozen(cache_hash=True)
class EnergyByDay:
    """The sum of a channel in each local day, or month, in micro-units."""

    channel: Role = "import"

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is summed."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the exact sums."""
        part = slots.portion(self.channel)
        found = parts(part.grid, slots.zone)
        return _added(found, _sums(part.values, part.largest, found))


@attrs.frozen(cache_hash=True)
class SlotsByDay:
    """How many slots each local day, or month, has."""

    channel: Role = "import"
    is_amount = True

    @property
    def roles(self) -> tuple[str, ...]:
        """The role whose slots they are."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count them."""
        found = parts(slots.portion(self.channel).grid, slots.zone)
        return _added(found, [part.past - part.first for part in found])


@attrs.frozen(cache_hash=True)
class AmountByDay:
    """What the slots of each local day, or month, cost: amounts in `1/scale` of the currency."""

    formula: SlotFormula
    channel: Role = "import"
    is_amount = True

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is priced."""
        return (self.channel,)

    @property
    def series(self) -> tuple[str, ...]:
        """The series of the prices."""
        return (self.formula.series,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Multiply slot by slot, and add up; raises as `Slots.prices`."""
        part = slots.portion(self.channel)
        prices = slots.prices(self.formula, self.channel)
        if len(prices.averaged):
            slots.assume(
                "prices_averaged",
                f"{len(prices.averaged)} slots of {self.channel} have several prices of "
                f"{self.formula.series}: each has their mean, weighted by time",
                len(prices.averaged),
            )
        found = parts(part.grid, slots.zone)
        values, largest = _products(part, prices.values)
        amounts = _added(found, _sums(values, largest, found))
        return {SCALE: prices.scale * MICRO, **amounts}


def _products(part: Portion, prices: Whole) -> tuple[Whole, int]:
    """Return what each slot costs, and a bound of it; in Python's numbers if 64 bits may not do."""
    largest = part.largest * (int(abs(prices).max()) if len(prices) else 0)
    if largest > LIMIT:
        return part.values.astype(object) * prices, largest
    return part.values * prices, largest
