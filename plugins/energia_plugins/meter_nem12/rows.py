"""The rows that readings are made of: 200 (of what), 300 (a day), 400 (its qualities); and 250.

The positions of cells are those of the Meter Data File Format Specification NEM12 and NEM13,
version 2.6, sections 4.3 to 4.5 and 5.3.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

import attrs

from energia import QUALITIES, Description, MeterRead, Reading, Run, Unfit
from energia.time import FIRST_YEAR, LAST_YEAR, day_number, instant_of

_DAY: Final = 86_400
#: Market time is ten hours ahead of UTC, in all states and all year.
AHEAD: Final = 10 * 3600

#: The quality of the first letter of a quality method; V says that 400 rows follow.
_CODES: Final = {
    "A": QUALITIES.index("actual"),
    "F": QUALITIES.index("substituted"),
    "S": QUALITIES.index("provisional"),
    "E": QUALITIES.index("estimated"),
    "N": QUALITIES.index("missing"),
}
#: Whose energy the first letter of a suffix means, of the streams that are billed.
_DIRECTIONS: Final = {"E": "import", "Q": "import", "B": "export", "K": "export"}
_QUANTITIES: Final = {"wh": "active_energy", "rh": "reactive_energy", "ah": "apparent_energy"}
_VARIABLE: Final = "V"
_METHOD: Final = re.compile(r"[AFSENV][0-9]{0,2}")
_PLAIN: Final = b"0123456789.,-"
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


@attrs.frozen
class Block:
    """What the days below a 200 row are of.

    Attributes:
        nmi: The National Metering Identifier.
        suffix: The data stream of it, such as E1 (from the grid) or B1 (to the grid).
        unit: The unit as it is written, or None.
        interval: The length of a slot in seconds.

    """

    nmi: str
    suffix: str
    unit: str | None
    interval: int

    @property
    def about(self) -> Description | None:
        """What the stream measures."""
        return _described(self.suffix, self.unit)

    @classmethod
    def of(cls, row: bytes) -> "Block":
        """Return what a 200 row says; raises `Unfit`."""
        cells = [_text(cell) for cell in row.split(b",")]
        if len(cells) < 9:
            raise Unfit("missing_column", f"the 200 row has {len(cells)} cells of 9")
        minutes = cells[8]
        if not re.fullmatch("[0-9]{1,3}", minutes) or not int(minutes) or 1440 % int(minutes):
            message = f"the interval length {minutes[:20]!r} is no number of minutes of a day"
            raise Unfit("wrong_interval", message)
        if not cells[1] or not cells[4]:
            raise Unfit("missing_column", "the 200 row has no NMI, or no suffix of it")
        return cls(cells[1], cells[4], cells[7] or None, int(minutes) * 60)

    @property
    def count(self) -> int:
        """How many values a day has."""
        return _DAY // self.interval


@attrs.define
class Day:
    """A 300 row, and the 400 rows below it.

    Attributes:
        line: Where it is.
        start: When it begins, in seconds since 1970-01-01T00:00Z.
        values: A value for each interval, None where it is missing.
        method: Its quality method.
        published: When it was made, if it says so.
        qualities: The codes of the intervals that 400 rows speak of.
        until: The last of these intervals.

    """

    line: int
    start: int
    values: list[Decimal | None]
    method: str
    published: int | None
    qualities: bytearray
    until: int = 0

    @classmethod
    def of(cls, line: int, row: bytes, block: Block) -> "Day":
        """Return what a 300 row says; raises `Unfit`."""
        cells, count = row.split(b","), block.count
        if len(cells) < count + 3:
            message = (
                f"the 300 row has {len(cells)} cells: {block.interval // 60} minutes make "
                f"{count} values and a quality; is the row broken over several lines?"
            )
            raise Unfit("missing_column", message)
        method = _method_of(cells, count, block.interval // 60)
        published = _published(_text(cells[count + 5])) if len(cells) > count + 5 else None
        values = _values(cells[2 : count + 2])
        code = _CODES.get(method[0], 0)
        return cls(line, _midnight(cells[1]), values, method, published, bytearray([code]) * count)

    def note(self, row: bytes) -> None:
        """Take in a 400 row; raises `Unfit`."""
        cells = [_text(cell) for cell in row.split(b",")]
        first, last = (
            (int(cell) if re.fullmatch("[0-9]{1,4}", cell) else 0 for cell in cells[1:3])
            if len(cells) > 3
            else (0, 0)
        )
        if not self.until < first <= last <= len(self.values):
            message = (
                f"the 400 row is of the intervals {','.join(cells[1:3])[:40]}; "
                f"{self.until + 1} to {len(self.values)} are left"
            )
            raise Unfit("bad_range", message)
        method = _method(cells[3], "in the 400 row")
        if method == _VARIABLE or (self.method[0] == _VARIABLE and first != self.until + 1):
            raise Unfit("bad_range", f"no quality is told of the interval {self.until + 1}")
        self.qualities[first - 1 : last] = bytes([_CODES[method[0]]]) * (last - first + 1)
        self.until = last

    def run(self, block: Block, meter: str | None, channel: str | None) -> Run:
        """Return its readings; raises `Unfit` where qualities are not told."""
        if self.method[0] == _VARIABLE and self.until != len(self.values):
            message = (
                f"the quality is V, and 400 rows tell those of {self.until} "
                f"of {len(self.values)} intervals"
            )
            raise Unfit("bad_range", message)
        values = self.values
        if 0 in self.qualities:  # null data: what stands there is no value
            values = [
                value if code else None for value, code in zip(values, self.qualities, strict=True)
            ]
        quality = bytes(self.qualities) if self.until else self.qualities[0]
        names = meter, channel, block.unit
        told = self.published, block.about
        return Run(self.line, self.start, block.interval, values, quality, *names, *told)


@attrs.frozen
class Accumulation:
    """A 250 row: two reads of a register, and the quantity between them.

    Attributes:
        nmi: The National Metering Identifier.
        suffix: The data stream of it.
        serial: The serial number of the meter, or None.
        unit: The unit of the quantity, or None.
        reads: When the register was read, what it showed and the code of the quality, twice.
        quantity: What was used between the reads.

    """

    nmi: str
    suffix: str
    serial: str | None
    unit: str | None
    reads: tuple[tuple[int, Decimal, int], ...]
    quantity: Decimal

    @classmethod
    def of(cls, row: bytes) -> "Accumulation":
        """Return what a row says; raises `Unfit`."""
        cells = [_text(cell) for cell in row.split(b",")]
        if len(cells) < 20:
            raise Unfit("missing_column", f"the 250 row has {len(cells)} cells of 23")
        reads = tuple(_read(cells[at : at + 3], at) for at in (8, 13))
        if not cells[1] or not cells[4]:
            raise Unfit("missing_column", "the 250 row has no NMI, or no suffix of it")
        if reads[1][0] <= reads[0][0]:
            raise Unfit("empty_window", "the current read is not later than the previous one")
        quantity = _needed(cells[18], "quantity")
        return cls(cells[1], cells[4], cells[6] or None, cells[19] or None, reads, quantity)

    @property
    def about(self) -> Description | None:
        """What the stream measures."""
        return _described(self.suffix, self.unit)

    def items(
        self, line: int, ours: tuple[str | None, str | None], *, as_reads: bool
    ) -> Iterator[MeterRead | Reading]:
        """Yield its reads, or the quantity between them."""
        names = (*ours, self.unit)
        if not as_reads:
            (start, _, _), (end, _, quality) = self.reads
            yield Reading(line, self.quantity, start, end, quality, *names, self.about)
            return
        for instant, value, quality in self.reads:
            yield MeterRead(
                line, value, instant, quality, *names, equipment=self.serial, about=self.about
            )


def _read(cells: list[str], at: int) -> tuple[int, Decimal, int]:
    """Return a read of a register; raises `Unfit`."""
    value, moment, written = cells
    instant = _published(moment)
    if instant is None:
        raise Unfit("missing_field", f"the cell {at + 2} has no time of a read")
    method = _method(written, f"in the cell {at + 3}")
    if method[0] not in "AFSE":
        raise Unfit("unknown_quality", f"a read of the quality {method} has no value")
    return instant, _needed(value, f"read in the cell {at + 1}"), _CODES[method[0]]


def _needed(text: str, what: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise Unfit("not_a_number", f"the {what} is {text[:60]!r}, which is no number")
    return Decimal(text)


def _described(suffix: str, unit: str | None) -> Description | None:
    """Return what a suffix says: letters are the market's view, E and Q come from the grid."""
    direction = _DIRECTIONS.get(suffix[:1].upper())
    quantity = _QUANTITIES.get((unit or "").casefold()[-2:])
    return None if direction is None else Description(quantity, direction)


