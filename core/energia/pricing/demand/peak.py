"""The measure of demand: the highest average power in a window, and when it was."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

import attrs
import numpy as np

from energia.metering.series import Micro
from energia.pricing.calendar import Grid, compiled
from energia.pricing.charges import Role, unit_of
from energia.pricing.days import DayTypes
from energia.pricing.demand.intervals import Coarse, Intervals, begins, keys_at
from energia.pricing.schedule import Schedule
from energia.pricing.slots import LocalDays, Slots
from energia.units import POWER_UNITS
from energia.zones import DAY, Int64, Zone

#: The one period where there is no schedule.
TOTAL: Final = "total"
#: Between a period and the time of one of its peaks, in a label.
AT: Final = "@"
#: So much of the text of a time names the month, the day.
_MONTH: Final = len("2026-03")
_DAY: Final = len("2026-03-02")
#: A bill of more days is told of where the demand is that of all of it.
_LONG: Final = 45


@attrs.frozen(cache_hash=True)
class Peak:
    """The highest demand of a channel, in micro-kW: the average power of an integration interval.

    Labels: each period (or `total`) gives the highest of all; `<period>@<local time>` gives each
    of the `top` highest, by when their intervals begin: `total@2026-03-02T18:15:00-03:00`.

    Attributes:
        channel: Whose readings.
        schedule: Each of its periods has a peak; an interval is in the period at its start.
        seconds: The length of the interval; an hour is a whole number of them.
        periods: Count only these periods of the schedule, together, as `total`.
        top: How many of the highest to give.
        distinct_days: Whether these are of different local days.
        coarse: Whether readings that are longer than the interval are refused, or accepted.
        by_month: Whether each calendar month has peaks of its own, told apart by their times.

    """

    channel: Role = "import"
    schedule: Schedule | None = None
    seconds: int = 900
    periods: tuple[str, ...] | None = None
    top: int = 1
    distinct_days: bool = False
    by_month: bool = False
    coarse: Coarse = "refuse"

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is measured."""
        return (self.channel,)

    @property
    def unit(self) -> str | None:
        """The unit of power that the values are millionths of."""
        return POWER_UNITS.get(unit_of(self.channel))

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the peaks of each period that has an interval.

        Raises:
            Invalid: The readings are coarser than the intervals.

        """
        if not self.by_month:
            _tell_long_bill(slots)
            if self.schedule is not None and self.periods is None:
                _tell_seasons(slots, self.schedule)
        found = Intervals.of(slots, self.channel, self.seconds, self.coarse)
        if self.schedule is not None:
            found.tell_split(slots, self.channel, self.schedule)
        labels: dict[str, int] = {}
        grid = slots.portion(self.channel).grid
        for period, groups in _groups(self, slots.types, slots.zone, grid):
            peaks = [at for group in groups for at in self._highest(found, slots.zone, group)]
            if peaks:
                labels[period] = max(int(found.power[at]) for at in peaks)
            for at in peaks:
                time = slots.zone.text(int(found.starts[at]))
                labels[f"{period}{AT}{time}"] = int(found.power[at])
        return labels

    def merge(self, earlier: Mapping[str, int], later: Mapping[str, int]) -> Mapping[str, int]:
        """Return the peaks of both windows; the cut between them is the end of an interval."""
        found: dict[str, int] = {}
        for period, timed in _timed([*earlier.items(), *later.items()]).items():
            kept = [one for some in self._apart(timed) for one in self._top(some)]
            found[period] = max(value for _, value in kept)
            found |= {f"{period}{AT}{time}": value for time, value in kept}
        return found

    def _apart(self, timed: list[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
        """Yield the peaks of each month, where months have peaks of their own; else all."""
        if not self.by_month:
            yield timed
            return
        for month in sorted({time[:_MONTH] for time, _ in timed}):
            yield [one for one in timed if one[0].startswith(month)]

    def _top(self, timed: list[tuple[str, int]]) -> list[tuple[str, int]]:
        """Return the highest of peaks, highest first; of equal ones the first."""
        order = sorted(timed, key=lambda one: -one[1])
        if self.distinct_days:
            first = {time[:_DAY]: at for at, (time, _) in reversed(list(enumerate(order)))}
            order = [order[at] for at in sorted(first.values())]
        return order[: self.top]

    def _highest(self, found: Intervals, zone: Zone, some: Int64) -> list[int]:
        """Return the highest of *some* intervals, highest first; of equal ones the first."""
        power: Micro = found.power[some]
        if not len(power):
            return []
        if self.top == 1:
            return [int(some[np.argmax(power)])]
        order = some[np.argsort(-power, kind="stable")]
        if self.distinct_days:
            days = zone.local(found.starts[order]) // DAY
            order = order[np.sort(np.unique(days, return_index=True)[1])]
        return [int(at) for at in order[: self.top]]


@lru_cache(maxsize=64)
def _groups(
    peak: Peak, types: DayTypes, zone: Zone, grid: Grid
) -> tuple[tuple[str, tuple[Int64, ...]], ...]:
    """Return which intervals are in each period, and in each month where these have their own.

    They depend on no reading: all meters share them.
    """
    first = begins(grid, peak.seconds, zone)
    days = zone.local(grid.start + grid.interval * first) // DAY
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    found = []
    for period, some in _periods(peak, types, zone, grid):
        ends = np.flatnonzero(np.diff(months[some])) + 1
        found.append((period, tuple(np.split(some, ends)) if peak.by_month else (some,)))
    return tuple(found)


def _periods(peak: Peak, types: DayTypes, zone: Zone, grid: Grid) -> Iterator[tuple[str, Int64]]:
    """Yield which intervals are in each period."""
    first = begins(grid, peak.seconds, zone)
    if peak.schedule is None:
        yield TOTAL, np.arange(len(first), dtype=np.int64)
        return
    keys = keys_at(compiled(peak.schedule, types, zone, grid), first)
    names = peak.schedule.periods
    if peak.periods is not None:
        counted = [key for key, name in enumerate(names) if name in peak.periods]
        yield TOTAL, np.flatnonzero(np.isin(keys, counted))
        return
    for key, name in enumerate(names):
        yield name, np.flatnonzero(keys == key)


@attrs.frozen
class BillMonth:
    """The calendar month in which the bill ends, by which its peak is remembered; the label."""

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Name the month of the last local day."""
        _, end = slots.bill or (slots.start, slots.end)
        return {f"{slots.zone.datetime(end - 1):%Y-%m}": 1}


