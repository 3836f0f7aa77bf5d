"""Bytes as the rows of a table: the encoding, lines that end, rows of cells.

Nothing here grows with the file: a line has so many characters, and so does a row whose quotes run
over several lines.
"""

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from io import StringIO
from itertools import chain, pairwise
from operator import length_hint
from typing import Final

import attrs

from energia import EnergiaError, Fault, Invalid, Malformed
from energia_plugins.meter_csv import remedies
from energia_plugins.meter_csv.columns import PlainTable, changes

#: A row with the number of its last line.
Row = tuple[int, list[str]]
#: The longest line, in characters.
LONGEST: Final = 64 * 1024
#: So many pieces of a text are read as one table, if they are plain.
_TOGETHER: Final = 5
#: The first line by which a spreadsheet is told the mark between columns.
_SEP: Final = re.compile(r"\"?sep=(?P<mark>[^\r\n]?)\"?[\r\n;,\t]*", re.IGNORECASE)


#: Cells of rows that follow each other, a list for each column.
Columns = list[list[str]]


@attrs.frozen(eq=False, slots=False)
class PlainRows:
    """Rows that follow each other, without quotes, which have the same number of cells.

    Attributes:
        lines: Their lines.
        table: Where their cells are; None where they are not ASCII.

    """

    lines: range
    table: PlainTable | None
    _mark: str
    _width: int
    _texts: list[str] | None = None

    @classmethod
    def of(cls, first: int, text: str, mark: str, width: int) -> "PlainRows | None":
        """Return the rows of a text that begins with the line *first*; None if it is not plain."""
        if not text or '"' in text or "\0" in text:
            return None
        if "\r" in text:
            text = text.replace("\r\n", "\n")
            if "\r" in text:
                return None
        if not text.endswith("\n"):
            text += "\n"
        if text.isascii() and mark.isascii():
            table, cells = PlainTable.of(text, mark, width), None
            count = 0 if table is None else len(table.marks)
        else:
            table, cells = None, _cells(text, mark, width)
            count = len(cells or ()) // width
        return cls(range(first, first + count), table, mark, width, cells) if count else None

    def part(self, first: int, past: int) -> "PlainRows":
        """Return some of the rows."""
        if len(self.lines) == past - first:
            return self
        lines, width = self.lines[first:past], self._width
        if self.table is not None:
            return PlainRows(lines, self.table.part(first, past), self._mark, width)
        assert self._texts is not None
        texts = self._texts[first * width : past * width]
        return PlainRows(lines, None, self._mark, width, texts)

    def parts(self, size: int) -> "Iterator[PlainRows]":
        """Yield parts of so many rows."""
        count = len(self.lines)
        return (self.part(first, min(first + size, count)) for first in range(0, count, size))

    @cached_property
    def columns(self) -> Columns:
        """The texts of the cells."""
        cells = self._texts
        if self.table is not None:
            cells = _cells(self.table.text, self._mark, self._width)
        assert cells is not None  # of which the table was made
        return [cells[at :: self._width] for at in range(self._width)]

    def rows(self, first: int, past: int) -> Iterator[Row]:
        """Yield some of the rows."""
        part = self.part(first, past)
        return zip(part.lines, map(list, zip(*part.columns, strict=True)), strict=True)

    def cells(self, row: int) -> list[str]:
        """Return the cells of a row."""
        if self.table is not None:
            return self.table.row(row)
        return [column[row] for column in self.columns]

    def cuts(self, named: Sequence[int]) -> list[int]:
        """Return where cells of the columns *named* begin to be others, with the first row."""
        if not named:
            return [0]
        if self.table is not None:
            return [0, *changes([self.table.cells(at) for at in named])]
        return _cuts([self.columns[at] for at in named])


