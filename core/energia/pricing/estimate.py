"""Fills in missing readings, where that is asked for: the mean of the known slots that are alike.

A missing slot takes the mean of the known slots of the window at the same local time on the same
kind of day (working days; weekends and holidays). Where there is none, of those at the same time on
any day; else of all. It is a simple rule that anybody can check with a spreadsheet; whoever has a
better one sends its results as readings of quality `estimated`.
"""

from fractions import Fraction
from typing import Final

import numpy as np

from energia.metering.series import MISSING, Micro
from energia.pricing.calendar import Grid
from energia.pricing.days import DayTypes
from energia.pricing.exact import rounded
from energia.zones import DAY, Int64, Zone

#: Values are cut into a high and a low part of so many bits, so that no sum overflows.
_LOW_BITS: Final = 31


def estimated(values: Micro, grid: Grid, zone: Zone, types: DayTypes) -> Micro:
    """Return *values* with means in the place of `MISSING`; at least one must be known.

    Means are rounded half to even to the micro-unit.
    """
    known = values != MISSING
    day, second = np.divmod(zone.local(grid.starts), DAY)
    kinds = types.days(day)
    alike = 2 * second + (kinds.weekend | kinds.holiday)
    found = values.copy()
    for groups in (alike, second, np.zeros_like(second)):
        holes = np.flatnonzero(found == MISSING)
        means = _means(groups[known], values[known])
        for at in holes.tolist():
            found[at] = means.get(int(groups[at]), MISSING)
    return found


def _means(groups: Int64, values: Micro) -> dict[int, int]:
    """Return the mean of the values of each group."""
    names, which, counts = np.unique(groups, return_inverse=True, return_counts=True)
    high, low = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
    np.add.at(high, which, values >> _LOW_BITS)
    np.add.at(low, which, values & (2**_LOW_BITS - 1))
    totals = [(a << _LOW_BITS) + b for a, b in zip(high.tolist(), low.tolist(), strict=True)]
    return {
        name: rounded(Fraction(total, count), 0, "half_even")
        for name, total, count in zip(names.tolist(), totals, counts.tolist(), strict=True)
    }
