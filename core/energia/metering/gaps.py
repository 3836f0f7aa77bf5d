"""Find the slots that have no reading, as runs of slots for one reason.

A slot that was never sent and one that was sent as null are both without a value, but only of the
first can a value still be hoped for: they are gaps of their own. So are slots of which all was
deleted, as a law asks, and those across which a register does not count.
"""

from collections.abc import AsyncIterator
from itertools import islice
from typing import Final, Literal

import attrs
import numpy as np

from energia.metering.series import MISSING, NEVER_SENT, NOT_COUNTED, Series
from energia.time import Instant, Int64

#: Why a slot has no reading: nothing was ever sent for it, it was sent as null, it was deleted, or
#: the reads of a register do not tell what was used.
Reason = Literal["never_sent", "marked_missing", "deleted", "not_counted"]

_PRESENT: Final = 0
_REASONS: Final[tuple[Reason, ...]] = ("never_sent", "marked_missing", "deleted", "not_counted")
_NEVER: Final = 1
_MARKED: Final = 2
_DELETED: Final = 3
_NOT_COUNTED: Final = 4


@attrs.frozen
class Gap:
    """Consecutive slots without a reading, for one reason.

    Attributes:
        start: When the first slot starts, in seconds since 1970-01-01T00:00Z.
        end: When the last slot ends.
        slots: How many there are.
        reason: Why they have no reading.

    """

    start: int
    end: int
    slots: int
    reason: Reason


@attrs.frozen(eq=False)
class Gaps:
    """The gaps of a grid, in order; neighbours differ in their reason.

    Attributes:
        starts: int64[n], when each starts, in seconds since 1970-01-01T00:00Z.
        ends: int64[n], when each ends.
        reasons: int64[n], 1 for never sent, 2 for marked missing, 3 for deleted, 4 for not
            counted.
        interval: The length of a slot in seconds.

    """

    starts: Int64
    ends: Int64
    reasons: Int64
    interval: int

    def __len__(self) -> int:
        return len(self.starts)

    def listed(self, most: int | None = None) -> list[Gap]:
        """Return the gaps one by one, at most the first *most*."""
        columns = (self.starts.tolist(), self.ends.tolist(), self.reasons.tolist())
        return [
            Gap(start, end, (end - start) // self.interval, _REASONS[reason - 1])
            for start, end, reason in islice(zip(*columns, strict=True), most)
        ]

    def __getitem__(self, rows: slice) -> "Gaps":
        return Gaps(self.starts[rows], self.ends[rows], self.reasons[rows], self.interval)

    def followed_by(self, later: "Gaps") -> "Gaps":
        """Return both, as one gap where a gap goes on."""
        if not len(self) or not len(later):
            return self if len(self) else later
        same = self.ends[-1] == later.starts[0] and self.reasons[-1] == later.reasons[0]
        mine = len(self) - int(same)
        return Gaps(
            np.concatenate([self.starts, later.starts[int(same) :]]),
            np.concatenate([self.ends[:mine], later.ends]),
            np.concatenate([self.reasons[:mine], later.reasons]),
            self.interval,
        )


def gaps(series: Series, first: int = 0, last: int | None = None) -> Gaps:
    """Return the gaps of the slots *first* to *last* of the grid of *series*.

    They are indexes into *series*; what it lacks before and after was never sent.
    """
    last = len(series.values) if last is None else last
    inner = min(max(first, 0), max(last, 0))
    outer = max(inner, min(last, len(series.values)))
    begins, states = _runs(series, inner, outer)
    # What lies before and after the series is a run of slots that were never sent; where there is
    # nothing before or after, that run is empty and goes.
    begins = np.concatenate([[first], begins, [outer]]).astype(np.int64)
    states = np.concatenate([[_NEVER], states, [_NEVER]]).astype(np.int64)
    there = np.minimum(np.append(begins[1:], last), last) > begins
    begins, states = begins[there], states[there]
    changes = np.append(states[:1] == states[:1], states[1:] != states[:-1])
    begins, states = begins[changes], states[changes]
    ends, missing = np.append(begins[1:], last), states != _PRESENT
    start, interval = series.start, series.interval
    return Gaps(
        start + begins[missing] * interval,
        start + ends[missing] * interval,
        states[missing],
        interval,
    )


async def across(
    pieces: AsyncIterator[Series], deleted_before: Instant | None = None
) -> AsyncIterator[Gaps]:
    """Yield the gaps of series that follow one another; one that goes on is one gap.

    Slots that start before an instant were *deleted*, where there is no reading of them.
    """
    held: Gaps | None = None
    async for series in pieces:
        found = gaps(series) if deleted_before is None else _with_deleted(series, deleted_before)
        so_far = found if held is None else held.followed_by(found)
        goes_on = len(so_far) > 0 and int(so_far.ends[-1]) == series.end
        # A gap at the end of a piece may go on in the next one: it waits until that is known.
        whole = len(so_far) - int(goes_on)
        yield so_far[:whole]
        held = so_far[whole:]
    if held is not None:
        yield held


def _with_deleted(series: Series, before: Instant) -> Gaps:
    """Return the gaps of *series*; of those before an instant, what is not there was deleted."""
    cut = min(max(series.index_at(before), 0), len(series.values))
    then = gaps(series, 0, cut)
    reasons = np.where(then.reasons == _NEVER, _DELETED, then.reasons)
    then = Gaps(then.starts, then.ends, reasons, then.interval)
    return then.followed_by(gaps(series, cut))


def _runs(series: Series, inner: int, outer: int) -> tuple[Int64, Int64]:
    """Return where runs of slots of one state begin, and their states."""
    missing, quality = series.values[inner:outer] == MISSING, series.quality[inner:outer]
    reasons = np.select(
        [quality == NEVER_SENT, quality == NOT_COUNTED], [_NEVER, _NOT_COUNTED], _MARKED
    )
    states = np.where(missing, reasons, _PRESENT)
    begins = np.flatnonzero(np.append(states[:1] == states[:1], states[1:] != states[:-1]))
    return inner + begins, states[begins]
