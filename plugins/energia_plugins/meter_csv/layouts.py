"""Rows as readings: a row for each time stamp, or a row for each day with its intervals beside.

A layout is made of the header and the options. What is needed for each row is found out before the
first one; a file of millions of rows is read by little more than lookups of what was read before.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from itertools import groupby, islice, pairwise
from operator import itemgetter
from typing import Final

import attrs
import numpy as np

from energia import ACTUAL, Decimals, EnergiaError, Fault, Problem, Reading, Readings
from energia.time import Int64, slot_of
from energia_plugins.meter_csv.cells import (
    BadQuality,
    BadValue,
    Numbers,
    Qualities,
    Values,
    added,
    multiplied,
)
from energia_plugins.meter_csv.columns import Mask
from energia_plugins.meter_csv.days import Days, clocks_of, distance_of, in_doubt
from energia_plugins.meter_csv.header import Header
from energia_plugins.meter_csv.options import TableOptions
from energia_plugins.meter_csv.origins import BadWord, Origin, Origins, Slot
from energia_plugins.meter_csv.stamps import Stamps, part_of
from energia_plugins.meter_csv.text import PlainRows, Row, Table
from energia_plugins.meter_csv.times import BadTime, Moments
from energia_plugins.meter_csv.words import items, name, plain, qualities_of, span_of

Items = Iterator[Reading | Readings | Problem]
#: How many days are remembered.
_DAYS: Final = 1000
#: So many rows are read at a time, where they are read column by column.
_BLOCK: Final = 256
#: Odd rows are read by themselves where they begin or end in one of so many rows.
_RARE: Final = 128
#: So many rows are read as texts at a time, where odd ones are more.
_PART: Final = 2000
#: Rows of one series that follow each other, from so many on.
_FEW: Final = 8
#: What is wrong with a row as a whole.
_BAD: Final = (BadTime, BadWord, BadQuality, BadValue)


def values_as(options: TableOptions) -> tuple[Values, str | None]:
    """Return what reads the values of a file, and the unit that they have then."""
    multiplier, divisor, unit = options.factor, Decimal(1), options.unit
    if options.power is not None:
        ratio = Decimal(options.seconds or 0), Decimal(3600)
        if ratio[0] and not ratio[1] % ratio[0]:
            divisor = ratio[1] // ratio[0]
        else:
            multiplier, divisor = multiplier * ratio[0], ratio[1]
        unit = f"{options.power}h"
    missing = frozenset(items(options.missing_words or ""))
    numbers = Numbers.marked(options.decimal, options.thousands)
    return Values(numbers, missing, multiplier, divisor, options.power or options.unit), unit


def qualities_as(options: TableOptions) -> Qualities:
    """Return what reads the qualities of a file."""
    return Qualities({} if options.quality_words is None else qualities_of(options.quality_words))


def interval_of(options: TableOptions, clocks: Sequence[int] = ()) -> int | None:
    """Return the length of slots in seconds, as it is said or as *clocks* of columns are apart.

    None where nothing tells it, where rows have lengths of their own, and of reads of registers.
    """
    if options.reads or options.length is not None or options.end_column is not None:
        return None
    return options.seconds or distance_of(clocks)


def _code(error: ValueError) -> str:
    """Return the code of what is wrong with a row."""
    if isinstance(error, BadTime | BadWord):
        return error.code
    return "unknown_quality" if isinstance(error, BadQuality) else "not_a_number"


@attrs.frozen
class Shape:
    """How many columns a row has.

    Attributes:
        needed: How many it has at least.
        columns: How many the header has; None where that is not known.
        start: The column of stamps,
        title: and its name.
        values: The columns of values.

    """

    needed: int
    columns: int | None
    start: int
    title: str
    values: tuple[int, ...]

    def unfit(self, cells: list[str]) -> bool:
        """Tell whether a row has too few or too many columns."""
        # An unquoted decimal comma makes a cell more: "1,5" would be read as 1.
        more = self.columns is not None and any(map(str.strip, cells[self.columns :]))
        return more or len(cells) < self.needed

    def fault(self, line: int, cells: list[str]) -> Iterator[Problem]:
        """Yield what is wrong with the columns of a row; nothing if it is blank."""
        if len(cells) >= self.needed:
            message = (
                f"the row has {_columns(len(cells))}; the header has {self.columns}: a decimal "
                "comma between commas needs quotes, or another `delimiter`"
            )
            yield Problem(line, "surplus_column", message)
        elif any(map(str.strip, cells)):
            message = (
                f"the row has {_columns(len(cells))}; {self.needed} are needed: `where`, `until` "
                "and `footer_rows` leave out rows that are no readings"
            )
            yield Problem(line, "missing_column", message)

    def says_nothing(self, cells: list[str]) -> bool:
        """Tell whether a row has neither a stamp nor a value, or is the header once more."""
        if not any(cells[at].strip() for at in (self.start, *self.values)):
            return True
        return bool(self.title) and name(cells[self.start]) == self.title


def _columns(number: int) -> str:
    return f"{number} column{'s' if number != 1 else ''}"


@attrs.frozen
class LongLayout:
    """A row for each time stamp, with one value or several.

    Attributes:
        shape: How many columns a row has.
        stamps: Reads when it is.
        origins: Reads whose values it has.
        values: Reads numbers.
        quality: The column of qualities, if there is one.
        qualities: Reads them.
        unit: The unit of the values, where no column has it.
        units: The column of units, if there is one.
        ends: Whether stamps are ends.
        blank: What is done with a sum of which something is missing.
        until: Reads when a row ends, where rows have lengths of their own.
        interval: The length of a slot, if it is said.
        factor: The column of what values are multiplied by, if there is one,
        factors: and what reads it.

    """

    shape: Shape
    stamps: Stamps
    origins: Origins
    values: Values
    quality: int | None
    qualities: Qualities
    unit: str | None
    units: int | None
    ends: bool
    blank: str
    until: Stamps | None = None
    interval: int | None = None
    factor: int | None = None
    factors: Numbers | None = None

    @classmethod
    def of(cls, header: Header, options: TableOptions) -> "LongLayout":
        """Return the layout of a file; raises `Invalid` where a column is not there."""
        stamps, origins = Stamps.of(header, options), Origins.of(header, options)
        quality, until = _quality_column(header, options), Stamps.of_ends(header, options)
        units, factor = (
            None if column is None else header.at(option, column)
            for option, column in (
                ("unit_column", options.unit_column),
                ("factor_column", options.factor_column),
            )
        )
        header.refuse()
        values, unit = values_as(options)
        columns = [at for _, each in origins.values for at in each]
        others = [stamps.time, origins.meter, origins.channel, quality, units, factor]
        others.append(None if until is None else until.start)
        return cls(
            _shape(header, stamps.start, columns, others),
            stamps,
            origins,
            values,
            quality,
            qualities_as(options),
            unit,
            units,
            stamps.ends,
            options.sum_blank,
            until,
            interval_of(options),
            factor,
            Numbers.marked(options.decimal, options.thousands),
        )

    def readings(self, rows: Iterable[Row], text: Table | None = None) -> Items:
        """Yield the readings and problems of rows, which are those of a *text* as it is."""
        others = (self.quality, self.factor, self.until, self.units)
        if self.stamps.times is None or any(one is not None for one in others):
            yield from self._one_by_one(rows, self._slot)
        elif text is None:
            yield from self._by_blocks(_blocks(rows))
        else:
            for some in _rows(text, self.shape.columns or 0):
                if isinstance(some, PlainRows):
                    yield from self._of_plain(some)
                else:
                    yield from self._by_blocks([some])

    def _by_blocks(self, blocks: Iterable[list[Row]]) -> Items:
        for block in blocks:
            for part, origin in self._by_origin(block):
                found = None
                if origin is not None and not _is_of_several(origin):
                    found = self._of_block(part, origin)
                if found is None:
                    yield from self._one_by_one(part, self._slot)
                else:
                    yield found

    def _of_plain(self, plain: PlainRows) -> Items:
        """Yield the readings and problems of rows, those of one series together where they can."""
        columns = self._read_columns(plain)
        cuts = [0] if columns is None else [0, *columns.cuts]
        for first, past in pairwise([*cuts, len(plain.lines)]):
            rows = plain.part(first, past)
            if columns is not None and not columns.odd[first]:
                yield from self._of_series(rows, columns.part(first, past))
                continue
            for part in rows.parts(_PART):
                yield from self._of_series(part, None)

    def _of_series(self, plain: PlainRows, columns: "_ReadColumns | None") -> Items:
        named = [at for at in (self.origins.meter, self.origins.channel) if at is not None]
        cuts, count = plain.cuts(named), len(plain.lines)
        if len(cuts) * _FEW > count:
            yield from self._by_blocks(_blocks(plain.rows(0, count)))
            return
        for first, past in pairwise([*cuts, count]):
            found = self._series(plain, columns, first, past)
            if found is None:
                yield from self._by_blocks(_blocks(plain.rows(first, past)))
            else:
                yield found

    def _read_columns(self, plain: PlainRows) -> "_ReadColumns | None":
        """Return the values and the stamps of rows of bytes; None where they are read as texts."""
        value_columns = {at for _, each in self.origins.values for at in each}
        if plain.table is None or len(value_columns) != 1 or self.stamps.times is None:
            return None
        found = self.values.column(plain.table.cells(*value_columns))
        if found is None:
            return None
        values, odd = found
        moments = self.stamps.times.column(plain.table.cells(self.shape.start))
        columns = _ReadColumns(values, moments, odd | moments.odd)
        return None if len(columns.cuts) * _RARE > len(odd) else columns

    def _series(
        self, plain: PlainRows, columns: "_ReadColumns | None", first: int, past: int
    ) -> Readings | None:
        """Return the readings of rows of one origin; None where each row is to be looked at."""
        try:
            origin = self.origins.read(plain.cells(first))
        except BadWord:
            return None
        if origin is None or _is_of_several(origin):
            return None
        lines = plain.lines[first:past]
        if columns is None:
            (at,) = origin.slots[0].columns
            stamps, cells = plain.columns[self.shape.start], plain.columns[at]
            return self._together(lines, stamps[first:past], cells[first:past], origin)
        assert self.stamps.times is not None
        values, moments = columns.values[first:past], columns.moments.part(first, past)
        series, blank = self._series_of(origin), values[-1] is None
        instants = self.stamps.times.instants(moments, series, blank)
        if instants is None:
            return None
        names = origin.slots[0].meter, origin.slots[0].channel, self.unit
        return Readings(lines, values, _array(instants), self.ends, *names, self.interval)

    def _by_origin(self, rows: list[Row]) -> Iterator[tuple[list[Row], Origin | None]]:
        """Yield rows that follow each other and are of one origin, with it; None for others."""
        named = [at for at in (self.origins.meter, self.origins.channel) if at is not None]
        if not named:
            yield rows, self.origins.read(())
            return
        try:
            words = list(map(itemgetter(*named), [cells for _, cells in rows]))
        except IndexError:
            yield rows, None
            return
        parts = [rows]
        if words.count(words[0]) < len(words):
            pairs = groupby(zip(words, rows, strict=True), itemgetter(0))
            parts = [[row for _, row in part] for _, part in pairs]
        if len(parts) * _FEW > len(rows):
            yield rows, None  # of one series after the other: together they are nothing
            return
        for part in parts:
            try:
                yield part, self.origins.read(part[0][1])
            except BadWord:
                yield part, None

    def _one_by_one(self, rows: Iterable[Row], slot: Slot | None) -> Items:
        """Yield the readings and problems of rows, of which each has one value for a *slot*."""
        columns = self.shape.columns
        for line, cells in rows:
            if len(cells) != columns and self.shape.unfit(cells):
                yield from self.shape.fault(line, cells)
                continue
            try:
                if slot is None:
                    yield from self._row(line, cells)
                elif (reading := self._read(line, cells, None, slot)) is not None:
                    yield reading
            except _BAD as error:
                if not self.shape.says_nothing(cells):
                    yield Problem(line, _code(error), str(error))

    def _of_block(self, rows: list[Row], origin: Origin) -> Readings | None:
        """Return the readings of rows with nothing but a stamp and a value, column by column.

        None where something is wrong with a row, or special: then each is looked at. That most
        files have nothing of it saves a third of the time.
        """
        (slot,), start = origin.slots, self.shape.start
        (at,) = slot.columns
        lines, table = [line for line, _ in rows], [cells for _, cells in rows]
        if set(map(len, table)) != {self.shape.columns}:
            return None
        cells = [cells[at] for cells in table]
        return self._together(lines, [cells[start] for cells in table], cells, origin)

    def _together(
        self, lines: Sequence[int], stamps: list[str], cells: list[str], origin: Origin
    ) -> Readings | None:
        """Return the readings of a column of stamps and one of values; None as `_of_block`."""
        try:
            values = self.values.each(cells)
        except BadValue:
            return None
        assert self.stamps.times is not None
        instants = self.stamps.times.block(stamps, self._series_of(origin), values)
        if instants is None:
            return None
        names = origin.slots[0].meter, origin.slots[0].channel, self.unit
        return Readings(lines, values, instants, self.ends, *names, self.interval)

    def _series_of(self, origin: Origin) -> object:
        """Return what tells the rows of an origin from those of others."""
        return None if self._slot is not None else origin.series

    @property
    def _slot(self) -> Slot | None:
        """Where the one value of each row goes; None where that differs, or there are several."""
        if self.origins.meter is not None or self.origins.channel is not None:
            return None
        origin = self.origins.read(())
        return None if origin is None or _is_of_several(origin) else origin.slots[0]

    def _row(self, line: int, cells: list[str]) -> Iterable[Reading]:
        """Return the readings of a row; raises one of `_BAD`."""
        origin = self.origins.read(cells)
        if origin is None:
            return ()
        if _is_of_several(origin):
            return self._several(line, cells, origin)
        reading = self._read(line, cells, origin.series, origin.slots[0])
        return () if reading is None else (reading,)

    def _read(self, line: int, cells: list[str], series: object, slot: Slot) -> Reading | None:
        """Return the reading of a row with one value; raises one of `_BAD`."""
        value = self.values.read(cells[slot.columns[0]])
        if value is not None and self.factor is not None:
            value = self._times(value, cells)
        instant = self.stamps.read(cells, series, value is None)
        if instant is None:
            return None
        quality = ACTUAL
        if self.quality is not None:
            written = cells[self.quality]
            quality = self.qualities.read(written)
            if value is None and not written.strip():
                return None
        start, end = slot_of(instant, self.interval, end=self.ends)
        if self.until is not None:
            end = self._end(cells, series, instant)
        unit = self.unit if self.units is None else self._unit(cells[self.units])
        return Reading(line, value, start, end, quality, slot.meter, slot.channel, unit)

    def _unit(self, cell: str) -> str | None:
        return plain(cell) or self.unit

    def _end(self, cells: list[str], series: object, start: int) -> int:
        """Return when a row ends; raises `BadTime`."""
        assert self.until is not None
        end = self.until.read(cells, (series, "end"), False)
        if end is None or end <= start:
            raise BadTime("empty_window", f"the end {cells[self.until.start][:40]!r} is not later")
        return end

    def _times(self, value: Decimal, cells: list[str]) -> Decimal:
        """Return a value times the factor of its row; raises `BadValue`."""
        assert self.factor is not None
        assert self.factors is not None
        return multiplied(value, self.factors.read(plain(cells[self.factor])))

    def _several(self, line: int, cells: list[str], origin: Origin) -> Iterable[Reading]:
        """Return the readings of a row that has several values, or sums."""
        values = [self._sum(cells, slot) for slot in origin.slots]
        blank = values.count(None) == len(values)
        instant = self.stamps.read(cells, origin.series, blank)
        written = "" if self.quality is None else cells[self.quality]
        quality = self.qualities.read(written)
        if instant is None or (blank and self.quality is not None and not written.strip()):
            return ()
        if self.factor is not None:
            values = [None if one is None else self._times(one, cells) for one in values]
        start, end = slot_of(instant, self.interval, end=self.ends)
        if self.until is not None:
            end = self._end(cells, origin.series, instant)
        unit = self.unit if self.units is None else self._unit(cells[self.units])
        return [
            Reading(line, value, start, end, quality, slot.meter, slot.channel, unit)
            for slot, value in zip(origin.slots, values, strict=True)
        ]

    def _sum(self, cells: list[str], slot: Slot) -> Decimal | None:
        if len(slot.columns) == 1:
            return self.values.read(cells[slot.columns[0]])
        read = [self.values.read(cells[column]) for column in slot.columns]
        found = [value for value in read if value is not None]
        if len(found) < len(read) and found:
            if self.blank == "refuse":
                message = (
                    "of the columns of a sum some are blank and others are not: "
                    "say `sum_blank=zero`, or `sum_blank=missing`"
                )
                raise BadValue(message)
            if self.blank == "missing":
                return None
        return added(found) if found else None


@attrs.frozen(eq=False)
class _ReadColumns:
    """The values and stamps of rows.

    Attributes:
        values: The values.
        moments: The stamps.
        odd: Which rows are to be read as texts.

    """

    values: Decimals
    moments: Moments
    odd: Mask

    @property
    def cuts(self) -> list[int]:
        """Where rows begin to be odd, or not to be, or to have stamps with offsets."""
        changed = self.odd[1:] != self.odd[:-1]
        changed |= self.moments.has_offset[1:] != self.moments.has_offset[:-1]
        cuts: list[int] = (np.flatnonzero(changed) + 1).tolist()
        return cuts

    def part(self, first: int, past: int) -> "_ReadColumns":
        """Return those of some rows."""
        moments = self.moments.part(first, past)
        return _ReadColumns(self.values[first:past], moments, self.odd[first:past])


@attrs.frozen
class _Block:
    """Rows, and what is wrong with the file after them."""

    rows: list[Row]
    fault: EnergiaError | None

    def given(self) -> Iterator[list[Row]]:
        """Yield the rows, if there are any, and raise what is wrong."""
        if self.rows:
            yield self.rows
        if self.fault is not None:
            raise self.fault


def _block(rows: Iterator[Row], most: int) -> _Block:
    """Return the next rows."""
    block: list[Row] = []
    try:
        block.extend(islice(rows, most))
    except EnergiaError as error:
        return _Block(block, error)
    return _Block(block, None)


def _rows(text: Table, width: int) -> Iterator[PlainRows | list[Row]]:
    """Yield the rows of a text: those that are plain and have so many cells, and others, in turn.

    What comes before a fault of the file comes before it.
    """
    rows = iter(text.rows)
    while True:
        if (plain := text.plain_rows(width)) is not None:
            yield plain
            continue
        block = _block(rows, text.left(_BLOCK))
        yield from block.given()
        if not block.rows:
            return


def _blocks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield rows, many at a time; what comes before a fault of the file comes before it."""
    rows = iter(rows)
    while True:
        block = _block(rows, _BLOCK)
        yield from block.given()
        if not block.rows:
            return


