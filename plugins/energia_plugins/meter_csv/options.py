"""What a client says about a file of comma-separated values."""

import codecs
import re
from datetime import datetime
from typing import Annotated, Literal

import attrs
from msgspec import Meta

from energia.errors import Fault, Invalid
from energia.units import UnknownUnit, unit
from energia.zones import UnknownZone, Zone

Column = Annotated[str, Meta(min_length=1, max_length=200)]
Character = Annotated[str, Meta(min_length=1, max_length=1)]

#: The encodings that are read; a byte-order mark of UTF-8 or UTF-16 is skipped.
ENCODINGS = ("utf-8", "utf-16", "iso-8859-1", "iso-8859-15", "windows-1252", "ascii")


@attrs.frozen
class CsvOptions:
    """The mapping of a file.

    Attributes:
        start_column: The header of the column of time stamps.
        value_column: The header of the column of values; an empty value is missing.
        meter_column: The header of the column of meter ids.
        channel_column: The header of the column of channel ids.
        quality_column: The header of the column of quality names; empty is actual.
        delimiter: What separates the columns.
        decimal: The decimal mark of values.
        thousands: The mark between groups of three digits, if there is one.
        date_format: `iso` (with `T` or a space), or a pattern such as `%d/%m/%Y %H:%M`.
        timezone: The zone or offset of time stamps without one; without it they are refused.
        stamp: Whether a time stamp is the start or the end of its slot.
        unit: The unit of the values; default the channel's.
        encoding: The encoding of the text.

    """

    start_column: Column = "start"
    value_column: Column = "value"
    meter_column: Column | None = None
    channel_column: Column | None = None
    quality_column: Column | None = None
    delimiter: Character = ","
    decimal: Literal[".", ","] = "."
    thousands: Character | None = None
    date_format: Annotated[str, Meta(min_length=1, max_length=50)] = "iso"
    timezone: Annotated[str, Meta(max_length=64)] | None = None
    stamp: Literal["start", "end"] = "start"
    unit: Annotated[str, Meta(max_length=10)] | None = None
    encoding: Annotated[str, Meta(max_length=20)] = "utf-8"

    def check(self) -> None:
        """Refuse what cannot be; raises `Invalid` with all faults."""
        faults = [fault for fault in (self._zone(), self._unit(), self._marks()) if fault]
        if self.encoding.lower() not in ENCODINGS:
            message = f"the encoding is one of {', '.join(ENCODINGS)}"
            faults.append(Fault("unknown_encoding", message, "/query/encoding"))
        if self.date_format != "iso" and not _is_whole(self.date_format):
            message = "the date format is `iso`, or a pattern of a whole date: %d/%m/%Y %H:%M"
            faults.append(Fault("bad_date_format", message, "/query/date_format"))
        if faults:
            detail = faults[0].message if len(faults) == 1 else f"{len(faults)} faults"
            raise Invalid(detail, faults)

    @property
    def codec(self) -> str:
        """The name of the decoder of the text, which skips a byte-order mark."""
        name = self.encoding.lower()
        return "utf-8-sig" if name == "utf-8" else codecs.lookup(name).name

    def _zone(self) -> Fault | None:
        try:
            if self.timezone is not None:
                Zone.named(self.timezone)
        except UnknownZone as error:
            return Fault("unknown_timezone", str(error), "/query/timezone")
        return None

    def _unit(self) -> Fault | None:
        try:
            if self.unit is not None:
                unit(self.unit)
        except UnknownUnit as error:
            return Fault("wrong_unit", str(error), "/query/unit")
        return None

    def _marks(self) -> Fault | None:
        marks = (self.delimiter, self.decimal, *((self.thousands,) if self.thousands else ()))
        if len(set(marks)) == len(marks):
            if not any(mark.isalnum() or mark in '"+-\r\n' for mark in marks):
                return None
            return Fault("bad_mark", "a mark is a letter, a digit, a sign or a quote", "/query")
        # A decimal comma in a file of commas needs quotes, which are read all the same.
        if self.delimiter == self.decimal != self.thousands:
            return None
        message = "delimiter, decimal and thousands must differ"
        return Fault("bad_mark", message, "/query/thousands")


def _is_whole(pattern: str) -> bool:
    """Whether a pattern can be read and has the year, the month and the day."""
    try:
        datetime.strptime("", pattern)
    except ValueError as error:
        if "does not match" not in str(error):
            return False
    named = set(re.findall("%(.)", pattern))
    month_and_day = bool(named & set("mbB")) and "d" in named
    return bool(named & set("Yy")) and (month_and_day or "j" in named)
