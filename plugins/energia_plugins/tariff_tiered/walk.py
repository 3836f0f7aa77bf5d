"""Walks a ladder slot by slot, all slots at once."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from energia import BaseMeasure, Invalid, Role, Schedule, Slots
from energia_plugins.tariff_tiered.ladder import Ladder, Micro, Scale, Scales, text_of
from energia_plugins.tariff_tiered.windows import (
    JANUARY,
    Pool,
    PoolDays,
    Reset,
    WindowDays,
    Windows,
    YearBegin,
    label,
    windows_in,
)

_LIMIT: Final = 2**63 - 1


@attrs.frozen(cache_hash=True)
class Walk(BaseMeasure):
    """How far a ladder is walked slot by slot: what of each period lies below each bound.

    `peak@2026-03:1` is what slots of `peak` used below the first bound. Bounds may lie between
    two micro-units: the rest, times how often the walk came above it, is added (`...:1:above`).

    Attributes:
        pools: The periods of each ladder, and the ladder.
        begins: The day with which years begin.

    """

    schedule: Schedule | None
    channel: Role
    reset: Reset
    pools: tuple[tuple[Pool, Ladder], ...]
    begins: YearBegin = JANUARY

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is walked."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Walk all windows."""
        windows = windows_in(slots, self.schedule, self.channel, self.reset, self.begins)
        part, result = slots.portion(self.channel), dict[str, int]()
        values: Any = part.values
        # The running sum might not fit 64 bits: Python's integers do.
        if part.largest * len(values) > _LIMIT:
            values = values.astype(object)
        scales = _scales(slots, self)
        for pool, ladder in self.pools:
            keys = [windows.periods.index(period) for period in pool]
            mine = np.isin(windows.keys, keys)
            for name, inside in _spans(windows):
                indexes = np.flatnonzero(mine[inside]) + inside.start
                bounds = ladder.ends(scales.scale(pool, name))
                for period, key in zip(pool, keys, strict=True):
                    below = _below_bounds(values[indexes], windows.keys[indexes] == key, bounds)
                    for tier, energy in below.items():
                        result[f"{label(period, name)}:{tier}"] = energy
        return result


def _scales(slots: Slots, walk: Walk) -> Scales:
    """Return what the bounds of a walk are multiplied by."""
    days = {} if walk.reset == "day" else _days(slots, walk)
    pools: Mapping[str, int] = {}
    if walk.schedule is not None and len(walk.pools) > 1:
        named = tuple(pool for pool, _ in walk.pools)
        measure = PoolDays(walk.schedule, walk.channel, walk.reset, named, walk.begins)
        pools = measure.evaluate(slots)
    return Scales(days, pools)


def _days(slots: Slots, walk: Walk) -> Mapping[str, int]:
    daily = any("kWh/day" in ladder.units for _, ladder in walk.pools)
    return WindowDays(walk.reset, daily, before=False, begins=walk.begins).evaluate(slots)


def _spans(windows: Windows) -> Sequence[tuple[str, slice]]:
    edges = pairwise([*windows.firsts.tolist(), len(windows.keys)])
    return [(name, slice(*edge)) for name, edge in zip(windows.names, edges, strict=True)]


def _below_bounds(
    values: Any, mine: npt.NDArray[np.bool_], bounds: Sequence[Micro]
) -> dict[str, int]:
    """Return what the slots that are *mine* use below each bound of a walk over *values*."""
    after = np.cumsum(values)
    before = after - values
    sums: dict[str, int] = {}
    for number, bound in enumerate(bounds, start=1):
        whole, rest = divmod(bound, 1)
        # No sum of 64 bits is above the limit: a bound above it cuts nothing off.
        top = int(whole) if values.dtype == object else min(int(whole), _LIMIT)
        below = np.minimum(after, top) - np.minimum(before, top)
        sums[str(number)] = int(below[mine].sum())
        if rest:
            # 1 for a slot that rises above the bound, -1 for one that falls below it again.
            above = (after > top).astype(np.int64) - (before > top)
            sums[f"{number}:above"] = int(above[mine].sum())
    return sums


# How usage is shared out among the tiers of a ladder.

#: What a period used at a tier, and how it was worked out: (period, tier, micro-units, expression).
Share: TypeAlias = tuple[str, int, Micro, str]