def _array(numbers: Int64) -> "array[int]":
    return array("q", numbers.tobytes())


def _is_of_several(origin: Origin) -> bool:
    return len(origin.slots) > 1 or len(origin.slots[0].columns) > 1


def _quality_column(header: Header, options: TableOptions) -> int | None:
    column = options.quality_column
    return None if column is None else header.at("quality_column", column)


def _shape(
    header: Header, start: int, values: Iterable[int], others: Iterable[int | None]
) -> Shape:
    values = tuple(values)
    needed = max(start, *values, *(column for column in others if column is not None)) + 1
    title = header.names[start] if start < len(header.names) else ""
    return Shape(needed, header.width, start, title, values)


# A row for each day.


@attrs.define
class WideLayout:
    """A row for each day, with a column for each of its intervals.

    Attributes:
        shape: How many columns a row has.
        day: The column of dates.
        row: The instants of its intervals.
        columns: The columns of the intervals.
        flags: The columns of their qualities: one for all, as many as intervals, or none.
        origins: Reads whose values a row has.
        values: Reads numbers.
        qualities: Reads qualities.
        unit: The unit of the values.
        ends: Whether the instants are ends.
        interval: The length of a slot; None where the columns do not tell.

    """

    shape: Shape
    day: int
    row: "_Row"
    columns: list[int]
    flags: list[int]
    origins: Origins
    values: Values
    qualities: Qualities
    unit: str | None
    ends: bool
    interval: int | None

    @classmethod
    def of(cls, header: Header, options: TableOptions) -> "WideLayout":
        """Return the layout of a file; raises `Invalid` where it does not fit the header."""
        day = header.at("start_column", options.start_column)
        columns = header.span("wide", *span_of(options.wide or ""))
        flags, origins = _flags(header, options, len(columns)), Origins.of(header, options)
        by_number = options.time_format == "number"
        part = partial(part_of, mark=options.range_mark, end=options.stamp == "end")
        known = by_number or bool(header.faults)
        clocks = [] if known else clocks_of(header, options, columns, part)
        header.refuse()
        values, unit = values_as(options)
        ends = options.stamp == "end" and not by_number
        return cls(
            _shape(header, day, columns, [*flags, origins.meter, origins.channel]),
            day,
            _Row(Days.of(options), len(columns), clocks, ends),
            columns,
            flags,
            origins,
            values,
            qualities_as(options),
            unit,
            ends,
            interval_of(options, [seconds for seconds, _ in clocks]),
        )

    def readings(self, rows: Iterable[Row], text: Table | None = None) -> Items:
        """Yield the readings and problems of rows, which are those of a *text* as it is."""
        if text is None or self.flags:
            yield from self._one_by_one(rows)
            return
        for some in _rows(text, self.shape.columns or 0):
            if isinstance(some, PlainRows):
                yield from self._of_plain(some)
            else:
                yield from self._one_by_one(some)

    def _of_plain(self, plain: PlainRows) -> Items:
        """Yield the readings and problems of rows, whole days of a meter together."""
        found, count = self._days(plain), len(plain.lines)
        if found is None:
            yield from self._one_by_one(plain.rows(0, count))
            return
        values, days, odd = found
        named = [at for at in (self.origins.meter, self.origins.channel) if at is not None]
        changes = np.flatnonzero(odd[1:] != odd[:-1]) + 1
        cuts, width = sorted({*plain.cuts(named), *changes.tolist()}), len(self.columns)
        for first, past in pairwise([*cuts, count]):
            slot = None if odd[first] else self._slot(plain.cells(first))
            if slot is None:
                yield from self._one_by_one(plain.rows(first, past))
                continue
            lines = np.repeat(np.arange(first, past) + plain.lines.start, width)
            instants = np.concatenate([day for day in days[first:past] if day is not None])
            numbers = values[first * width : past * width]
            names = slot.meter, slot.channel, self.unit
            yield Readings(
                _array(lines), numbers, _array(instants), self.ends, *names, self.interval
            )

    def _slot(self, cells: list[str]) -> Slot | None:
        """Return where the values of a row go; None for none, or a wrong word."""
        try:
            origin = self.origins.read(cells)
        except BadWord:
            return None
        return None if origin is None else origin.slots[0]

    def _days(self, plain: PlainRows) -> tuple[Decimals, list[Int64 | None], Mask] | None:
        """Return the values of days, their instants, and which rows are to be read as texts.

        None where all are. Odd is a day that has not all its intervals, and nothing but numbers.
        """
        first, past, width = self.columns[0], self.columns[-1] + 1, len(self.columns)
        if plain.table is None or past - first != width:
            return None
        found = self.values.column(plain.table.cells(first, past))
        if found is None:
            return None
        values, odd = found
        days = list(map(self.row.whole, plain.table.cells(self.day).texts()))
        if not self.row.clocks:  # which columns are filled tells how they are counted
            odd |= values.places < 0
        odd_days = np.array([day is None for day in days])
        return values, days, odd.reshape(-1, width).any(axis=1) | odd_days

    def _one_by_one(self, rows: Iterable[Row]) -> Items:
        columns = self.shape.columns
        for line, cells in rows:
            if len(cells) != columns and self.shape.unfit(cells):
                yield from self.shape.fault(line, cells)
                continue
            try:
                origin = self.origins.read(cells)
                if origin is not None:
                    yield from self._day(line, cells, origin.slots[0])
            except _BAD as error:
                if not self.shape.says_nothing(cells):
                    yield Problem(line, _code(error), str(error))

    def _day(self, line: int, cells: list[str], slot: Slot) -> Items:
        """Yield the readings of a day; raises `BadTime` or `BadQuality`."""
        day = plain(cells[self.day])
        instants = self.row.instants(day)
        if not self.row.clocks:
            self.row.refuse_doubt(day, [bool(cells[at].strip()) for at in self.columns])
        qualities = [self.qualities.read(cells[column]) for column in self.flags] or [ACTUAL]
        if not self.flags and (found := self._whole(line, cells, slot, instants)) is not None:
            yield found
            return
        if len(qualities) == 1:
            qualities *= len(instants)
        meter, channel, unit = slot.meter, slot.channel, self.unit
        ends, interval = self.ends, self.interval
        known = self.values.known
        for column, instant, quality in zip(self.columns, instants, qualities, strict=True):
            cell = cells[column]
            try:
                value = known[cell] if cell in known else self.values.read(cell)
            except BadValue as error:
                yield Problem(line, "not_a_number", f"column {column + 1}: {error}")
                continue
            if instant is None:
                if value is not None:
                    yield Problem(line, "impossible_time", self._surplus(cells, column))
                continue
            start, end = slot_of(instant, interval, end=ends)
            yield Reading(line, value, start, end, quality, meter, channel, unit)

    def _whole(
        self, line: int, cells: list[str], slot: Slot, instants: list[int | None]
    ) -> Readings | None:
        """Return the readings of a day that has all its intervals, and nothing but numbers."""
        columns = self.columns
        try:
            values = self.values.each(cells[columns[0] : columns[-1] + 1])
        except BadValue:
            return None
        known = [instant for instant in instants if instant is not None]
        if not len(known) == len(instants) == len(values):
            return None
        names = slot.meter, slot.channel, self.unit
        return Readings([line] * len(values), values, known, self.ends, *names, self.interval)

    def _surplus(self, cells: list[str], column: int) -> str:
        return (
            f"column {column + 1} has {cells[column].strip()[:40]!r}, but {cells[self.day][:40]} "
            "has no such interval"
        )


