"""The rows of a file that come in chunks, none longer than it may be."""

import csv
from collections.abc import Iterable, Iterator
from typing import Final

from energia import Malformed, file_lines

#: The longest row, in bytes: a day has 1,440 values at most.
LONGEST: Final = 64 * 1024


def rows(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the rows that are not blank, each with the number of its line; raises `Malformed`."""
    for number, line in file_lines(chunks, LONGEST):
        if row := _row(line, number):
            yield number, row


def _row(line: bytes, number: int) -> bytes:
    row = line.strip()
    if b"\r" in row:
        raise Malformed(f"line {number}: it has a CR inside: lines end in LF or CRLF")
    return _unquoted(row, number) if b'"' in row else row


def _unquoted(row: bytes, number: int) -> bytes:
    """Return a row whose cells stand in quotes without them; a comma in a cell is a space."""
    try:
        cells = next(csv.reader([row.decode("latin-1")], strict=True))
    except csv.Error as error:
        raise Malformed(f"line {number}: {error}") from None
    return ",".join(cell.replace(",", " ") for cell in cells).encode("latin-1")
