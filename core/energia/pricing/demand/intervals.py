"""Integration intervals: the average power of each quarter, half or whole hour of a window."""

from datetime import timedelta
from functools import lru_cache
from typing import Literal, TypeAlias

import attrs
import numpy as np

from energia.convert.scalars import duration_text
from energia.errors import Fault, Invalid
from energia.metering.series import Micro
from energia.pricing.calendar import Calendar, Grid
from energia.pricing.schedule import Schedule
from energia.pricing.slots import Portion, Slots
from energia.zones import Int64, Zone

#: What becomes of readings that are coarser than the interval.
Coarse: TypeAlias = Literal["refuse", "accept"]
_HOUR = 3600
_LIMIT = 2**63 - 1


@attrs.frozen(eq=False)
class Intervals:
    """The intervals of the readings of a role, aligned to the clock of the tariff's zone.

    Attributes:
        first: int64[n], the first slot of each.
        starts: int64[n], when that starts, in seconds since 1970-01-01T00:00Z.
        power: int64[n], or object[n] of Python's where it might not fit: the exact average power
            in micro-units, such as micro-kW.

    """

    first: Int64
    starts: Int64
    power: Micro

    @classmethod
    def of(cls, slots: Slots, role: str, seconds: int, coarse: Coarse = "refuse") -> "Intervals":
        """Integrate the readings of *role* over intervals of *seconds*, a part of an hour.

        Where *coarse* readings are accepted, slots that are longer are the intervals; it is told.

        Raises:
            Invalid: The readings are coarser than the intervals, or do not add up to them.

        """
        part = slots.portion(role)
        if coarse == "accept" and part.grid.interval > seconds:
            _tell_coarse(slots, role, part.grid.interval, seconds)
            seconds = part.grid.interval
        _refuse_others(role, part.grid.interval, seconds)
        first = begins(part.grid, seconds, slots.zone)
        _tell_parts(slots, role, part.grid, first, seconds)
        starts = part.grid.start + part.grid.interval * first
        return cls(first, starts, _power(part, first, seconds))

    def keys(self, slots: Slots, role: str, schedule: Schedule) -> Int64:
        """Return the period of each interval, as an index: the one at its start."""
        return keys_at(self.tell_split(slots, role, schedule), self.first)

    def tell_split(self, slots: Slots, role: str, schedule: Schedule) -> Calendar:
        """Return the periods of the slots; tell of boundaries between them inside intervals."""
        calendar = slots.calendar(schedule, role)
        at = np.searchsorted(self.first, calendar.bounds, side="right") - 1
        split = int(np.count_nonzero(self.first[at] != calendar.bounds)) if len(at) else 0
        if split:
            slots.assume(
                "boundary_inside_interval",
                f"a boundary between periods falls inside {split} integration intervals of {role}: "
                "each is in the period at its start",
                split,
            )
        return calendar


def keys_at(calendar: Calendar, first: Int64) -> Int64:
    """Return the period at each of the slots *first*, as an index."""
    runs = np.searchsorted(calendar.bounds, first, side="right") - 1
    return calendar.keys[runs].astype(np.int64)


@lru_cache(maxsize=64)
def begins(grid: Grid, seconds: int, zone: Zone) -> Int64:
    """Return the first slot of each interval of *seconds* on the wall clock of *zone*."""
    if grid.interval >= seconds or not grid.count:
        return np.arange(grid.count, dtype=np.int64)
    starts = grid.starts
    # Of the offset from UTC only what is left of whole intervals moves their boundaries.
    phase = zone.offsets(starts) % seconds
    number = (starts + phase) // seconds
    begin = (number[1:] != number[:-1]) | (phase[1:] != phase[:-1])
    return np.append(0, np.flatnonzero(begin) + 1).astype(np.int64)


def _power(part: Portion, first: Int64, seconds: int) -> Micro:
    """Return the energy of each interval, as the power that gives it."""
    if not len(first):
        return np.zeros(0, np.int64)
    fits = part.largest * _HOUR <= _LIMIT * part.grid.interval
    values = part.values if fits else part.values.astype(object)
    summed = values if len(first) == len(values) else np.add.reduceat(values, first)
    power: Micro = summed * (_HOUR // seconds)
    return power


def _refuse_others(role: str, length: int, seconds: int) -> None:
    """Refuse readings whose slots are no parts of an interval."""
    if seconds % length == 0:
        return
    have, need = (_text(one) for one in (length, seconds))
    why = "a peak cannot be known from coarser readings" if length > seconds else "no whole number"
    message = f"{role} is read every {have}, and its demand is integrated over {need}: {why}"
    code = "coarse_readings" if length > seconds else "misfit_readings"
    raise Invalid(message, [Fault(code, message)])


def _tell_coarse(slots: Slots, role: str, length: int, seconds: int) -> None:
    """Tell that peaks are averages over longer than the demand is."""
    have, need = (_text(one) for one in (length, seconds))
    slots.assume(
        "coarse_readings",
        f"{role} is read every {have}, coarser than the {need} over which demand is averaged: "
        "the true peak is as high, or higher",
    )


def _tell_parts(slots: Slots, role: str, grid: Grid, first: Int64, seconds: int) -> None:
    """Tell of intervals that the window cuts: less energy is in them than there was."""
    whole = seconds // grid.interval
    lengths = np.diff(np.append(first, grid.count))
    cut = int(np.count_nonzero(lengths < whole))
    if cut:
        slots.assume(
            "partial_interval",
            f"{cut} integration intervals of {role} are not wholly in the window: "
            "only what is in it counts",
            cut,
        )


def _text(seconds: int) -> str:
    return duration_text(timedelta(seconds=seconds))
