"""What imports have changed of readings that were stored: which slots, from what to what, by whom.

A block that was replaced is in the history, with the import that has replaced it; the revision
after it is what has come in its place (`merge.py`). A slot that had no value is none of it: what
fills it is a reading that comes late, or the next file, which begins within a day.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

import attrs
import numpy as np

from energia.db.queries import load
from energia.db.tenant import Queries
from energia.metering.blocks import blocks_of
from energia.metering.merge import Blocks
from energia.metering.query import Span
from energia.metering.series import MISSING, QUALITIES, Mask, Quality
from energia.time import DAY, Instant, day_of
from energia.work import off_loop

SQL: Final = load(__package__)
#: What was changed of so many slots is held at a time, but of one import at least.
MOST: Final = 500_000


@attrs.frozen
class SlotsState:
    """What some slots were at a time.

    Attributes:
        value: The sum in micro-units.
        qualities: How many of them had each quality.

    """

    value: int
    qualities: dict[str, int]


@attrs.frozen
class Correction:
    """What one import has changed of a channel.

    Attributes:
        number: The import's number in the database.
        import_id: Its id; None if it is gone.
        format: What it came as; None if it is gone.
        caller: Who sent it, as the audit log has it; None where nobody knows.
        caller_name: What they are called.
        recorded_at: When it was stored.
        start: When the first slot starts that it has changed.
        end: When the last one ends.
        slots: How many it has changed.
        before: What these were.
        after: What they are since then.

    """

    number: int
    import_id: str | None
    format: str | None
    caller: str | None
    caller_name: str | None
    recorded_at: datetime
    start: Instant
    end: Instant
    slots: int
    before: SlotsState
    after: SlotsState


@attrs.frozen
class _Row:
    """A block that was replaced, and the one in its place."""

    number: int
    day: int
    superseded_at: datetime
    more: bool
    old_values: memoryview
    old_quality: memoryview | None
    new_values: memoryview
    new_quality: memoryview | None


@attrs.frozen
class _Origin:
    """What an import came as, and who has sent it; nothing where it is gone."""

    number: int
    import_id: str | None = None
    format: str | None = None
    caller: str | None = None
    caller_name: str | None = None


async def corrections(
    queries: Queries, span: Span, before: int, limit: int
) -> tuple[list[Correction], int | None]:
    """Return what imports before a number have changed of a span, of at most *limit* of them.

    The newest comes first. There are fewer where their blocks have more than `MOST` slots. The
    number is that of the import after which others may come.
    """
    days = span.days
    if not days:
        return [], None
    given = {
        "channel": span.channel.key,
        "first": day_of(days.start),
        "last": day_of(days.stop - 1),
        "before": before,
        "limit": limit,
        "blocks": MOST // span.channel.grid.per_day,
    }
    rows = await queries.fetch(_Row, SQL["corrections"], given)
    each = [list(some) for _, some in groupby(rows, key=lambda row: row.number)]
    numbers = [some[0].number for some in each]
    origins = await queries.fetch(_Origin, SQL["import_origins"], numbers) if numbers else []
    known = {origin.number: origin for origin in origins}
    found = await off_loop(
        lambda: [
            _correction(span, some, known.get(number) or _Origin(number))
            for number, some in zip(numbers, each, strict=True)
        ]
    )
    after = rows[-1].number if rows and rows[-1].more else None
    return [one for one in found if one is not None], after


def _correction(span: Span, rows: Sequence[_Row], origin: "_Origin") -> Correction | None:
    """Return what an import has changed; None where that is nothing of the span."""
    grid, width = span.channel.grid, span.channel.grid.per_day
    old = blocks_of([row.old_values for row in rows], [row.old_quality for row in rows], width)
    new = blocks_of([row.new_values for row in rows], [row.new_quality for row in rows], width)
    days = np.array([row.day for row in rows], np.int64)
    starts = days[:, None] * DAY + grid.offset + np.arange(width) * grid.interval
    changed = _changed(old, new)
    changed &= (starts >= span.start) & (starts < span.end)
    if not changed.any():
        return None
    return Correction(
        number=origin.number,
        import_id=origin.import_id,
        format=origin.format,
        caller=origin.caller,
        caller_name=origin.caller_name,
        recorded_at=max(row.superseded_at for row in rows),
        start=int(starts[changed].min()),
        end=int(starts[changed].max()) + grid.interval,
        slots=int(changed.sum()),
        before=_state(old, changed),
        after=_state(new, changed),
    )


def _changed(old: Blocks, new: Blocks) -> Mask:
    """Return which slots had a value, and have another value or quality."""
    differ = (old.values != new.values) | (old.quality != new.quality)
    changed: Mask = (old.values != MISSING) & differ
    return changed


def _state(blocks: Blocks, chosen: Mask) -> SlotsState:
    total = sum(blocks.values[chosen].tolist())
    return SlotsState(total, dict(_qualities(blocks.quality[chosen])))


def _qualities(codes: Quality) -> Iterator[tuple[str, int]]:
    for code, number in zip(*np.unique(codes, return_counts=True), strict=True):
        yield QUALITIES[int(code)], int(number)
