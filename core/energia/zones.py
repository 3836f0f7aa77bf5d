"""Time zones as arithmetic on arrays: the transitions of a zone, looked up once."""

import re
import zoneinfo
from datetime import UTC, date, datetime, timedelta, timezone
from datetime import tzinfo as TzInfo
from functools import lru_cache
from typing import Final, Self

import attrs
import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]

DAY: Final = 86_400
_EPOCH: Final = date(1970, 1, 1)
_OFFSET: Final = re.compile(r"([+-])([01]\d|2[0-3]):([0-5]\d)")
# No zone has changed its offset twice within six days since 1900 (a test holds the data to it), so
# a scan by five finds every transition.
STEP: Final = 5 * DAY


class UnknownZone(ValueError):
    """There is no such time zone."""


@attrs.frozen
class Zone:
    """An IANA time zone, or a fixed offset such as `+05:30`."""

    name: str
    tzinfo: TzInfo

    @classmethod
    @lru_cache(maxsize=1024)
    def named(cls, name: str) -> Self:
        """Return the zone *name*; raises `UnknownZone`."""
        if fixed := _OFFSET.fullmatch(name):
            sign = -1 if fixed[1] == "-" else 1
            shift = sign * timedelta(hours=int(fixed[2]), minutes=int(fixed[3]))
            return cls(name, timezone(shift))
        try:
            return cls(name, zoneinfo.ZoneInfo(name))
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise UnknownZone(f"there is no time zone {name!r}") from error

    def offsets(self, instants: Int64) -> Int64:
        """Return how many seconds local time is ahead of UTC at each instant (seconds, UTC)."""
        if not len(instants):
            return np.zeros(0, np.int64)
        at, offset = self.transitions(_year(instants.min()), _year(instants.max()))
        found: Int64 = offset[np.searchsorted(at, instants, side="right") - 1]
        return found

    def transitions(self, first: int, last: int) -> tuple[Int64, Int64]:
        """Return when the offset changes in the years *first* to *last*, and to what.

        The first entry is the start of the year before *first*, so every instant has one.
        """
        found = [_transitions(self, year) for year in range(first - 1, last + 2)]
        return np.concatenate([at for at, _ in found]), np.concatenate([to for _, to in found])

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
        at, offset = self.transitions(_year(naive.min()) - 1, _year(naive.max()) + 1)
        # A transition begins, on the wall clock, at the later of the times before and after it.
        before = np.concatenate([offset[:1], offset[:-1]])
        # Candidates: the offset in force a day before and a day after covers every transition.
        earlier = np.searchsorted(at + np.maximum(before, offset), naive, side="right") - 1
        later = np.searchsorted(at + np.minimum(before, offset), naive, side="right") - 1
        first, second = naive - offset[earlier], naive - offset[later]
        gap = (second < at[later]) | (first >= np.append(at[1:], np.iinfo(np.int64).max)[earlier])
        missing = gap & (earlier != later)
        first = np.where(missing, at[later], first)
        second = np.where(missing, at[later], second)
        return np.minimum(first, second), np.maximum(first, second), missing

    def midnight(self, day: date) -> int:
        """Return the instant at which *day* begins, in seconds since 1970-01-01T00:00Z."""
        return int(self.midnights(np.array([day_number(day)], np.int64))[0])

    def datetime(self, instant: int) -> datetime:
        """Return *instant* (seconds, UTC) as a local time with its offset."""
        return datetime.fromtimestamp(instant, self.tzinfo)

    def text(self, instant: int) -> str:
        """Return *instant* (seconds, UTC) as the text of its local time (RFC 3339)."""
        return rfc3339(self.datetime(instant))


def rfc3339(moment: datetime) -> str:
    """Return the text of an instant; no offset is always `Z`, never `+00:00`."""
    text = moment.isoformat()
    return f"{text.removesuffix('+00:00')}Z" if text.endswith("+00:00") else text


def day_number(day: date) -> int:
    """Return *day* as days since 1970-01-01."""
    return (day - _EPOCH).days


def day_of(number: int) -> date:
    """Return the date that is *number* days after 1970-01-01."""
    return _EPOCH + timedelta(days=number)


def _year(instant: "np.int64 | int") -> int:
    return int(np.datetime64(int(instant), "s").astype("datetime64[Y]").astype(np.int64)) + 1970


@lru_cache(maxsize=4096)
def _transitions(zone: Zone, year: int) -> tuple[Int64, Int64]:
    start = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    end = int(datetime(year + 1, 1, 1, tzinfo=UTC).timestamp())
    at, to = [start], [_offset(zone, start)]
    for after in range(start + STEP, end + STEP, STEP):
        if _offset(zone, min(after, end - 1)) != to[-1]:
            change = _change(zone, after - STEP, min(after, end - 1))
            at.append(change)
            to.append(_offset(zone, change))
    return np.array(at, np.int64), np.array(to, np.int64)


def _change(zone: Zone, before: int, after: int) -> int:
    """Return the first instant with the offset of *after*, by bisection."""
    old = _offset(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _offset(zone: Zone, instant: int) -> int:
    shift = datetime.fromtimestamp(instant, zone.tzinfo).utcoffset()
    assert shift is not None
    return int(shift.total_seconds())
