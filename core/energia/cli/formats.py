"""The formats of exported readings: CSV, NDJSON, and Parquet by the extra `parquet` (pyarrow)."""

from importlib import import_module
from typing import IO, Any, Final, Protocol

import attrs
import click
import numpy as np

from energia.metering.models import Channel
from energia.metering.series import MISSING, QUALITIES, Micro, Series
from energia.time import Zone
from energia.web.streams import CSV, NDJSON, Batch, quantities, stamps, text_file

#: The columns of a file.
COLUMNS: Final = ("meter", "channel", "start", "value", "unit", "quality")
#: Digits of a value in Parquet, and how many of them are behind the point: micro-units.
_DIGITS: Final = (19, 6)


@attrs.frozen(eq=False)
class Piece:
    """Readings of a channel that were sent.

    Attributes:
        channel: The channel.
        zone: The zone of its site.
        series: Consecutive slots of it, with those of which nothing was ever sent.

    """

    channel: Channel
    zone: Zone
    series: Series


class Writer(Protocol):
    """Writes readings to a file of some format."""

    def write(self, piece: Piece, /) -> None:
        """Write some readings."""
        ...

    def close(self) -> None:
        """Write what comes after the last of them."""
        ...


def writer(format_: str, file: IO[bytes]) -> Writer:
    """Return what writes a file of a format; raises `click.UsageError` where pyarrow is missing."""
    return _Parquet(file) if format_ == "parquet" else _Text(format_, file)


class _Text:
    """Writes CSV or NDJSON."""

    def __init__(self, format_: str, file: IO[bytes]) -> None:
        self._text = text_file(CSV if format_ == "csv" else NDJSON, COLUMNS)
        self._file = file
        self._file.write(self._text.begin)

    def write(self, piece: Piece) -> None:
        """Write the readings of a piece that were sent."""
        series, channel = piece.series, piece.channel
        sent = series.quality >= 0
        count = int(sent.sum())
        if count:
            batch: Batch = [
                [channel.meter] * count,
                [channel.id] * count,
                stamps(piece.zone, series.starts[sent]),
                quantities(series.values[sent]),
                [channel.canonical] * count,
                [QUALITIES[code] for code in series.quality[sent].tolist()],
            ]
            self._file.write(self._text.text(batch))

    def close(self) -> None:
        """Write nothing: the last row was the end."""


class _Parquet:
    """Writes readings in columns, each piece a row group: memory does not grow with the file."""

    def __init__(self, file: IO[bytes]) -> None:
        """Begin a file; raises `click.UsageError` where pyarrow is missing."""
        try:
            self._arrow: Any = import_module("pyarrow")
            parquet: Any = import_module("pyarrow.parquet")
        except ImportError:
            raise click.UsageError("Parquet needs `pip install energia[parquet]`.") from None
        arrow = self._arrow
        word = arrow.dictionary(arrow.int32(), arrow.string())
        self._schema = arrow.schema(
            [
                ("meter", word),
                ("channel", word),
                ("start", arrow.timestamp("s", "UTC")),
                ("value", arrow.decimal128(*_DIGITS)),
                ("unit", word),
                ("quality", word),
            ]
        )
        self._writer = parquet.ParquetWriter(file, self._schema, compression="zstd")

    def write(self, piece: Piece) -> None:
        """Write the readings of a piece that were sent."""
        arrow, series, channel = self._arrow, piece.series, piece.channel
        sent = series.quality >= 0
        count = int(sent.sum())
        if not count:
            return
        columns = [
            self._words([channel.meter], np.zeros(count, np.int32)),
            self._words([channel.id], np.zeros(count, np.int32)),
            arrow.array(series.starts[sent]).cast(arrow.timestamp("s", "UTC")),
            self._decimals(series.values[sent]),
            self._words([channel.canonical], np.zeros(count, np.int32)),
            self._words(list(QUALITIES), series.quality[sent].astype(np.int32)),
        ]
        self._writer.write_table(arrow.Table.from_arrays(columns, schema=self._schema))

    def close(self) -> None:
        """Write the directory of the file, which comes last."""
        self._writer.close()

    def _words(self, words: list[str], index: Any) -> Any:
        return self._arrow.DictionaryArray.from_arrays(self._arrow.array(index), words)

    def _decimals(self, values: Micro) -> Any:
        """Return micro-units as exact decimals; null where a value is missing."""
        valued = values != MISSING
        # A decimal of 128 bits is an integer of them: the lower half is the number, the upper its
        # sign.
        halves = np.empty((len(values), 2), "<i8")
        halves[:, 0] = np.where(valued, values, 0)
        halves[:, 1] = halves[:, 0] >> 63
        arrow = self._arrow
        buffers = [
            arrow.py_buffer(np.packbits(valued, bitorder="little").tobytes()),
            arrow.py_buffer(halves.tobytes()),
        ]
        return arrow.Array.from_buffers(arrow.decimal128(*_DIGITS), len(values), buffers)
