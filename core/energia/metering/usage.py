"""Sums of readings over windows of local time, with their peaks and what they rest on.

Windows follow the local clock of the site: most days have 24 hours, some have 23 or 25. A slot
belongs wholly to the window in which it starts, so that the sums of neighbouring windows add up to
the sum of both.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Final, Self

import attrs
import numpy as np

from energia.metering.series import MISSING, QUALITIES, Mask, Micro, Quality, Series
from energia.time import DAY, Granularity, Instant, Int64, Zone

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


@attrs.frozen(eq=False)
class Windows:
    """The slots of windows that follow each other: the same in all series of a span.

    A slot belongs wholly to the window in which it starts.

    Attributes:
        cuts: int64[n + 1], the first slot of each, and the one after the last.
        slots: The slots of all of them.
        lengths: How many slots each has.
        filled: int64[m], which of them have a slot.
        begins: int64[m], the first slot of each of these, counted from the first of all.
        runs: Those of these that follow each other and are of one length: from which one on, until
            before which, and how many slots each has.
        split: How many slots have a boundary between windows inside.

    """

    cuts: Int64
    slots: slice
    lengths: list[int]
    filled: Int64
    begins: Int64
    runs: list[tuple[int, int, int]]
    split: int

    @classmethod
    def of(cls, edges: Int64, start: Instant, interval: int, slots: int) -> Self:
        """Return the windows between the instants *edges*, in series of so many slots.

        Args:
            edges: Where each window begins, and the last one ends.
            start: When the first slot starts.
            interval: The length of a slot in seconds.
            slots: How many there are.

        """
        places, rest = np.divmod(edges - start, interval)
        is_inside = rest != 0
        # Rounded up: the slot in which an edge lies belongs to the window before it.
        cuts = np.clip(places + is_inside, 0, slots)
        lengths = np.diff(cuts)
        filled = np.flatnonzero(lengths)
        split = len(np.unique(places[is_inside]))
        return cls(
            cuts,
            slice(int(cuts[0]), int(cuts[-1])),
            lengths.tolist(),
            filled,
            cuts[filled] - cuts[0],
            _runs(lengths[filled].tolist()),
            split,
        )

    @classmethod
    def in_series(cls, series: Series, edges: Int64) -> Self:
        """Return the windows between the instants *edges*, in a series."""
        return cls.of(edges, series.start, series.interval, len(series.values))

    def each(self, of_filled: Int64, otherwise: int) -> Int64:
        """Return a number for each window: *otherwise* for those without a slot."""
        if len(self.filled) == len(self.lengths):
            return of_filled
        numbers = np.full(len(self.lengths), otherwise, np.int64)
        numbers[self.filled] = of_filled
        return numbers


def _runs(lengths: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return where runs of equal *lengths* begin and end, and the length of each."""
    runs, begin = [], 0
    for length, run in groupby(lengths):
        past = begin + sum(1 for _ in run)
        runs.append((begin, past, length))
        begin = past
    return runs


@attrs.frozen(eq=False)
class WindowSums:
    """The usage of windows that follow each other, column by column.

    Attributes:
        values: The sum of each in micro-units, of the slots that have a value.
        peaks: int64[n], the index of its largest slot in the series; -1 without a value.
        coverage: What its sum rests on.

    """

    values: list[int]
    peaks: Int64
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
    return Windows.in_series(series, edges).split


def split_stretches(series: Series, edges: Int64) -> int:
    """Return inside how many sums that were spread over their slots some instants *edges* lie."""
    if series.edges is None:
        return 0
    inside = edges[~np.isin(edges, series.edges)]
    past = np.unique(np.searchsorted(series.edges, inside))
    return int(np.count_nonzero((past > 0) & (past < len(series.edges))))


