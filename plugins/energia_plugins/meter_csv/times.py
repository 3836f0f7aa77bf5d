"""Time stamps as files write them, and the instants they mean."""

import re
from datetime import UTC, datetime, timedelta, tzinfo

import attrs

from energia.zones import Zone

_ISO = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<hour>\d\d)(?P<rest>:\d\d(?::\d\d(?:\.\d{1,6})?)?)"
    r" ?(?P<offset>Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1)


class BadTime(ValueError):
    """A time stamp means no instant; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@attrs.define
class _Clock:
    """Where in local time one series of a file is.

    Attributes:
        last: The last time stamp.
        falling: Whether the file goes back in time.
        second: Whether the repeated hour that it is in runs for the second time.

    """

    last: datetime | None = None
    falling: bool = False
    second: bool | None = None


@attrs.define
class Times:
    """Reads the time stamps of one file, in the order of its lines.

    A local time that comes twice is told apart by the order: the first run through the hour is the
    earlier one in a file that goes forward, the later one in a file that goes back.
    """

    pattern: str
    zone: Zone | None
    _clocks: dict[object, _Clock] = attrs.Factory(dict)

    def read(self, text: str, series: object) -> int:
        """Return the instant of *text*, in seconds, UTC; *series* tells interleaved ones apart.

        Raises:
            BadTime: It is no time, has no offset, or does not exist in the zone.

        """
        stamp = self._parsed(text)
        if stamp.microsecond:
            raise BadTime("off_grid", f"{text!r} is not on a whole second")
        if stamp.tzinfo is not None:
            return round(stamp.timestamp())
        if self.zone is None:
            raise BadTime("naive_time", f"{text!r} has no offset, and no `timezone` is given")
        shift = self._shift(stamp, self.zone.tzinfo, series)
        return round((stamp - shift - _EPOCH).total_seconds())

    def _parsed(self, text: str) -> datetime:
        try:
            if self.pattern != "iso":
                return datetime.strptime(text, self.pattern)
            if found := _ISO.fullmatch(text):
                return _of_iso(found)
        except (ValueError, OverflowError):
            pass
        raise BadTime("bad_time", f"{text[:60]!r} is not a time of the format {self.pattern!r}")

    def _shift(self, stamp: datetime, zone: tzinfo, series: object) -> timedelta:
        """Return the offset from UTC that *stamp* has."""
        first, second = (
            zone.utcoffset(stamp.replace(tzinfo=zone, fold=fold)) or timedelta() for fold in (0, 1)
        )
        clock = self._clocks.get(series)
        if clock is None:
            clock = self._clocks[series] = _Clock()
        if second > first:
            raise BadTime("impossible_time", f"{stamp} does not exist: clocks went forward")
        chosen = first
        if second < first:
            chosen = second if _is_second(clock, stamp) else first
        else:
            clock.second = None
            if clock.last is not None and clock.last != stamp:
                clock.falling = stamp < clock.last
        clock.last = stamp
        return chosen


def _is_second(clock: _Clock, stamp: datetime) -> bool:
    """Whether a local time that comes twice is the second one, by the order of the file."""
    if clock.second is None:
        clock.second = clock.falling
    elif clock.last is not None and (stamp >= clock.last if clock.falling else stamp <= clock.last):
        clock.second = not clock.falling
    return clock.second


def _of_iso(found: re.Match[str]) -> datetime:
    text, hour, offset = found["day"], found["hour"], found["offset"] or ""
    late = timedelta()
    if hour == "24" and not found["rest"].strip(":0."):
        hour, late = "00", timedelta(days=1)
    stamp = datetime.fromisoformat(f"{text}T{hour}{found['rest']}{offset}") + late
    return stamp.astimezone(UTC) if stamp.tzinfo else stamp
