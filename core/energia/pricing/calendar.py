"""Calendars: a schedule compiled for a window of slots, as runs of slots of one period.

Slots are put into periods by the wall clock at their start: instants become local times by the
zone's transitions, in one array operation. A calendar depends on no reading, so it is cached and
shared by all meters.
"""

from collections.abc import Iterator
from typing import Final, Self

import attrs
import numpy as np
import numpy.typing as npt

from energia.errors import Invalid
from energia.metering.series import Micro
from energia.pricing.cache import CACHE
from energia.pricing.exact import sums
from energia.pricing.schedule import MINUTES, DayList, DayTypes, Matches, Schedule
from energia.time import DAY, Instant, Int64, Zone
from energia.units import ceiling

Keys = npt.NDArray[np.int16]
_NO_PERIOD: Final = -1
#: So many slots are put into periods at a time: ten years of quarter-hours take some 40 MB.
_PART: Final = 366 * 96 * 10


@attrs.frozen(eq=False)
class Calendar:
    """The periods of consecutive slots, as runs.

    Attributes:
        bounds: int64[runs], the first slot of each run of slots of one period.
        keys: int16[runs], the period of each run: an index into `periods`.
        periods: The names of the periods of the schedule.
        split: How many slots have a boundary between two periods inside them.
        unlisted: The years of which no holiday is known, where holidays matter.
        beyond: The lists of days that some day lies before or after, where they matter.
        leap_days: The years with a 29 February after a season that ends on the 28th.

    """

    bounds: Int64
    keys: Keys
    periods: tuple[str, ...]
    split: int
    unlisted: tuple[int, ...] = ()
    beyond: tuple[DayList, ...] = ()
    leap_days: tuple[int, ...] = ()
    _order: Int64 = attrs.field(init=False)
    _starts: Int64 = attrs.field(init=False)
    _present: tuple[str, ...] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Sort the runs by period, so that sums of runs add up to sums of periods."""
        order = np.argsort(self.keys, kind="stable")
        keys = self.keys[order]
        starts = np.flatnonzero(np.append(keys[:1] == keys[:1], keys[1:] != keys[:-1]))
        present = tuple(self.periods[key] for key in keys[starts].tolist())
        object.__setattr__(self, "_order", order)
        object.__setattr__(self, "_starts", starts)
        object.__setattr__(self, "_present", present)

    @staticmethod
    def of(schedule: Schedule, types: DayTypes, zone: Zone, grid: "Grid") -> "Calendar":
        """Return the periods of the slots of *grid*; all who ask for the same share one."""
        return compiled(schedule, types, zone, grid)

    @property
    def groups(self) -> tuple[tuple[str, ...], Int64, Int64, Int64]:
        """The periods that have a slot, the bounds of runs, and the runs in the order of periods.

        The last of the four is where each period begins in that order.
        """
        return self._present, self.bounds, self._order, self._starts

    def sums(self, values: Micro, largest: int) -> dict[str, int]:
        """Return the exact sum of *values* in each period that has a slot.

        Args:
            values: int64[slots], none missing.
            largest: A bound of their magnitudes.

        """
        if not len(self.bounds):
            return {}
        totals = sums(values, largest, self.bounds, self._order, self._starts)
        return dict(zip(self._present, totals, strict=True))


@attrs.frozen
class Grid:
    """Consecutive slots.

    Attributes:
        start: When the first slot starts, in seconds since 1970-01-01T00:00Z.
        interval: The length of a slot in seconds.
        count: How many there are.

    """

    start: Instant
    interval: int
    count: int

    @property
    def starts(self) -> Int64:
        """When each slot starts."""
        return self.start + self.interval * np.arange(self.count, dtype=np.int64)

    @property
    def end(self) -> Instant:
        """When the last slot ends."""
        return self.start + self.interval * self.count

    @property
    def parts(self) -> "Iterator[Grid]":
        """The grids that it consists of, each small enough to be worked on as a whole."""
        for index in range(0, self.count, _PART):
            start = self.start + index * self.interval
            yield Grid(start, self.interval, min(_PART, self.count - index))

    def index_at(self, instant: Instant) -> int:
        """Return the first slot that starts at *instant* or later; `count` if there is none."""
        return min(max(ceiling(instant - self.start, self.interval), 0), self.count)


@CACHE.memo
def compiled(schedule: Schedule, types: DayTypes, zone: Zone, grid: Grid) -> Calendar:
    """Compile *schedule* for the slots of *grid*."""
    if not grid.count:
        return Calendar(np.zeros(0, np.int64), np.zeros(0, np.int16), schedule.periods, 0)
    clock = schedule.zone(zone)
    ends = clock.local(np.array([grid.start, grid.start + grid.interval * grid.count - 1]))
    # A zone moves by at most a day at once: no slot is earlier or later than this.
    table = DayTable.of(schedule, types, int(ends.min()) - DAY, int(ends.max()) + DAY)
    parts = [_part(table, clock, part) for part in grid.parts]
    keys = np.concatenate([of_part for of_part, _ in parts])
    bounds = np.append(0, np.flatnonzero(keys[1:] != keys[:-1]) + 1).astype(np.int64)
    if keys.min() == _NO_PERIOD:
        raise Invalid.of("incomplete_schedule", "the schedule does not cover every minute")
    days = ends // DAY
    return Calendar(
        bounds,
        keys[bounds],
        schedule.periods,
        sum(split for _, split in parts),
        _unlisted(schedule, types, days),
        types.beyond(schedule.day_lists, days),
        schedule.leap_days(days),
    )


def _part(table: "DayTable", clock: Zone, grid: Grid) -> tuple[Keys, int]:
    """Return the period of each slot, and how many slots have a boundary inside them."""
    starts = grid.starts
    first, last = clock.local(starts), clock.local(starts + (grid.interval - 1))
    return table.keys_at(first), _split(table, clock, grid, first, last)


def _unlisted(schedule: Schedule, types: DayTypes, days: Int64) -> tuple[int, ...]:
    if not schedule.asks_for_holidays(any_listed=bool(types.holidays)):
        return ()
    return types.without_holidays(days)


@attrs.frozen(eq=False)
class DayTable:
    """The period of every minute of some days of a wall clock; days alike share a row.

    Attributes:
        first: The first day, since 1970-01-01.
        rows: int64[days], the row of each day.
        keys: int16[rows, 1440], the period of each minute.
        changes: int64[rows, 1440], how often the period changes up to this minute of the day.
        before: int64[days], how often it has changed when the day has begun.

    """

    first: int
    rows: Int64
    keys: Keys
    changes: Int64
    before: Int64

    @classmethod
    def of(cls, schedule: Schedule, types: DayTypes, low: int, high: int) -> Self:
        """Tabulate the days from the local time *low* to *high* (seconds)."""
        first = low // DAY
        # The day before counts too: its windows may cross midnight.
        numbers = np.arange(first - 1, high // DAY + 1, dtype=np.int64)
        matches = schedule.matches(types.days(numbers))
        both = np.concatenate([matches[1:], matches[:-1]], axis=1)
        kinds, rows = _distinct(both)
        keys = np.stack([_painted(schedule, kind) for kind in kinds])
        changes = np.zeros(keys.shape, np.int64)
        changes[:, 1:] = np.cumsum(keys[:, 1:] != keys[:, :-1], axis=1)
        at_midnight = keys[rows[1:], 0] != keys[rows[:-1], -1]
        before = np.append(0, np.cumsum(changes[rows[:-1], -1] + at_midnight)).astype(np.int64)
        return cls(first, rows, keys, changes, before)

    def keys_at(self, local: Int64) -> Keys:
        """Return the period at each local time (seconds)."""
        day, second = np.divmod(local, DAY)
        keys: Keys = self.keys[self.rows[day - self.first], second // 60]
        return keys

    def changes_at(self, local: Int64) -> Int64:
        """Return how often the period has changed up to each local time (seconds)."""
        day, second = np.divmod(local, DAY)
        day -= self.first
        changes: Int64 = self.before[day] + self.changes[self.rows[day], second // 60]
        return changes


def _split(table: DayTable, clock: Zone, grid: Grid, first: Int64, last: Int64) -> int:
    """Count the slots, from *first* to *last* on the wall clock, with a boundary inside them."""
    split = table.changes_at(first) != table.changes_at(last)
    # Where the clock is changed inside a slot, only looking at its minutes tells.
    jumps = np.flatnonzero(last - first != grid.interval - 1)
    if len(jumps):
        minutes = grid.starts[jumps, None] + np.arange(0, grid.interval, 60)
        local = clock.local(minutes.ravel()).reshape(minutes.shape)
        keys = table.keys_at(local)
        split[jumps] = (keys != keys[:, :1]).any(axis=1)
    return int(np.count_nonzero(split))


def _distinct(rows: Matches) -> tuple[Matches, Int64]:
    """Return the distinct rows, and which of them each row is."""
    packed = np.ascontiguousarray(np.packbits(rows, axis=1))
    if not packed.shape[1]:
        return rows[:1], np.zeros(len(rows), np.int64)
    as_bytes = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, examples, index = np.unique(as_bytes, return_index=True, return_inverse=True)
    return rows[examples], index.astype(np.int64)


def _painted(schedule: Schedule, matches: npt.NDArray[np.bool_]) -> Keys:
    """Return the period of each minute of a day, given the rules that match it and its eve."""
    periods = {name: key for key, name in enumerate(schedule.periods)}
    default = _NO_PERIOD if schedule.default is None else periods[schedule.default]
    row = np.full(MINUTES, default, np.int16)
    rules = len(schedule.rules)
    for index in range(rules - 1, -1, -1):  # the first rule is painted last, so it wins
        rule = schedule.rules[index]
        today, next_day = rule.minutes
        if matches[index]:
            row[today] = periods[rule.period]
        if matches[rules + index]:
            row[next_day] = periods[rule.period]
    return row
