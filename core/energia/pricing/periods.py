"""The usage of a channel in each period of a tariff's schedule, window by window."""

from collections.abc import Iterator, Sequence

import attrs
import numpy as np

from energia.errors import Fault, Invalid
from energia.metering.series import MISSING, Series
from energia.pricing.calendar import Calendar, Grid
from energia.pricing.exact import sums
from energia.pricing.parts import Part, changes, parts
from energia.pricing.schedule import Schedule
from energia.pricing.slots import (
    PERIOD_AT_START,
    PERIODS_MEET,
    VERSION_AT_START,
    VERSION_BEGINS,
    Assumption,
    assumed_of,
    boundary_inside,
)
from energia.pricing.tariffs import Tariff, Version, stated
from energia.time import Int64


@attrs.frozen
class ByPeriod:
    """Usage by period.

    Attributes:
        windows: Of each window, the sum in micro-units of each period that has a slot in it.
        assumptions: What was taken for granted.

    """

    windows: tuple[dict[str, int], ...]
    assumptions: tuple[Assumption, ...]


def by_period(
    series: Series, cuts: Int64, tariff: Tariff, role: str, charge: str | None = None
) -> ByPeriod:
    """Split the usage of windows by the periods of *tariff*; missing slots are left out.

    A slot is in the window, the version and the period that its start is in.

    Args:
        series: The readings.
        cuts: Where windows begin among its slots, and where the last ends: from 0 to its length.
        tariff: A version of it must be in force at the start of every slot.
        role: The role of the channel; the schedule is that of a charge of this role.
        charge: The code of the charge whose schedule it is, if there are several.

    Raises:
        Invalid: With faults `no_version_in_force`, `unknown_charge`, `no_schedule` or
            `ambiguous_schedule`.

    """
    cut = parts(tariff, Grid(series.start, series.interval, len(series.values)))
    schedules = [_schedule(part.version, role, charge) for part in cut]
    if faults := [fault for fault in schedules if isinstance(fault, Fault)]:
        raise Invalid.of_all(faults)
    calendars = [
        part.calendar(schedule)
        for part, schedule in zip(cut, schedules, strict=True)
        if isinstance(schedule, Schedule)
    ]
    split = sum(calendar.split for calendar in calendars)
    windows = _windows(series, cuts, cut, calendars)
    assumptions = list(_assumptions(role, split, changes(cut)))
    assumptions += assumed_of(*calendars)
    return ByPeriod(tuple(windows), tuple(assumptions))


def _schedule(version: Version, role: str, charge: str | None) -> Schedule | Fault:
    """Return the schedule that divides the usage of *role*, or why there is not one."""
    of = f"the version of {version.valid_from}"
    charges = [item for item in version.charges if charge in (None, item.code or item.kind)]
    if not charges:
        return Fault("unknown_charge", f"{of} has no charge {charge!r}")
    mine = [charge for charge in charges if charge.channel == role]
    schedules = list(dict.fromkeys(schedule for charge in mine for schedule in _schedules(charge)))
    if len(schedules) == 1:
        return schedules[0]
    which = role if charge is None else f"{role} in {charge}"
    if not schedules:
        return Fault("no_schedule", f"{of} has no schedule of {which}")
    return Fault("ambiguous_schedule", f"{of} has several schedules of {which}: name the charge")


def _schedules(charge: object) -> Iterator[Schedule]:
    """Yield the schedules among the fields of a charge."""
    for value in stated(charge).values():
        if isinstance(value, Schedule):
            yield value


def _windows(
    series: Series, cuts: Int64, cut: Sequence[Part], calendars: Sequence[Calendar]
) -> list[dict[str, int]]:
    windows: list[dict[str, int]] = [{} for _ in cuts[1:]]
    if not len(series.values):
        return windows
    bounds = np.concatenate([c.bounds + p.first for c, p in zip(calendars, cut, strict=True)])
    names = [calendar.periods[key] for calendar in calendars for key in calendar.keys.tolist()]
    runs = np.unique(np.concatenate([bounds, cuts[cuts < len(series.values)]]))
    values = np.where(series.values == MISSING, 0, series.values)
    each = np.arange(len(runs))
    totals = sums(values, int(np.abs(values).max()), runs, each, each)
    of_period = (np.searchsorted(bounds, runs, side="right") - 1).tolist()
    of_window = (np.searchsorted(cuts, runs, side="right") - 1).tolist()
    for period, window, total in zip(of_period, of_window, totals, strict=True):
        name, sums_of = names[period], windows[window]
        sums_of[name] = sums_of.get(name, 0) + total
    return windows


def _assumptions(role: str, split: int, changes: int) -> Iterator[Assumption]:
    if split:
        yield boundary_inside(PERIODS_MEET, split, f"slots of {role}", PERIOD_AT_START)
    if changes:
        yield boundary_inside(VERSION_BEGINS, changes, f"slots of {role}", VERSION_AT_START)
