"""What the bounds of ladders are multiplied by in each window."""

from collections.abc import Mapping
from fractions import Fraction

import attrs

from energia_plugins.tariff_tiered.ladder import Scale
from energia_plugins.tariff_tiered.measures import Pool
from energia_plugins.tariff_tiered.windows import label


@attrs.frozen
class Scales:
    """What bounds are multiplied by in each window.

    Attributes:
        days: What `WindowDays` gave; empty where bills are whole.
        pools: What `PoolDays` gave; empty where there is one pool, in force on every day.
        each: Whether every pool has all of the allowance, however few its days are.
        whole: Whether a part of a window has all of the allowance.
        demands: The demand of each window.
        daily: Whether there are bounds by the day.

    """

    days: Mapping[str, int]
    pools: Mapping[str, int]
    each: bool = False
    whole: bool = False
    demands: Mapping[str, Fraction] = attrs.Factory(dict)
    daily: bool = True

    def scale(self, pool: Pool, window: str) -> Scale:
        """Return the scale of a pool in a window."""
        days = self.days.get(label("days", window), 1)
        whole = self.days.get(label("whole", window), days)
        priced = (whole, whole) if self.whole else (days, whole)
        own = self.pools.get(label(pool[0], window))
        part = (1, 1) if priced[0] == priced[1] else priced
        if own is None:
            return Scale(part, priced[0] if self.daily else 1, self.demands.get(window))
        if not self.each:
            of_all = sum(
                count for at, count in self.pools.items() if at.partition("@")[2] == window
            )
            part = (own * part[0], of_all * part[1]) if own != of_all else part
        return Scale(part, own if self.daily else 1, self.demands.get(window))
