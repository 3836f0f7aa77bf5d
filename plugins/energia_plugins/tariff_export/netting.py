"""Usage whose imports and exports are netted, and what of it is exported."""

from collections.abc import Mapping
from typing import Any, Final, Literal

import attrs
import numpy as np

from energia import (
    BaseMeasure,
    Energy,
    EnergyByPeriod,
    Invalid,
    Micro,
    Months,
    Portion,
    Role,
    Schedule,
    SlotFormula,
    Slots,
)
from energia.time import Int64
from energia.units import MICRO

#: Over what an export is set against an import: each interval of the meter, or each local hour.
Netting = Literal["interval", "hour"]
#: As `Netting`; where each hour has a price of its own, one that comes twice is two hours.
Nets = Literal["interval", "hour", "priced_hour"]

_HOUR: Final = 3600
#: So large may a sum over an hour be; far beyond any meter. Twice as much still fits 64 bits, for
#: the hour that comes twice when clocks go back.
_LIMIT: Final = 2**62
#: Bills of more local days are reported to be long.
_LONG: Final = 45


def net_of(slots: Slots, netting: Nets, export: Role) -> Slots:
    """Return *slots* with imports and exports set against each other.

    What is left of an hour is put into its first slot, so into the period that the hour starts in.

    Raises:
        Invalid: The two channels do not have the same slots, or their readings are too large.

    """
    ours, theirs = slots.portion("import"), slots.portion(export)
    _comparable(ours, theirs, export)
    net = ours.values - theirs.values
    if netting != "interval" and len(net):
        net = _hourly(net, _hours(slots, ours, netting))
    left = {"import": np.maximum(net, 0), export: np.maximum(-net, 0)}
    changed = {role: _portion(ours, values) for role, values in left.items()}
    return attrs.evolve(slots, portions={**slots.portions, **changed})


def as_import(slots: Slots, export: Role) -> Slots:
    """Return *slots* that import what they export: charges of imports then measure exports."""
    return attrs.evolve(slots, portions={**slots.portions, "import": slots.portion(export)})


def nothing_imported(slots: Slots) -> Slots:
    """Return *slots* without imports."""
    part = slots.portion("import")
    none = Portion(part.grid, np.zeros_like(part.values), 0)
    return attrs.evolve(slots, portions={**slots.portions, "import": none})


@attrs.frozen(cache_hash=True)
class Exported(BaseMeasure):
    """What is exported after netting, in micro-units, by period of a schedule or in `total`.

    Attributes:
        channel: The role of the exports.
        netting: Over what imports are set against exports; None takes exports as metered.
        schedule: When each period is.

    """

    channel: Role
    netting: Nets | None = None
    schedule: Schedule | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles whose readings it takes."""
        return (self.channel,) if self.netting is None else ("import", self.channel)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the exact sums."""
        if self.netting:
            slots = net_of(slots, self.netting, self.channel)
        if self.schedule:
            return EnergyByPeriod(self.schedule, self.channel).evaluate(slots)
        return Energy(self.channel).evaluate(slots)


@attrs.frozen(cache_hash=True)
class SoldAtPrices(BaseMeasure):
    """What exports are worth after netting, each slot at its price: an `amount` in `1/scale`.

    Attributes:
        formula: Makes the price of each slot.
        channel: The role of the exports.
        netting: Over what imports are set against exports; None takes exports as metered.

    """

    formula: SlotFormula
    channel: Role
    netting: Nets | None = None
    is_amount = True

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles whose readings it takes."""
        return (self.channel,) if self.netting is None else ("import", self.channel)

    @property
    def series(self) -> tuple[str, ...]:
        """The series of the prices."""
        return (self.formula.series,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Multiply slot by slot, and add up.

        Raises:
            IncompletePrices: A slot has none.
            Invalid: An hour that is netted has several prices.

        """
        left = net_of(slots, self.netting, self.channel) if self.netting else slots
        part, prices = left.portion(self.channel), left.prices(self.formula, self.channel)
        if self.netting == "priced_hour":
            self._refuse_several(slots, part, prices.values)
        if len(prices.averaged):
            slots.assume(
                "prices_averaged",
                f"{len(prices.averaged)} slots of {self.channel} have several prices of "
                f"{self.formula.series}: each has their mean, weighted by time",
                len(prices.averaged),
            )
        # Python's integers: a sum of products may not fit 64 bits, and few slots export.
        sells = np.flatnonzero(part.values)
        pairs = zip(part.values[sells].tolist(), prices.values[sells].tolist(), strict=True)
        amount = sum(energy * price for energy, price in pairs)
        return {"amount": amount, "scale": prices.scale * MICRO}

    def _refuse_several(self, slots: Slots, part: Portion, prices: Any) -> None:
        """Refuse hours with several prices: nobody can say which of them the net has."""
        first = _hours(slots, part, "priced_hour") if len(part.values) else np.zeros(0, np.int64)
        changes = np.flatnonzero(prices[1:] != prices[:-1]) + 1
        inside = np.setdiff1d(changes, first)
        if len(inside):
            where = slots.zone.text(int(part.grid.starts[inside[0]]))
            message = (
                f"an hour that is netted has several prices of {self.formula.series!r}, the next "
                f"from {where}: net each interval, or give hourly prices"
            )
            raise Invalid.of("prices_too_fine", message)


@attrs.frozen
class BillMonth(BaseMeasure):
    """The local days of each month of the bill, as `Months`; a long window is reported."""

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count the days of each month of the site's zone."""
        if slots.bill_days().number > _LONG:
            slots.assume(
                "long_bill", "the window is settled as one bill; group=P1M settles each month"
            )
        return Months().evaluate(slots)


@attrs.frozen
class PartDays(BaseMeasure):
    """As `Days`; where the bill goes on after the window, under another version, so says `after`.

    A bill that is priced by one version does not have the label.
    """

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count the days of the tariff's zone."""
        days = {"days": slots.local_days().number}
        goes_on = slots.bill is not None and slots.bill[1] > slots.end
        return {**days, "after": 1} if goes_on else days


def _comparable(ours: Portion, theirs: Portion, export: Role) -> None:
    if ours.grid != theirs.grid:
        message = f"import and {export} are netted slot by slot: they need the same interval"
        raise Invalid.of("different_intervals", message)
    if (ours.largest + theirs.largest) * _HOUR > _LIMIT:
        message = f"the readings of import and {export} are too large to be netted"
        raise Invalid.of("out_of_range", message)


def _hours(slots: Slots, part: Portion, netting: Nets) -> Int64:
    """Return the first slot of each hour."""
    # By the wall clock: the hour that comes twice when clocks go back is netted as one.
    local = slots.zone.local(part.grid.starts)
    begins = np.diff(local // _HOUR) != 0
    if netting == "priced_hour":
        begins |= np.diff(local) != part.grid.interval
    return np.append(0, np.flatnonzero(begins) + 1)


def _hourly(net: Micro, first: Int64) -> Micro:
    sums = np.zeros(len(net), np.int64)
    sums[first] = np.add.reduceat(net, first)
    return sums


def _portion(like: Portion, values: Micro) -> Portion:
    return Portion(like.grid, values, int(values.max()) if len(values) else 0)
