"""Schedules by month and hour, as rules that a person can read.

A matrix has a row for each month and a column for each hour (or half an hour) of the day. Hours of
one period that follow each other become a window, months that share it become a season, and the
period of most hours is the default.
"""

import re
from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

import attrs

from energia_plugins.tariff_urdb.record import Record
from energia_plugins.tariff_urdb.structures import Period

Rows = tuple[tuple[int, ...], ...]
MONTHS: Final = 12
_COLUMNS: Final = (24, 48)
_DAY: Final = 24 * 60
#: How many rules a schedule may have.
_MOST: Final = 500
#: In the order in which rules are listed. Holidays count as weekends: the database has none of
#: its own, and a tariff may list them later.
_DAYS: Final = {"all": None, "weekday": ["weekday"], "weekend": ["weekend", "holiday"]}
#: Which days of the week have a row, over a year: to find the period of most hours.
_WEIGHTS: Final = (5, 2)


@attrs.frozen
class Matrix:
    """When each period is.

    Attributes:
        weekday: A row for each month.
        weekend: A row for each month.

    """

    weekday: Rows
    weekend: Rows

    @classmethod
    def constant(cls, months: Sequence[int]) -> "Matrix":
        """Return the matrix of periods that are whole months."""
        rows = tuple((period,) for period in months)
        return cls(rows, rows)

    @property
    def periods(self) -> tuple[int, ...]:
        """The periods that it has, in order."""
        rows = (*self.weekday, *self.weekend)
        return tuple(sorted({period for row in rows for period in row}))

    def by_month(self) -> list[set[int]]:
        """Return the periods of each month."""
        return [{*self.weekday[month], *self.weekend[month]} for month in range(MONTHS)]

    @property
    def is_seasonal(self) -> bool:
        """Whether months differ."""
        return len({*zip(self.weekday, self.weekend, strict=True)}) > 1

    def schedule(self, names: Mapping[int, str]) -> dict[str, Any]:
        """Return the schedule of a tariff document."""
        default = self._most()
        rules = [
            _rule(names[period], days, window, season)
            for (period, window, days), months in sorted(self._windows(default).items(), key=_order)
            for season in _seasons(months)
        ]
        return {"default": names[default], "rules": rules}

    def _most(self) -> int:
        hours: Counter[int] = Counter()
        for rows, weight in zip((self.weekday, self.weekend), _WEIGHTS, strict=True):
            for row in rows:
                for period in row:
                    hours[period] += weight
        return max(hours, key=lambda period: (hours[period], -period))

    def _windows(self, default: int) -> dict[tuple[int, tuple[int, int], str], set[int]]:
        """Return the months of each window of a period, by the days that have it."""
        by_window: dict[tuple[int, tuple[int, int]], dict[str, set[int]]] = {}
        for days, rows in (("weekday", self.weekday), ("weekend", self.weekend)):
            for month, row in enumerate(rows):
                for period, window in _runs(row):
                    if period != default:
                        of_days = by_window.setdefault(
                            (period, window), {"weekday": set(), "weekend": set()}
                        )
                        of_days[days].add(month)
        split: dict[tuple[int, tuple[int, int], str], set[int]] = {}
        for (period, window), days_of in by_window.items():
            # Months in which all days have the window take one rule instead of two.
            both = days_of["weekday"] & days_of["weekend"]
            for days, months in (("all", both), *((d, m - both) for d, m in days_of.items())):
                if months:
                    split[period, window, days] = months
        return split


def matrix(rate: Record, stem: str, periods: int) -> Matrix | None:
    """Return the schedules `<stem>weekdayschedule` and `<stem>weekendschedule`.

    None if one is wrong, or both are missing and there are several periods.
    """
    names = f"{stem}weekdayschedule", f"{stem}weekendschedule"
    given = [name for name in names if rate.get(name) not in (None, [])]
    if not given:
        if periods == 1:
            return Matrix.constant([0] * MONTHS)
        message = f"{periods} periods need {names[0]} and {names[1]}"
        rate.notes.refuse(rate.pointer(names[0]), "missing_schedule", message)
        return None
    read = {name: rows(rate, name, periods) for name in given}
    if len(given) == 1:
        missing = next(name for name in names if name not in given)
        message = f"{missing} is missing: all days are as in {given[0]}"
        rate.notes.warn(rate.pointer(given[0]), "one_schedule", message)
    weekday, weekend = (read.get(name, read[given[0]]) for name in names)
    return Matrix(weekday, weekend) if weekday and weekend else None