def _text(cell: bytes) -> str:
    return cell.decode("latin-1").strip()


def _method(text: str, where: str) -> str:
    """Return a quality method in capitals; raises `Unfit`."""
    method = text.upper()
    if not _METHOD.fullmatch(method):
        message = (
            f"{where} stands {text[:20]!r}, which is no quality such as A, S14, F52, E, N or V"
        )
        raise Unfit("unknown_quality", message)
    return method


def _method_of(cells: list[bytes], count: int, minutes: int) -> str:
    """Return the quality method after so many values of a 300 row; raises `Unfit`.

    Where it stands after fewer values, or more, they are of another interval than the 200 row says.
    """
    try:
        return _method(_text(cells[count + 2]), f"after {count} values")
    except Unfit:
        texts = (_text(cell).upper() for cell in cells[2:])
        found = next((at for at, text in enumerate(texts) if _METHOD.fullmatch(text)), count)
        if found == count:
            raise
    code = "missing_column" if found < count else "surplus_column"
    message = f"the 300 row has {found} values, and {minutes} minutes make {count} a day"
    raise Unfit(code, message)


def _values(cells: list[bytes]) -> list[Decimal | None]:
    """Return the values of a day; an empty cell is None. Raises `Unfit`."""
    joined = b",".join(cells)
    if not joined.translate(None, _PLAIN):  # nothing but numbers, as almost always
        texts = joined.decode("ascii").split(",")
        try:
            return list(map(Decimal, texts)) if all(texts) else [_plain(text) for text in texts]
        except InvalidOperation:
            pass
    return [_value(index, _text(cell)) for index, cell in enumerate(cells, start=1)]


