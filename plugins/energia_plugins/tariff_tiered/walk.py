"""Walks a ladder slot by slot, all slots at once."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import attrs
import numpy as np
import numpy.typing as npt

from energia.pricing.charges import Role
from energia.pricing.schedule import Schedule
from energia.pricing.slots import Slots
from energia_plugins.tariff_tiered.ladder import Ladder, Micro
from energia_plugins.tariff_tiered.measures import Pool, PoolDays, WindowDays, compiled
from energia_plugins.tariff_tiered.scales import Scales
from energia_plugins.tariff_tiered.windows import Reset, Windows, label

_LIMIT: Final = 2**63 - 1


@attrs.frozen(cache_hash=True)
class Walked:
    """How far a ladder is walked slot by slot: what of each period lies below each bound.

    `peak@2026-03:1` is what slots of `peak` used below the first bound. Bounds may lie between
    two micro-units: the rest, times how often the walk came above it, is added (`...:1:above`).

    Attributes:
        pools: The periods of each ladder, and the ladder.

    """

    schedule: Schedule | None
    channel: Role
    reset: Reset
    pools: tuple[tuple[Pool, Ladder], ...]

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is walked."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Walk all windows."""
        found = compiled(slots, self.schedule, self.channel, self.reset)
        part, result = slots.portion(self.channel), dict[str, int]()
        values: Any = part.values
        if part.largest * len(values) > _LIMIT:
            values = values.astype(object)
        scales = _scales(slots, self)
        for pool, ladder in self.pools:
            keys = [found.periods.index(period) for period in pool]
            mine = np.isin(found.keys, keys)
            for name, inside in _spans(found):
                at = np.flatnonzero(mine[inside]) + inside.start
                bounds = ladder.ends(scales.scale(pool, name))
                for period, key in zip(pool, keys, strict=True):
                    walked = _walked(values[at], found.keys[at] == key, bounds)
                    for tier, one in walked.items():
                        result[f"{label(period, name)}:{tier}"] = one
        return result


def _scales(slots: Slots, walked: Walked) -> Scales:
    """Return what the bounds of a walk are multiplied by."""
    days = {} if walked.reset == "day" else _days(slots, walked)
    pools: Mapping[str, int] = {}
    if walked.schedule is not None and len(walked.pools) > 1:
        named = tuple(pool for pool, _ in walked.pools)
        measure = PoolDays(walked.schedule, walked.channel, walked.reset, named)
        pools = measure.evaluate(slots)
    return Scales(days, pools)


def _days(slots: Slots, walked: Walked) -> Mapping[str, int]:
    daily = any("kWh/day" in ladder.units for _, ladder in walked.pools)
    return WindowDays(walked.reset, daily, before=False).evaluate(slots)


def _spans(found: Windows) -> Sequence[tuple[str, slice]]:
    edges = pairwise([*found.firsts.tolist(), len(found.keys)])
    return [(name, slice(*edge)) for name, edge in zip(found.names, edges, strict=True)]


def _walked(values: Any, mine: npt.NDArray[np.bool_], bounds: Sequence[Micro]) -> dict[str, int]:
    """Return what the slots that are *mine* use below each bound of a walk over *values*."""
    after = np.cumsum(values)
    before = after - values
    found: dict[str, int] = {}
    for number, bound in enumerate(bounds, start=1):
        whole, rest = divmod(bound, 1)
        top = int(whole) if values.dtype == object else min(int(whole), _LIMIT)
        below = np.minimum(after, top) - np.minimum(before, top)
        found[str(number)] = int(below[mine].sum())
        if rest:
            above = (after > top).astype(np.int64) - (before > top)
            found[f"{number}:above"] = int(above[mine].sum())
    return found