def rows(rate: Record, name: str, periods: int) -> Rows | None:
    """Return one schedule, each of its numbers the number of a period; None if it is wrong."""
    value, pointer, before = rate.get(name), rate.pointer(name), len(rate.notes.faults)
    if not isinstance(value, list) or len(value) != MONTHS:
        rate.notes.refuse(pointer, "wrong_shape", f"{name} has 12 rows, one for each month")
        return None
    lengths = {len(row) if isinstance(row, list) else 0 for row in value}
    if len(lengths) > 1 or not lengths <= set(_COLUMNS):
        message = "a row has 24 hours or 48 half hours, the same in all months"
        for month, row in enumerate(value):
            if not isinstance(row, list) or len(row) not in _COLUMNS:
                rate.notes.refuse(f"{pointer}/{month}", "wrong_shape", message)
        if len(rate.notes.faults) == before:
            rate.notes.refuse(pointer, "wrong_shape", message)
        return None
    numbers = tuple(
        tuple(
            _index(rate, number, f"{pointer}/{month}/{hour}", periods)
            for hour, number in enumerate(row)
        )
        for month, row in enumerate(value)
    )
    return numbers if len(rate.notes.faults) == before else None


def _index(rate: Record, value: object, pointer: str, periods: int) -> int:
    before = len(rate.notes.faults)
    index = rate.notes.whole(value, pointer)
    if len(rate.notes.faults) == before and (index is None or not 0 <= index < periods):
        message = f"there is no period {index}: the structure has 0 to {periods - 1}"
        rate.notes.refuse(pointer, "unknown_period", message)
    return index or 0


def too_long(schedule: Mapping[str, Any]) -> bool:
    """Tell whether a schedule has more rules than a tariff may have."""
    return len(schedule["rules"]) > _MOST


def _runs(row: Sequence[int]) -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield the windows of a row, in minutes of the day."""
    length, start = _DAY // len(row), 0
    for period, same in groupby(row):
        end = start + sum(1 for _ in same)
        yield period, (start * length, end * length)
        start = end


def _order(item: tuple[tuple[int, tuple[int, int], str], set[int]]) -> tuple[object, ...]:
    (period, window, days), months = item
    return period, min(months), list(_DAYS).index(days), window


def _seasons(months: Iterable[int]) -> Iterator[tuple[int, int] | None]:
    """Yield the runs of *months*, the first and the last of each, over the end of the year too."""
    there = set(months)
    if len(there) == MONTHS:
        yield None
        return
    for first in sorted(there):
        if (first - 1) % MONTHS not in there:
            last = first
            while (last + 1) % MONTHS in there:
                last = (last + 1) % MONTHS
            yield first, last


def _rule(
    period: str, days: str, window: tuple[int, int], season: tuple[int, int] | None
) -> dict[str, Any]:
    rule: dict[str, Any] = {"period": period}
    if _DAYS[days]:
        rule["days"] = _DAYS[days]
    if window != (0, _DAY):
        rule["from"], rule["to"] = (f"{minute // 60:02}:{minute % 60:02}" for minute in window)
    if season:
        first, last = season
        end = monthrange(2000, last + 1)[1]  # a leap year: the end of February is its 29th
        rule["season"] = {"from": f"{first + 1:02}-01", "to": f"{last + 1:02}-{end:02}"}
    return rule


# Names of periods, from what the source calls them.

_OTHER: Final = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST: Final = 64


def names_of(
    rate: Record, labels: str, periods: Sequence[Period], used: Sequence[int]
) -> Mapping[int, str]:
    """Return the name of each of the *used* periods.

    They are those of the field *labels*, or of the tiers, where all have one of their own; else
    `period_0` and so on, as the source numbers them.
    """
    given = rate.get(labels)
    stated = given if isinstance(given, list) and len(given) == len(periods) else []
    for texts in (stated, [period.label for period in periods]):
        named = {index: _name(texts[index]) for index in used} if texts else {}
        if named and all(named.values()) and len(set(named.values())) == len(named):
            return named
    return {index: f"period_{index}" for index in used}


def _name(label: object) -> str:
    return _OTHER.sub("_", label).strip("_")[:_LONGEST].lower() if isinstance(label, str) else ""
