"""Readings as the rows of a file."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Final

import numpy as np

from energia.metering.series import QUALITIES, Series
from energia.web.cells import quantities, stamps
from energia.web.streams import NDJSON, ROWS, Accepted, Batch, Rows
from energia.web.windows import Asked

#: The names of the qualities; the last is that of `NEVER_SENT`, -1.
_QUALITIES: Final = np.array([*QUALITIES, None], object)
_COLUMNS: Final = ("start", "value", "unit", "quality")


def rows(asked: Asked, pieces: AsyncIterator[Series], accepted: Accepted) -> Rows:
    """Return a row for each slot of *pieces*; those of NDJSON name the meter and the channel."""
    named = (asked.channel.meter, asked.channel.id) if accepted == NDJSON else ()
    columns = ("meter", "channel", *_COLUMNS)[2 - len(named) :]
    return Rows(columns, _batches(pieces, lambda series: _batch(asked, named, series)))


async def _batches(
    pieces: AsyncIterator[Series], batch: Callable[[Series], Batch]
) -> AsyncGenerator[Batch, None]:
    async for series in pieces:
        for at in range(0, len(series.values), ROWS):
            yield await asyncio.to_thread(batch, _part(series, slice(at, at + ROWS)))


def _part(series: Series, at: slice) -> Series:
    start = series.start + at.start * series.interval
    return Series(start, series.interval, series.values[at], series.quality[at])


def _batch(asked: Asked, named: tuple[str, ...], series: Series) -> Batch:
    count = len(series.values)
    return [
        *([name] * count for name in named),
        stamps(asked.zone, series.starts),
        quantities(series.values),
        [asked.channel.canonical] * count,
        _QUALITIES[series.quality].tolist(),
    ]