def _timed(found: Iterable[tuple[str, int]]) -> dict[str, list[tuple[str, int]]]:
    """Return the timed peaks of each period."""
    timed: dict[str, list[tuple[str, int]]] = {}
    for label, value in found:
        period, at, time = label.partition(AT)
        if at:
            timed.setdefault(period, []).append((time, value))
    return timed


def _tell_long_bill(slots: Slots) -> None:
    start, end = slots.bill or (slots.start, slots.end)
    days = LocalDays.between(start, end, slots.zone).number
    if days > _LONG:
        slots.assume(
            "long_bill",
            f"the window of {days} days is charged as one bill; group=P1M charges each month",
        )


def _tell_seasons(slots: Slots, schedule: Schedule) -> None:
    """Tell of seasons that change inside the bill: periods of both have a maximum."""
    seasons = {rule.season for rule in schedule.rules if rule.season}
    if not seasons:
        return
    edges = np.array([slots.start, slots.end - 1], np.int64)
    first, last = (slots.zone.local(edges) // DAY).tolist()
    days = slots.types.days(np.arange(first, last + 1, dtype=np.int64)).month_day
    within = [season.includes(days) for season in seasons]
    if any(some.any() and not some.all() for some in within):
        slots.assume(
            "season_inside_bill",
            "a season begins or ends inside the bill: the demand of each period is charged in "
            "full; with reset=month by the days of its month",
        )
