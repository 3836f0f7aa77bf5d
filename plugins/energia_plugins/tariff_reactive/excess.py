"""What is beyond a power factor, interval by interval.

With P and Q, the active and the reactive energy of an interval, its power factor is P / S, where
S = sqrt(P^2 + Q^2). What ANEEL's REN 1000/2021 (art. 302 to 304) charges is

- energy: the sum of P x (fR / f - 1) = fR x S - P, where f is below fR;
- demand: the highest P x fR / f = fR x S.

S is irrational, so it is calculated to 1e-12 kVAh, the nearest; all else is exact, and the result
is rounded once, half to even, to 1e-6. The same readings give the same on every machine.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from math import isqrt
from typing import Final, Literal

import attrs
import numpy as np
import numpy.typing as npt

from energia import Fault, Invalid, Schedule, Slots
from energia.metering.series import Micro
from energia.pricing.demand.intervals import Intervals
from energia.pricing.demand.peak import AT, TOTAL
from energia.zones import Int64

CAPACITIVE: Final = "capacitive"
#: Into so many parts a micro-unit is divided for square roots.
_PARTS: Final = 10**6
#: 4 x the square of that: the root of so much more is twice as many parts.
_SQUARE: Final = 4 * _PARTS**2
#: Far more than a few roundings of doubles, relatively.
_MARGIN: Final = 1e-12
_HOUR: Final = 3600
Floats = npt.NDArray[np.float64]


@attrs.frozen(cache_hash=True)
class Excess:
    """Reactive energy, in micro-kvarh, or demand, in micro-kvar, beyond a power factor.

    Labels: each period of the schedule, or `total`; demand also says when its highest interval
    begins: `total@2026-03-02T18:00:00-03:00`.

    Attributes:
        active: The role of P.
        inductive: The role of Q.
        power_factor: fR.
        seconds: The length of the intervals.
        of: Whether energy is added up, or the highest demand is sought.
        schedule: The periods.
        capacitive: The role of Q in the window; without one, only inductive energy counts.
        window: A schedule; in its period `capacitive` only capacitive energy counts.

    """

    active: str
    inductive: str
    power_factor: Decimal
    seconds: int
    of: Literal["energy", "demand"]
    schedule: Schedule | None = None
    capacitive: str | None = None
    window: Schedule | None = None

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that are measured."""
        return (self.active, self.inductive, *((self.capacitive,) if self.capacitive else ()))

    @property
    def unit(self) -> str:
        """The unit that the values are millionths of."""
        return "kvarh" if self.of == "energy" else "kvar"

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return what is beyond the power factor in each period.

        Raises:
            Invalid: The readings are coarser than the intervals, or those of the roles begin at
                different times.

        """
        active = Intervals.of(slots, self.active, self.seconds)
        powers = _Powers.of(active.power, self._reactive(slots, active))
        labels: dict[str, int] = {}
        for period, some in self._periods(slots, active):
            if not len(some):
                continue
            if self.of == "energy":
                labels[period] = self._energy(powers, some)
            else:
                at, root = powers.highest(some)
                time = slots.zone.text(int(active.starts[at]))
                value = round(Fraction(self.power_factor) * Fraction(root, _PARTS))
                labels |= {period: value, f"{period}{AT}{time}": value}
        return labels

    def _reactive(self, slots: Slots, active: Intervals) -> Micro:
        """Return the reactive energy of each interval that counts, as power."""
        found = self._like(slots, self.inductive, active)
        if self.capacitive is None or self.window is None:
            return found.power
        other = self._like(slots, self.capacitive, active)
        names = self.window.periods
        keys = active.keys(slots, self.active, self.window)
        return np.where(keys == names.index(CAPACITIVE), other.power, found.power)

    def _like(self, slots: Slots, role: str, active: Intervals) -> Intervals:
        found = Intervals.of(slots, role, self.seconds)
        if not np.array_equal(found.starts, active.starts):
            message = f"the intervals of {role} and of {self.active} do not begin together"
            raise Invalid(message, [Fault("intervals_apart", message)])
        return found

    def _periods(self, slots: Slots, active: Intervals) -> Iterator[tuple[str, Int64]]:
        if self.schedule is None:
            yield TOTAL, np.arange(len(active.first), dtype=np.int64)
            return
        keys = active.keys(slots, self.active, self.schedule)
        for key, name in enumerate(self.schedule.periods):
            yield name, np.flatnonzero(keys == key)

    def _energy(self, powers: "_Powers", some: Int64) -> int:
        """Return the sum of fR x S - P where that is positive."""
        of, parts = Fraction(self.power_factor).as_integer_ratio()
        excess = sum(
            max(of * root - parts * _PARTS * power, 0)
            for power, root in powers.below(some, float(self.power_factor))
        )
        return round(Fraction(excess * self.seconds, parts * _PARTS * _HOUR))


@attrs.frozen(eq=False)
class _Powers:
    """P, Q and about S of each interval, as power; none is below zero.

    Floats only tell for which intervals the exact root is needed: all that it may decide about.
    """

    active: Micro
    reactive: Micro
    about: Floats

    @classmethod
    def of(cls, active: Micro, reactive: Micro) -> "_Powers":
        p, q = np.maximum(active, 0), np.maximum(reactive, 0)
        return cls(p, q, np.hypot(p.astype(np.float64), q.astype(np.float64)))

    def below(self, some: Int64, factor: float) -> list[tuple[int, int]]:
        """Return P and S, in parts, of those of *some* intervals that may be below a factor."""
        near = factor * self.about[some] * (1 + _MARGIN) >= self.active[some].astype(np.float64)
        which = some[near & (self.reactive[some] > 0)]
        return list(zip(self.active[which].tolist(), self._roots(which), strict=True))

    def highest(self, some: Int64) -> tuple[int, int]:
        """Return which of *some* intervals has the highest S, and this, in parts."""
        about = self.about[some]
        which = some[about >= about.max() * (1 - _MARGIN)]
        roots = self._roots(which)
        root = max(roots)
        return int(which[roots.index(root)]), root

    def _roots(self, which: Int64) -> list[int]:
        """Return S in parts, the nearest: no root of a whole number is half of an odd one."""
        pairs = zip(self.active[which].tolist(), self.reactive[which].tolist(), strict=True)
        return [(isqrt((p * p + q * q) * _SQUARE) + 1) >> 1 for p, q in pairs]
