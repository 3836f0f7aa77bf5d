"""Days and their intervals: by number, and by the names of columns.

Numbers count the intervals of a day through, so that a day of 25 hours has an hour 25; or they are
hours of the clock, of which spring has none for the third, and the 25th is the one that comes
twice. Where a file does not show which of both it does, on the long day, it has to be said.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta, tzinfo
from itertools import pairwise
from typing import Final

import attrs

from energia import Fault
from energia.time import DAY, FIRST_YEAR, HOUR, LAST_YEAR, Zone, day_number
from energia_plugins.meter_csv.header import Header
from energia_plugins.meter_csv.options import TableOptions
from energia_plugins.meter_csv.patterns import Hour, StampFormat, hours_of
from energia_plugins.meter_csv.times import (
    BadTime,
    kept,
    offsets,
    parsed,
    steady,
    zone_of,
)
from energia_plugins.meter_csv.words import plain

#: How many intervals of days are remembered.
_KEPT: Final = 200_000
_NUMBER: Final = re.compile(r"[A-Za-z]{0,5} ?0*(?P<number>[0-9]{1,5})")
#: A time of day that comes again, as `02:00B` or `2A`.
_AGAIN: Final = re.compile(r"(.*[0-9])[ABab*]")


def number_of(text: str) -> int:
    """Return the number of an interval, such as `1`, `01` or `H1`; raises `BadTime`."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise BadTime("bad_time", f"{text[:60]!r} is no number of an interval")
    return int(found["number"])


@attrs.define
class Days:
    """The instants of the intervals of days.

    Attributes:
        day: Reads dates; raises `ValueError`.
        name: The format of the dates, for messages.
        zone: Of the days.
        interval: The length of an interval in seconds, where they have numbers.
        numbers: Whether these are `elapsed` or those of the `clock`; None where it is not said.

    """

    day: Callable[[str], date]
    name: str
    zone: Zone | None
    interval: int
    numbers: str | None
    _bounds: dict[str, tuple[int, int]] = attrs.field(factory=dict, init=False)

    @classmethod
    def of(cls, options: TableOptions) -> "Days":
        """Return the days of a file."""
        zone = None if options.timezone is None else Zone.named(options.timezone)
        day = StampFormat.of_two(options.date_format, "iso").day
        return cls(day, options.date_format, zone, options.seconds or 0, options.numbers)

    def bounds(self, text: str) -> tuple[int, int]:
        """Return when a day begins and when the next one does, UTC; raises `BadTime`."""
        found = self._bounds.get(text)
        if found is None:
            zone_of(self.zone, text)
            assert self.zone is not None
            day = parsed(self.day, text, "date", self.name)
            if not FIRST_YEAR <= day.year <= LAST_YEAR:
                raise BadTime("out_of_range", f"the years are {FIRST_YEAR} to {LAST_YEAR}")
            begin, end = self.zone.midnight(day), self.zone.midnight(day + timedelta(1))
            found = kept(self._bounds, text, (begin, end))
        return found

    def doubtful(self, text: str) -> int:
        """Return the number up to which the intervals of a long day can be both; 0 for none."""
        if self.numbers is not None:
            return 0
        begin, end = self.bounds(text)
        return DAY // self.interval if end - begin > DAY else 0

    def instant(self, text: str, number: int) -> int:
        """Return when an interval of a day begins, counted from 1; raises `BadTime`."""
        found = self.find(text, number)
        if found is None:
            begin, end = self.bounds(text)
            message = (
                f"{text[:60]} has no interval {number}: it has {(end - begin) // self.interval}"
            )
            raise BadTime("impossible_time", message)
        return found

    def instants(self, text: str, count: int) -> list[int | None]:
        """Return when the intervals of a day begin, None for those that it has not."""
        return [self.find(text, number) for number in range(1, count + 1)]

    def find(self, text: str, number: int) -> int | None:
        """Return when an interval of a day begins, None if the day has none; raises `BadTime`."""
        begin, end = self.bounds(text)
        since = (number - 1) * self.interval
        if since < 0:
            return None
        if self.numbers == "clock":
            return self._by_clock(text, since)
        return begin + since if begin + since < end else None

    def _by_clock(self, text: str, since: int) -> int | None:
        """Return the instant of a time of the clock; what is beyond a day comes a second time."""
        midnight, zone = self._midnight(text)
        if since < DAY:
            return _of_clock(zone, midnight + since, 0, end=False)
        times = range(midnight, midnight + DAY, self.interval)
        for again in times:
            first, second = offsets(zone, again)
            if second < first:
                return _of_clock(zone, again + since - DAY, 1, end=False)
        return None

    def _midnight(self, text: str) -> tuple[int, tzinfo]:
        """Return the midnight of a day, in seconds of local time, and the zone."""
        zone = zone_of(self.zone, text)
        return day_number(parsed(self.day, text, "date", self.name)) * DAY, zone

    def by_clock(
        self, text: str, clocks: Sequence[tuple[int, int]], *, end: bool
    ) -> list[int | None]:
        """Return the instant of each time of a day; None for those that the day has not.

        Args:
            text: The date.
            clocks: Seconds since midnight, and how often that time came before in the row.
            end: Whether they are ends of slots.

        """
        midnight, zone = self._midnight(text)
        shift = steady(zone, midnight)
        if shift is not None:
            base = midnight - shift
            return [None if fold else base + seconds for seconds, fold in clocks]
        return [_of_clock(zone, midnight + seconds, fold, end=end) for seconds, fold in clocks]


