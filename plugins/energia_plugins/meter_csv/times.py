"""Time stamps as files write them, and the instants they mean."""

import re
from datetime import UTC, datetime, timedelta, tzinfo

import attrs

from energia.time import Zone

_ISO = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<hour>\d\d)(?P<rest>:\d\d(?::\d\d(?:\.\d{1,6})?)?)"
    r" ?(?P<offset>Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1)
#: How many days, times of day and series are kept.
_KEPT = 100_000


class BadTime(ValueError):
    """A time stamp means no instant; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@attrs.frozen
class _Day:
    """A day: its midnight in seconds of local time, and its offset from UTC if it has only one."""

    midnight: int
    shift: int | None


@attrs.frozen
class _Hour:
    """A time of day: the seconds since midnight, of UTC if it `has_offset`."""

    seconds: int
    has_offset: bool


@attrs.define
class _Clock:
    """Where in local time one series of a file is.

    Attributes:
        last: The last time stamp, in seconds of local time; None at the start.
        falling: Whether the file goes back in time.
        second: Whether the repeated hour that it is in runs for the second time.

    """

    last: int | None = None
    falling: bool = False
    second: bool | None = None

    def plain(self, local: int) -> None:
        """Note a time that comes once."""
        if local != self.last:
            self.falling = self.last is not None and local < self.last
        self.last, self.second = local, None

    def is_second(self, local: int) -> bool:
        """Whether a time that comes twice is the second one, by the order of the file; note it."""
        if self.second is None:
            self.second = self.falling
        elif self.last is not None and (local >= self.last if self.falling else local <= self.last):
            self.second = not self.falling
        self.last = local
        return self.second


@attrs.define
class Times:
    """Reads the time stamps of one file, in the order of its lines.

    A local time that comes twice is told apart by the order: the first run through the hour is the
    earlier one in a file that goes forward, the later one in a file that goes back.
    """

    pattern: str
    zone: Zone | None
    end_stamped: bool = False
    _clocks: dict[object, _Clock] = attrs.field(factory=dict, init=False)
    # What ISO stamps are made of: their days, and their times of day (with the offset, if there is
    # one). Both come again and again, and are parsed once.
    _days: dict[str, _Day] = attrs.field(factory=dict, init=False)
    _hours: dict[str, _Hour] = attrs.field(factory=dict, init=False)

    def read(self, text: str, series: object) -> int:
        """Return the instant of *text*, in seconds, UTC; *series* tells interleaved ones apart.

        Raises:
            BadTime: It is not a time, has no offset, or does not exist in the zone.

        """
        day, hour = self._days.get(text[:10]), self._hours.get(text[10:])
        if day is None or hour is None:
            return self._first(text, series)
        if hour.has_offset:
            return day.midnight + hour.seconds
        if day.shift is None:
            return self._first(text, series)
        local = day.midnight + hour.seconds
        self._clock(series).plain(local)
        return local - day.shift

    def _first(self, text: str, series: object) -> int:
        """Return the instant of *text*, whose parts are new, or whose day has no one offset."""
        stamp = self._parsed(text)
        if stamp.microsecond:
            raise BadTime("off_grid", f"{text!r} is not on a whole second")
        local = round((stamp.replace(tzinfo=None) - _EPOCH).total_seconds())
        if self.pattern == "iso":
            self._keep(text, stamp, local)
        if stamp.tzinfo is not None:
            return local
        if self.zone is None:
            raise BadTime("naive_time", f"{text!r} has no offset, and no `timezone` is given")
        return local - self._shift(stamp, self.zone.tzinfo, self._clock(series), local)

    def _parsed(self, text: str) -> datetime:
        """Return a stamp, in UTC if it has an offset."""
        try:
            if self.pattern != "iso":
                stamp = datetime.strptime(text, self.pattern)
                return stamp.astimezone(UTC) if stamp.tzinfo else stamp
            if match := _ISO.fullmatch(text):
                return _of_iso(match)
        except (ValueError, OverflowError):
            pass
        raise BadTime("bad_time", f"{text[:60]!r} is not a time of the format {self.pattern!r}")

    def _keep(self, text: str, stamp: datetime, local: int) -> None:
        """Note what the two parts of an ISO stamp mean."""
        # A file whose every stamp is new must not fill the memory.
        if len(self._days) > _KEPT or len(self._hours) > _KEPT:
            self._days.clear()
            self._hours.clear()
        day = datetime.fromisoformat(text[:10])
        midnight = round((day - _EPOCH).total_seconds())
        shift = None if self.zone is None else _steady(self.zone.tzinfo, day)
        self._days[text[:10]] = _Day(midnight, shift)
        self._hours[text[10:]] = _Hour(local - midnight, stamp.tzinfo is not None)

    def _clock(self, series: object) -> _Clock:
        clock = self._clocks.get(series)
        if clock is None:
            if len(self._clocks) >= _KEPT:
                raise BadTime(
                    "too_many_series", f"a file has local times of at most {_KEPT} series"
                )
            clock = self._clocks[series] = _Clock()
        return clock

    def _shift(self, stamp: datetime, zone: tzinfo, clock: _Clock, local: int) -> int:
        """Return how many seconds ahead of UTC the local time *stamp* is."""
        first, second = _both(zone, stamp)
        if second > first:
            if self.end_stamped and not _is_gap(zone, stamp - timedelta(seconds=1)):
                return first  # the slot ends just when the clocks go forward
            raise BadTime("impossible_time", f"{stamp} does not exist: clocks went forward")
        if second < first:
            return second if clock.is_second(local) else first
        clock.plain(local)
        return first


def _ahead(zone: tzinfo, stamp: datetime) -> int:
    return round((zone.utcoffset(stamp.replace(tzinfo=zone)) or timedelta()).total_seconds())


def _both(zone: tzinfo, stamp: datetime) -> tuple[int, int]:
    """Return the offset of the first and of the second time that clocks show *stamp*."""
    return _ahead(zone, stamp.replace(fold=0)), _ahead(zone, stamp.replace(fold=1))


def _is_gap(zone: tzinfo, stamp: datetime) -> bool:
    first, second = _both(zone, stamp)
    return second > first


def _steady(zone: tzinfo, day: datetime) -> int | None:
    """Return the offset of a whole day and the midnight after it, None where it may change.

    No zone changes its offset twice within six days (`energia.time`).
    """
    try:
        before, after = (_ahead(zone, day + timedelta(days=days)) for days in (-1, 2))
    except OverflowError:
        return None
    return before if before == after else None


def _of_iso(match: re.Match[str]) -> datetime:
    text, hour, offset = match["day"], match["hour"], match["offset"] or ""
    late = timedelta()
    if hour == "24" and not match["rest"].strip(":0."):
        hour, late = "00", timedelta(days=1)
    stamp = datetime.fromisoformat(f"{text}T{hour}{match['rest']}{offset}") + late
    return stamp.astimezone(UTC) if stamp.tzinfo else stamp
