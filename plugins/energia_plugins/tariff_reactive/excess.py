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

from energia import Fault, Invalid, Schedule, Slots
from energia.pricing.demand.intervals import Intervals
from energia.pricing.demand.peak import AT, TOTAL

CAPACITIVE: Final = "capacitive"
#: Into so many parts a micro-unit is divided for square roots.
_PARTS: Final = 10**6
_HOUR: Final = 3600


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
        apparent = list(self._apparent(slots, active))
        labels: dict[str, int] = {}
        for period, some in self._periods(slots, active):
            if len(some):
                which = [(apparent[at], max(int(active.power[at]), 0)) for at in some]
                if self.of == "energy":
                    labels[period] = self._energy(which)
                else:
                    best = max(range(len(which)), key=lambda at: which[at][0])
                    time = slots.zone.text(int(active.starts[some[best]]))
                    value = round(Fraction(self.power_factor) * Fraction(which[best][0], _PARTS))
                    labels |= {period: value, f"{period}{AT}{time}": value}
        return labels

    def _apparent(self, slots: Slots, active: Intervals) -> Iterator[int]:
        """Yield S of each interval, as power, in parts of a micro-unit."""
        reactive = self._reactive(slots, active)
        for power, other in zip(active.power.tolist(), reactive, strict=True):
            square = (max(power, 0) ** 2 + max(other, 0) ** 2) * _PARTS**2
            # The nearest: no root of a whole number is half of an odd one.
            yield (isqrt(4 * square) + 1) // 2

    def _reactive(self, slots: Slots, active: Intervals) -> list[int]:
        """Return the reactive energy of each interval that counts, as power."""
        found = self._like(slots, self.inductive, active)
        if self.capacitive is None or self.window is None:
            kept: list[int] = found.power.tolist()
            return kept
        other = self._like(slots, self.capacitive, active)
        names = self.window.periods
        keys = active.keys(slots, self.active, self.window)
        inside = keys == names.index(CAPACITIVE)
        chosen: list[int] = np.where(inside, other.power, found.power).tolist()
        return chosen

    def _like(self, slots: Slots, role: str, active: Intervals) -> Intervals:
        found = Intervals.of(slots, role, self.seconds)
        if not np.array_equal(found.starts, active.starts):
            message = f"the intervals of {role} and of {self.active} do not begin together"
            raise Invalid(message, [Fault("intervals_apart", message)])
        return found

    def _periods(self, slots: Slots, active: Intervals) -> Iterator[tuple[str, list[int]]]:
        if self.schedule is None:
            yield TOTAL, list(range(len(active.first)))
            return
        keys = active.keys(slots, self.active, self.schedule)
        for key, name in enumerate(self.schedule.periods):
            yield name, np.flatnonzero(keys == key).tolist()

    def _energy(self, which: list[tuple[int, int]]) -> int:
        """Return the sum of fR x S - P where that is positive."""
        of, parts = Fraction(self.power_factor).as_integer_ratio()
        excess = sum(max(of * root - parts * power * _PARTS, 0) for root, power in which)
        return round(Fraction(excess * self.seconds, parts * _PARTS * _HOUR))
