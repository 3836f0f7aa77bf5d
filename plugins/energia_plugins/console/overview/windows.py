"""The month that is shown, and the same days of months before it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

import attrs

from energia.pricing.dates import month_after


@attrs.frozen
class Month:
    """A month so far, on the clock of a site.

    Attributes:
        first: Its first day.
        past: The first day of the next one.
        until: When its newest reading ends.

    """

    first: date
    past: date
    until: datetime

    @classmethod
    def of(cls, until: datetime) -> Self:
        """Return the month in which the slot lies that ends at an instant."""
        first = (until - timedelta(seconds=1)).date().replace(day=1)
        return cls(first, month_after(first), until)

    @property
    def is_over(self) -> bool:
        """Whether there are readings up to its end."""
        return self.until.date() >= self.past

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.past - self.first).days

    def since(self, day: date) -> Self:
        """Return it from a day on, if that is later than its first."""
        return attrs.evolve(self, first=max(self.first, day))

    def before(self, day: date) -> Self:
        """Return it up to a day, if that is earlier than its end."""
        return attrs.evolve(self, past=min(self.past, day))

    def earlier(self, months: int) -> "Month":
        """Return the same days, so many months ago; fewer where that month was shorter."""
        first = month_after(self.first, -months)
        past = month_after(first)
        begin = first + timedelta(days=self.first.day - 1)
        wall = self.until.replace(tzinfo=None) - datetime(
            self.first.year, self.first.month, self.first.day
        )
        until = datetime(begin.year, begin.month, begin.day) + wall
        is_whole = self.until.date() >= month_after(self.first)
        if is_whole or until.date() >= past:
            until = datetime(past.year, past.month, past.day)
        return Month(begin, past, until.replace(tzinfo=self.until.tzinfo))


def newest(readings: Mapping[str, Any], zone: ZoneInfo) -> datetime | None:
    """Return when the newest of the API's readings ends; None without any."""
    values = readings["values"]
    last = next((at for at in reversed(range(len(values))) if values[at] is not None), None)
    if last is None:
        return None
    start = datetime.fromisoformat(readings["start"]).astimezone(UTC)
    return (start + step(readings) * (last + 1)).astimezone(zone)


def step(readings: Mapping[str, Any]) -> timedelta:
    """Return the length of a slot."""
    start, end = (datetime.fromisoformat(readings[name]) for name in ("start", "end"))
    return (end - start) / max(1, len(readings["values"]))
