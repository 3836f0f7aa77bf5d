"""Instants, lengths, durations and time zones: what "when" and "how long" are in Energia.

An *instant* is a whole number of seconds since 1970-01-01T00:00Z (`Instant`); arrays of them are
int64. A *moment* is the same as a `datetime` with its offset, which is what JSON and the database
have. A *length* is a whole number of seconds; its text is an ISO 8601 *duration*. A window is
`[start, end)`: two instants, the first of which belongs to it. Only a `Zone` knows local time: its
transitions are looked up once, and local time is arithmetic on arrays.
"""

import math
import re
import zoneinfo
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, timezone
from datetime import tzinfo as TzInfo
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, Protocol, Self, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from energia.errors import did_you_mean

#: The public names, as docs/how-to/plugins.md lists them.
__all__ = [
    "DAY",
    "FIRST_YEAR",
    "HOUR",
    "LAST_YEAR",
    "Instant",
    "Int64",
    "Zone",
    "day_number",
    "day_of",
    "duration_of",
    "duration_text",
    "instant_of",
    "length_of",
    "length_text",
    "seconds_in",
    "slot_of",
    "utc",
]

#: Whole seconds since 1970-01-01T00:00Z.
Instant: TypeAlias = int
#: An instant, or a date, which stands for its midnight in some zone.
Moment: TypeAlias = datetime | date
#: A moment, where `datetime` is the name of something else.
Datetime: TypeAlias = datetime
#: Many instants, day numbers, lengths or slots.
Int64: TypeAlias = npt.NDArray[np.int64]

#: The length of a day in seconds.
DAY: Final = 86_400
#: The length of an hour in seconds.
HOUR: Final = 3600
#: The instant 0.
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: Instants and dates outside these years are refused.
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2199

_SECOND: Final = timedelta(seconds=1)


# What time it is.


class Clock(Protocol):
    """Tells the time: a service's one source of the present, which tests replace."""

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        return datetime.now(UTC)


# Instants and their moments, days and their numbers.


def instant_of(moment: datetime) -> Instant:
    """Return the instant of a moment with an offset; a fraction of a second is cut off."""
    return math.floor(moment.timestamp())  # `int` would round up before 1970


def utc(instant: Instant) -> datetime:
    """Return the moment of an instant, in UTC."""
    return datetime.fromtimestamp(instant, UTC)


def utc_text(instant: Instant) -> str:
    """Return the text of an instant in UTC (RFC 3339): `2026-03-01T12:00:00Z`."""
    return rfc3339(utc(instant))


def rfc3339(moment: datetime) -> str:
    """Return the text of a moment; no offset is always `Z`, never `+00:00`."""
    text = moment.isoformat()
    return f"{text.removesuffix('+00:00')}Z" if text.endswith("+00:00") else text


def slot_of(
    instant: Instant, interval: int | None, *, end: bool
) -> tuple[Instant | None, Instant | None]:
    """Return the start and the end of a slot, as far as they are known.

    Args:
        instant: When it starts; or, with
        end: when it ends.
        interval: Its length in seconds, if that is known.

    """
    if interval is None:
        return (None, instant) if end else (instant, None)
    return (instant - interval, instant) if end else (instant, instant + interval)


def day_number(day: date) -> int:
    """Return *day* as days since 1970-01-01."""
    return (day - EPOCH.date()).days


def day_of(number: int) -> date:
    """Return the date that is *number* days after 1970-01-01."""
    return EPOCH.date() + timedelta(days=number)


# Lengths, and durations as ISO 8601 writes them.

_DURATION: Final = re.compile(
    r"P(?=.)(?:(?P<weeks>[0-9]{1,4})W)?(?:(?P<days>[0-9]{1,5})D)?"
    r"(?:T(?=.)(?:(?P<hours>[0-9]{1,6})H)?(?:(?P<minutes>[0-9]{1,8})M)?"
    r"(?:(?P<seconds>[0-9]{1,9}(?:\.[0-9]{1,6})?)S)?)?"
)
_LONG: Final = re.compile(r"P[1-9][0-9]{0,2}[DWMY]")
#: The granularities that follow the local calendar.
_CALENDAR: Final = ("P1D", "P1M", "P1Y")
#: What some lengths of windows are called.
_IN_WORDS: Final = {"hour": "PT1H", "day": "P1D", "month": "P1M", "year": "P1Y"}


