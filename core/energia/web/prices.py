"""Prices as the API shows them: as JSON, and as the rows of a file."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta

from energia.pricing.prices import Prices
from energia.web.cells import stamps
from energia.web.streams import ROWS, Batch, Cell, Rows
from energia.zones import Int64, Zone

_COLUMNS: Final = ("start", "end", "price", "period")

#: The text of an instant: there are too many of them to make each a datetime.
Stamp = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class SlotPrice(msgspec.Struct, omit_defaults=True):
    """What one unit costs in a slot.

    Attributes:
        start: When the slot starts, with the offset of the tariff's zone.
        end: When it ends.
        price: The sum of the components.
        components: The price of each charge, or of each component of one.
        period: The period, where the charges that have a schedule have the same one.

    """

    start: Stamp
    end: Stamp
    price: str
    components: Mapping[str, str]
    period: str | None = None


def slot_prices(found: Prices, zone: Zone) -> list[SlotPrice]:
    """Return the price of each slot."""
    begins, ends = _stamps(found, zone, slice(None))
    runs = [found.runs[run] for run in _runs(found).tolist()]
    return [
        SlotPrice(begin, end, run.price, run.components, run.period)
        for begin, end, run in zip(begins, ends, runs, strict=True)
    ]


def price_rows(found: Prices, zone: Zone) -> Rows:
    """Return a row for each slot."""
    components = list(dict.fromkeys(name for run in found.runs for name in run.components))
    columns = (*_COLUMNS, *(f"component.{name}" for name in components))
    return Rows(columns, _batches(found, zone, components))


async def _batches(
    found: Prices, zone: Zone, components: Sequence[str]
) -> AsyncGenerator[Batch, None]:
    runs, cells = _runs(found), _cells(found, components)
    for first in range(0, len(runs), ROWS):
        some = slice(first, first + ROWS)
        times = await asyncio.to_thread(_stamps, found, zone, some)
        which = runs[some].tolist()
        yield [*times, *([column[run] for run in which] for column in cells)]


def _cells(found: Prices, components: Sequence[str]) -> list[Sequence[Cell]]:
    """Return the columns of the runs, but for their times."""
    parts = [[run.components.get(name) for run in found.runs] for name in components]
    return [[run.price for run in found.runs], [run.period for run in found.runs], *parts]


def _runs(found: Prices) -> Int64:
    """Return the run that each slot is in."""
    lengths = np.array([run.past - run.first for run in found.runs], np.int64)
    return np.repeat(np.arange(len(found.runs)), lengths)


def _stamps(found: Prices, zone: Zone, some: slice) -> tuple[list[str], list[str]]:
    starts = found.grid.starts[some]
    return stamps(zone, starts), stamps(zone, starts + found.grid.interval)
