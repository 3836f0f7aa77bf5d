"""Rows of statistics, as a table of CSV or as JSON has them: names and cells, nothing more.

CSV is the table `statistics` of the recorder, or a join of it with `statistics_meta`. JSON is what
`recorder/statistics_during_period` and the action `recorder.get_statistics` answer: lists of rows
by the name of a statistic; or such rows as a list.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

from energia import Malformed, file_lines, json_document

#: The longest answer in JSON, in bytes: ten years of hours of one statistic have about as much.
LONGEST: Final = 16 * 1024**2
#: The longest line of CSV, in bytes.
LONGEST_LINE: Final = 64 * 1024
#: The columns that name a statistic, and those that say when its hour starts.
NAMES: Final = ("statistic_id", "entity_id", "metadata_id")
STARTS: Final = ("start_ts", "start")
_MARKS: Final = ",;\t|"
_NULLS: Final = frozenset({"", "NULL", "null", "\\N", "None"})
#: What answers are wrapped in.
_WRAPPERS: Final = ("result", "service_response", "response", "statistics")
_BOM: Final = b"\xef\xbb\xbf"

#: A row: its number (of the line in CSV, of the row in JSON), and its cells by their names; or,
#: instead of them, how many cells it has where the header has another number.
Row = tuple[int, Mapping[str, object] | int]


def rows(chunks: Iterable[bytes]) -> Iterator[Row]:
    """Yield the rows of a file; raises `Malformed` for what is neither CSV nor JSON of them."""
    rest, head = iter(chunks), b""
    while not (begin := _begin(head)) and (chunk := next(rest, None)) is not None:
        head += chunk
    pieces = chain([head], rest)
    return _of_json(pieces) if begin in (b"{", b"[") else _of_csv(pieces)


def _begin(head: bytes) -> bytes:
    """Return the first byte that is no blank; raises `Malformed` where too many blanks are."""
    text = head.removeprefix(_BOM)
    begin = text.lstrip()
    if len(text) - len(begin) > LONGEST_LINE:
        raise Malformed("the file begins with nothing but blanks")
    return begin[:1]


def header_of(line: str) -> tuple[str, list[str]] | None:
    """Return the mark between columns and their names, or None for no header of statistics."""
    for mark in _MARKS:
        names = [cell.strip().strip('"').lower() for cell in line.split(mark)]
        if "sum" in names and any(name in names for name in STARTS):
            return mark, names
    return None


def _of_csv(chunks: Iterable[bytes]) -> Iterator[Row]:
    lines = _lines(chunks)
    number, first = next(lines, (1, ""))
    header = header_of(first)
    if header is None:
        raise Malformed("line 1: no header with `sum` and `start_ts`, as the table statistics has")
    mark, names = header
    if len(set(names)) < len(names):
        raise Malformed("line 1: a column of the header comes twice")
    for number, line in lines:
        cells = _cells(line, mark, number)
        yield number, _named(names, cells) if len(cells) == len(names) else len(cells)


def _named(names: Sequence[str], cells: Sequence[str]) -> dict[str, object]:
    texts = (cell.strip() for cell in cells)
    return {name: None if text in _NULLS else text for name, text in zip(names, texts, strict=True)}


def _cells(line: str, mark: str, number: int) -> list[str]:
    if '"' not in line:
        return line.split(mark)
    try:
        return next(csv.reader([line], delimiter=mark, strict=True))
    except csv.Error as error:
        raise Malformed(f"line {number}: {error}") from None


def _lines(chunks: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, with their numbers; raises `Malformed`."""
    for number, line in file_lines(chunks, LONGEST_LINE):
        if text := _text(line, number):
            yield number, text


def _text(line: bytes, number: int) -> str:
    try:
        text = line.decode().strip("\r\n ")
    except UnicodeDecodeError:
        raise Malformed(f"line {number}: not UTF-8") from None
    if "\r" in text or "\0" in text:
        raise Malformed(f"line {number}: it has a CR or a zero byte inside")
    return text


def _of_json(chunks: Iterable[bytes]) -> Iterator[Row]:
    number = 0
    for name, each in _lists(_document(chunks)):
        for row in each:
            number += 1
            if not isinstance(row, dict):
                raise Malformed(f"row {number}: it is no object")
            yield number, row if name is None else {**row, "statistic_id": name}


def _document(chunks: Iterable[bytes]) -> object:
    too_long = f"an answer in JSON has at most {LONGEST} bytes: export CSV"
    return json_document(chunks, LONGEST, too_long)


def _lists(document: object) -> Iterator[tuple[str | None, list[object]]]:
    """Yield the lists of rows, each with the name of its statistic if that is outside of it."""
    while isinstance(document, dict):
        inner = next((document[name] for name in _WRAPPERS if name in document), None)
        if not isinstance(inner, dict | list):
            break
        document = inner
    if isinstance(document, list):
        yield None, document
        return
    if not isinstance(document, dict) or not all(
        isinstance(one, list) for one in document.values()
    ):
        raise Malformed("expected lists of rows by the names of statistics")
    yield from document.items()
