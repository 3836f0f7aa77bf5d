"""What `energy.tiered` measures."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

import attrs
import numpy as np
import numpy.typing as npt

from energia.pricing.charges import Role
from energia.pricing.schedule import Schedule
from energia.pricing.slots import Slots
from energia.units import MICRO
from energia.zones import DAY
from energia_plugins.tariff_tiered.ladder import Ladder, Scale
from energia_plugins.tariff_tiered.windows import (
    Reset,
    Windows,
    label,
    length,
    of_month,
    windows,
)

#: Periods whose usage is counted together.
Pool = tuple[str, ...]
_LIMIT: Final = 2**63 - 1
#: So many days are no month any more.
_LONG: Final = 45


@attrs.frozen(cache_hash=True)
class TieredEnergy:
    """The energy of each window, by period; labels as `windows.label`."""

    schedule: Schedule | None
    channel: Role
    reset: Reset

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is summed."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the exact sums; a bill of more than 45 days is an assumption."""
        if self.reset == "bill" and slots.end - slots.start > (_LONG + 1) * DAY:
            slots.assume(
                "long_bill",
                f"the tiers are walked once, over more than {_LONG} days as one bill: "
                "group=P1M prices each month",
            )
        part = slots.portion(self.channel)
        return compiled(slots, self.schedule, self.channel, self.reset).sums(
            part.values, part.largest
        )


@attrs.frozen(cache_hash=True)
class PoolDays:
    """On how many local days each pool has a slot, by window."""

    schedule: Schedule
    channel: Role
    reset: Reset
    pools: tuple[Pool, ...]

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count the days; labels are of the first period of each pool."""
        return compiled(slots, self.schedule, self.channel, self.reset).days_of(self.pools)


@attrs.frozen(cache_hash=True)
class WindowDays:
    """How many days of each window are priced (`days@...`), and how many it has (`whole@...`).

    Attributes:
        reset: Which windows; not `day`.
        always: Whether the days of a bill are asked for even where all of it is priced.
        before: Whether what was used in a window before counts.

    """

    reset: Reset
    always: bool
    before: bool

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count the days of the tariff's zone."""
        if self.reset == "bill":
            if slots.bill is None and not self.always:
                return {}
            return {"days": slots.local_days().number, "whole": slots.bill_days().number}
        found: dict[str, int] = {}
        for month, days in slots.local_days().by_month.items():
            at = label("days", of_month(month, self.reset))
            found[at] = found.get(at, 0) + days
        whole = {one.replace("days", "whole"): length(one.partition("@")[2]) for one in found}
        if self.before:
            _tell_of_before(slots, self.reset)
        return {**found, **whole}


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
        scales = Scales.of(slots, self)
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


@attrs.frozen
class Scales:
    """What bounds are multiplied by in each window.

    Attributes:
        days: What `WindowDays` gave; empty where bills are whole.
        pools: What `PoolDays` gave; empty where there is one pool, in force on every day.
        each: Whether every pool has all of the allowance, however few its days are.
        whole: Whether a part of a window has all of the allowance.
        demands: The demand of each window.

    """

    days: Mapping[str, int]
    pools: Mapping[str, int]
    each: bool = False
    whole: bool = False
    demands: Mapping[str, Fraction] = attrs.Factory(dict)

    @classmethod
    def of(cls, slots: Slots, walked: Walked) -> "Scales":
        """Return the scales of a walk."""
        days = {} if walked.reset == "day" else _days(slots, walked)
        pools: Mapping[str, int] = {}
        if walked.schedule is not None and len(walked.pools) > 1:
            named = tuple(pool for pool, _ in walked.pools)
            measure = PoolDays(walked.schedule, walked.channel, walked.reset, named)
            pools = measure.evaluate(slots)
        return cls(days, pools)

    def scale(self, pool: Pool, window: str) -> Scale:
        """Return the scale of a pool in a window."""
        days = self.days.get(label("days", window), 1)
        whole = self.days.get(label("whole", window), days)
        priced = (whole, whole) if self.whole else (days, whole)
        own = self.pools.get(label(pool[0], window))
        if own is None:
            return Scale(priced, priced[0], self.demands.get(window))
        part = priced
        if not self.each:
            of_all = sum(
                count for at, count in self.pools.items() if at.partition("@")[2] == window
            )
            part = (own * priced[0], of_all * priced[1])
        return Scale(part, own, self.demands.get(window))


def compiled(slots: Slots, schedule: Schedule | None, role: str, reset: Reset) -> Windows:
    """Return the windows of the slots of *role*."""
    if schedule is not None:
        slots.calendar(schedule, role)  # tells of slots that are in two periods
    return windows(schedule, slots.types, slots.zone, slots.portion(role).grid, reset)


def _days(slots: Slots, walked: Walked) -> Mapping[str, int]:
    daily = any("kWh/day" in ladder.units for _, ladder in walked.pools)
    return WindowDays(walked.reset, daily, before=False).evaluate(slots)


def _spans(found: Windows) -> Sequence[tuple[str, slice]]:
    ends = [*found.firsts.tolist()[1:], len(found.keys)]
    return [
        (name, slice(first, end))
        for name, first, end in zip(found.names, found.firsts.tolist(), ends, strict=True)
    ]


def _walked(values: Any, mine: npt.NDArray[np.bool_], bounds: Sequence[Fraction]) -> dict[str, int]:
    """Return what the slots that are *mine* use below each bound of a walk over *values*."""
    after = np.cumsum(values)
    before = after - values
    found: dict[str, int] = {}
    for number, bound in enumerate(bounds, start=1):
        whole, rest = divmod(bound * MICRO, 1)
        top = int(whole) if values.dtype == object else min(int(whole), _LIMIT)
        below = np.minimum(after, top) - np.minimum(before, top)
        found[str(number)] = int(below[mine].sum())
        if rest:
            above = (after > top).astype(np.int64) - (before > top)
            found[f"{number}:above"] = int(above[mine].sum())
    return found


def _tell_of_before(slots: Slots, reset: Reset) -> None:
    """Tell if the window begins within a window of the ladder."""
    day = slots.zone.datetime(slots.start).date()
    months = {"quarter": (1, 4, 7, 10), "year": (1,)}.get(reset, range(1, 13))
    if day.day > 1 or day.month not in months:
        slots.assume(
            "used_before",
            f"the {reset} of the tiers began before the window: what was used in it before is "
            "taken from the state, or as nothing",
        )
