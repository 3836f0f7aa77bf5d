"""Sums of readings over windows of local time, with their peaks and what they rest on.

Windows follow the local clock of the site: most days have 24 hours, some have 23 or 25. A slot
belongs wholly to the window in which it starts, so that the sums of neighbouring windows add up to
the sum of both.
"""

from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Final

import attrs
import numpy as np

from energia.metering.series import MISSING, QUALITIES, Mask, Micro, Quality, Series
from energia.time import DAY, Granularity, Int64, Zone

#: Which qualities count as what; the others are missing.
_COUNTED: Final = (
    ("actual", "validated", "derived"),
    ("substituted", "provisional", "estimated", "forecast"),
    ("questionable",),
)
#: The index in `_COUNTED` of each quality code, -2 and -1 at the end; -1 where there is no value.
_KINDS: Final = np.array(
    [
        next((kind for kind, names in enumerate(_COUNTED) if quality in names), -1)
        for quality in (*QUALITIES, "not counted", "never sent")
    ],
    np.int8,
)


@attrs.frozen
class Coverage:
    """How many slots a sum rests on; the others add up to `expected`.

    Attributes:
        expected: Slots that start in the window.
        actual: Measured: actual, validated or derived.
        estimated: Substituted, provisional, estimated or forecast.
        questionable: Stored, though not to be believed.
        missing: Without a value.

    """

    expected: int
    actual: int
    estimated: int
    questionable: int
    missing: int


def together(parts: Iterable[Coverage]) -> Coverage:
    """Return what a sum rests on: the slots of all its parts."""
    names = [field.name for field in attrs.fields(Coverage)]
    listed = list(parts)
    return Coverage(**{name: sum(getattr(part, name) for part in listed) for name in names})


@attrs.frozen
class WindowUsage:
    """The usage of one window.

    Attributes:
        start: In seconds since 1970-01-01T00:00Z.
        end: In seconds since 1970-01-01T00:00Z.
        value: The sum in micro-units, of the slots that have a value.
        peak: The index of the largest slot in the series, or None without a value.
        coverage: What the sum rests on.

    """

    start: int
    end: int
    value: int
    peak: int | None
    coverage: Coverage


@attrs.frozen
class WindowSums:
    """The usage of windows that follow each other, column by column.

    Attributes:
        values: The sum of each in micro-units, of the slots that have a value.
        peaks: The index of its largest slot in the series; -1 without a value.
        coverage: What its sum rests on.

    """

    values: list[int]
    peaks: list[int]
    coverage: list[Coverage]