def by_window(series: Series, edges: Int64) -> list[WindowUsage]:
    """Return the usage of the windows between the instants *edges*.

    A slot belongs wholly to the window in which it starts.
    """
    sums, begins = window_sums(series, Windows.in_series(series, edges)), edges.tolist()
    return [
        WindowUsage(start, end, total, peak if peak >= 0 else None, coverage)
        for start, end, total, peak, coverage in zip(
            begins, begins[1:], sums.values, sums.peaks.tolist(), sums.coverage, strict=False
        )
    ]


def window_sums(series: Series, windows: Windows) -> WindowSums:
    """Return what `by_window` does, without an object for each window."""
    inside = series.values[windows.slots]
    at_peaks = windows.begins + _largest(inside, windows.runs)
    largest, peaks = inside[at_peaks], at_peaks + windows.slots.start
    least = int(inside.min(initial=0))
    if least == MISSING:
        peaks = np.where(largest == MISSING, -1, peaks)
        inside = np.where(inside == MISSING, 0, inside)
        least = int(inside.min(initial=0))
    return WindowSums(
        _sums(inside, windows, max(-least, int(largest.max(initial=0)))),
        windows.each(peaks, -1),
        _coverage(series.quality[windows.slots], windows),
    )


def coverage(series: Series, start: int, end: int) -> Coverage:
    """Return what the slots that start in [start, end) are.

    *series* may not reach all of them: a slot beyond it is missing, as it is for the sum.
    """
    window = Windows.in_series(series, np.array([start, end]))
    inside = _coverage(series.quality[window.slots], window)[0]
    expected = series.index_at(end) - series.index_at(start)
    if not (beyond := expected - inside.expected):
        return inside
    return attrs.evolve(inside, expected=expected, missing=inside.missing + beyond)


#: Of a year of days nearly all rest on the same: each is made once.
_rests_on: Final = lru_cache(maxsize=4096)(Coverage)


def _coverage(inside: Quality, windows: Windows) -> list[Coverage]:
    """Return the coverage of each window; *inside* are the slots of all of them."""
    lengths = windows.lengths
    if len(inside) and (inside == inside[0]).all():  # nearly always: all of them are actual
        kind = int(_KINDS[inside[0]])
        alike = {slots: _alike(kind, slots) for slots in set(lengths)}
        return [alike[slots] for slots in lengths]
    kinds, cuts = _KINDS[inside], windows.cuts - windows.cuts[0]
    # Of each kind, how many slots there are before every slot: a window's are a difference.
    counts = [_counts(kinds == kind, cuts) for kind in range(len(_COUNTED))]
    return [
        _rests_on(slots, actual, estimated, questionable, slots - actual - estimated - questionable)
        for slots, actual, estimated, questionable in zip(lengths, *counts, strict=True)
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


def _sums(inside: Micro, windows: Windows, bound: int) -> list[int]:
    """Return the exact sum of each window, whatever its size.

    Args:
        inside: The slots of all of them, 0 where there is no value.
        windows: The windows.
        bound: None of the slots is larger, whatever its sign.

    """
    if max(windows.lengths, default=0) * bound < 2**63:
        begins = windows.begins
        # Windows without a slot take none from the others: each reaches to the next that has one.
        sums = np.add.reduceat(inside, begins) if len(begins) else begins
        totals: list[int] = windows.each(sums, 0).tolist()
        return totals
    # Years of slots near the bound: rare enough for Python's integers.
    numbers, cuts = inside.tolist(), (windows.cuts - windows.cuts[0]).tolist()
    return [sum(numbers[begin:past]) for begin, past in pairwise(cuts)]


def _largest(inside: Micro, runs: Sequence[tuple[int, int, int]]) -> Int64:
    """Return which slot of each window is its first largest one.

    As a rule there are few runs, and no window is looked at by itself.

    Args:
        inside: The slots of all windows.
        runs: The windows that have a slot, as `Windows` has them.

    """
    largest = np.zeros(runs[-1][1] if runs else 0, np.int64)
    past = 0
    for begin, end, length in runs:
        first, past = past, past + (end - begin) * length
        inside[first:past].reshape(-1, length).argmax(axis=1, out=largest[begin:end])
    return largest
