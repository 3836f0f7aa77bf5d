"""The decoder of the format `csv`.

What reads tables is imported when there is a file: in a worker thread, and most services have none.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from energia import Item, MeterRead, Problem, Proposal, Reading, Readings
from energia.time import Zone
from energia_plugins.meter_csv.options import CsvOptions, TableOptions
from energia_plugins.meter_csv.presets import presets
from energia_plugins.meter_csv.words import (
    Condition,
    conditions_of,
    plain,
    position,
    span_of,
    values_of,
)

if TYPE_CHECKING:
    from energia_plugins.meter_csv.header import Header
    from energia_plugins.meter_csv.layouts import Items
    from energia_plugins.meter_csv.text import Row, Table


class CsvDecoder:
    """Reads comma-separated values, as `CsvOptions` declares them."""

    name = "csv"
    options: type = CsvOptions
    examples = (
        b"start,value\n2026-03-02T00:00:00Z,1.25\n2026-03-02T00:15:00Z,0\n",
        b'\xef\xbb\xbfstart,value\r\n"2026-03-02T00:00:00+01:00","-0.5"\r\n',
    )

    @property
    def presets(self) -> Mapping[str, Mapping[str, Any]]:
        """The mappings that come with the plugin, by name."""
        return presets(CsvOptions)

    def propose(self, head: bytes, said: Mapping[str, str], zone: str | None) -> Proposal:
        """Return the options by which a file may be read, with their doubts."""
        from energia_plugins.meter_csv.proposal import proposal

        return proposal(head, said, zone)

    def decode(self, chunks: Iterable[bytes], options: Any) -> Iterator[Item]:
        """Yield a reading or a problem for each value below the header that says something.

        Raises:
            Malformed: It is not text of the encoding, or has no rows.
            Invalid: A column is not in the header.

        """
        yield from each(self.decode_many(chunks, options))

    def decode_many(self, chunks: Iterable[bytes], options: Any) -> Iterator[Item | Readings]:
        """Yield the same, readings together where rows say nothing but when and how much."""
        from energia_plugins.meter_csv.text import Table

        text = Table(chunks, options.codec, options.mark)
        yield from readings(text.rows, options, text)


def readings(
    table: "Iterator[Row]", options: TableOptions, text: "Table | None" = None
) -> Iterator[Item | Readings]:
    """Yield the readings, or reads, and problems of a table; raises `Invalid`.

    Where the rows are those of a *text*, they are read as columns if they can be.
    """
    items = _items(table, options, text)
    if options.reads:
        return map(_as_read, each(items))
    if options.length is None:
        return items
    return _long(each(items), options.length, options.timezone)


def each(items: Iterable[Item | Readings]) -> Iterator[Item]:
    """Yield items one by one, also those that came together."""
    for item in items:
        if isinstance(item, Readings):
            yield from item.readings()
        else:
            yield item


def _as_read(item: Item) -> Item:
    """Return a reading as what a register shows at its time stamp."""
    if not isinstance(item, Reading):
        return item
    if item.value is None:
        return Problem(item.line, "missing_value", "a read of a register has a value")
    instant = item.start if item.start is not None else item.end
    assert instant is not None
    names = (item.meter, item.channel, item.unit)
    return MeterRead(item.line, item.value, instant, item.quality, *names)


def _long(items: Iterator[Item], length: str, timezone: str | None) -> Iterator[Item]:
    """Yield readings that are each a whole day, month or year of a time zone."""
    zone = Zone.named(timezone or "UTC")
    for item in items:
        if isinstance(item, Reading) and item.start is not None:
            day = zone.datetime(item.start).date()
            begin, end = zone.midnight(day), zone.midnight(_next(day, length))
            if item.start != begin or (length != "P1D" and day != _first(day, length)):
                message = f"{zone.text(item.start)} is not the start of {length} in {zone.name}"
                yield Problem(item.line, "off_grid", message)
                continue
            item.end = end
        yield item


def _first(day: date, length: str) -> date:
    return day.replace(day=1) if length == "P1M" else day.replace(month=1, day=1)


def _next(day: date, length: str) -> date:
    if length == "P1D":
        return day + timedelta(days=1)
    months = 1 if length == "P1M" else 12
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)


def _items(table: "Iterator[Row]", options: TableOptions, text: "Table | None") -> "Items":
    from energia_plugins.meter_csv.header import found
    from energia_plugins.meter_csv.layouts import LongLayout, WideLayout

    if options.until is not None:
        table = _until(table, options.until)
    if options.footer_rows:
        table = _without_last(table, options.footer_rows)
    header, below = found(table, options.header, _names(options))
    conditions = _conditions(header, options)
    layout = (LongLayout if options.wide is None else WideLayout).of(header, options)
    if conditions:
        below = _filtered(below, conditions)
    yield from layout.readings(below, text if text is not None and below is text.rows else None)


def _names(options: TableOptions) -> list[str]:
    """Return the names of columns that the options need in a header."""
    named = [
        options.start_column,
        options.time_column,
        options.meter_column,
        options.channel_column,
        options.quality_column,
        options.unit_column,
        options.factor_column,
        options.end_column,
        *conditions_of(options.where or ""),
    ]
    if options.wide is not None:
        named += span_of(options.wide)[:2]
    elif options.values is not None:
        named += [one for columns in values_of(options.values).values() for one in columns]
    else:
        named.append(options.value_column)
    return [one for one in named if one is not None and position(one) is None]


# Which rows are read.


def _until(table: "Iterator[Row]", begin: str) -> "Iterator[Row]":
    """Yield the rows above the one whose first cell that is not blank begins so."""
    for line, cells in table:
        first = next((cell for cell in map(plain, cells) if cell), "")
        if first.startswith(begin):
            return
        yield line, cells


def _without_last(table: "Iterator[Row]", count: int) -> "Iterator[Row]":
    held: deque[Row] = deque()
    for row in table:
        held.append(row)
        if len(held) > count:
            yield held.popleft()


def _conditions(header: "Header", options: TableOptions) -> list[tuple[int, Condition]]:
    if options.where is None:
        return []
    return [
        (header.at("where", column), condition)
        for column, condition in conditions_of(options.where).items()
    ]


def _filtered(table: "Iterator[Row]", conditions: list[tuple[int, Condition]]) -> "Iterator[Row]":
    """Yield the rows of which all conditions hold; a cell that is not there is blank."""
    for line, cells in table:
        width = len(cells)
        if all(
            condition.holds(plain(cells[at]) if at < width else "") for at, condition in conditions
        ):
            yield line, cells
