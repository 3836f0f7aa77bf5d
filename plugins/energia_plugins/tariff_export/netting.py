"""Usage whose imports and exports are netted, and what of it is exported."""

from collections.abc import Mapping
from typing import Final, Literal

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
    Slots,
)

#: Over what an export is set against an import: each interval of the meter, or each local hour.
Netting = Literal["interval", "hour"]

_HOUR: Final = 3600
#: So large may a sum over an hour be; far beyond any meter. Twice as much still fits 64 bits, for
#: the hour that comes twice when clocks go back.
_LIMIT: Final = 2**62
#: Bills of more local days are reported to be long.
_LONG: Final = 45


def net_of(slots: Slots, netting: Netting, export: Role) -> Slots:
    """Return *slots* with imports and exports set against each other.

    What is left of an hour is put into its first slot, so into the period that the hour starts in.

    Raises:
        Invalid: The two channels do not have the same slots, or their readings are too large.

    """
    ours, theirs = slots.portion("import"), slots.portion(export)
    _comparable(ours, theirs, export)
    net = ours.values - theirs.values
    if netting == "hour" and len(net):
        net = _hourly(net, slots, ours)
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
    netting: Netting | None = None
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


def _comparable(ours: Portion, theirs: Portion, export: Role) -> None:
    if ours.grid != theirs.grid:
        message = f"import and {export} are netted slot by slot: they need the same interval"
        raise Invalid.of("different_intervals", message)
    if (ours.largest + theirs.largest) * _HOUR > _LIMIT:
        message = f"the readings of import and {export} are too large to be netted"
        raise Invalid.of("out_of_range", message)


def _hourly(net: Micro, slots: Slots, part: Portion) -> Micro:
    # By the wall clock: the hour that comes twice when clocks go back is netted as one.
    hours = slots.zone.local(part.grid.starts) // _HOUR
    first = np.append(0, np.flatnonzero(hours[1:] != hours[:-1]) + 1)
    sums = np.zeros(len(net), np.int64)
    sums[first] = np.add.reduceat(net, first)
    return sums


def _portion(like: Portion, values: Micro) -> Portion:
    return Portion(like.grid, values, int(values.max()) if len(values) else 0)
