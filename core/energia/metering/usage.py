"""Sums of readings over windows of local time, with their peaks and what they rest on.

Windows follow the local clock of the site: most days have 24 hours, some have 23 or 25. A slot
belongs wholly to the window in which it starts, so that the sums of neighbouring windows add up to
the sum of both.
"""

from collections.abc import Iterable
from functools import lru_cache
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
    cuts = first_slots(series, edges)
    return [
        WindowUsage(start, end, total, peak if peak >= 0 else None, coverage)
        for start, end, total, peak, coverage in zip(
            edges[:-1].tolist(),
            edges[1:].tolist(),
            _sums(series.values, cuts),
            _peaks(series.values, cuts),
            _coverage(series.quality, cuts),
            strict=True,
        )
    ]


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
        return [_alike(int(_KINDS[inside[0]]), slots) for slots in np.diff(cuts).tolist()]
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
    present = np.where(values == MISSING, 0, values)
    longest = int(np.diff(cuts).max(initial=0))
    if longest * int(np.abs(present).max(initial=0)) < 2**63:
        # The running sum may wrap around, as int64 does modulo 2**64. The difference of two running
        # sums is right modulo 2**64 all the same, and each window's sum fits into an int64.
        running = np.concatenate([[0], np.cumsum(present)])
        sums: list[int] = np.diff(running[cuts]).tolist()
        return sums
    # Years of slots near the bound: rare enough for Python's integers.
    numbers = present.tolist()
    pairs = zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)
    return [sum(numbers[begin:past]) for begin, past in pairs]


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
