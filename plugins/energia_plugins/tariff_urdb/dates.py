"""From when to when a rate is in force: dates of the tariff's zone."""

import re
from datetime import date, timedelta
from typing import Final

import attrs

from energia.convert.scalars import FIRST_YEAR, LAST_YEAR, Unfit, day
from energia.zones import DAY, Zone
from energia_plugins.tariff_urdb.notes import Notes, Record

_TEXT: Final = re.compile(r"(?P<day>\d{4}-\d\d-\d\d)(?:[T ](?P<time>\d\d:\d\d)(?::[\d.]+)?.*)?")
_UNIX: Final = re.compile(r"-?\d{1,15}")
#: Seconds above this are milliseconds: the year 5138.
_MILLISECONDS: Final = 10**11
_ONE: Final = timedelta(days=1)
_HALF: Final = timedelta(hours=12)


@attrs.frozen
class Moment:
    """A date of the source.

    Attributes:
        day: The date.
        late: Whether it is the end of the day that is meant, such as 23:59:59.

    """

    day: date
    late: bool


def first_day(rate: Record, zone: Zone) -> date | None:
    """Return the first day that the rate is in force; None if it does not tell."""
    moment = _moment(rate, "startdate", zone)
    if moment is None:
        return None
    return moment.day + _ONE if moment.late else moment.day


def day_after(rate: Record, zone: Zone) -> date | None:
    """Return the day after the last one; None if it does not tell. The stated date is included."""
    moment = _moment(rate, "enddate", zone)
    return None if moment is None else moment.day + _ONE


def _moment(rate: Record, name: str, zone: Zone) -> Moment | None:
    value, at, notes = rate.get(name), rate.pointer(name), rate.notes
    if isinstance(value, dict):  # as the bulk file has it
        value = value.get("$date", value)
    if isinstance(value, dict):
        value = value.get("$numberLong", value)
    if value in (None, ""):
        return None
    if isinstance(value, str) and (found := _TEXT.fullmatch(value.strip())):
        return _of_text(notes, found["day"], found["time"], at)
    text = str(value).strip()
    if isinstance(value, bool) or not _UNIX.fullmatch(text):
        message = "a date is in seconds since 1970, or a text such as 2026-03-01"
        notes.refuse(at, "wrong_date", message)
        return None
    return _of_seconds(notes, int(text), zone, at)


def _of_text(notes: Notes, text: str, time: str | None, at: str) -> Moment | None:
    """Return the date as it is written, or the next one from noon on.

    The offset of such times says nothing about the place: 17:00 is midnight elsewhere.
    """
    try:
        found = day(text)
    except Unfit as error:
        notes.refuse(at, "wrong_date", f"{text}: {error.message}")
        return None
    is_end = time == "23:59"
    return Moment(found if is_end or (time or "") < "12:00" else found + _ONE, is_end)


def _of_seconds(notes: Notes, seconds: int, zone: Zone, at: str) -> Moment | None:
    """Return the date whose midnight is nearest: some write that of another zone, or 23:59:59."""
    if abs(seconds) >= _MILLISECONDS:
        seconds //= 1000
    year = 1970 + seconds / (DAY * 365.25)
    if not FIRST_YEAR < year < LAST_YEAR:
        notes.refuse(at, "out_of_range", f"the year is not in {FIRST_YEAR} to {LAST_YEAR}")
        return None
    local = zone.datetime(seconds).replace(tzinfo=None)
    found = (local + _HALF).date()
    is_end = seconds % 60 == 59
    return Moment(found - _ONE, True) if is_end else Moment(found, False)