def _flags(header: Header, options: TableOptions, count: int) -> list[int]:
    """Return the columns of the qualities of a day."""
    if options.wide_quality is None:
        column = _quality_column(header, options)
        return [] if column is None else [column]
    flags = header.span("wide_quality", *span_of(options.wide_quality))
    if len(flags) != count and not header.faults:
        message = f"`wide` has {count} columns, and `wide_quality` {len(flags)}"
        header.faults.append(Fault("bad_span", message, "/query/wide_quality"))
    return flags


@attrs.define
class _Row:
    """The instants of the columns of a day, each day found out once.

    Attributes:
        days: What dates mean.
        count: How many columns there are.
        clocks: Their times of day; empty where they are counted.
        ends: Whether these are ends.

    """

    days: Days
    count: int
    clocks: list[tuple[int, int]]
    ends: bool
    _known: dict[str, list[int | None]] = attrs.field(factory=dict, init=False)
    _whole: dict[str, Int64 | None] = attrs.field(factory=dict, init=False)

    def whole(self, text: str) -> Int64 | None:
        """Return the instants of a day whose columns are filled; None for a closer look at it."""
        if text not in self._whole:
            if len(self._whole) >= _DAYS:
                self._whole.clear()
            self._whole[text] = self._all(plain(text))
        return self._whole[text]

    def _all(self, day: str) -> Int64 | None:
        try:
            instants = self.instants(day)
            if not self.clocks:
                self.refuse_doubt(day, [True] * self.count)
        except BadTime:
            return None
        return None if None in instants else np.array(instants, np.int64)

    def instants(self, text: str) -> list[int | None]:
        """Return the instants of a day, None for those that it has not; raises `BadTime`."""
        found = self._known.get(text)
        if found is None:
            if len(self._known) >= _DAYS:
                self._known.clear()
            found = self._known[text] = self._first(text)
        return found

    def _first(self, text: str) -> list[int | None]:
        if self.clocks:
            return self.days.by_clock(text, self.clocks, end=self.ends)
        return self.days.instants(text, self.count)

    def refuse_doubt(self, text: str, filled: list[bool]) -> None:
        """Refuse a long day whose columns are filled as on other days; raises `BadTime`."""
        last = self.days.doubtful(text)
        if last and any(filled) and not any(filled[last:]):
            raise in_doubt(text)
