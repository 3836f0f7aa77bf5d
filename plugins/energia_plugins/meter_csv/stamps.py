"""Where in a row its time stamp is: in one cell, in two, below a date, or as a number."""

import re
from collections.abc import Callable, Sequence
from typing import Final

import attrs

from energia.time import Zone
from energia_plugins.meter_csv import remedies
from energia_plugins.meter_csv.days import Days, Numbers, number_of
from energia_plugins.meter_csv.header import Header
from energia_plugins.meter_csv.options import EPOCHS, TableOptions
from energia_plugins.meter_csv.patterns import StampFormat, has_time
from energia_plugins.meter_csv.times import BadTime, Times
from energia_plugins.meter_csv.words import plain

#: The length of a date: 2026-03-02.
_DATE: Final = 10
_EPOCH: Final = re.compile(r"(?P<number>-?[0-9]{1,21})(?:\.0*)?")
#: Reads the stamp of a row, given its cells, its series and whether it has no value; None where it
#: has none.
Reader = Callable[[Sequence[str], object, bool], int | None]


@attrs.frozen
class Stamps:
    """Reads the stamps of rows.

    Attributes:
        start: The column of stamps, or of dates.
        time: The column of times of day, if there is one.
        ends: Whether stamps are ends of slots.
        read: Reads a stamp; raises `BadTime`.
        times: Reads the stamps of rows that follow each other; None where they are not whole cells.

    """

    start: int
    time: int | None
    ends: bool
    read: Reader
    times: Times | None = None

    @classmethod
    def of_ends(cls, header: Header, options: TableOptions) -> "Stamps | None":
        """Return what reads when rows end, if they have lengths of their own."""
        if options.end_column is None:
            return None
        column = header.at("end_column", options.end_column)
        return cls(column, None, True, *_reader(options, column, None))

    @classmethod
    def of(cls, header: Header, options: TableOptions) -> "Stamps":
        """Return what the options name; a column that is not there is noted as a fault."""
        start = header.at("start_column", options.start_column)
        column = options.time_column
        time = None if column is None else header.at("time_column", column)
        ends = options.stamp == "end" and options.time_format != "number"
        return cls(start, time, ends, *_reader(options, start, time))


def _reader(options: TableOptions, start: int, time: int | None) -> tuple[Reader, Times | None]:
    """Return what reads a stamp, and where stamps are whole cells, what reads many."""
    zone = None if options.timezone is None else Zone.named(options.timezone)
    if options.date_format in EPOCHS:
        return _epoch(start, EPOCHS[options.date_format]), None
    by_number = options.time_format == "number"
    clock = "iso" if by_number else options.time_format
    whole_days = options.length is not None or options.end_column is not None
    if whole_days and not options.apart:
        return _days_or_stamps(options, start, zone), None
    if options.apart:
        form = StampFormat.of_two(options.date_format, clock)
    else:
        form = StampFormat.of_stamps(options.date_format)
    end = options.stamp == "end"
    times = Times(form, zone, end, options.midnight == "end", options.change_end == "before")
    part = _parter(options.range_mark, end)
    if options.day_rows:
        return _DayRows(start, times, part, Days.of(options) if by_number else None).read, None
    if time is None:
        stamps = _whole(start, times, part)
        dates = _dates_too(options, start, zone, stamps) if options.reads else None
        return (stamps, None if part else times) if dates is None else (dates, None)
    if by_number:
        return Numbers(start, time, Days.of(options)).read, None
    return _two(start, time, times, part), None


def _days_or_stamps(options: TableOptions, column: int, zone: Zone | None) -> Reader:
    """Return what reads dates alone as their midnights, and whole stamps where there are some."""
    of_stamps = Times(StampFormat.of_stamps(options.date_format), zone, False, False, False)
    stamps = _whole(column, of_stamps, None)
    return _dates_too(options, column, zone, stamps)


def _dates_too(options: TableOptions, column: int, zone: Zone | None, stamps: Reader) -> Reader:
    """Return what reads dates alone as their midnights, and *stamps* where there are some."""
    of_days = Times(StampFormat.of_two(options.date_format, "iso"), zone, False, False, False)
    if options.date_format != "iso":
        if has_time(options.date_format):
            return stamps
        return lambda cells, series, blank: of_days.midnight(plain(cells[column]))

    def read(cells: Sequence[str], series: object, blank: bool) -> int | None:
        text = plain(cells[column])
        if len(text) == _DATE:
            return of_days.midnight(text)
        return stamps(cells, series, blank)

    return read


def _epoch(column: int, per_second: int) -> Reader:
    def read(cells: Sequence[str], series: object, blank: bool) -> int:
        text = plain(cells[column])
        found = _EPOCH.fullmatch(text)
        if found is None:
            help_ = remedies.of_stamp(text[:60])
            raise BadTime("bad_time", f"{text[:60]!r} is no number since 1970{help_}")
        seconds, rest = divmod(int(found["number"]), per_second)
        if rest:
            raise BadTime("off_grid", f"{text[:60]!r} is not on a whole second")
        return seconds

    return read


def _whole(column: int, times: Times, part: Callable[[str], str] | None) -> Reader:
    stamp = times.stamp

    def read(cells: Sequence[str], series: object, blank: bool) -> int:
        text = cells[column]
        return stamp(text if part is None else part(plain(text)), series, blank)

    return read


def _two(date: int, time: int, times: Times, part: Callable[[str], str] | None) -> Reader:
    def read(cells: Sequence[str], series: object, blank: bool) -> int:
        clock = plain(cells[time])
        clock = clock if part is None else part(clock)
        return times.read(plain(cells[date]), clock, series, blank)

    return read


@attrs.define
class _DayRows:
    """Dates in rows of their own, and times of day below them."""

    column: int
    times: Times
    part: Callable[[str], str] | None
    days: Days | None
    day: str | None = None

    def read(self, cells: Sequence[str], series: object, blank: bool) -> int | None:
        """Return the instant of a row, None for that of a date; raises `BadTime`."""
        text = plain(cells[self.column])
        if blank and self.times.is_day(text):
            self.day = text
            return None
        if self.day is None:
            raise BadTime("bad_time", f"{text[:60]!r} has no date above it")
        if self.days is not None:
            return self.days.instant(self.day, number_of(text))
        clock = text if self.part is None else self.part(text)
        return self.times.read(self.day, clock, series, blank)


# Start and end in one cell.


def _parter(mark: str | None, end: bool) -> Callable[[str], str] | None:
    return None if mark is None else lambda text: part_of(text, mark, end=end)


def part_of(text: str, mark: str | None, *, end: bool) -> str:
    """Return the start, or the end, of a range such as `00:00-00:15`; raises `BadTime`.

    Where the mark is in stamps too (`01-02-2026 00:00-01-02-2026 00:15`) it is the middle one that
    divides them, if both halves are as long; else the last.
    """
    if mark is None:
        return text
    parts = text.split(mark)
    if len(parts) == 1:
        shown = text[:60]
        raise BadTime("bad_time", f"{shown!r} is no range: {mark!r} is not in it")
    half = len(parts) // 2
    halves = mark.join(parts[:half]), mark.join(parts[half:])
    if len(parts) % 2 or len(halves[0]) != len(halves[1]):
        halves = mark.join(parts[:-1]), parts[-1]
    return halves[1 if end else 0].strip()
