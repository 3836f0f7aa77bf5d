"""What a client says about a file of comma-separated values."""

import codecs
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, ClassVar, Literal

import attrs
from msgspec import Meta

from energia import Check, Fault, Rules, Unfit, UnitName, ZoneOrOffset, enforce

#: The encodings that are read; a byte-order mark of UTF-8 or UTF-16 is skipped.
ENCODINGS = ("utf-8", "utf-16", "iso-8859-1", "iso-8859-15", "windows-1252", "ascii")


def _mark(mark: str) -> None:
    if mark.isalnum() or mark in '"+-\r\n':
        raise Unfit("bad_mark", "a mark must not be a letter, a digit, a sign or a quote")


def _encoding(name: str) -> None:
    if name.lower() not in ENCODINGS:
        raise Unfit("unknown_encoding", f"the encoding must be one of {', '.join(ENCODINGS)}")


def _date_format(pattern: str) -> None:
    if pattern != "iso" and not _is_whole(pattern):
        message = "the date format is `iso`, or a pattern of a whole date: %d/%m/%Y %H:%M"
        raise Unfit("bad_date_format", message)


def _is_whole(pattern: str) -> bool:
    """Whether a pattern has the year, the month and the day, and can be read."""
    named = set(re.findall("%(.)", pattern))
    month_and_day = bool(named & set("mbB")) and "d" in named
    if not (named & set("Yy") and (month_and_day or "j" in named)):
        return False
    try:
        datetime.strptime("", pattern)
    except re.error:
        return False  # a directive comes twice
    except ValueError as error:
        return "does not match" in str(error)
    return True


def _marks_of_numbers_differ(decimal: str, thousands: str | None) -> Iterator[Fault]:
    if thousands == decimal:
        yield Fault("bad_mark", "decimal and thousands must differ", "/thousands")


def _groups_are_no_columns(delimiter: str, decimal: str, thousands: str | None) -> Iterator[Fault]:
    # A decimal comma in a file of commas needs quotes, which are read all the same.
    if thousands == delimiter != decimal:
        yield Fault("bad_mark", "delimiter and thousands must differ", "/thousands")


Column = Annotated[str, Meta(min_length=1, max_length=200)]
Mark = Annotated[str, Meta(min_length=1, max_length=1), Check(_mark)]
DateFormat = Annotated[str, Meta(min_length=1, max_length=50), Check(_date_format)]
Encoding = Annotated[str, Meta(max_length=20), Check(_encoding)]


@attrs.frozen
class CsvOptions:
    """The mapping of a file.

    Attributes:
        start_column: The header of the column of time stamps.
        value_column: The header of the column of values; an empty value is missing.
        meter_column: The header of the column of meter ids.
        channel_column: The header of the column of channel ids.
        quality_column: The header of the column of quality names; empty is actual, and says with
            an empty value that nothing is known of the slot.
        delimiter: What separates the columns.
        decimal: The decimal mark of values.
        thousands: The mark between groups of three digits, if there is one.
        date_format: `iso` (with `T` or a space), or a pattern such as `%d/%m/%Y %H:%M`.
        timezone: The zone or offset of time stamps without one; without it they are refused.
        stamp: Whether a time stamp is the start or the end of its slot.
        unit: The unit of the values; default the channel's.
        encoding: The encoding of the text.

    """

    __rules__: ClassVar[Rules] = (_marks_of_numbers_differ, _groups_are_no_columns)

    start_column: Column = "start"
    value_column: Column = "value"
    meter_column: Column | None = None
    channel_column: Column | None = None
    quality_column: Column | None = None
    delimiter: Mark = ","
    decimal: Literal[".", ","] = "."
    thousands: Mark | None = None
    date_format: DateFormat = "iso"
    timezone: ZoneOrOffset | None = None
    stamp: Literal["start", "end"] = "start"
    unit: UnitName | None = None
    encoding: Encoding = "utf-8"

    def __attrs_post_init__(self) -> None:
        """Refuse marks that cannot be told apart."""
        enforce(self)

    @property
    def codec(self) -> str:
        """The name of the decoder of the text, which skips a byte-order mark."""
        name = self.encoding.lower()
        return "utf-8-sig" if name == "utf-8" else codecs.lookup(name).name
