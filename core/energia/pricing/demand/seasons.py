"""The seasons of a schedule inside a bill: spans of days on which the same rules may match."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final

import attrs
import numpy as np

from energia.pricing.charges import BaseMeasure
from energia.pricing.schedule import Bools, DayTypes, Rule, Schedule, Season
from energia.pricing.slots import LocalDays, Slots
from energia.time import DAY, Instant, Zone, day_number

#: A rule for all days and hours: what the default of a schedule is.
_ALWAYS: Final = Rule("always")
#: Between the first and the last day of a span, in a label (ISO 8601, 5.5).
_TO: Final = "/"


@attrs.frozen
class Span:
    """Days that follow each other and are of one season.

    Attributes:
        first: The first, in days since 1970-01-01.
        last: The last.
        periods: The periods that may begin on them.

    """

    first: int
    last: int
    periods: frozenset[str]

    @property
    def label(self) -> str:
        """Its first and its last day: `2026-02-15/2026-02-28`."""
        first, last = np.array([self.first, self.last], "datetime64[D]")
        return f"{first}{_TO}{last}"

    def distance(self, day: int) -> int:
        """Return how many days *day* is before or after it; 0 within."""
        return max(self.first - day, day - self.last, 0)


def spans(schedule: Schedule, first: int, last: int) -> tuple[Span, ...]:
    """Return the spans of the days *first* to *last*, cut where a season begins or ends."""
    numbers = np.arange(first, last + 1, dtype=np.int64)
    days = DayTypes().days(numbers)
    seasons = list(dict.fromkeys(rule.season for rule in schedule.rules if rule.season))
    inside = np.array([season.includes(days) for season in seasons], np.bool_)
    inside = inside.reshape(len(seasons), len(numbers))
    cuts = np.flatnonzero((inside[:, 1:] != inside[:, :-1]).any(axis=0)) + 1
    edges = [0, *cuts.tolist(), len(numbers)]
    return tuple(
        Span(first + begin, first + past - 1, _periods_of(schedule, seasons, inside[:, begin]))
        for begin, past in pairwise(edges)
    )


def _periods_of(schedule: Schedule, seasons: Sequence[Season], inside: Bools) -> frozenset[str]:
    """Return the periods that the rules give which are in force on a day."""
    active = {season for season, is_inside in zip(seasons, inside, strict=True) if is_inside}
    rules = [rule for rule in schedule.rules if rule.season is None or rule.season in active]
    return frozenset(_periods(schedule, rules))


def _periods(schedule: Schedule, rules: Sequence[Rule]) -> Iterator[str]:
    """Yield the periods that *rules* can give, of which the first that matches wins."""
    last = [attrs.evolve(_ALWAYS, period=schedule.default)] if schedule.default else []
    before: list[Rule] = []
    for rule in (*rules, *last):
        if not any(_covers(earlier, rule) for earlier in before):
            yield rule.period
        before.append(rule)


def _covers(earlier: Rule, rule: Rule) -> bool:
    """Tell whether *earlier* matches whenever *rule* does, in one season."""
    on_all_days = "all" in earlier.days or set(rule.days) <= set(earlier.days)
    hours = all(
        mine.start >= other.start and mine.stop <= other.stop
        for mine, other in zip(rule.minutes, earlier.minutes, strict=True)
        if mine.start < mine.stop
    )
    return on_all_days and hours


def span_of(among: Sequence[Span], period: str, day: int) -> Span | None:
    """Return the span whose *period* a moment of *day* is in; None if it is of none of them.

    A window that began on the last evening of a season lasts into the first morning of the next,
    and a schedule may have a clock of its own: the span may be a day away.
    """
    near = [span for span in among if period in span.periods and span.distance(day) <= 1]
    return min(near, key=lambda span: (span.distance(day), span.first), default=None)


def of_window(schedule: Schedule, start: Instant, end: Instant, zone: Zone) -> tuple[Span, ...]:
    """Return the spans of the local days that the window [start, end) touches."""
    edges = np.array([start, max(start, end - 1)], np.int64)
    first, last = (zone.local(edges) // DAY).tolist()
    return spans(schedule, first, last)


def of_labels(schedule: Schedule, labels: Mapping[str, int]) -> tuple[Span, ...]:
    """Return the spans that `SeasonDays` gave the labels of."""
    edges = sorted(day for label in labels for day in label.split(_TO))
    return spans(schedule, local_day(edges[0]), local_day(edges[-1])) if edges else ()


def local_day(text: str) -> int:
    """Return the day of a date, or of a local time such as `2026-03-02T18:15:00-03:00`."""
    return day_number(datetime.fromisoformat(text).date())


@attrs.frozen(cache_hash=True)
class SeasonDays(BaseMeasure):
    """How many local days of each season of a schedule the window touches.

    Labels are the spans of days of one season: `2026-02-15/2026-02-28`.
    """

    seasons: Schedule

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Count the days of the site's zone."""
        slots.local_days()  # which tells of a day that is not whole
        return {span.label: _count(span, slots) for span in _of_slots(self.seasons, slots)}


def _of_slots(schedule: Schedule, slots: Slots) -> tuple[Span, ...]:
    return of_window(schedule, slots.start, slots.end, slots.zone)


def _count(span: Span, slots: Slots) -> int:
    """Return how many days of a span there are: a zone may leave one out."""
    begins, past = slots.zone.midnights(np.array([span.first, span.last + 1], np.int64)).tolist()
    start, end = max(begins, slots.start), min(past, slots.end)
    return LocalDays.between(start, end, slots.zone).number if start < end else 0
