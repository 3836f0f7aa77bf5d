"""A row of statistics, read: of what it is, its hour, and its sum."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

import attrs

from energia import Unfit
from energia.time import FIRST_YEAR, LAST_YEAR, Instant, instant_of, utc
from energia_plugins.meter_home_assistant.rows import NAMES, STARTS

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?")
_UNITS: Final = ("unit_of_measurement", "statistics_unit_of_measurement", "unit")
_RESETS: Final = ("last_reset_ts", "last_reset")
#: Numbers below are no milliseconds of a time that anybody has statistics of (before 1973).
_LEAST_MS: Final = 10**11
_LARGEST: Final = Decimal(10) ** 15
_FINEST: Final = -30


@attrs.frozen
class Statistic:
    """What one hour of one statistic came to.

    Attributes:
        name: The statistic, such as `sensor.meter_energy`, or None.
        start: When its hour starts.
        end: When it ends, if the row says so.
        sum: What was counted from the beginning to the end of the hour; None for a statistic that
            counts nothing, such as a temperature.
        state: What the register showed at the end of the hour, if the row says so.
        reset: When the register last began at zero, as it is written, if the row says so.
        unit: Of the sum, if the row says so.

    """

    name: str | None
    start: Instant
    end: Instant | None
    sum: Decimal | None
    state: Decimal | None
    reset: str | None
    unit: str | None

    @classmethod
    def of(cls, row: Mapping[str, object]) -> "Statistic":
        """Return what a row says; raises `Unfit`."""
        start = next((name for name in STARTS if row.get(name) is not None), None)
        if start is None:
            raise Unfit("missing_field", "the row has no `start_ts` and no `start`")
        end = "end_ts" if row.get("end_ts") is not None else "end"
        return cls(
            _text(row, NAMES),
            _instant(row[start], start),
            _instant(row[end], end) if row.get(end) is not None else None,
            _number(row.get("sum"), "sum"),
            _number(row.get("state"), "state"),
            _text(row, _RESETS),
            _text(row, _UNITS),
        )


def _text(row: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    found = next((row[name] for name in names if row.get(name) is not None), None)
    return None if found is None else str(found)[:200]


def _number(value: object, name: str) -> Decimal | None:
    if value is None:
        return None
    text = "" if isinstance(value, bool) else str(value)
    if not _NUMBER.fullmatch(text):
        raise Unfit("not_a_number", f"{name}: {text[:40]!r} is no number")
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    if abs(number) >= _LARGEST or not isinstance(exponent, int) or exponent < _FINEST:
        raise Unfit("not_a_number", f"{name}: {text[:40]!r} is out of range")
    return number


def _instant(value: object, name: str) -> Instant:
    """Return the instant of a time: seconds where the name says so, else milliseconds or a text."""
    if _NUMBER.fullmatch(str(value)):
        return _of_number(_number(value, name) or Decimal(0), name)
    try:
        moment = datetime.fromisoformat(str(value)[:60])
    except ValueError:
        raise Unfit("not_a_time", f"{name}: {str(value)[:40]!r} is no time") from None
    if moment.tzinfo is None:
        message = f"{name}: the time {str(value)[:40]!r} has no offset from UTC: export start_ts"
        raise Unfit("naive_time", message)
    if moment.microsecond:
        raise Unfit("off_grid", f"{name}: the time must be on a whole second")
    try:
        return _bounded(instant_of(moment), name)
    except OverflowError:
        raise Unfit("out_of_range", f"{name}: the time is out of range") from None


def _of_number(number: Decimal, name: str) -> Instant:
    if not name.endswith("_ts"):
        if number < _LEAST_MS:
            message = f"{name}: {number} is no time in milliseconds; seconds are in {name}_ts"
            raise Unfit("not_a_time", message)
        number = number.scaleb(-3)
    if number != int(number):
        raise Unfit("off_grid", f"{name}: the time must be on a whole second")
    return _bounded(int(number), name)


def _bounded(instant: int, name: str) -> Instant:
    try:
        if FIRST_YEAR <= utc(instant).year <= LAST_YEAR:
            return instant
    except (OverflowError, ValueError, OSError):
        pass
    raise Unfit("out_of_range", f"{name}: the years are {FIRST_YEAR} to {LAST_YEAR}")
