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
from operator import length_hint
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


#: Cells of rows that follow each other, a list for each column.
Columns = list[list[str]]


class Table:
    """The rows of a text; where it has no quotes, many of them at once, as columns.

    Attributes:
        rows: Yields the rows that are not blank, with the numbers of their last lines; raises
            `Malformed` where the text is not of its encoding, a line is too long, or a quote never
            closes, and `Invalid` where the first line says another delimiter.

    """

    def __init__(self, chunks: Iterable[bytes], encoding: str, delimiter: str | None) -> None:
        """Read a text; without a *delimiter* it is what a first line `sep=;` says, or a comma."""
        self.rows = self._rows(delimiter)
        self._pieces = _Pieces(_texts(chunks, encoding))
        self._texts = iter(self._pieces)
        # Of the piece that is read by rows, the lines that are left.
        self._lines = iter(list[str]())
        # A piece that is no plain table, and is to be read by rows.
        self._next: str | None = None
        self._passed = 0
        self._mark = ","

    @property
    def line(self) -> int:
        """How many lines are read."""
        return self._reader.line_num + self._passed

    def left(self, most: int) -> int:
        """Return how many rows to take, at *most*, so that columns may follow: at least one."""
        return max(1, min(most, length_hint(self._lines)))

    def columns(self, width: int) -> tuple[range, Columns] | None:
        """Return the numbers of the next lines, and their columns, if all have so many.

        None where the rows are to be taken one by one: quotes are among them, some have another
        width, lines of a piece are left, or nothing is.
        """
        if width < 2 or length_hint(self._lines) or self._next is not None:
            return None
        self._pieces.taken = 0
        text = next(self._texts, "")
        self._pieces.taken = 0
        cells = _cells(text, self._mark, width)
        if cells is None:
            self._next = text
            return None
        first, count = self.line + 1, len(cells) // width
        self._passed += count
        return range(first, first + count), [cells[at::width] for at in range(width)]

    def _rows(self, delimiter: str | None) -> Iterator[Row]:
        source: Iterator[str] = chain.from_iterable(self._sources())
        first = next(source, "")
        self._mark = mark = _declared(first, delimiter)
        if _SEP.fullmatch(first):
            self._passed = 1
        else:
            source = chain((first,), source)
        self._reader = reader = csv.reader(source, delimiter=mark, strict=True)
        pieces = self._pieces
        try:
            for row in reader:
                pieces.taken = 0
                if row:
                    yield reader.line_num + self._passed, row
        except csv.Error as error:
            raise Malformed(f"line {self.line}: {_cause(error)}") from None

    def _sources(self) -> Iterator[Iterator[str]]:
        """Yield iterators of whole lines."""
        while True:
            text, self._next = self._next, None
            if text is None:
                text = next(self._texts, None)
            if text is None:
                return
            self._lines = iter(list(StringIO(text, newline="\n")))
            yield self._lines


def _cells(text: str, mark: str, width: int) -> list[str] | None:
    """Return the cells of lines, one after the other, if each line has so many and no quotes."""
    if not text or '"' in text or "\0" in text:
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n")
        if "\r" in text:
            return None
    if not text.endswith("\n"):
        text += "\n"
    lines = text.count("\n")
    # Every mark of a line, and the end of it, is where a plain table has it.
    cells = text.replace("\n", f"{mark}\n{mark}").split(mark)
    ends = cells[width :: width + 1]
    if len(cells) != lines * (width + 1) + 1 or ends.count("\n") != lines:
        return None
    cells.pop()
    del cells[width :: width + 1]
    return cells


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
class _Pieces:
    """A text in pieces of whole lines, of which one row may take only so many characters.

    Attributes:
        texts: The text, piece by piece; none is longer than `LONGEST`.
        taken: How many characters came since a row has ended.

    """

    texts: Iterator[str]
    taken: int = 0

    def __iter__(self) -> Iterator[str]:
        pending, number = "", 0
        for text in self.texts:
            whole = pending + text
            cut = whole.rfind("\n") + 1
            lines, pending = whole[:cut], whole[cut:]
            # Of the whole lines only the first may be longer than a piece.
            if lines.find("\n") > LONGEST:
                raise _too_long(number + 1)
            number += lines.count("\n")
            if len(pending) > LONGEST:
                raise _too_long(number + 1)
            self.taken += len(text)
            if self.taken > 5 * LONGEST:
                raise csv.Error("the row does not end: a quote is not closed")
            if lines:
                yield lines
        if pending:
            yield pending


def _too_long(line: int) -> Malformed:
    return Malformed(f"line {line} is longer than {LONGEST} characters")


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
