"""The week of a schedule: which period each time of each kind of day is in, part by part of a year.

The rules are those of `energia.pricing.schedule`, read from the JSON of a tariff: the first rule
that matches wins, `default` takes the rest, and a window that crosses midnight belongs to the day
on which it begins.
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby, pairwise
from math import gcd
from typing import Any, Final

import attrs

from energia_plugins.console.comparison.costs import parameters_in

Json = Mapping[str, Any]
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES: Final = 24 * 60
_HOUR: Final = 60
#: Slots of prices are no shorter, so that a page of them stays small.
_SHORTEST: Final = 15
_ORDINALS: Final = {"first": 0, "second": 1, "third": 2, "fourth": 3}
_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
#: A holiday, or a day of a list, is shown as if it were a Wednesday.
_MIDDLE: Final = 2


@attrs.frozen
class Span:
    """Part of a day that is in one period.

    Attributes:
        start: The first minute.
        end: The minute after the last one.
        period: The name of the period; empty where none is.

    """

    start: int
    end: int
    period: str


@attrs.frozen
class Kind:
    """A kind of day.

    Attributes:
        weekday: Monday is 0.
        special: `holiday`, or the name of a list of days; None for a plain day of the week.

    """

    weekday: int
    special: str | None = None

    def is_a(self, name: str, weekend: Sequence[str]) -> bool:
        """Tell whether the day is what a rule calls by this name."""
        is_weekend = DAYS[self.weekday] in weekend
        if name == "all":
            return True
        if name == "weekend":
            return is_weekend
        if name == "weekday":
            return not is_weekend and self.special != "holiday"
        return name in (DAYS[self.weekday], self.special)


@attrs.frozen
class Row:
    """A kind of day, and its periods.

    Attributes:
        kind: The kind of day.
        spans: They make a whole day.

    """

    kind: Kind
    spans: tuple[Span, ...]


@attrs.frozen
class Part:
    """Part of a year in which every week is alike.

    Attributes:
        ranges: From which day to which, both included; all of a year has none.
        rows: The kinds of day.

    """

    ranges: tuple[tuple[date, date], ...]
    rows: tuple[Row, ...]

    @property
    def periods(self) -> list[str]:
        """The names of the periods, in the order of the day."""
        names = [span.period for row in self.rows for span in row.spans]
        return list(dict.fromkeys(filter(None, names)))

    def alike(self) -> list[tuple[tuple[Kind, ...], tuple[Span, ...]]]:
        """Return the kinds of day that follow each other with the same periods, together."""
        groups = groupby(self.rows, key=lambda row: row.spans)
        return [(tuple(row.kind for row in rows), spans) for spans, rows in groups]


def weeks(schedule: Json, version: Json, year: int) -> list[Part]:
    """Return the parts of a year, each with its week."""
    kinds = _kinds(schedule, version)
    weekend = version.get("weekend_days", ("sat", "sun"))
    by_season = dict[frozenset[int], list[date]]()
    for day in _year(year):
        by_season.setdefault(_active(schedule, day), []).append(day)
    by_week = dict[tuple[Row, ...], list[date]]()
    for active, days in by_season.items():
        rules = [rule for index, rule in enumerate(schedule["rules"]) if index in active]
        rows = tuple(Row(kind, _spans(rules, schedule, kind, weekend)) for kind in kinds)
        by_week.setdefault(rows, []).extend(days)
    if len(by_week) == 1:
        return [Part((), rows) for rows in by_week]
    return [Part(_ranges(sorted(days)), rows) for rows, days in by_week.items()]


def _kinds(schedule: Json, version: Json) -> list[Kind]:
    """Return the days of the week, then those that rules tell from them."""
    kinds = [Kind(day) for day in range(len(DAYS))]
    named = {name for rule in schedule["rules"] for name in rule.get("days", ())}
    if "holiday" in named or ("weekday" in named and version.get("holidays")):
        kinds.append(Kind(_MIDDLE, "holiday"))
    listed = version.get("day_types") or {}
    return kinds + [Kind(_MIDDLE, name) for name in listed if name in named]


def _year(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)


def _active(schedule: Json, day: date) -> frozenset[int]:
    """Return which rules are of the season of a day."""
    rules = enumerate(schedule["rules"])
    return frozenset(index for index, rule in rules if _in_season(rule.get("season"), day))


def _in_season(season: Json | None, day: date) -> bool:
    if season is None:
        return True
    first = _day_of(season["from"], day.year)
    last = _day_of(season.get("to") or season["until"], day.year)
    before = day <= last if season.get("to") else day < last
    return (day >= first or before) if first > last else (first <= day and before)


def _day_of(text: str, year: int) -> date:
    """Return a day of a year: `06-01`, or `last_sun_oct`."""
    if text[0].isdigit():
        month, day = int(text[:2]), int(text[3:])
        return date(year, month, min(day, monthrange(year, month)[1]))
    ordinal, weekday, name = text.split("_")
    month = _MONTHS.index(name) + 1
    first = 1 + (DAYS.index(weekday) - date(year, month, 1).weekday()) % 7
    if ordinal == "last":
        return date(year, month, first + (monthrange(year, month)[1] - first) // 7 * 7)
    return date(year, month, first + 7 * _ORDINALS[ordinal])


def _spans(
    rules: Sequence[Json], schedule: Json, kind: Kind, weekend: Sequence[str]
) -> tuple[Span, ...]:
    """Return the periods of a day; the day before it is a plain one."""
    before = Kind((kind.weekday - 1) % 7)
    windows = list[tuple[int, int, str]]()
    for rule in rules:
        first, last = _minute(rule.get("from", "00:00")), _minute(rule.get("to", "24:00"))
        days, crosses = rule.get("days", ("all",)), last <= first
        if any(kind.is_a(name, weekend) for name in days):
            windows.append((first, MINUTES if crosses else last, rule["period"]))
        if crosses and any(before.is_a(name, weekend) for name in days):
            windows.append((0, last, rule["period"]))
    edges = sorted({0, MINUTES, *(edge for first, last, _ in windows for edge in (first, last))})
    spans = list[Span]()
    for start, end in pairwise(edges):
        found = (name for first, last, name in windows if first <= start < last)
        period = next(found, schedule.get("default") or "")
        if spans and spans[-1].period == period:
            spans[-1] = attrs.evolve(spans[-1], end=end)
        else:
            spans.append(Span(start, end, period))
    return tuple(spans)


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _ranges(days: Sequence[date]) -> tuple[tuple[date, date], ...]:
    """Return days as ranges; one that runs over the end of the year is one."""
    ranges = list[tuple[date, date]]()
    for day in days:
        if ranges and day - ranges[-1][1] == timedelta(days=1):
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    first, last = ranges[0], ranges[-1]
    if len(ranges) > 1 and f"{first[0]:%m-%d}" == "01-01" and f"{last[1]:%m-%d}" == "12-31":
        ranges = [*ranges[1:-1], (last[0], first[1])]
    return tuple(ranges)


def schedules(version: Json) -> list[tuple[Json, list[Json]]]:
    """Return the schedules of a version that differ, each with the charges that have it."""
    found = list[tuple[Json, list[Json]]]()
    for charge in version["charges"]:
        schedule = charge.get("schedule")
        if not isinstance(schedule, Mapping) or any(parameters_in(schedule)):
            continue  # none, or one that a contract gives
        whole = {"rules": [], **schedule}
        for known, charges in found:
            if known == whole:
                charges.append(charge)
                break
        else:
            found.append((whole, [charge]))
    return found


def leaves_open(version: Json) -> bool:
    """Tell whether a charge has a schedule that only a contract says."""
    found = (charge.get("schedule") for charge in version["charges"])
    return any(True for schedule in found for _ in parameters_in(schedule))


def finest(version: Json) -> str | None:
    """Return slots so short that each is in one period; None if hours are."""
    texts = [
        str(rule[name])
        for schedule, _ in schedules(version)
        for rule in schedule["rules"]
        for name in ("from", "to")
        if name in rule
    ]
    minutes = gcd(60, *map(_minute, texts))
    if minutes == _HOUR:
        return None
    return f"PT{max(minutes, _SHORTEST)}M"
