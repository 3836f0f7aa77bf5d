"""Where the header of a file is, and where in it the columns are that the options name."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

import attrs

from energia import Fault, Invalid
from energia_plugins.meter_csv.text import Row
from energia_plugins.meter_csv.words import name, position

#: A header that is found by its names is one of so many rows.
SEARCHED: Final = 200


@attrs.define
class Header:
    """The names of the columns.

    Attributes:
        names: Of all columns; empty where the file has no header.
        line: The number of its line.
        width: How many columns a row has at most, or None if that is not known.
        faults: What is wrong with columns that were looked for.

    """

    names: list[str]
    line: int
    width: int | None
    faults: list[Fault] = attrs.field(factory=list)

    def at(self, option: str, column: str) -> int:
        """Return where a column is, counted from 0; one that is not there becomes a fault."""
        place = position(column)
        if place is not None:
            if self.width is None or place < self.width:
                return place
            return self._refused(option, f"there is no column {column}: there are {self.width}")
        wanted = name(column)
        if self.names.count(wanted) == 1:
            return self.names.index(wanted)
        return self._refused(option, self._missing(option, wanted))

    def span(self, option: str, first: str, last: str, step: int) -> list[int]:
        """Return the columns from *first* to *last*, every *step*-th of them."""
        begin, end = self.at(option, first), self.at(option, last)
        if end < begin and not self.faults:
            self._refused(option, f"the column {last!r} comes before {first!r}")
        return list(range(begin, end + 1, step))

    def refuse(self) -> None:
        """Raise `Invalid` if a column is not there."""
        if self.faults:
            several = f"{len(self.faults)} faults"
            raise Invalid(self.faults[0].message if len(self.faults) == 1 else several, self.faults)

    def _refused(self, option: str, message: str) -> int:
        self.faults.append(Fault("unknown_column", message, f"/query/{option}", line=self.line))
        return 0

    def _missing(self, option: str, wanted: str) -> str:
        if wanted in self.names:
            places = [at for at, found in enumerate(self.names, 1) if found == wanted]
            several = ", ".join(f"#{place}" for place in places[:20])
            return f"there are several columns {wanted!r}: say which one by its place ({several})"
        if not self.names:
            return f"there is no column {wanted!r}; the header has no columns"
        message = f"there is no column {wanted!r}; the header has {_listed(self.names)}"
        if len(self.names) == 1 and (mark := re.search("[;|,]", self.names[0])):
            return f"{message}; if `{mark[0]}` is between them, say `delimiter={mark[0]}`"
        message += f": say in `{option}` which it is"
        return message + ", or `header=named` to look for it further down" * (self.line == 1)


def found(rows: Iterator[Row], where: str, wanted: list[str]) -> tuple[Header, Iterator[Row]]:
    """Return the header and the rows below it.

    Args:
        rows: All rows.
        where: The option `header`.
        wanted: The names of columns that a header has to have.

    Raises:
        Invalid: There is no such row.

    """
    filled = ((line, cells) for line, cells in rows if any(map(str.strip, cells)))
    if where == "none":
        line, cells = next(filled, (1, []))
        rest = chain([(line, cells)], rows) if cells else rows
        return Header([], line, len(cells) or None), rest
    if where == "named":
        line, cells = _named(filled, [name(column) for column in wanted])
    elif where == "first":
        line, cells = next(filled, (1, []))
    else:
        line, cells = _at_line(filled, int(where))
    return Header([name(cell) for cell in cells], line, len(cells)), rows


def _at_line(rows: Iterator[Row], wanted: int) -> Row:
    for line, cells in rows:
        if line == wanted:
            return line, cells
        if line > wanted:
            break
    raise Invalid.of("no_header", f"there is no row that ends on line {wanted}", "/query/header")


def _named(rows: Iterator[Row], wanted: list[str]) -> Row:
    """Return the first row that has all names; raises `Invalid`, which tells the nearest one."""
    best, near = 0, (1, [""])
    for _, (line, cells) in zip(range(SEARCHED), rows, strict=False):
        names = {name(cell) for cell in cells}
        missing = [one for one in wanted if one not in names]
        if not missing:
            return line, cells
        if len(wanted) - len(missing) > best:
            best, near = len(wanted) - len(missing), (line, cells)
    message = f"none of the first {SEARCHED} rows has all of the columns {_listed(wanted)}"
    if best:
        message += f"; line {near[0]} has {_listed([name(cell) for cell in near[1]])}"
    raise Invalid.of("unknown_column", message, "/query/header")


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(one[:60]) for one in names[:30])
    return shown + (", ..." if len(names) > 30 else "") if names else "no columns"
