"""Dates and times of day as files write them: `iso`, or a pattern such as `%d/%m/%Y %H:%M`.

A stamp is cut into its date and its time of day, because both come again and again: each is read
once (`times` keeps what they mean). The directives are those of `strptime` that name a date, a time
or an offset, read alike on every machine; none is read and thrown away.
"""

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from typing import Final

import attrs

#: Midnight at the end of a day, in seconds.
_DAY: Final = 86_400
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_OFFSET: Final = r"[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?"


def _short(names: tuple[str, ...]) -> str:
    return "|".join(name[:3] for name in names)


#: What each directive matches.
_DIRECTIVES: Final = {
    "Y": "[0-9]{4}",
    "y": "[0-9]{2}",
    "m": "1[0-2]|0?[1-9]",
    "b": _short(_MONTHS),
    "B": "|".join(_MONTHS),
    "d": "3[01]|[12][0-9]|0?[1-9]",
    "j": "[0-9]{1,3}",
    "a": _short(_DAYS),
    "A": "|".join(_DAYS),
    "H": "2[0-4]|[01]?[0-9]",
    "I": "1[0-2]|0?[1-9]",
    "M": "[0-5]?[0-9]",
    "S": "[0-5]?[0-9]",
    "f": "[0-9]{1,12}",
    "p": r"[ap]\.?\s?m\.?",
    "z": _OFFSET,
    "Z": "[A-Za-z]{1,6}",
}
_NUMERIC: Final = frozenset("YymdjHIMS")
_OF_DATES: Final = frozenset("YymbBdjaA")
_OF_TIMES: Final = frozenset("HIMSfpzZ")
_ISO_DATE: Final = re.compile("(?P<Y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})")
_CLOCK: Final = r":(?P<M>[0-5][0-9])(?::(?P<S>[0-5][0-9])(?:\.(?P<f>[0-9]{1,9}))?)?"
_ISO_TIME: Final = re.compile(rf"[Tt ](?P<H>[0-9]{{2}}){_CLOCK} ?(?P<z>{_OFFSET})?")
#: In a column of its own a time has no `T`, and often one digit for the hour.
_ISO_CLOCK: Final = re.compile(rf"(?P<H>[0-9]{{1,2}}){_CLOCK} ?(?P<z>{_OFFSET})?")


def directives(pattern: str) -> set[str]:
    """Return the letters of the directives of a pattern."""
    return set(re.findall("%(.)", pattern.replace("%%", "")))


def has_time(pattern: str) -> bool:
    """Tell whether stamps of a format say a time of day."""
    return bool(directives(pattern) & _OF_TIMES)


def fault_of(pattern: str, *, of_date: bool) -> str | None:
    """Return why a pattern of a date (or else of a time of day) cannot be read, or None."""
    named = re.findall("%(.)", pattern.replace("%%", ""))
    unknown = sorted(set(named) - set(_DIRECTIVES))
    if unknown or pattern.replace("%%", "").endswith("%"):
        return f"%{', %'.join(unknown)} cannot be read; known are %{', %'.join(_DIRECTIVES)}"
    if len(named) != len(set(named)):
        return "a directive comes twice"
    if ("I" in named) != ("p" in named):
        return "%I, an hour of twelve, needs %p, and %p needs %I"
    month_and_day = bool({*named} & set("mbB")) and "d" in named
    if of_date and not ({*named} & set("Yy") and (month_and_day or "j" in named)):
        return "it is not of a whole date"
    if not of_date and not {*named} & set("HI"):
        return "it has no hour"
    return None


@attrs.frozen
class Hour:
    """A time of day.

    Attributes:
        seconds: Since midnight; a whole day for 24:00.
        offset: How far it is ahead of UTC, if it says so.
        zone: The abbreviation of a zone, such as `CEST`, if it names one.

    """

    seconds: int
    offset: int | None = None
    zone: str | None = None