class BadDuration(ValueError):
    """It is not a duration that fits here."""


def duration_of(text: str) -> timedelta:
    """Return the duration that *text* is: `PT15M`, `P1D`, `PT0.5S`; raises `BadDuration`.

    Months and years have no fixed length, so they are refused.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise BadDuration(f"{text[:40]!r} is not a duration such as PT15M")
    given = {unit: Decimal(count) for unit, count in match.groupdict().items() if count}
    microseconds = int(given.pop("seconds", Decimal(0)) * 1_000_000)
    whole = {unit: int(count) for unit, count in given.items()}
    return timedelta(microseconds=microseconds, **whole)


def duration_text(duration: timedelta) -> str:
    """Return *duration* as ISO 8601, in its largest units: `PT15M`, `P1D`."""
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    second = f"{seconds + Decimal(duration.microseconds).scaleb(-6):f}"
    second = second.rstrip("0").rstrip(".") if "." in second else second
    parts = ((str(hours), "H"), (str(minutes), "M"), (second, "S"))
    time = "".join(count + unit for count, unit in parts if count != "0")
    days = f"{duration.days}D" if duration.days else ""
    return f"P{days}" + (f"T{time}" if time else "" if days else "T0S")


def seconds_in(duration: timedelta) -> int:
    """Return the length of a duration; a fraction of a second is cut off."""
    return duration // _SECOND


def length_of(text: str) -> int:
    """Return the length that `PT15M`, `PT1H` and the like are; raises `BadDuration`.

    Only hours, minutes and seconds: how long a day is depends on the zone.
    """
    match = _DURATION.fullmatch(text)
    if match is None or match["weeks"] or match["days"] or "." in (match["seconds"] or ""):
        raise BadDuration(f"{text[:40]!r} is not a duration such as PT15M or PT1H")
    hours, minutes, seconds = (int(match[unit] or 0) for unit in ("hours", "minutes", "seconds"))
    return hours * HOUR + minutes * 60 + seconds


def length_text(length: int) -> str:
    """Return a length as a duration without days, in its shortest usual form: `PT24H`."""
    hours, rest = divmod(length, HOUR)
    minutes, rest = divmod(rest, 60)
    parts = ((hours, "H"), (minutes, "M"), (rest, "S"))
    return "PT" + ("".join(f"{count}{unit}" for count, unit in parts if count) or "0S")


def is_of_days(text: str) -> bool:
    """Whether *text* is a duration of days, weeks, months or years."""
    return _LONG.fullmatch(text) is not None


def earlier(day: date, length: str) -> date:
    """Return the day that is months or years before *day*: `P18M`, `P5Y`.

    A month that has no such day has its last one.
    """
    months = int(length[1:-1]) * (12 if length.endswith("Y") else 1)
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    _, last = monthrange(year, month + 1)
    return date(year, month + 1, min(day.day, last))


@attrs.frozen
class Granularity:
    """How long the windows of an aggregate are.

    Attributes:
        name: As it was asked for, for example `P1D`.
        length: In seconds, or None for days, months and years of the local calendar.

    """

    name: str
    length: int | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `PT1H` and the like (up to a day), `P1D`, `P1M` or `P1Y`, or these as words.

        Raises `BadDuration`, which says what there is.
        """
        text = _IN_WORDS.get(text, text)
        if text in _CALENDAR:
            return cls(text, None)
        try:
            length = length_of(text)
        except BadDuration:
            length = 0
        if not 0 < length <= DAY:
            raise BadDuration(
                "a window is PT15M, PT1H or the like, up to PT24H; or P1D, P1M, P1Y; "
                f"or one of the words {', '.join(_IN_WORDS)}"
            )
        return cls(text, length)