def bounds(zone: Zone, granularity: Granularity, start: int, end: int) -> Int64:
    """Return where windows begin in `[start, end)`, and the end of the last.

    Calendar windows begin at local midnights; shorter ones are counted from there, in elapsed
    time, so that the last of a day is shorter where they do not fit.
    """
    first, last = (zone.local(np.array([start, end])) // DAY).tolist()
    if granularity.length is None:
        inner = zone.midnights(_days(granularity.name, first, last))
    else:
        midnights = zone.midnights(np.arange(first, last + 2))
        # Zones move by at most a day at once, which the day after `last` covers.
        pairs = zip(midnights.tolist(), midnights[1:].tolist(), strict=False)
        inner = np.concatenate([np.arange(a, b, granularity.length) for a, b in pairs])
    inside = inner[(inner > start) & (inner < end)]
    return np.unique(np.concatenate([[start], inside, [end]]))


def _days(name: str, first: int, last: int) -> Int64:
    """Return the days (since 1970-01-01) on which days, months or years begin."""
    unit = {"P1D": "D", "P1M": "M", "P1Y": "Y"}[name]
    days = np.arange(first, last + 1).astype("datetime64[D]")
    starts: Int64 = np.unique(days.astype(f"datetime64[{unit}]").astype("datetime64[D]")).astype(
        np.int64
    )
    return starts


def split_slots(series: Series, edges: Int64) -> int:
    """Return how many slots of the grid have one of the instants *edges* inside."""
    slots, rest = np.divmod(edges - series.start, series.interval)
    return len(np.unique(slots[rest != 0]))


def split_stretches(series: Series, edges: Int64) -> int:
    """Return inside how many sums that were spread over their slots some instants *edges* lie."""
    if series.edges is None:
        return 0
    inside = edges[~np.isin(edges, series.edges)]
    past = np.unique(np.searchsorted(series.edges, inside))
    return int(np.count_nonzero((past > 0) & (past < len(series.edges))))


def first_slots(series: Series, edges: Int64) -> Int64:
    """Return the first slot of *series* that starts at each of the instants *edges*, or later."""
    # Rounded up: the slot in which an edge lies belongs to the window before it.
    slots: Int64 = np.clip(series.index_at(edges), 0, len(series.values))
    return slots


def by_window(series: Series, edges: Int64) -> list[WindowUsage]:
    """Return the usage of the windows between the instants *edges*.

    A slot belongs wholly to the window in which it starts.
    """
    sums, begins = window_sums(series, edges), edges.tolist()
    return [
        WindowUsage(start, end, total, peak if peak >= 0 else None, coverage)
        for start, end, total, peak, coverage in zip(
            begins, begins[1:], sums.values, sums.peaks, sums.coverage, strict=False
        )
    ]


def window_sums(series: Series, edges: Int64) -> WindowSums:
    """Return what `by_window` does, without an object for each window."""
    cuts = first_slots(series, edges)
    return WindowSums(
        _sums(series.values, cuts), _peaks(series.values, cuts), _coverage(series.quality, cuts)
    )


def coverage(series: Series, start: int, end: int) -> Coverage:
    """Return what the slots that start in [start, end) are.

    *series* may not reach all of them: a slot beyond it is missing, as it is for the sum.
    """
    first, past, slots = series.index_at(start), series.index_at(end), len(series.values)
    cuts = np.array([min(max(edge, 0), slots) for edge in (first, past)], np.int64)
    inside = _coverage(series.quality, cuts)[0]
    beyond = past - first - inside.expected
    if not beyond:
        return inside
    return attrs.evolve(inside, expected=past - first, missing=inside.missing + beyond)


#: Of a year of days nearly all rest on the same: each is made once.
_rests_on: Final = lru_cache(maxsize=4096)(Coverage)


def _coverage(quality: Quality, cuts: Int64) -> list[Coverage]:
    """Return the coverage of the slots between each cut and the next."""
    inside = quality[cuts[0] : cuts[-1]]
    if len(inside) and (inside == inside[0]).all():  # nearly always: all of them are actual
        lengths, kind = np.diff(cuts).tolist(), int(_KINDS[inside[0]])
        alike = {slots: _alike(kind, slots) for slots in set(lengths)}
        return [alike[slots] for slots in lengths]
    kinds = _KINDS[quality]
    # Of each kind, how many slots there are before every slot: a window's are a difference.
    counts = [_counts(kinds == kind, cuts) for kind in range(len(_COUNTED))]
    expected: list[int] = np.diff(cuts).tolist()
    return [
        _rests_on(slots, actual, estimated, questionable, slots - actual - estimated - questionable)
        for slots, actual, estimated, questionable in zip(expected, *counts, strict=True)
    ]


def _alike(kind: int, slots: int) -> Coverage:
    """Return the coverage of slots that are all of one kind; -1 where they have no value."""
    return _rests_on(slots, *(slots if kind == each else 0 for each in (0, 1, 2, -1)))


def _counts(chosen: Mask, cuts: Int64) -> list[int]:
    """Return how many slots are *chosen* between each cut and the next."""
    if not chosen.any():
        return [0] * (len(cuts) - 1)
    counts: list[int] = np.diff(np.concatenate([[0], np.cumsum(chosen)])[cuts]).tolist()
    return counts


def _sums(values: Micro, cuts: Int64) -> list[int]:
    """Return the exact sum of each window, whatever its size."""
    inside, lengths = values[cuts[0] : cuts[-1]], np.diff(cuts)
    least = int(inside.min(initial=0))
    if least == MISSING:
        inside = np.where(inside == MISSING, 0, inside)
        least = int(inside.min(initial=0))
    if int(lengths.max(initial=0)) * max(-least, int(inside.max(initial=0))) < 2**63:
        sums = np.zeros(len(lengths), np.int64)
        filled = np.flatnonzero(lengths)
        if len(filled):
            # Windows without a slot take none from the others: each reaches to the next with one.
            sums[filled] = np.add.reduceat(inside, cuts[filled] - cuts[0])
        totals: list[int] = sums.tolist()
        return totals
    # Years of slots near the bound: rare enough for Python's integers.
    numbers = inside.tolist()
    begins = (cuts - cuts[0]).tolist()
    return [sum(numbers[begin:past]) for begin, past in pairwise(begins)]


def _peaks(values: Micro, cuts: Int64) -> list[int]:
    """Return the index of the first largest value of each window; -1 where it has none."""
    lengths = np.diff(cuts)
    peaks = np.full(len(lengths), -1, np.int64)
    filled = np.flatnonzero(lengths)
    if len(filled):
        # Windows without a slot take none from the others: each reaches to the next that has one.
        begins, inside = cuts[filled], values[cuts[0] : cuts[-1]]
        largest = np.maximum.reduceat(inside, begins - cuts[0])
        at_it = cuts[0] + np.flatnonzero(inside == np.repeat(largest, lengths[filled]))
        first = at_it[np.searchsorted(at_it, begins)]
        peaks[filled] = np.where(largest == MISSING, -1, first)
    indexes: list[int] = peaks.tolist()
    return indexes