class OffGrid(ValueError):
    """A time is not on a whole second."""


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return what matches a pattern; blanks of it are any blanks."""
    parts = [part for part in re.split(r"(%.|\s+)", pattern) if part]
    numeric = [False, *(part[0] == "%" and part[1] in _NUMERIC for part in parts), False]
    # With nothing between them, `100` could be 10:00 or 1:00: all digits have to be there then.
    beside = [before or after for before, after in zip(numeric, numeric[2:], strict=False)]
    found = (_part(part, fixed=near) for part, near in zip(parts, beside, strict=True))
    return re.compile("".join(found), re.IGNORECASE)


def _part(part: str, *, fixed: bool) -> str:
    if part[:1] == "%" and part != "%%":
        digits = _DIRECTIVES[part[1]]
        if fixed and part[1] in _NUMERIC:
            digits = digits.replace("?", "").replace("{1,3}", "{3}")
        return f"(?P<{part[1]}>{digits})"
    if part.isspace():
        return r"\s+"
    return re.escape("%" if part == "%%" else part)


def _fields(pattern: re.Pattern[str], text: str) -> dict[str, str]:
    """Return the directives of *text*; raises `ValueError`."""
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError("it does not match")
    return {key: value for key, value in match.groupdict().items() if value is not None}


def _date(fields: dict[str, str]) -> date:
    """Return a date; raises `ValueError` where there is none, or on another day of the week."""
    found = _day_of(fields)
    weekday = (fields.get("a") or fields.get("A") or "").lower()
    if not _DAYS[found.weekday()].startswith(weekday):
        raise ValueError("it is another day of the week")
    return found


def _day_of(fields: dict[str, str]) -> date:
    if "Y" in fields:
        year = int(fields["Y"])
    else:
        short = int(fields["y"])
        year = short + (2000 if short < 69 else 1900)
    if "j" in fields:
        found = date(year, 1, 1) + timedelta(int(fields["j"]) - 1)
        if found.year != year:
            raise ValueError("the year has no such day")
        return found
    return date(year, _month(fields), int(fields["d"]))


def _month(fields: dict[str, str]) -> int:
    if "m" in fields:
        return int(fields["m"])
    begin = (fields.get("b") or fields["B"])[:3].lower()
    return next(number for number, name in enumerate(_MONTHS, 1) if name.startswith(begin))


def _hour(fields: dict[str, str]) -> Hour:
    """Return a time of day; raises `ValueError` where there is none."""
    hour, minute, second = (int(fields.get(key, "0")) for key in "HMS")
    if "I" in fields:
        hour = int(fields["I"]) % 12 + (12 if fields["p"][0] in "pP" else 0)
    seconds = hour * 3600 + minute * 60 + second
    if seconds > _DAY or minute > 59:
        raise ValueError("there is no such time of day")
    if fields.get("f", "").strip("0"):
        raise OffGrid("it is not on a whole second")
    return Hour(seconds, *_offset(fields))


def _offset(fields: dict[str, str]) -> tuple[int | None, str | None]:
    """Return the offset in seconds, or the abbreviation of a zone."""
    word = fields.get("Z", "").upper()
    if word in ("UTC", "GMT", "Z"):
        return 0, None
    text = fields.get("z")
    if text is None:
        return None, word or None
    if text in "Zz":
        return 0, word or None
    hours, minutes = int(text[1:3]), int(text[3:].removeprefix(":") or "0")
    if hours > 23 or minutes > 59:
        raise ValueError("there is no such offset")
    return (hours * 3600 + minutes * 60) * (-1 if text[0] == "-" else 1), word or None


@attrs.frozen
class StampFormat:
    """How the stamps of a file are written.

    Attributes:
        name: The option, for messages.
        cut: Returns the texts of the date and of the time of day in a stamp.
        day: Reads the first of them; raises `ValueError`.
        hour: Reads the second; raises `ValueError`, and `OffGrid` for parts of a second.

    """

    name: str
    cut: Callable[[str], tuple[str, str]]
    day: Callable[[str], date]
    hour: Callable[[str], Hour]

    @classmethod
    def of_stamps(cls, pattern: str) -> "StampFormat":
        """Return the format of stamps in one cell."""
        if pattern == "iso":
            return cls(pattern, _cut_iso, _day_reader(_ISO_DATE), _hour_reader(_ISO_TIME))
        for mark in re.finditer("[ T]", pattern):
            dates, times = pattern[: mark.start()], pattern[mark.end() :]
            cut = _cutter(dates, mark[0], times)
            if cut is not None:
                readers = _day_reader(_compiled(dates)), _hour_reader(_compiled(times))
                return cls(pattern, cut, *readers)
        whole = _compiled(pattern)
        return cls(pattern, lambda text: (text, text), _day_reader(whole), _hour_reader(whole))

    @classmethod
    def of_two(cls, dates: str, times: str) -> "StampFormat":
        """Return the format of dates and times of day in two cells."""
        day = _ISO_DATE if dates == "iso" else _compiled(dates)
        name = f"{dates} and {times}"
        return cls(name, lambda text: (text, text), _day_reader(day), hours_of(times))


def hours_of(pattern: str) -> Callable[[str], Hour]:
    """Return what reads times of day that stand alone."""
    return _hour_reader(_ISO_CLOCK if pattern == "iso" else _compiled(pattern))


def _day_reader(pattern: re.Pattern[str]) -> Callable[[str], date]:
    return lambda text: _date(_fields(pattern, text))


def _hour_reader(pattern: re.Pattern[str]) -> Callable[[str], Hour]:
    return lambda text: _hour(_fields(pattern, text))


def _cut_iso(text: str) -> tuple[str, str]:
    return text[:10], text[10:]


def _cutter(dates: str, mark: str, times: str) -> Callable[[str], tuple[str, str]] | None:
    """Return what cuts stamps between their date and their time; None where *mark* is elsewhere."""
    if directives(dates) & _OF_TIMES or directives(times) & _OF_DATES:
        return None
    if mark == "T" and directives(dates) & set("bBaA"):
        return None  # `OCT` has one too
    if mark not in dates:
        return lambda text: _apart(text.partition(mark))
    return (lambda text: _apart(text.rpartition(mark))) if mark not in times else None


def _apart(parts: tuple[str, str, str]) -> tuple[str, str]:
    return parts[0], parts[2]