# Zones.

_OFFSET: Final = re.compile(r"([+-])([01]\d|2[0-3]):([0-5]\d)")
# No zone has changed its offset twice within six days since 1900 (a test holds the data to it), so
# a scan by five finds every transition.
STEP: Final = 5 * DAY


class UnknownZone(ValueError):
    """There is no such time zone."""


@attrs.frozen
class Zone:
    """An IANA time zone, or a fixed offset such as `+05:30`.

    Attributes:
        name: Its name.
        tzinfo: Its rules.
        schedules: The zone whose clock schedules follow; None for this one. A tariff that is
            applied at a site of another zone has the days of the site and the clock of its own.

    """

    name: str
    tzinfo: TzInfo
    schedules: "Zone | None" = None

    @classmethod
    @lru_cache(maxsize=1024)
    def named(cls, name: str) -> Self:
        """Return the zone *name*; raises `UnknownZone`.

        What the machine's files have besides is no zone: `localtime` is another one on each
        machine, `right/...` counts leap seconds, `Factory` is none.
        """
        if fixed := _OFFSET.fullmatch(name):
            sign = -1 if fixed[1] == "-" else 1
            shift = sign * timedelta(hours=int(fixed[2]), minutes=int(fixed[3]))
            return cls(name, timezone(shift))
        if name not in _iana():
            raise UnknownZone(f"there is no time zone {name!r}{did_you_mean(name, _iana())}")
        try:
            return cls(name, zoneinfo.ZoneInfo(name))
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise UnknownZone(f"there is no time zone {name!r}") from error

    @property
    def clock(self) -> "Zone":
        """The zone whose clock schedules follow; nearly always this one."""
        return self.schedules or self

    def scheduled_by(self, clock: "Zone") -> "Zone":
        """Return this zone for the days of a bill, with schedules on another *clock*."""
        return self if clock.name == self.name else Zone(self.name, self.tzinfo, clock)

    def starts_day(self, instant: Instant) -> bool:
        """Tell whether a local day begins at *instant* (seconds, UTC)."""
        return self.midnight(self.datetime(instant).date()) == instant

    def offsets(self, instants: Int64) -> Int64:
        """Return how many seconds local time is ahead of UTC at each instant (seconds, UTC)."""
        if not len(instants):
            return np.zeros(0, np.int64)
        changes, offset = self.transitions(_year(instants.min()), _year(instants.max()))
        shifts: Int64 = offset[np.searchsorted(changes, instants, side="right") - 1]
        return shifts

    def transitions(self, first: int, last: int) -> tuple[Int64, Int64]:
        """Return when the offset changes in the years *first* to *last*, and to what.

        The first entry is the start of the year before *first*, so every instant has one.
        """
        return _all_transitions(self, first, last)

    def local(self, instants: Int64) -> Int64:
        """Return local wall-clock seconds since 1970-01-01T00:00 local of each instant."""
        return instants + self.offsets(instants)

    def midnights(self, days: Int64) -> Int64:
        """Return the instant at which each local day (days since 1970-01-01) begins.

        Where midnight does not exist the day begins at the end of the gap; where it comes twice,
        at the first.
        """
        naive = days * DAY
        return self.instants(naive)[0]

    def instants(self, naive: Int64) -> tuple[Int64, Int64, Int64]:
        """Return the instants of wall-clock times (seconds since 1970-01-01T00:00 local).

        Returns:
            The earlier instant, the later one (they differ where a time comes twice) and a mask of
            the times that do not exist (for these both are the end of the gap).

        """
        if not len(naive):
            nothing = np.zeros(0, np.int64)
            return nothing, nothing, np.zeros(0, bool)
        changes, offset = self.transitions(_year(naive.min()) - 1, _year(naive.max()) + 1)
        # A transition begins, on the wall clock, at the later of the times before and after it.
        before = np.concatenate([offset[:1], offset[:-1]])
        # Candidates: the offset in force a day before and a day after covers every transition.
        earlier = np.searchsorted(changes + np.maximum(before, offset), naive, side="right") - 1
        later = np.searchsorted(changes + np.minimum(before, offset), naive, side="right") - 1
        first, second = naive - offset[earlier], naive - offset[later]
        # In a gap neither offset gives an instant at which it is in force.
        ends = np.append(changes[1:], np.iinfo(np.int64).max)
        gap = (second < changes[later]) | (first >= ends[earlier])
        missing = gap & (earlier != later)
        first = np.where(missing, changes[later], first)
        second = np.where(missing, changes[later], second)
        return np.minimum(first, second), np.maximum(first, second), missing

    def boundary(self, moment: Moment) -> Instant:
        """Return a moment in seconds since 1970-01-01T00:00Z: an instant, or a date's midnight."""
        return instant_of(moment) if isinstance(moment, datetime) else self.midnight(moment)

    def midnight(self, day: date) -> Instant:
        """Return the instant at which *day* begins, in seconds since 1970-01-01T00:00Z."""
        return int(self.midnights(np.array([day_number(day)], np.int64))[0])

    def datetime(self, instant: Instant) -> datetime:
        """Return *instant* (seconds, UTC) as a local time with its offset."""
        return datetime.fromtimestamp(instant, self.tzinfo)

    def datetimes(self, instants: Int64) -> list[Datetime]:
        """Return the local times of many instants, each with its offset, which is fixed."""
        shifts = self.offsets(instants)
        since: list[timedelta] = (instants + shifts).astype("timedelta64[s]").tolist()
        each = shifts.tolist()
        # The wall clock's own beginning: a sum takes half as long as a moment of an instant.
        begin = {
            shift: datetime(1970, 1, 1, tzinfo=timezone(timedelta(seconds=shift)))
            for shift in set(each)
        }
        return [begin[shift] + passed for shift, passed in zip(each, since, strict=True)]

    def text(self, instant: Instant) -> str:
        """Return *instant* (seconds, UTC) as the text of its local time (RFC 3339)."""
        return rfc3339(self.datetime(instant))


