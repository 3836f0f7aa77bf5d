"""Finds the minutes for which a schedule without a default has no period."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from energia.pricing.days import Days, DayTypes
from energia.pricing.schedule import MINUTES, Matches, Schedule
from energia.zones import Int64

#: So many gaps of one schedule are told.
_TOLD: Final = 10
_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def gaps(schedule: Schedule, types: DayTypes) -> list[str]:
    """Say which times on which days have no period, for every kind of day that there can be.

    A kind of day is its day of the week, whether it is a holiday, its date in the year, and the
    same of the day before, whose windows may cross midnight. A day counts as a possible holiday
    whatever dates the version lists: lists of holidays grow.
    """
    if schedule.default is not None:
        return []
    today, before = _kinds(types)
    both = np.concatenate([schedule.matches(today), schedule.matches(before)], axis=1)
    _, examples = np.unique(both, axis=0, return_index=True)
    examples.sort()
    covered, edges = _covered(schedule, both[examples])
    told: dict[str, str] = {}
    for row, example in zip(covered, examples.tolist(), strict=True):
        for span in _spans(row, edges):
            told.setdefault(span, _describe(today, example))
        if len(told) >= _TOLD:
            break
    return [f"no period from {span} on {day}" for span, day in told.items()]


def _kinds(types: DayTypes) -> tuple[Days, Days]:
    """Return every kind of day, and the kind of the day before it."""
    year = np.arange(np.datetime64("1999-12-31"), np.datetime64("2001-01-01"))
    dates = DayTypes().days(year.astype(np.int64)).month_day
    # All dates of a leap year, after the day before it; then 1 March of a common year.
    today = np.append(dates[1:], 301)
    before = np.append(dates[:-1], 228)
    index, weekday, holiday, held = np.indices((len(today), 7, 2, 2)).reshape(4, -1)
    return (
        _days(types, weekday, holiday, today[index]),
        _days(types, (weekday - 1) % 7, held, before[index]),
    )


def _days(types: DayTypes, weekday: Int64, holiday: Int64, month_day: Int64) -> Days:
    return Days(weekday, types.weekend(weekday), holiday.astype(bool), month_day)


def _covered(schedule: Schedule, matches: Matches) -> tuple[Matches, list[int]]:
    """Return bool[kinds, spans]: which spans between the *edges* some rule covers."""
    windows = [rule.minutes for rule in schedule.rules]
    ends = {edge for pair in windows for part in pair for edge in (part.start, part.stop)}
    edges = sorted(ends | {0, MINUTES})
    starts = np.array(edges[:-1])
    parts = [window[0] for window in windows] + [window[1] for window in windows]
    # Counts of rules are exact in float32, and its product of matrices is fast.
    inside: npt.NDArray[np.float32] = np.array(
        [(starts >= part.start) & (starts < part.stop) for part in parts], np.float32
    ).reshape(len(parts), len(starts))
    return matches.astype(np.float32) @ inside > 0, edges


def _spans(covered: npt.NDArray[np.bool_], edges: list[int]) -> Iterator[str]:
    """Tell the spans that are not covered, neighbours as one."""
    bare = np.concatenate([[False], ~covered, [False]])
    changes = np.flatnonzero(bare[1:] != bare[:-1]).tolist()
    for first, last in list(pairwise(changes))[::2]:
        yield f"{_clock(edges[first])} to {_clock(edges[last])}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _describe(days: Days, index: int) -> str:
    month, day = divmod(int(days.month_day[index]), 100)
    holiday = " that is a holiday" if days.holiday[index] else ""
    return f"a {_NAMES[days.weekday[index]]}{holiday}, for example {month:02}-{day:02}"