@attrs.frozen
class Used:
    """What a pool used in a window.

    Attributes:
        energy: Of each period, in micro-units.
        before: What it had used in the window before.
        ladder: The tiers.
        scale: What their bounds are multiplied by.

    """

    energy: Mapping[str, int]
    before: Micro
    ladder: Ladder
    scale: Scale

    @property
    def now(self) -> int:
        """What all periods used."""
        return sum(self.energy.values())

    @property
    def ends(self) -> tuple[Micro, ...]:
        """Where each tier with a bound ends."""
        return self.ladder.ends(self.scale)

    def refuse_above(self) -> None:
        """Refuse usage above a closed last tier."""
        if self.ladder.closed and self.before + self.now > self.ends[-1]:
            message = (
                f"{text_of(self.before + self.now)} {self.ladder.quantity} are used, but the last "
                f"tier is closed: it ends at {self.ladder.texts(self.scale)[-1]}"
            )
            raise Invalid.of("above_last_tier", message)


def shares_by_proration(used: Used) -> Iterator[Share]:
    """Yield the share of each period of every tier: its part of the energy of all.

    Negative totals lie in the first tier. Where periods cancel out to nothing, each is priced at
    the tier that the ladder stands at.
    """
    now = used.now
    if not now:
        yield from _at_one(used, _tier(used.before, used.ends))
        return
    for tier, below, above in _stretches(used):
        quantity = above - below
        text = f"{text_of(above)} - {text_of(below)}" if below else text_of(above)
        if len(used.energy) == 1:
            yield next(iter(used.energy)), tier, quantity, text
            continue
        for period, energy in used.energy.items():
            share = f"({text}) x {text_of(energy)}/{text_of(now)}"
            yield period, tier, Fraction(quantity * energy) / now, share


def shares_of_band(used: Used) -> Iterator[Share]:
    """Yield the energy of each period at the tier in which the total ends."""
    yield from _at_one(used, _tier(used.before + used.now, used.ends))


def shares_of_walk(
    used: Used, walk: Mapping[str, int], labels: Mapping[str, str]
) -> Iterator[Share]:
    """Yield what each period used at each tier, as a walk slot by slot gave it.

    Args:
        used: The usage.
        walk: What `Walk` gave.
        labels: How it names each period.

    """
    ends = used.ends
    for period, energy in used.energy.items():
        below = [_below(walk, labels[period], number, end) for number, end in enumerate(ends, 1)]
        reached = [0, *below, *([] if used.ladder.closed else [energy])]
        for tier in range(len(reached) - 1):
            quantity = reached[tier + 1] - reached[tier]
            if quantity:
                upper, lower = text_of(reached[tier + 1]), text_of(reached[tier])
                yield period, tier, quantity, f"{upper} - {lower}" if reached[tier] else upper


def _below(walk: Mapping[str, int], label: str, number: int, end: Micro) -> Micro:
    rest = end % 1
    return walk[f"{label}:{number}"] + rest * walk.get(f"{label}:{number}:above", 0)


def _at_one(used: Used, tier: int) -> Iterator[Share]:
    for period, energy in used.energy.items():
        yield period, tier, energy, text_of(energy)


def _tier(position: Micro, ends: Sequence[Micro]) -> int:
    """Return the tier of a position; a bound is in the tier that it ends."""
    return next((tier for tier, end in enumerate(ends) if position <= end), len(ends))


def _stretches(used: Used) -> Iterator[tuple[int, Micro, Micro]]:
    """Yield the tiers that the ladder is walked through: from where, to where."""
    start, stop, ends = used.before, used.before + used.now, used.ends
    for tier in range(len(ends) + (not used.ladder.closed)):
        lower = min(ends[tier - 1], max(start, stop)) if tier else None
        below, above = (_clip(edge, lower, ends, tier) for edge in (start, stop))
        if below != above:
            yield tier, below, above


def _clip(position: Micro, lower: Micro | None, ends: Sequence[Micro], tier: int) -> Micro:
    """Return *position*, moved into the tier if it is outside; the first has no lower end."""
    if lower is not None:
        position = max(position, lower)
    return min(position, ends[tier]) if tier < len(ends) else position