@cache
def _iana() -> frozenset[str]:
    """Return the names of the IANA time zones, the old spellings included."""
    names = (files("tzdata") / "zones").read_text(encoding="utf-8").split()
    return frozenset(names) - {"Factory"}


def _year(instant: "np.int64 | int") -> int:
    return (EPOCH + timedelta(seconds=int(instant))).year


@lru_cache(maxsize=1024)
def _all_transitions(zone: Zone, first: int, last: int) -> tuple[Int64, Int64]:
    by_year = [_transitions(zone, year) for year in range(first - 1, last + 2)]
    changes = np.concatenate([starts for starts, _ in by_year])
    shifts = np.concatenate([shifts for _, shifts in by_year])
    for array in (changes, shifts):
        array.flags.writeable = False
    return changes, shifts


@lru_cache(maxsize=4096)
def _transitions(zone: Zone, year: int) -> tuple[Int64, Int64]:
    start = instant_of(datetime(year, 1, 1, tzinfo=UTC))
    end = instant_of(datetime(year + 1, 1, 1, tzinfo=UTC))
    changes, to = [start], [_offset(zone, start)]
    for after in range(start + STEP, end + STEP, STEP):
        if _offset(zone, min(after, end - 1)) != to[-1]:
            change = _change(zone, after - STEP, min(after, end - 1))
            changes.append(change)
            to.append(_offset(zone, change))
    return np.array(changes, np.int64), np.array(to, np.int64)


def _change(zone: Zone, before: Instant, after: Instant) -> Instant:
    """Return the first instant with the offset of *after*, by bisection."""
    old = _offset(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _offset(zone: Zone, instant: Instant) -> int:
    shift = datetime.fromtimestamp(instant, zone.tzinfo).utcoffset()
    assert shift is not None
    return seconds_in(shift)
