"""When another tariff would be the cheapest: the same energy, more or less of it in the peak.

In each month energy moves between the peak and the rest of the time, in a way that leaves the
month's energy as it is, and the highest power in the peak and outside of it: a slot with the value
`v` gets `v (1 - v / highest)` of what moves, so the highest one gets nothing. So no demand charge
changes, and a tariff whose rates are by the kWh costs an amount that is linear in what moves. That
it is, is tried: three points must be on a line.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

#: How much of what could move does, so that no slot falls to nothing or rises over the highest.
_MOVED: Final = 0.5
#: An exact reading has so many decimals.
_DECIMALS: Final = 6
#: By so much of the cost three points may miss a line: every month and line is rounded.
_ROUNDED: Final = Fraction(1, 5000)
#: A change that is beyond this share of the energy in the peak is none of a person's.
_FARTHEST: Final = Fraction(6, 10)


@attrs.frozen
class Moved:
    """Readings with energy moved.

    Attributes:
        more: With more of it in the peak.
        less: With less of it there.
        kwh: How much was moved, in either.
        peak: How much is in the peak as it was read.
        energy: How much there is in all.

    """

    more: Floats
    less: Floats
    kwh: float
    peak: float
    energy: float

    @property
    def share(self) -> float:
        """The part of the energy that is in the peak."""
        return self.peak / self.energy if self.energy else 0.0


def moved(values: Floats, in_peak: Bools, months: Ints) -> Moved | None:
    """Return readings with energy moved into the peak and out of it; None where there is none.

    Args:
        values: The energy of slots; NaN where nothing was read.
        in_peak: Which slots are in the peak.
        months: The number of the month of each.

    """
    read = np.nan_to_num(values)
    change, kwh = np.zeros(len(read)), 0.0
    for month in np.unique(months):
        of_month = months == month
        inside, outside = _weights(read, of_month & in_peak), _weights(read, of_month & ~in_peak)
        possible = min(inside.sum(), outside.sum()) * _MOVED
        if possible > 0:
            change += inside / inside.sum() * possible - outside / outside.sum() * possible
            kwh += float(possible)
    if not kwh:
        return None
    more, less = (np.round(values + sign * change, _DECIMALS) for sign in (1, -1))
    return Moved(more, less, kwh, float(read[in_peak].sum()), float(read.sum()))


def _weights(read: Floats, chosen: Bools) -> Floats:
    """Return how much each of the chosen slots takes of what moves; the highest takes nothing."""
    values = np.where(chosen, np.maximum(read, 0.0), 0.0)
    highest = values.max(initial=0.0)
    return values * (1 - values / highest) if highest else values


@attrs.frozen
class Curve:
    """What a tariff costs, by the share of the energy that is in the peak: a line.

    Attributes:
        tariff: Its id.
        today: What it costs as read.
        slope: What a kWh more in the peak costs.

    """

    tariff: str
    today: Fraction
    slope: Fraction

    def at(self, share: Fraction, today: Fraction, energy: Fraction) -> Fraction:
        """Return the cost at a share, where *today* is that of the readings."""
        return self.today + self.slope * (share - today) * energy


def curve(tariff: str, costs: tuple[Fraction, Fraction, Fraction], kwh: Fraction) -> Curve | None:
    """Return the line through the costs with less energy in the peak, as read, and with more.

    None where they are on no line: tiers, minima, what depends on the power.
    """
    less, today, more = costs
    if abs(more + less - 2 * today) > max(Fraction(1, 2), abs(today) * _ROUNDED):
        return None
    return Curve(tariff, today, (more - less) / (2 * kwh))


@attrs.frozen
class Change:
    """Where another tariff becomes the cheapest.

    Attributes:
        share: The share of the energy in the peak.
        tariff: The id of the tariff that is the cheapest beyond it.
        is_more: Whether beyond it is more than today.

    """

    share: Fraction
    tariff: str
    is_more: bool


def change(
    curves: Sequence[Curve], cheapest: str, today: Fraction, energy: Fraction
) -> Change | None:
    """Return the nearest share of the peak at which another tariff becomes the cheapest.

    None if no share from none to six tenths makes one so.
    """
    by_id = {each.tariff: each for each in curves}
    own = by_id[cheapest]
    crossings = []
    for other in curves:
        steeper = own.slope - other.slope
        if other is own or not steeper:
            continue
        share = today + (other.today - own.today) / steeper / energy
        if 0 <= share <= _FARTHEST:
            crossings.append(Change(share, other.tariff, share > today))
    return min(crossings, key=lambda one: abs(one.share - today), default=None)


def numbers(values: Floats) -> list[float | None]:
    """Return values as JSON has them: null where nothing was read."""
    return [None if np.isnan(value) else float(value) for value in values]
