"""The decoder of the format `csv`."""

from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from energia.errors import Fault, Invalid
from energia.metering.decoding import Problem, Reading
from energia.metering.series import ACTUAL, QUALITIES
from energia.zones import Zone
from energia_plugins.meter_csv.lines import rows
from energia_plugins.meter_csv.options import CsvOptions
from energia_plugins.meter_csv.times import BadTime, Times
from energia_plugins.meter_csv.values import BadValue, Numbers

#: The options that name columns, in the order of `_Columns`.
_NAMES = ("start_column", "value_column", "meter_column", "channel_column", "quality_column")


class CsvDecoder:
    """Reads comma-separated values with a header line, as `CsvOptions` declares them."""

    name = "csv"
    options: type = CsvOptions
    examples = (
        b"start,value\n2026-03-02T00:00:00Z,1.25\n2026-03-02T00:15:00Z,0\n",
        b'\xef\xbb\xbfstart,value\r\n"2026-03-02T00:00:00+01:00","-0.5"\r\n',
    )

    def decode(self, chunks: Iterable[bytes], options: Any) -> Iterator[Reading | Problem]:
        """Yield a reading or a problem for each row below the header that says something.

        Raises:
            Malformed: It is not text of the encoding, or has no rows.
            Invalid: A column is not in the header.

        """
        found = rows(chunks, options.codec, options.delimiter)
        header = next(found, (1, []))[1]
        row = _Row.of(header, options)
        for line, cells in found:
            read = row.read(line, cells)
            if read is not None:
                yield read


@attrs.frozen
class _Row:
    """Reads one row; the columns are where the options' cells are, None where none is named."""

    start: int
    value: int
    meter: int | None
    channel: int | None
    quality: int | None
    needed: int
    columns: int
    numbers: Numbers
    times: Times
    unit: str | None
    end_stamped: bool

    @classmethod
    def of(cls, header: list[str], options: CsvOptions) -> "_Row":
        """Return what reads the rows below *header*; raises `Invalid`."""
        columns, end_stamped = _columns(header, options), options.stamp == "end"
        zone = None if options.timezone is None else Zone.named(options.timezone)
        return cls(
            columns["start_column"],
            columns["value_column"],
            columns.get("meter_column"),
            columns.get("channel_column"),
            columns.get("quality_column"),
            max(columns.values()) + 1,
            len(header),
            Numbers.marked(options.decimal, options.thousands),
            Times(options.date_format, zone, end_stamped=end_stamped),
            options.unit,
            end_stamped,
        )

    def read(self, line: int, cells: list[str]) -> Reading | Problem | None:
        """Return the reading of a row, or what is wrong with it.

        A row with neither a value nor a quality says nothing: None.
        """
        misshapen = self._misshapen(line, cells)
        if misshapen is not None:
            return misshapen
        meter = None if self.meter is None else cells[self.meter].strip() or None
        channel = None if self.channel is None else cells[self.channel].strip() or None
        try:
            instant = self.times.read(cells[self.start].strip(), (meter, channel))
            written = cells[self.value].strip()
            value = self.numbers.read(written) if written else None
            name = None if self.quality is None else cells[self.quality].strip()
            quality = _quality(name)
        except BadTime as error:
            return Problem(line, error.code, str(error))
        except BadValue as error:
            return Problem(line, "not_a_number", str(error))
        except _BadQuality as error:
            return Problem(line, "unknown_quality", str(error))
        if value is None and name == "":
            return None
        start, end = (None, instant) if self.end_stamped else (instant, None)
        return Reading(line, value, start, end, quality, meter, channel, self.unit)

    def _misshapen(self, line: int, cells: list[str]) -> Problem | None:
        """Return what is wrong with how many columns a row has."""
        if len(cells) < self.needed:
            message = f"the row has {len(cells)} columns; {self.needed} are needed"
            return Problem(line, "missing_column", message)
        # An unquoted decimal comma makes a cell more: "1,5" would be read as 1.
        if any(cell.strip() for cell in cells[self.columns :]):
            message = f"the row has {len(cells)} columns; the header has {self.columns}"
            return Problem(line, "surplus_column", message)
        return None


class _BadQuality(ValueError):
    """There is no such quality."""


def _quality(name: str | None) -> int:
    if not name:
        return ACTUAL
    try:
        return QUALITIES.index(name.lower())
    except ValueError:
        known = ", ".join(QUALITIES)
        raise _BadQuality(f"there is no quality {name[:40]!r}; known are {known}") from None


def _columns(header: list[str], options: CsvOptions) -> dict[str, int]:
    """Return where each column that the options name is; raises `Invalid`."""
    names = [name.strip() for name in header]
    found, faults = {}, []
    for option in _NAMES:
        wanted = getattr(options, option)
        if wanted is None:
            continue
        if names.count(wanted) == 1:
            found[option] = names.index(wanted)
            continue
        times = "several columns" if wanted in names else "no column"
        message = f"there is {times} {wanted!r}; the header has {_listed(names)}"
        faults.append(Fault("unknown_column", message, f"/query/{option}", line=1))
    if faults:
        raise Invalid(faults[0].message if len(faults) == 1 else f"{len(faults)} faults", faults)
    return found


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name[:60]) for name in names[:30])
    return shown + (", ..." if len(names) > 30 else "") if names else "no columns"
