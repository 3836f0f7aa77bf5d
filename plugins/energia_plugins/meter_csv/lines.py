"""The rows of a file of comma-separated values, in bounded memory."""

import codecs
import csv
from collections.abc import Iterable, Iterator

import attrs

from energia.errors import Malformed

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
