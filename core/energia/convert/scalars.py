"""Read single values strictly: what does not fit is said, never guessed.

Every reader takes a JSON value and returns a typed one, or raises `Unfit`.
"""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, TypeVar
from uuid import UUID

from energia.time import FIRST_YEAR, LAST_YEAR, BadDuration, duration_of

#: The public names, as docs/how-to/plugins.md lists them.
__all__ = ["Unfit", "day", "decimal"]

#: A decimal number has at most so many digits before the point, and as many after it.
DECIMAL_DIGITS: Final = 30
#: No text of a decimal number is longer.
LONGEST_DECIMAL: Final = 4 * DECIMAL_DIGITS
#: The text of a decimal number, as JSON Schema states it.
DECIMAL_PATTERN: Final = r"^[+-]?[0-9]{1,30}([.][0-9]{1,30})?([eE][+-]?[0-9]{1,2})?$"
#: Durations, as examples.
DURATION_EXAMPLES: Final = ["PT15M", "PT1H", "P1D"]
#: Integers fit the database's largest.
LARGEST: Final = 2**63 - 1

#: A fraction of whole numbers.
RATIO_PATTERN: Final = r"^-?[0-9]{1,30}/[1-9][0-9]{0,29}$"
_RATIO: Final = re.compile(RATIO_PATTERN)
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")
# A number as it is written where the decimal mark is a comma, or where one groups digits.
_COMMA: Final = re.compile(r"[+-]?[0-9.]{0,40},[0-9.,]{1,40}")
_NOT_FINITE: Final = re.compile(r"[+-]?(?:s?nan|inf(?:inity)?)", re.IGNORECASE)
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,19}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?P<fraction>\.[0-9]{1,6}0*)?(?P<offset>[Zz]|[+-][0-9]{2}:[0-9]{2})?"
)
#: An instant's offset is less than this: no zone's is more than 14 h, and PostgreSQL takes no more.
_FARTHEST: Final = timedelta(hours=16)
# A `+` that was not written as %2B in a query arrives as a space.
_LOST_PLUS: Final = re.compile(r"[0-9T:.-]+ [0-9]{2}:[0-9]{2}")
_SURROGATE_OR_NUL: Final = re.compile("[\x00\ud800-\udfff]")

D = TypeVar("D", bound=date)
Reader = Callable[[object], object]


