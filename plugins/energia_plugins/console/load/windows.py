"""The window of time that a page shows: a year, a month, a week, a day, or any other."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final, Literal, Self

import attrs

from energia.time import DAY, Instant, Zone, instant_of
from energia_plugins.console.page import marked
from energia_plugins.console.words import NBSP, Words

#: Windows that a calendar has; a year is twelve months, of which the last one is looked at.
Unit = Literal["year", "month", "week", "day"]
UNITS: Final[tuple[tuple[Unit, str], ...]] = (
    ("year", marked("Year")),
    ("month", marked("Month")),
    ("week", marked("Week")),
    ("day", marked("Day")),
)
_MONTHS: Final = {"year": 12, "month": 1}
_DAYS: Final = {"week": 7, "day": 1}
#: The longest window that is looked at, and the shortest.
_LONGEST: Final = 4 * 366 * DAY
_SHORTEST: Final = 3_600


@attrs.frozen
class Window:
    """Some time, on the clock of a site.

    Attributes:
        zone: The zone.
        start: When it begins.
        end: When it ends.
        unit: What a calendar calls it; None for any other.

    """

    zone: Zone
    start: Instant
    end: Instant
    unit: Unit | None = None

    @classmethod
    def around(cls, zone: Zone, unit: Unit, day: date) -> Self:
        """Return the year, month, week or day that a day is in."""
        first = _first(unit, day)
        return cls(zone, zone.midnight(first), zone.midnight(_moved(unit, first, 1)), unit)

    @classmethod
    def asked(cls, zone: Zone, query: Mapping[str, str], latest: date) -> Self:
        """Return the window of `from` and `to`; without them the seven days to the latest reading.

        What is no window is answered by these, too: links of old are no fault of a reader.
        """
        start, end = _instant(zone, query.get("from")), _instant(zone, query.get("to"))
        if start is None or end is None or not _SHORTEST <= end - start <= _LONGEST:
            return cls._week(zone, latest - timedelta(days=6))
        found = cls(zone, start, end)
        return attrs.evolve(found, unit=found._unit())

    @classmethod
    def _week(cls, zone: Zone, first: date) -> Self:
        """Return seven days: a week, whichever day it begins on."""
        end = zone.midnight(first + timedelta(days=7))
        return cls(zone, zone.midnight(first), end, "week")

    def _unit(self) -> Unit | None:
        if self._week(self.zone, self.first) == attrs.evolve(self, unit="week"):
            return "week"
        for unit, _ in UNITS:
            if type(self).around(self.zone, unit, self._anchor(unit)) == attrs.evolve(
                self, unit=unit
            ):
                return unit
        return None

    def _anchor(self, unit: Unit) -> date:
        """Return a day by which this window would be found, if it is such a one."""
        return self.last if unit == "year" else self.first

    @property
    def first(self) -> date:
        """The first day."""
        return self.zone.datetime(self.start).date()

    @property
    def last(self) -> date:
        """The last day."""
        return self.zone.datetime(self.end - 1).date()

    @property
    def days(self) -> list[date]:
        """The days, in order."""
        return [
            self.first + timedelta(days=day) for day in range((self.last - self.first).days + 1)
        ]

    def moved(self, by: int) -> Self:
        """Return the window before this one, -1, or the one after it, 1."""
        if self.unit == "week":
            return self._week(self.zone, self.first + timedelta(days=7 * by))
        if self.unit is not None:
            return self.around(self.zone, self.unit, _moved(self.unit, self._anchor(self.unit), by))
        length = (self.end - self.start) * by
        return type(self)(self.zone, self.start + length, self.end + length)

    def to(self, unit: Unit, latest: date) -> Self:
        """Return a longer or shorter window about the same time, with readings if that has any."""
        return self.around(self.zone, unit, max(self.first, min(self.last, latest)))

    def until(self, end: Instant) -> Self:
        """Return what is before an instant; a window that begins after it stays as it is."""
        if end <= self.start or end >= self.end:
            return self
        return type(self)(self.zone, self.start, end)

    @property
    def query(self) -> dict[str, str]:
        """What a URL says of it."""
        return {"from": self._text(self.start), "to": self._text(self.end)}

    def _text(self, at: Instant) -> str:
        moment = self.zone.datetime(at)
        return f"{moment.date()}" if self.zone.starts_day(at) else moment.isoformat()

    def title(self, words: Words) -> str:
        """Return what a person calls it: `2 a 8 nov. 2026`."""
        if self.unit == "day":
            weekday = words.weekday(self.first).rpartition(" ")[0]
            return f"{weekday}, {words.day(self.first, year=True)}"
        if self.unit == "month":
            return words.month(self.first)
        if self.unit == "year":
            return _between(words, _month(words, self.first), _month(words, self.last))
        return title_of_days(words, self) if self._is_of_days else self._moments(words)

    @property
    def _is_of_days(self) -> bool:
        return self.zone.starts_day(self.start) and self.zone.starts_day(self.end)

    def _moments(self, words: Words) -> str:
        start, end = self.zone.datetime(self.start), self.zone.datetime(self.end)
        return _between(words, words.moment(start), words.moment(end, year=True))


def title_of_days(words: Words, window: Window, *, year: bool = True) -> str:
    """Return the first and the last day of a window, in as few words as are plain."""
    first, last = window.first, window.last
    if first == last:
        return words.day(first, year=year)
    if (first.year, first.month) == (last.year, last.month):
        return _between(words, str(first.day), words.day(last, year=year))
    return _between(
        words, words.day(first, year=year and first.year != last.year), words.day(last, year=year)
    )


def _between(words: Words, first: str, last: str) -> str:
    return words.text("%(first)s to %(last)s", first=first, last=last)


def _month(words: Words, day: date) -> str:
    return f"{words.short_month(day)}{NBSP}{day.year}"


def _first(unit: Unit, day: date) -> date:
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit == "day":
        return day
    first = day.replace(day=1)
    return first if unit == "month" else _moved("month", first, -11)


def _moved(unit: Unit, day: date, by: int) -> date:
    """Return a day so many years, months, weeks or days later; of months the first one."""
    if unit in _DAYS:
        return day + timedelta(days=_DAYS[unit] * by)
    number = day.year * 12 + day.month - 1 + _MONTHS[unit] * by
    return date(number // 12, number % 12 + 1, 1)


def _instant(zone: Zone, text: str | None) -> Instant | None:
    """Return the instant that a URL says: a day of the site, or an instant with its offset."""
    try:
        if text is None:
            return None
        if len(text) == 10:
            return zone.midnight(date.fromisoformat(text))
        moment = datetime.fromisoformat(text)
        return instant_of(moment) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