def _plain(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def _value(index: int, text: str) -> Decimal | None:
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise Unfit("not_a_number", f"the value {index} is {text[:60]!r}, which is no number")
    return Decimal(text)


@lru_cache(maxsize=4096)
def _midnight(cell: bytes) -> int:
    """Return when a day of market time begins, in seconds of UTC; raises `Unfit`."""
    text = _text(cell)
    try:
        if not re.fullmatch("[0-9]{8}", text):
            raise ValueError(text)
        day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise Unfit("not_a_time", f"{text[:40]!r} is not a day, YYYYMMDD") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Unfit("out_of_range", f"the years are {FIRST_YEAR} to {LAST_YEAR}")
    return day_number(day) * _DAY - AHEAD


@lru_cache(maxsize=4096)
def _published(text: str) -> int | None:
    """Return an UpdateDateTime in seconds of UTC, None for an empty one; raises `Unfit`."""
    if not text:
        return None
    try:
        if not re.fullmatch("[0-9]{12}(?:[0-9]{2})?", text):
            raise ValueError(text)
        moment = datetime.strptime(text.ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        return instant_of(moment) - AHEAD
    except ValueError:
        message = f"the UpdateDateTime {text[:40]!r} is not YYYYMMDDhhmmss"
        raise Unfit("not_a_time", message) from None