class Unfit(ValueError):
    """A value does not fit its type; `code` says how, in snake_case."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


def wrong_type(expected: str) -> Unfit:
    """Return the refusal of a value that is not *expected*."""
    return Unfit("wrong_type", f"expected {expected}")


def text(value: object) -> str:
    """Read a string; the characters that PostgreSQL cannot store are refused."""
    if type(value) is not str:
        raise wrong_type("a string")
    if _SURROGATE_OR_NUL.search(value):
        raise Unfit("bad_character", "the string has a character that cannot be stored")
    return value


def integer(value: object) -> int:
    """Read a whole number of at most 64 bits."""
    if type(value) is not int:
        raise wrong_type("a whole number")
    if abs(value) > LARGEST:
        raise Unfit("out_of_range", "the number is out of range")
    return value


def boolean(value: object) -> bool:
    """Read true or false."""
    if type(value) is not bool:
        raise wrong_type("true or false")
    return value


def decimal(value: object) -> Decimal:
    """Read an exact decimal number from a JSON number or its text."""
    if type(value) is str:
        value = _decimal_of(value)
    elif type(value) is int:
        # To find the digits of a huge integer takes quadratic time: it is refused before.
        value = Decimal(value) if abs(value) < 10**DECIMAL_DIGITS else Decimal("Infinity")
        return bounded(value)
    if not isinstance(value, Decimal):
        raise wrong_type("a decimal number, as a string or a number")
    return bounded(value)


def ratio(value: object) -> Fraction:
    """Read an exact number that no decimal is, from its text: `20/3`."""
    if type(value) is not str or not _RATIO.fullmatch(value):
        raise wrong_type("a fraction such as 20/3")
    return Fraction(value)


def written(text: str) -> Decimal:
    """Return a JSON number as it is written; more digits than any number has are out of range."""
    return Decimal(text) if len(text) <= LONGEST_DECIMAL else Decimal("Infinity")


def _decimal_of(value: str) -> Decimal:
    if _NOT_FINITE.fullmatch(value):
        raise Unfit("not_a_number", "not a number")
    if len(value) > LONGEST_DECIMAL or not _DECIMAL.fullmatch(value):
        hint = " (with a point, and no comma)" if _COMMA.fullmatch(value) else ""
        raise wrong_type(f"a decimal number, as a string or a number{hint}")
    return Decimal(value)


def bounded(value: Decimal) -> Decimal:
    """Return *value* if its digits are few enough to calculate with, zero included."""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or value.adjusted() >= DECIMAL_DIGITS:
        raise Unfit("out_of_range", "the number is out of range")
    if exponent < -DECIMAL_DIGITS:
        raise Unfit("out_of_range", f"the number has more than {DECIMAL_DIGITS} decimals")
    return value


def number(value: object) -> float:
    """Read a double; what overflows it is refused."""
    if type(value) not in (int, float, Decimal):
        raise wrong_type("a number")
    try:
        double = float(value)  # type: ignore[arg-type]
    except OverflowError:
        double = math.inf
    if not math.isfinite(double):
        raise Unfit("out_of_range", "the number is out of range")
    return double


def day(value: object) -> date:
    """Read a date, `2026-03-01`."""
    if type(value) is not str or not _DATE.fullmatch(value):
        raise wrong_type("a date such as 2026-03-01")
    try:
        return _in_years(date.fromisoformat(value))
    except Unfit:
        raise
    except ValueError:
        raise wrong_type("a date that exists") from None


def instant(value: object) -> datetime:
    """Read an instant with its offset, `2026-03-01T00:00:00-03:00` (RFC 3339)."""
    match = _INSTANT.fullmatch(value) if type(value) is str else None
    if match is None:
        lost = type(value) is str and _LOST_PLUS.fullmatch(value)
        hint = " (in a query, write + as %2B)" if lost else ""
        raise wrong_type(f"an instant such as 2026-03-01T00:00:00-03:00{hint}")
    if match["offset"] is None:
        raise Unfit("naive_time", "the time has no offset; write -03:00 or Z after it")
    # The point and six digits: `datetime` has nothing below a microsecond.
    fraction = (match["fraction"] or "")[:7]
    try:
        moment = datetime.fromisoformat(f"{match['day']}T{match['time']}{fraction}")
        offset = datetime.fromisoformat(f"2000-01-01T00:00:00{match['offset'].upper()}").tzinfo
    except ValueError:
        raise wrong_type("an instant that exists") from None
    moment = moment.replace(tzinfo=offset if match["offset"] not in "Zz" else UTC)
    if abs(moment.utcoffset() or timedelta()) >= _FARTHEST:
        raise Unfit("out_of_range", "the offset is not within -15:59 and +15:59")
    return _in_years(moment)


def _in_years(value: D) -> D:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise Unfit("out_of_range", f"the year is not in {FIRST_YEAR} to {LAST_YEAR}")
    return value


def duration(value: object) -> timedelta:
    """Read a duration of fixed length, `PT15M` or `P1D` (ISO 8601)."""
    try:
        return duration_of(value if type(value) is str else "")
    except BadDuration:
        raise wrong_type("a duration such as PT15M") from None


def uuid(value: object) -> UUID:
    """Read a UUID in its usual form."""
    try:
        if type(value) is str and len(value) == 36:
            return UUID(value)
    except ValueError:
        pass
    raise wrong_type("a UUID")


def integer_of_text(value: object) -> int:
    """Read a whole number written in a path or a query."""
    if type(value) is not str or not _INTEGER.fullmatch(value):
        raise wrong_type("a whole number")
    return integer(int(value))


def boolean_of_text(value: object) -> bool:
    """Read `true` or `false` written in a path or a query."""
    if value not in ("true", "false"):
        raise wrong_type("true or false")
    return value == "true"


def number_of_text(value: object) -> float:
    """Read a number written in a path or a query."""
    return number(decimal(value))


#: How each type is read from JSON ...
FROM_JSON: Final[dict[type, Reader]] = {
    str: text,
    int: integer,
    bool: boolean,
    float: number,
    Decimal: decimal,
    Fraction: ratio,
    date: day,
    datetime: instant,
    timedelta: duration,
    UUID: uuid,
}
#: ... and from the text of a path or a query.
FROM_TEXT: Final[dict[type, Reader]] = FROM_JSON | {
    int: integer_of_text,
    bool: boolean_of_text,
    float: number_of_text,
}
