"""The decoder of the format `nem12`: a file, or a zip archive of files."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Literal

import attrs

from energia import (
    Item,
    Malformed,
    NameOptions,
    Names,
    Problem,
    Run,
    Unfit,
    archive_files,
    archive_head,
)
from energia_plugins.meter_nem12.lines import rows
from energia_plugins.meter_nem12.rows import Accumulation, Block, Day

#: How a file begins: with a header, or in the middle of one.
_BEGINS: Final = re.compile(
    rb"(?i)(?:\xef\xbb\xbf)?\s*(?:100,\s*NEM1[23]\b|200,(?:[^,\r\n]*,){7}\d)"
)
_REGISTER: Final = b"250"
_FIRST: Final = (b"100", b"200", _REGISTER)


@attrs.frozen
class Nem12Options(NameOptions):
    """What stands for the NMIs and suffixes of a file, which are taken as ids by default.

    Attributes:
        accumulated: What is taken of rows of registers (NEM13): their `reads`, for channels of kind
            `register`, or the `quantity` between two, for those of kind `irregular`.

    """

    accumulated: Literal["reads", "quantity"] = "reads"


class Nem12Decoder:
    """Reads interval readings of the Australian market."""

    name = "nem12"
    options: type = Nem12Options
    examples = (
        b"100,NEM12,202603021200,MDP,RETAILER\r\n200,6305131234,E1,1,E1,,METER,KWH,360,\r\n"
        b"300,20260301,0.25,0,,1.5,V,,,20260302000000,\r\n400,1,2,A,,\r\n400,3,4,S14,,\r\n900\r\n",
        b"100,NEM13,202603021200,MDP,RETAILER\r\n250,6305131234,1141,01,11,11,M1,E,1200,"
        b"20260105100000,A,,,1500.5,20260405110000,E64,,,300.5,KWH,20260705,20260406000000,\r\n900\r\n",
        b"\r\n200,6305131234,E1B1,1,B1,,METER,Wh,720,\n300,20260301,5,10,A\n300,20260302,1,.5,E52\n",
    )

    def sniff(self, head: bytes) -> bool:
        """Tell a file by its 100 row, or by a 200 row where it has none."""
        return _BEGINS.match(archive_head(head)) is not None

    def decode(self, chunks: Iterable[bytes], options: Any) -> Iterator[Item]:
        """Yield a run for each day and data stream, two reads for each row of a register, problems.

        Raises:
            Malformed: It is no such file.
            Invalid: It names several meters or channels where one was given.

        """
        names = Names.of(options)
        for name, pieces in archive_files(chunks):
            file = _File(names, f"{name}: " if name else "", options.accumulated == "reads")
            yield from file.read(pieces)


@attrs.define
class _File:
    """One file while it is read.

    Attributes:
        names: Turn its names into ours.
        where: Stands before each message: which file of an archive it is.
        as_reads: Whether rows of registers are their reads, and not the quantity between them.
        block: What the days are of; None before the first 200 row and below a bad one.
        day: The last 300 row, while 400 rows may follow.

    """

    names: Names
    where: str
    as_reads: bool
    block: Block | None = None
    day: Day | None = None

    def read(self, chunks: Iterable[bytes]) -> Iterator[Item]:
        """Yield what the rows say; raises `Malformed` for what is no such file."""
        begun = False
        for line, row in rows(chunks):
            kind = row.partition(b",")[0].strip()
            if not begun and kind not in _FIRST:
                raise Malformed(f"{self.where}line {line}: no NEM12 file begins with {row[:20]!r}")
            begun = True
            if kind != b"400":
                yield from self._finish()
            yield from self._take(line, kind, row)
        if not begun:
            raise Malformed(f"{self.where}the file is empty")
        yield from self._finish()

    def _take(self, line: int, kind: bytes, row: bytes) -> Iterator[Item]:
        if kind == _REGISTER:
            yield from self._register(line, row)
            return
        take = _ROWS.get(kind)
        if take is None:
            shown = kind[:20].decode("latin-1")
            yield self._problem(line, "unknown_row", f"there is no row of the kind {shown!r}")
            return
        try:
            take(self, line, row)
        except Unfit as error:
            yield self._problem(line, error.code, str(error))

    def _finish(self) -> Iterator[Run | Problem]:
        """Yield the readings of the day that is over."""
        day, block, self.day = self.day, self.block, None
        if day is None or block is None:
            return
        ours = self.names.ours(block.nmi, block.suffix, day.line)
        if ours is None:
            return
        try:
            yield day.run(block, *ours)
        except Unfit as error:
            yield self._problem(day.line, error.code, str(error))

    def _problem(self, line: int, code: str, message: str) -> Problem:
        return Problem(line, code, f"{self.where}{message}")

    def _header(self, line: int, row: bytes) -> None:
        version = (row + b",").split(b",")[1].strip().upper()
        if version not in (b"NEM12", b"NEM13"):
            shown = version[:20].decode("latin-1")
            raise Malformed(f"{self.where}line {line}: the file says it is {shown!r}, not NEM12")

    def _begin_block(self, line: int, row: bytes) -> None:
        self.block = None
        self.block = Block.of(row)

    def _begin_day(self, line: int, row: bytes) -> None:
        if self.block is None:
            raise Unfit("no_block", "the 300 row has no 200 row before it that can be read")
        self.day = Day.of(line, row, self.block)

    def _note_qualities(self, line: int, row: bytes) -> None:
        if self.day is not None:  # else of a day that was refused, with all of its qualities
            try:
                self.day.note(row)
            except Unfit:
                self.day = None
                raise

    def _register(self, line: int, row: bytes) -> Iterator[Item]:
        """Yield what a row of a register says, or its problem."""
        try:
            register = Accumulation.of(row)
            ours = self.names.ours(register.nmi, register.suffix, line)
            if ours is not None:
                yield from register.items(line, ours, as_reads=self.as_reads)
        except Unfit as error:
            yield self._problem(line, error.code, str(error))

    def _pass(self, line: int, row: bytes) -> None:
        """Pass over what says nothing of readings: B2B details (500, 550) and the end (900)."""


_ROWS: Final[Mapping[bytes, Callable[[_File, int, bytes], None]]] = {
    b"100": _File._header,
    b"200": _File._begin_block,
    b"300": _File._begin_day,
    b"400": _File._note_qualities,
    b"500": _File._pass,
    b"550": _File._pass,
    b"900": _File._pass,
}