def _of_clock(zone: tzinfo, local: int, fold: int, *, end: bool) -> int | None:
    """Return the instant of a time of the clock, None where that day has none.

    An end is that of a slot, whose clock it has: what ends at 03:00 began before 03:00.
    """
    first, second = offsets(zone, local - 1 if end else local)
    if second > first or (fold and second == first):
        return None
    return local - (second if fold else first)


def in_doubt(text: str) -> BadTime:
    """Return what is wrong with a long day whose numbers end as on other days."""
    message = (
        f"{text[:60]} has an hour more, and its numbers end as on other days: say "
        "`numbers=clock` if they are hours of the clock, or `numbers=elapsed`"
    )
    return BadTime("ambiguous_time", message)


@attrs.define
class Numbers:
    """Reads dates and numbers of intervals in two columns.

    Attributes:
        date: The column of dates.
        number: The column of numbers.
        days: What they mean.

    """

    date: int
    number: int
    days: Days
    # The doubtful days that are not over, by series: the date and the highest number.
    _open: dict[object, tuple[str, int]] = attrs.field(factory=dict, init=False)
    _counts: dict[str, int] = attrs.field(factory=dict, init=False)
    _days: dict[str, tuple[str, list[int | None], bool]] = attrs.field(factory=dict, init=False)

    def read(self, cells: Sequence[str], series: object, blank: bool) -> int | None:
        """Return the instant of a row, None for a blank hour that is not there.

        Raises:
            BadTime: It has none, or the day before it was doubtful.

        """
        number = self._counts.get(cells[self.number]) or self._count(cells[self.number])
        text, instants, doubtful = self._days.get(cells[self.date]) or self._day(cells[self.date])
        if self._open:
            self._close(series, text)
        if doubtful and not blank:
            _, highest = self._open.get(series, (text, 0))
            self._open[series] = text, max(number, highest)
        instant = instants[number - 1] if number <= len(instants) else None
        if instant is None and not blank:
            return self.days.instant(text, number)
        return instant

    def _count(self, text: str) -> int:
        """Return a number above 0."""
        number = number_of(plain(text))
        if not number:
            raise BadTime("impossible_time", f"{text[:60]!r}: numbers of intervals begin with 1")
        return kept(self._counts, text, number)

    def _day(self, text: str) -> tuple[str, list[int | None], bool]:
        """Return a date, the instants of its intervals, and whether it is doubtful."""
        day = plain(text)
        instants = self.days.instants(day, 26 * HOUR // self.days.interval)
        if (len(self._days) + 1) * len(instants) > _KEPT:
            self._days.clear()
        return kept(self._days, text, (day, instants, self.days.doubtful(day) > 0))

    def _close(self, series: object, text: str) -> None:
        """Look at the day that ends with a row of another day."""
        if series not in self._open or self._open[series][0] == text:
            return
        day, highest = self._open.pop(series)
        if highest <= self.days.doubtful(day):
            raise in_doubt(day)


# The names of columns.


def clocks_of(
    header: Header, options: TableOptions, columns: Sequence[int], part: Callable[[str], str]
) -> list[tuple[int, int]]:
    """Return the time of day in the name of each column, and how often it came before.

    Args:
        header: The names; one that is no time is noted as a fault.
        options: How times are written.
        columns: The columns.
        part: Returns the start or the end in a name.

    """
    read, seconds, faults = hours_of(options.time_format), [], []
    for column in columns:
        text = header.names[column] if column < len(header.names) else ""
        try:
            seconds.append(_seconds(read, part, text))
        except ValueError:
            faults.append(_no_time(header, column, text))
    if options.stamp == "end":
        # Only at the beginning of a row 00:00 is that of the day before. Where clocks go back at
        # midnight, as in Chile, two slots of a day end at 24:00.
        seconds = [each or DAY if at else each for at, each in enumerate(seconds)]
    header.faults.extend(faults[:20] or _backward(header, seconds, options))
    return [(each, seconds[:at].count(each)) for at, each in enumerate(seconds)]


def distance_of(clocks: Sequence[int]) -> int | None:
    """Return how far apart times of day are, in seconds; None where that differs."""
    times = sorted(set(clocks))
    distances = {later - earlier for earlier, later in pairwise(times)}
    return distances.pop() if len(distances) == 1 else None


def _seconds(read: Callable[[str], Hour], part: Callable[[str], str], text: str) -> int:
    """Return the seconds since midnight in a name; raises `ValueError`."""
    try:
        return read(part(text)).seconds
    except ValueError:
        again = _AGAIN.fullmatch(text)
        if again is None:
            raise
    return read(part(again[1])).seconds


def _no_time(header: Header, column: int, text: str) -> Fault:
    message = (
        f"the name {text[:40]!r} of column {column + 1} is no time of day; say `time_format`, "
        "or `time_format=number` where the columns are counted"
    )
    return Fault("bad_time", message, "/query/wide", line=header.line)


def _backward(header: Header, seconds: list[int], options: TableOptions) -> list[Fault]:
    """Refuse starts that end at midnight: these are ends."""
    if options.stamp == "start" and len(seconds) > 1 and seconds[-1] in (0, DAY):
        message = "the last column is 00:00: these are ends of intervals, say `stamp=end`"
        return [Fault("bad_time", message, "/query/stamp", line=header.line)]
    return []
