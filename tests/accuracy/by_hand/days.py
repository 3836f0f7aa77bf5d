"""Local days and months, and the period of a schedule that an instant is in."""

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from tests.core.pricing import oracle

_DAY = timedelta(days=1)
#: A calendar month.
Month = tuple[int, int]


@cache
def midnight(zone: str, day: date) -> int:
    """Return the first instant of a local day; of one that a zone leaves out, the next one's."""
    there = ZoneInfo(zone)
    instant = int(datetime(day.year, day.month, day.day, tzinfo=there).timestamp())
    before, after = (
        datetime.fromtimestamp(moment, there).date() for moment in (instant - 60, instant)
    )
    if before < day == after:
        return instant
    # No zone is more than 15 hours ahead, and changes begin with a minute.
    instant = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) - 15 * 3600
    for step in (3600, 900, 60):
        while datetime.fromtimestamp(instant, there).date() < day:
            instant += step
        instant -= step
    return instant + 60


@cache
def days(zone: str, start: int, end: int) -> Sequence[date]:
    """Return the local days that have an instant in [start, end), in order."""
    day = datetime.fromtimestamp(start, ZoneInfo(zone)).date() - _DAY
    listed = []
    while midnight(zone, day) < end:
        if midnight(zone, day) < midnight(zone, day + _DAY) and midnight(zone, day + _DAY) > start:
            listed.append(day)
        day += _DAY
    return listed


def day_of(zone: str, listed: Sequence[date], instant: int) -> date:
    """Return which of some local days an instant is in."""
    return listed[bisect_right(listed, instant, key=lambda day: midnight(zone, day)) - 1]


def month_of(day: date) -> Month:
    """Return the month of a day."""
    return day.year, day.month


def month_length(month: Month) -> int:
    """Return how many days a month has."""
    return monthrange(*month)[1]


def months_before(month: Month, back: int) -> Month:
    """Return the month so many months earlier."""
    year, zero_based = divmod(month[0] * 12 + month[1] - 1 - back, 12)
    return year, zero_based + 1


def period_at(
    schedule: Mapping[str, Any] | None, version: Mapping[str, Any], zone: str, instant: int
) -> str | None:
    """Return the period of a schedule at an instant; without a schedule, None."""
    return None if schedule is None else oracle.period_at(schedule, version, zone, instant)
