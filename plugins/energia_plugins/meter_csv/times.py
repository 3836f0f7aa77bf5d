"""The instants that time stamps mean: zones, offsets, and the hour that comes twice.

A local time that comes twice is told apart by the order of the file, as its second occurrence or by
a second run through the hour; which of the two is the later one depends on whether the file goes
forward in time or back.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import cached_property
from typing import Final, TypeVar

import attrs
import numpy as np

from energia import Unfit
from energia.time import DAY, Int64, Zone, day_number
from energia_plugins.meter_csv import remedies
from energia_plugins.meter_csv.columns import Cells, Lexicon, Mask
from energia_plugins.meter_csv.patterns import Hour, OffGrid, StampFormat
from energia_plugins.meter_csv.words import plain

_EPOCH = datetime(1970, 1, 1)
#: How many days, times of day and series are kept.
_KEPT = 100_000
T = TypeVar("T")


class BadTime(Unfit):
    """A time stamp means no instant; `code` says why."""


_TURNED: Final = (
    "the file turns round into the hour that comes twice: which of both this is cannot be told; if "
    "the first of both ends at a time of its own clock, say `change_end=before`, else give times "
    "with an offset"
)
_BEGUN: Final = (
    "the file begins in the hour that comes twice, and goes back in it: with which of both it "
    "begins cannot be told; begin it an hour before, or give times with an offset"
)


@attrs.frozen
class _Day:
    """A day: its midnight in seconds of local time, and its offset from UTC if it has only one."""

    midnight: int
    shift: int | None


@attrs.frozen
class _Clock:
    """A time of day: the seconds since midnight, of UTC if it `has_offset`; the zone it names."""

    seconds: int
    has_offset: bool
    zone: str | None


@attrs.define
class _Order:
    """Where in local time one series of a file is.

    Attributes:
        last: The last time stamp, in seconds of local time; None at the start.
        falling: Whether the file goes back in time; None while that is not known.
        blank: Whether the last row had no value.
        twins: Whether stamps come once with a value and once without, at any time of the day.
        second: Whether the run through the repeated hour that it is in is the later one; None
            outside such an hour.
        pairs: Whether the hour is written in pairs: 02:00 02:00 02:15 02:15.
        single: How many stamps of the hour came once only; the last one is not counted yet.
        again: Whether the last stamp came twice.

    """

    last: int | None = None
    falling: bool | None = None
    blank: bool = False
    twins: bool = False
    second: bool | None = None
    pairs: bool = False
    single: int = 0
    again: bool = False

    def plain(self, local: int, blank: bool) -> None:
        """Note a time that comes once; raises `BadTime` after an hour that cannot be told."""
        if self.second is not None:
            self.second = None
            self._onward()
        if local == self.last:
            self.twins = self.twins or blank != self.blank
        else:
            self.falling = None if self.last is None else local < self.last
        self.last, self.blank = local, blank

    def block(self, local: Int64, blank: bool) -> bool:
        """Note times that come once each, if they only go on in one direction; else nothing.

        Args:
            local: The times.
            blank: Whether the last of their rows has no value.

        """
        steps = np.diff(local) if self.last is None else np.diff(local, prepend=self.last)
        rises, falls = bool((steps > 0).all()), bool((steps < 0).all())
        if self.second is not None or not (rises or falls) or not len(steps):
            return False
        self.last, self.falling, self.blank = int(local[-1]), falls, blank
        return True

    def is_second(self, local: int, blank: bool) -> bool:
        """Tell whether a time that comes twice is the later one, and note it; raises `BadTime`."""
        if self.second is None:
            self._begin(local)
        elif local == self.last:
            return self._repeated(blank)
        elif self.last is not None and (local < self.last) is not bool(self.falling):
            self._turn()
        else:
            self.falling = bool(self.falling)
            self._onward()
        self.last, self.blank = local, blank
        return bool(self.second)

    def _begin(self, local: int) -> None:
        """Note that the hour begins; raises `BadTime` where the file turns round to it."""
        back = None if self.last is None else local < self.last
        if self.falling is None:
            self.falling = back
        elif back is not self.falling:
            raise BadTime("ambiguous_time", _TURNED)
        self.second, self.pairs, self.single, self.again = bool(self.falling), False, 0, False

    def _turn(self) -> None:
        """Note that the second run through the hour begins; raises `BadTime`."""
        if self.falling is None:
            raise BadTime("ambiguous_time", _BEGUN)
        self.second, self.pairs, self.single, self.again = not self.falling, False, 0, False

    def _repeated(self, blank: bool) -> bool:
        """Tell which of both a stamp is that comes right after itself."""
        assert self.second is not None
        if self.twins and (blank or self.blank):
            self.blank = self.blank and blank
            return self.second != self.again
        self.again = self.pairs = True
        self._refuse_single()
        self.blank = blank
        return not self.second

    def _onward(self) -> None:
        """Note that the stamp before has come as often as it will."""
        self.single += not self.again
        self.again = False
        self._refuse_single()

    def _refuse_single(self) -> None:
        if self.pairs and self.single:
            message = (
                "of the hour that comes twice some stamps are written twice and others once: "
                "which of both these are cannot be told; give times with an offset"
            )
            raise BadTime("ambiguous_time", message)


#: No offset of a day: clocks change on it, or the file has no zone.
_NO_SHIFT: Final = DAY
#: No midnight: the date cannot be read.
_NO_DAY: Final = -(2**62)
#: What a time of day is that cannot be read, or is not alike on all days.
_ODD_HOUR: Final = (0, False, True)


@attrs.frozen(eq=False)
class Moments:
    """What the stamps of a column are, each by itself.

    Attributes:
        local: The seconds since 1970-01-01T00:00 that they show; or if they have offsets, in UTC.
        shift: How far local time is ahead of UTC.
        has_offset: Which have offsets.
        odd: Which take a closer look.

    """

    local: Int64
    shift: Int64
    has_offset: Mask
    odd: Mask

    def part(self, first: int, past: int) -> "Moments":
        """Return some of them."""
        return Moments(*(column[first:past] for column in attrs.astuple(self, recurse=False)))


@attrs.define
class Times:
    """Reads the time stamps of one file, in the order of its lines.

    Attributes:
        format: How they are written.
        zone: Of those without an offset.
        end_stamped: Whether a stamp is the end of its slot.
        midnight_ends: Whether 00:00 is the end of the day that it is written with.
        end_before: Whether an end at the moment of a change is written by the clock before it.

    """

    format: StampFormat
    zone: Zone | None
    end_stamped: bool = False
    midnight_ends: bool = False
    end_before: bool = False
    _orders: dict[object, _Order] = attrs.field(factory=dict, init=False)
    _days: dict[str, _Day] = attrs.field(factory=dict, init=False)
    _hours: dict[str, _Clock] = attrs.field(factory=dict, init=False)
    _midnights: dict[str, int] = attrs.field(factory=dict, init=False)
    # Of stamps with an offset, which mean the same wherever they are.
    _instants: dict[str, int] = attrs.field(factory=dict, init=False)

    @cached_property
    def _day_words(self) -> Lexicon:
        """Midnights and offsets; a file that is not read as bytes needs none."""
        return Lexicon(2)

    @cached_property
    def _hour_words(self) -> Lexicon:
        """Seconds, whether there is an offset, and whether it is odd."""
        return Lexicon(3)

    def stamp(self, text: str, series: object, blank: bool) -> int:
        """Return the instant of a stamp in one cell, in seconds, UTC.

        Nearly all cells have no blanks around and within that matter: they are looked at when a
        stamp does not fit without.

        Args:
            text: The stamp.
            series: Tells interleaved series apart.
            blank: Whether the row has no value.

        Raises:
            BadTime: It is not a time, has no offset, or does not exist in the zone.

        """
        day_text, hour_text = self.format.cut(text)
        day, hour = self._days.get(day_text), self._hours.get(hour_text)
        if day is not None and hour is not None:
            if hour.has_offset:
                return day.midnight + hour.seconds
            return self._local(day, hour, series, blank)
        try:
            return self.read(day_text, hour_text, series, blank)
        except BadTime as error:
            single = " ".join(plain(text).split())
            if error.code != "bad_time" or single == text:
                raise self._named(error, text) from None
        return self.stamp(single, series, blank)

    def block(
        self, texts: Sequence[str], series: object, values: Sequence[object]
    ) -> list[int] | None:
        """Return the instants of consecutive stamps, much faster than one by one.

        None where that takes a closer look at each of them: one cannot be read, clocks change on
        one of the days, or the file turns round. Nothing is noted then.

        Args:
            texts: The stamps.
            series: Tells interleaved series apart.
            values: The values of the rows, None where a row has none.

        """
        try:
            return [self._instants[text] for text in texts]
        except KeyError:
            pairs = list(map(self.format.cut, texts))
        try:
            days = self._each(self._days, self._day, [day for day, _ in pairs])
            hours = self._each(self._hours, self._hour, [hour for _, hour in pairs])
        except BadTime:
            return None
        local = [day.midnight + hour.seconds for day, hour in zip(days, hours, strict=True)]
        if all(hour.has_offset for hour in hours):
            if len(self._instants) + len(local) > _KEPT:
                self._instants.clear()
            self._instants.update(zip(texts, local, strict=True))
            return local
        shifts = [day.shift for day in days if day.shift is not None]
        is_simple = len(shifts) == len(days) and not any(
            hour.has_offset or hour.zone is not None for hour in hours
        )
        if not is_simple or not self._goes_on(series, np.array(local), values[-1] is None):
            return None
        return [instant - shift for instant, shift in zip(local, shifts, strict=True)]

    def column(self, cells: Cells) -> Moments:
        """Return what the stamps of a column are.

        Those take a closer look that cannot be read, are cut elsewhere than the first, or are
        local on days on which clocks change.
        """
        text = cells.text(0)
        day, hour = self.format.cut(text)
        begin = len(text) - len(hour)
        if begin < len(day):  # dates and times of day are not apart
            all_ = np.ones(len(cells), bool)
            return Moments(cells.starts, cells.starts, all_, all_)
        between = text[len(day) : begin]

        def of_day(text: str) -> tuple[int, int]:
            try:
                if self.format.cut(f"{text}{between}{hour}")[0] == text:
                    found = self._days.get(text) or self._day(text)
                    return found.midnight, _NO_SHIFT if found.shift is None else found.shift
            except BadTime:
                pass
            return _NO_DAY, _NO_SHIFT

        def of_hour(text: str) -> tuple[int, bool, bool]:
            try:
                if self.format.cut(f"{day}{between}{text}")[1] == text:
                    found = self._hours.get(text) or self._hour(text)
                    return found.seconds, found.has_offset, found.zone is not None
            except BadTime:
                pass
            return _ODD_HOUR

        midnight, shift = self._day_words.meanings(cells.part(0, len(day)), of_day).T
        seconds, offset, odd_hour = self._hour_words.meanings(cells.part(begin), of_hour).T
        has_offset = offset != 0
        odd = (odd_hour != 0) | (midnight == _NO_DAY) | ((shift == _NO_SHIFT) & ~has_offset)
        odd |= ~cells.part(len(day), begin).have(between)
        return Moments(midnight + seconds, shift, has_offset, odd)

    def instants(self, moments: Moments, series: object, blank: bool) -> Int64 | None:
        """Return the instants of stamps that follow each other; None as `block`.

        Args:
            moments: All of them have offsets, or none; none takes a closer look.
            series: Tells interleaved series apart.
            blank: Whether the last row has no value.

        """
        if moments.has_offset[0]:
            return moments.local
        if not self._goes_on(series, moments.local, blank):
            return None
        return moments.local - moments.shift

    def _goes_on(self, series: object, local: Int64, blank: bool) -> bool:
        """Note times of a series that go on in one direction, and tell whether they do."""
        try:
            return self._order(series).block(local, blank)
        except BadTime:  # there are too many series, which each row tells by itself
            return False

    def _each(self, store: dict[str, T], read: Callable[[str], T], texts: Sequence[str]) -> list[T]:
        """Return what texts mean, each read once; raises `BadTime`."""
        for text in set(texts).difference(store):
            read(text)
        try:
            return [store[text] for text in texts]
        except KeyError:  # the store was full
            return [read(text) for text in texts]

    def _named(self, error: BadTime, text: str) -> BadTime:
        """Return an error that shows all of a stamp, not only the part that does not fit."""
        if error.code != "bad_time":
            return error
        return BadTime(error.code, _told(text, "time", self.format.name))

    def read(self, day_text: str, hour_text: str, series: object, blank: bool) -> int:
        """Return the instant of a date and a time of day, as `stamp` does."""
        day, hour = self._days.get(day_text), self._hours.get(hour_text)
        if day is None or hour is None:
            day, hour = self._day(day_text), self._hour(hour_text)
        if hour.has_offset:
            return day.midnight + hour.seconds
        return self._local(day, hour, series, blank)

    def _local(self, day: _Day, hour: _Clock, series: object, blank: bool) -> int:
        local = day.midnight + hour.seconds
        if day.shift is None or hour.zone is not None:
            return local - self._shift(local, hour.zone, series, blank)
        order = self._orders.get(series) or self._order(series)
        order.plain(local, blank)
        return local - day.shift

    def midnight(self, text: str) -> int:
        """Return when a day begins, in seconds, UTC, also where clocks have no midnight on it."""
        if (known := self._midnights.get(text)) is not None:
            return known
        day = parsed(self.format.day, text, "date", self.format.name)
        return kept(self._midnights, text, known_zone(self.zone, text).midnight(day))

    def is_day(self, text: str) -> bool:
        """Tell whether *text* is a date alone."""
        try:
            self._day(text)
        except BadTime:
            return False
        return True

    def _day(self, text: str) -> _Day:
        day = parsed(self.format.day, text, "date", self.format.name)
        midnight = day_number(day) * DAY
        shift = None if self.zone is None else steady(self.zone.tzinfo, midnight)
        return kept(self._days, text, _Day(midnight, shift))

    def _hour(self, text: str) -> _Clock:
        hour: Hour = parsed(self.format.hour, text, "time", self.format.name)
        seconds = DAY if self.midnight_ends and hour.seconds == 0 else hour.seconds
        has_offset = hour.offset is not None
        clock = _Clock(seconds - (hour.offset or 0), has_offset, hour.zone)
        return kept(self._hours, text, clock)

    def _order(self, series: object) -> _Order:
        order = self._orders.get(series)
        if order is None:
            if len(self._orders) >= _KEPT:
                raise BadTime(
                    "too_many_series", f"a file has local times of at most {_KEPT} series"
                )
            order = self._orders[series] = _Order()
        return order

    def _shift(self, local: int, word: str | None, series: object, blank: bool) -> int:
        """Return how many seconds ahead of UTC a local time is."""
        zone = zone_of(self.zone, _shown(local))
        if word is not None:
            return _of_word(zone, local, word)
        if self.end_before:
            local -= 1  # the clock of the slot: what ends at 03:00 began before
        first, second = offsets(zone, local)
        if second > first:
            refuse_gap(zone, local, end=self.end_stamped)
            return first  # the slot ends just when the clocks go forward
        order = self._order(series)
        if second < first:
            return second if order.is_second(local, blank) else first
        order.plain(local, blank)
        return first


def parsed(reader: Callable[[str], T], text: str, what: str, name: str) -> T:
    """Return what *reader* makes of a text of the format *name*; raises `BadTime`."""
    try:
        return reader(text)
    except OffGrid:
        raise BadTime("off_grid", f"{text[:60]!r} is not on a whole second") from None
    except (ValueError, OverflowError):
        raise BadTime("bad_time", _told(text, what, name)) from None


def _told(text: str, what: str, name: str) -> str:
    """Return what is wrong with a text, and what may help if it is that of another kind of row."""
    message = f"{text[:60]!r} is not a {what} of the format {name!r}"
    if any(character.isdigit() for character in text):
        return message + remedies.of_stamp(text, name)
    return f"{message}; `where`, `until` and `footer_rows` leave out rows that are no readings"


def kept(store: dict[str, T], text: str, value: T) -> T:
    """Put what a text means into a bounded *store*, and return it."""
    # A file whose every stamp is new must not fill the memory.
    if len(store) > _KEPT:
        store.clear()
    store[text] = value
    return value


# Local time.


def _shown(local: int) -> str:
    return str(_naive(local))


def _naive(local: int) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=local)
    except OverflowError:
        raise BadTime("bad_time", "the year is out of range") from None


def zone_of(zone: Zone | None, text: str) -> tzinfo:
    """Return the rules of the zone of local times; raises `BadTime` where none was given."""
    return known_zone(zone, text).tzinfo


def known_zone(zone: Zone | None, text: str) -> Zone:
    """Return the zone of local times; raises `BadTime` where none was given."""
    if zone is None:
        message = f"{text!r} has no offset: say its zone, such as `timezone=Europe/Vienna`"
        raise BadTime("naive_time", message)
    return zone


def offsets(zone: tzinfo, local: int) -> tuple[int, int]:
    """Return the offset of the first and of the second time that clocks show *local* seconds."""
    stamp = _naive(local)
    return _ahead(zone, stamp.replace(fold=0)), _ahead(zone, stamp.replace(fold=1))


def refuse_gap(zone: tzinfo, local: int, *, end: bool) -> None:
    """Refuse a time that clocks never show, but for the end of a slot at the very change."""
    if end:
        first, second = offsets(zone, local - 1)
        if second <= first:
            return
    message = (
        f"{_shown(local)} does not exist: clocks went forward; if those of the file do not, say "
        "their offset, such as `timezone=+01:00`"
    )
    raise BadTime("impossible_time", message)


def _ahead(zone: tzinfo, stamp: datetime) -> int:
    return round((zone.utcoffset(stamp.replace(tzinfo=zone)) or timedelta()).total_seconds())


def _of_word(zone: tzinfo, local: int, word: str) -> int:
    """Return the offset of a local time that names its zone, such as CEST."""
    stamp = _naive(local)
    for fold in (0, 1):
        aware = stamp.replace(tzinfo=zone, fold=fold)
        if (aware.tzname() or "").upper() == word:
            return _ahead(zone, stamp.replace(fold=fold))
    message = f"{stamp} is not {word} in the zone of `timezone`"
    raise BadTime("unknown_zone", message)


def steady(zone: tzinfo, midnight: int) -> int | None:
    """Return the offset of a whole day and the midnight after it, None where it may change.

    No zone changes its offset twice within six days (`energia.time`).
    """
    try:
        before, after = (_ahead(zone, _naive(midnight + days * DAY)) for days in (-1, 2))
    except (OverflowError, BadTime):
        return None
    return before if before == after else None
