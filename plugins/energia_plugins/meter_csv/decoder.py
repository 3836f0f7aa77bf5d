"""The decoder of the format `csv`."""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import attrs

from energia import ACTUAL, QUALITIES, Fault, Invalid, Malformed, Problem, Reading
from energia.time import Zone
from energia_plugins.meter_csv.options import CsvOptions
from energia_plugins.meter_csv.times import BadTime, Times

#: The longest line, in characters.
LONGEST = 64 * 1024


def rows(chunks: Iterable[bytes], encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with the number of its last line.

    Raises:
        Malformed: The text is not of this encoding, a line is too long, or a quote never closes.

    """
    lines = _Lines(_lines(chunks, encoding))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for row in reader:
            lines.taken = 0
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        what = "it has a CR inside: lines end in LF or CRLF" if "new-line" in str(error) else error
        raise Malformed(f"line {reader.line_num}: {what}") from None


@attrs.define
class _Lines:
    """Lines, of which one row may take only so many characters: a quote may never close."""

    lines: Iterator[str]
    taken: int = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self.lines)
        self.taken += len(line)
        if self.taken > 2 * LONGEST:
            raise csv.Error("the row does not end: a quote is not closed")
        return line


def _lines(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    pending, number = "", 0
    for text in _texts(chunks, encoding):
        *complete, pending = (pending + text).split("\n")
        for line in complete:
            number += 1
            yield _bounded(line, number) + "\n"
        _bounded(pending, number + 1)
    if pending:
        yield pending


def _bounded(line: str, number: int) -> str:
    if len(line) > LONGEST:
        raise Malformed(f"line {number} is longer than {LONGEST} characters")
    return line


def _texts(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 1
    try:
        for chunk in chunks:
            text = decoder.decode(chunk)
            yield text
            lines += text.count("\n")
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        name = encoding.removesuffix("-sig")
        raise Malformed(f"at or after line {lines}: not {name}: {error.reason}") from None


# Numbers as files write them.

#: The longest number that is read.
_LONGEST = 60


class BadValue(ValueError):
    """It is not a number."""


@attrs.frozen
class Numbers:
    """Reads numbers with declared marks; nothing else passes."""

    _pattern: re.Pattern[str]
    _decimal: str
    _thousands: str | None

    @classmethod
    def marked(cls, decimal: str, thousands: str | None) -> "Numbers":
        """Return a reader of numbers with these marks."""
        whole = r"[0-9]+"
        if thousands is not None:
            whole = rf"(?:[0-9]{{1,3}}(?:{re.escape(thousands)}[0-9]{{3}})+|[0-9]+)"
        fraction = rf"{re.escape(decimal)}[0-9]*"
        number = rf"[+-]?(?:{whole}(?:{fraction})?|{re.escape(decimal)}[0-9]+)"
        return cls(re.compile(rf"{number}(?:[eE][+-]?[0-9]{{1,4}})?"), decimal, thousands)

    def read(self, text: str) -> Decimal:
        """Return the number *text*; raises `BadValue`."""
        if len(text) > _LONGEST or not self._pattern.fullmatch(text):
            raise BadValue(
                f"{text[:_LONGEST]!r} is not a number with the decimal {self._decimal!r}"
            )
        if self._thousands is not None:
            text = text.replace(self._thousands, "")
        return Decimal(text.replace(self._decimal, ".") if self._decimal != "." else text)


#: The options that name columns, in the order of `_Columns`.
_NAMES = ("start_column", "value_column", "meter_column", "channel_column", "quality_column")


class CsvDecoder:
    """Reads comma-separated values with a header line, as `CsvOptions` declares them."""

    name = "csv"
    options: type = CsvOptions
    examples = (
        b"start,value\n2026-03-02T00:00:00Z,1.25\n2026-03-02T00:15:00Z,0\n",
        b'\xef\xbb\xbfstart,value\r\n"2026-03-02T00:00:00+01:00","-0.5"\r\n',
    )

    def decode(self, chunks: Iterable[bytes], options: Any) -> Iterator[Reading | Problem]:
        """Yield a reading or a problem for each row below the header that says something.

        Raises:
            Malformed: It is not text of the encoding, or has no rows.
            Invalid: A column is not in the header.

        """
        numbered_rows = rows(chunks, options.codec, options.delimiter)
        header = next(numbered_rows, (1, []))[1]
        row = _Row.of(header, options)
        for line, cells in numbered_rows:
            read = row.read(line, cells)
            if read is not None:
                yield read


@attrs.frozen
class _Row:
    """Reads one row; the columns are where the options' cells are, None where none is named."""

    start: int
    value: int
    meter: int | None
    channel: int | None
    quality: int | None
    needed: int
    columns: int
    numbers: Numbers
    times: Times
    unit: str | None
    end_stamped: bool

    @classmethod
    def of(cls, header: list[str], options: CsvOptions) -> "_Row":
        """Return what reads the rows below *header*; raises `Invalid`."""
        columns, end_stamped = _columns(header, options), options.stamp == "end"
        zone = None if options.timezone is None else Zone.named(options.timezone)
        return cls(
            columns["start_column"],
            columns["value_column"],
            columns.get("meter_column"),
            columns.get("channel_column"),
            columns.get("quality_column"),
            max(columns.values()) + 1,
            len(header),
            Numbers.marked(options.decimal, options.thousands),
            Times(options.date_format, zone, end_stamped=end_stamped),
            options.unit,
            end_stamped,
        )

    def read(self, line: int, cells: list[str]) -> Reading | Problem | None:
        """Return the reading of a row, or what is wrong with it.

        A row with neither a value nor a quality says nothing: None.
        """
        misshapen = self._misshapen(line, cells)
        if misshapen is not None:
            return misshapen
        meter = None if self.meter is None else cells[self.meter].strip() or None
        channel = None if self.channel is None else cells[self.channel].strip() or None
        try:
            instant = self.times.read(cells[self.start].strip(), (meter, channel))
            written = cells[self.value].strip()
            value = self.numbers.read(written) if written else None
            name = None if self.quality is None else cells[self.quality].strip()
            quality = _quality(name)
        except BadTime as error:
            return Problem(line, error.code, str(error))
        except BadValue as error:
            return Problem(line, "not_a_number", str(error))
        except _BadQuality as error:
            return Problem(line, "unknown_quality", str(error))
        if value is None and name == "":
            return None
        start, end = (None, instant) if self.end_stamped else (instant, None)
        return Reading(line, value, start, end, quality, meter, channel, self.unit)

    def _misshapen(self, line: int, cells: list[str]) -> Problem | None:
        """Return what is wrong with how many columns a row has."""
        if len(cells) < self.needed:
            message = f"the row has {len(cells)} columns; {self.needed} are needed"
            return Problem(line, "missing_column", message)
        # An unquoted decimal comma makes a cell more: "1,5" would be read as 1.
        if any(cell.strip() for cell in cells[self.columns :]):
            message = f"the row has {len(cells)} columns; the header has {self.columns}"
            return Problem(line, "surplus_column", message)
        return None


class _BadQuality(ValueError):
    """There is no such quality."""


def _quality(name: str | None) -> int:
    if not name:
        return ACTUAL
    try:
        return QUALITIES.index(name.lower())
    except ValueError:
        known = ", ".join(QUALITIES)
        raise _BadQuality(f"there is no quality {name[:40]!r}; known are {known}") from None


def _columns(header: list[str], options: CsvOptions) -> dict[str, int]:
    """Return where each column that the options name is; raises `Invalid`."""
    names = [name.strip() for name in header]
    columns, faults = {}, []
    for option in _NAMES:
        wanted = getattr(options, option)
        if wanted is None:
            continue
        if names.count(wanted) == 1:
            columns[option] = names.index(wanted)
            continue
        times = "several columns" if wanted in names else "no column"
        message = f"there is {times} {wanted!r}; the header has {_listed(names)}"
        faults.append(Fault("unknown_column", message, f"/query/{option}", line=1))
    if faults:
        raise Invalid(faults[0].message if len(faults) == 1 else f"{len(faults)} faults", faults)
    return columns


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name[:60]) for name in names[:30])
    return shown + (", ..." if len(names) > 30 else "") if names else "no columns"