def _cuts(columns: list[list[str]]) -> list[int]:
    cuts = {0}
    for words in columns:
        if words.count(words[0]) < len(words):
            pairs = enumerate(pairwise(words), 1)
            cuts.update(at for at, (before, word) in pairs if before != word)
    return sorted(cuts)


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
        # Pieces that were looked at, and are still to be read; only the last may have quotes.
        self._ahead = deque[str]()
        # What is wrong with the text after these.
        self._fault: EnergiaError | None = None
        self._passed = 0
        self._mark = ","

    @property
    def line(self) -> int:
        """How many lines are read."""
        return self._reader.line_num + self._passed

    def left(self, most: int) -> int:
        """Return how many rows to take, at *most*, so that columns may follow: at least one."""
        return max(1, min(most, length_hint(self._lines)))

    def plain_rows(self, width: int) -> PlainRows | None:
        """Return the next rows together, if all have so many cells.

        None where the rows are to be taken one by one: quotes are among them, some have another
        width, lines of a piece are left, or nothing is.
        """
        if width < 2 or length_hint(self._lines):
            return None
        pieces = self._without_quotes()
        found = PlainRows.of(self.line + 1, "".join(pieces), self._mark, width)
        if found is None and pieces:
            # Of several pieces most are plain: what is not is only one of them as a rule.
            first, *others = pieces
            self._ahead.extendleft(reversed(others))
            found = PlainRows.of(self.line + 1, first, self._mark, width) if others else None
            if found is None:
                self._ahead.appendleft(first)
        if found is not None:
            self._passed += len(found.lines)
        return found

    def _without_quotes(self) -> list[str]:
        """Take the next pieces until one has quotes, so many as are read together."""
        pieces: list[str] = []
        while len(pieces) < _TOGETHER and (piece := self._piece()) is not None:
            if '"' in piece:
                self._ahead.appendleft(piece)
                break
            pieces.append(piece)
        return pieces

    def _piece(self) -> str | None:
        """Take the next piece; what is wrong after it is kept until all before it is read."""
        if self._ahead:
            return self._ahead.popleft()
        self._pieces.taken = 0
        try:
            piece = None if self._fault else next(self._texts, None)
        except EnergiaError as error:
            self._fault, piece = error, None
        self._pieces.taken = 0
        return piece

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
            text = self._ahead.popleft() if self._ahead else None
            if text is None and self._fault is not None:
                raise self._fault
            if text is None:
                text = next(self._texts, None)
            if text is None:
                return
            self._lines = iter(list(StringIO(text, newline="\n")))
            yield self._lines


def _cells(text: str, mark: str, width: int) -> list[str] | None:
    """Return the cells of whole lines, one after the other, if each line has so many."""
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
    is_open = "field larger" in text or "unexpected end" in text
    return "the row does not end: a quote is not closed" if is_open else text


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
        lines: How many lines have ended.

    """

    texts: Iterator[str]
    taken: int = 0
    lines: int = 0

    def __iter__(self) -> Iterator[str]:
        pending = ""
        for text in self._decoded():
            whole = pending + text
            cut = whole.rfind("\n") + 1
            ended, pending = whole[:cut], whole[cut:]
            # Of the whole lines only the first may be longer than a piece.
            if ended.find("\n") > LONGEST:
                raise _too_long(self.lines + 1)
            self.lines += ended.count("\n")
            if len(pending) > LONGEST:
                raise _too_long(self.lines + 1)
            self.taken += len(text)
            if self.taken > 5 * LONGEST:
                raise csv.Error("the row does not end: a quote is not closed")
            if ended:
                yield ended
        if pending:
            yield pending

    def _decoded(self) -> Iterator[str]:
        """Yield the texts; raises `Malformed`, with the line where one is not of its encoding."""
        try:
            yield from self.texts
        except _Undecodable as error:
            raise Malformed(f"at or after line {self.lines + 1}: {error}") from None


class _Undecodable(ValueError):
    """A text is not of its encoding."""


def _too_long(line: int) -> Malformed:
    return Malformed(f"line {line} is longer than {LONGEST} characters")


def _texts(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    """Yield the text, in pieces of at most `LONGEST` characters, without a byte-order mark.

    Raises `_Undecodable`.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    begun, piece = False, b""
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
    except UnicodeError as error:
        raise _Undecodable(_told(error, encoding, piece)) from None


def _begin(text: str) -> str:
    """Return the beginning of a text without a byte-order mark; refuse what is no table.

    Raises:
        Malformed: It is UTF-16, which was not said.
        Invalid: It is another kind of text, which is told.

    """
    if told := remedies.of_text(text.removeprefix("\ufeff")):
        raise Invalid("this is no table", [Fault("not_a_table", f"this is {told}", line=1)])
    if (zero := text.find("\x00", 0, 200)) >= 0:
        line = text.count("\n", 0, zero) + 1
        raise Malformed(
            f"line {line} has zero bytes, as UTF-16 has without a byte-order mark: "
            "say `encoding=utf-16-le`, or utf-16-be"
        )
    return text.removeprefix("\ufeff")


def _told(error: UnicodeError, encoding: str, piece: bytes) -> str:
    """Return what is wrong with a piece of a text, and what may help."""
    reason = error.reason if isinstance(error, UnicodeDecodeError) else "no byte-order mark"
    name = encoding.removesuffix("-sig").upper()
    return f"not {name} ({reason}): {remedies.of_encoding(piece)}"
