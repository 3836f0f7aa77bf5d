"""Bytes as the rows of a table: the encoding, lines that end, rows of cells.

Nothing here grows with the file: a line has so many characters, and so does a row whose quotes run
over several lines.
"""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import chain
from typing import Final

import attrs

from energia import Fault, Invalid, Malformed
from energia_plugins.meter_csv import remedies

#: A row with the number of its last line.
Row = tuple[int, list[str]]
#: The longest line, in characters.
LONGEST: Final = 64 * 1024
#: The first line by which a spreadsheet is told the mark between columns.
_SEP: Final = re.compile(r"\"?sep=(?P<mark>[^\r\n]?)\"?[\r\n;,\t]*", re.IGNORECASE)


def rows(chunks: Iterable[bytes], encoding: str, delimiter: str | None) -> Iterator[Row]:
    """Yield the rows that are not blank.

    Without a *delimiter* it is what a first line `sep=;` says, or a comma.

    Raises:
        Malformed: The text is not of this encoding, a line is too long, or a quote never closes.
        Invalid: The first line says another delimiter.

    """
    lines = _Lines(_texts(chunks, encoding))
    source: Iterator[str] = chain.from_iterable(lines.pieces())
    first = next(source, "")
    mark = _declared(first, delimiter)
    skipped = 1 if _SEP.fullmatch(first) else 0
    reader = csv.reader(source if skipped else chain((first,), source), delimiter=mark, strict=True)
    try:
        for row in reader:
            lines.taken = 0
            if row:
                yield reader.line_num + skipped, row
    except csv.Error as error:
        raise Malformed(f"line {reader.line_num + skipped}: {_cause(error)}") from None


def _cause(error: csv.Error) -> str:
    text = str(error)
    if "new-line" in text:
        return "it has a CR inside: lines end in LF or CRLF"
    return "the row does not end: a quote is not closed" if "field larger" in text else text


def _declared(line: str, delimiter: str | None) -> str:
    """Return the delimiter, given the first line of a file."""
    found = _SEP.fullmatch(line)
    if found is None or not found["mark"]:
        return delimiter or ","
    if delimiter not in (None, found["mark"]):
        message = f"line 1 says that columns are separated by {found['mark']!r}"
        raise Invalid.of("wrong_delimiter", message, "/query/delimiter")
    return found["mark"]


@attrs.define
class _Lines:
    """The lines of a text, of which one row may take only so many characters.

    Attributes:
        texts: The text, piece by piece.
        taken: How many characters came since a row has ended.

    """

    texts: Iterator[str]
    taken: int = 0

    def pieces(self) -> Iterator[list[str]]:
        """Yield lists of whole lines."""
        pending, number = "", 0
        for text in self.texts:
            lines = list(StringIO(pending + text, newline="\n"))
            pending = lines.pop() if lines and not lines[-1].endswith("\n") else ""
            _refuse_long(lines, pending, number)
            number += len(lines)
            self.taken += len(text)
            if self.taken > 5 * LONGEST:
                raise csv.Error("the row does not end: a quote is not closed")
            yield lines
        yield [pending] if pending else []


def _refuse_long(lines: list[str], pending: str, number: int) -> None:
    if len(pending) > LONGEST or len(max(lines, key=len, default="")) > LONGEST + 1:
        long = (at for at, line in enumerate(lines, 1) if len(line) > LONGEST + 1)
        at = next(long, len(lines) + 1)
        raise Malformed(f"line {number + at} is longer than {LONGEST} characters")


def _texts(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    """Yield the text, in pieces of at most `LONGEST` characters, without a byte-order mark."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines, begun, piece = 1, False, b""
    try:
        for chunk in chain(filter(None, chunks), [b""]):
            if chunk and not begun and (told := remedies.of_bytes(chunk)):
                raise Malformed(f"line 1: this is {told}")
            for at in range(0, max(len(chunk), 1), LONGEST):
                piece = chunk[at : at + LONGEST]
                text = decoder.decode(piece, final=not chunk)
                if text and not begun:
                    text, begun = _begin(text), True
                yield text
                lines += text.count("\n")
    except UnicodeError as error:
        raise Malformed(f"at or after line {lines}: {_told(error, encoding, piece)}") from None


def _begin(text: str) -> str:
    """Return the beginning of a text without a byte-order mark; refuse what is no table.

    Raises:
        Malformed: It is UTF-16, which was not said.
        Invalid: It is another kind of text, which is told.

    """
    if told := remedies.of_text(text.removeprefix("\ufeff")):
        raise Invalid("this is no table", [Fault("not_a_table", f"this is {told}", line=1)])
    if "\x00" in text[:200]:
        raise Malformed(
            "line 1 has zero bytes, as UTF-16 has without a byte-order mark: "
            "say `encoding=utf-16-le`, or utf-16-be"
        )
    return text.removeprefix("\ufeff")


def _told(error: UnicodeError, encoding: str, piece: bytes) -> str:
    """Return what is wrong with a piece of a text, and what may help."""
    reason = error.reason if isinstance(error, UnicodeDecodeError) else "no byte-order mark"
    name = encoding.removesuffix("-sig").upper()
    return f"not {name} ({reason}): {remedies.of_encoding(piece)}"
