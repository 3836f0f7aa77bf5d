"""Readings slot by slot, and together as steps that fit a picture.

Powers are floats: they become pixels. What is said in words is the API's own, exact.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Self

import attrs

from energia.time import Instant, instant_of, length_of

_HOUR: Final = 3_600
#: Qualities of what was not measured.
ESTIMATED: Final = frozenset({"substituted", "provisional", "estimated", "forecast"})
#: What a run of slots may be that a page marks.
KINDS: Final = ("missing", "estimated", "questionable")


@attrs.frozen
class Run:
    """Consecutive slots that are marked.

    Attributes:
        start: When the first one starts.
        end: When the last one ends.
        kind: `missing`, `estimated` or `questionable`.
        slots: How many there are.

    """

    start: Instant
    end: Instant
    kind: str
    slots: int


@attrs.frozen
class Step:
    """The power in part of a window.

    Attributes:
        start: When the part begins.
        end: When it ends.
        peak: The highest power of its slots; None without any reading.
        mean: Their average.

    """

    start: Instant
    end: Instant
    peak: float | None
    mean: float | None


@attrs.frozen(eq=False)
class Slots:
    """The readings of a channel in a window.

    Attributes:
        start: When the first slot starts.
        interval: The length of a slot in seconds.
        powers: The average power in each slot; None where it is missing.
        qualities: Where qualities begin, and their names; in order.

    """

    start: Instant
    interval: int
    powers: list[float | None]
    qualities: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, readings: Mapping[str, Any]) -> Self:
        """Return what the API answers to `get_readings`."""
        interval = cls.interval_of(readings)
        factor = _HOUR / interval
        powers = [None if value is None else value * factor for value in readings["values"]]
        runs = tuple((run["from"], run["code"]) for run in readings["quality"])
        return cls(instant_of(datetime.fromisoformat(readings["start"])), interval, powers, runs)

    @staticmethod
    def interval_of(channel: Mapping[str, Any]) -> int:
        """Return the length of a slot in seconds, as channels and readings have it."""
        return length_of(channel["interval"])

    @property
    def end(self) -> Instant:
        """When the last slot ends."""
        return self.start + len(self.powers) * self.interval

    @property
    def last(self) -> Instant:
        """When the last slot with a reading ends; the start without any."""
        for index in range(len(self.powers) - 1, -1, -1):
            if self.powers[index] is not None:
                return self.start + (index + 1) * self.interval
        return self.start

    @property
    def first(self) -> Instant:
        """When the first slot with a reading starts; the end without any."""
        for index, power in enumerate(self.powers):
            if power is not None:
                return self.start + index * self.interval
        return self.end

    def within(self, start: Instant, end: Instant) -> Self:
        """Return the slots that start in a window."""
        first, past = self._index(start), self._index(end)
        inside = [(max(0, at - first), code) for at, code in self._runs(first, past)]
        begin = self.start + first * self.interval
        return type(self)(begin, self.interval, self.powers[first:past], tuple(inside))

    def _index(self, at: Instant) -> int:
        """Return the first slot that starts at an instant, or later."""
        return min(max(-((self.start - at) // self.interval), 0), len(self.powers))

    def _runs(self, first: int, past: int) -> Iterator[tuple[int, str]]:
        for at, end, code in self._spans():
            if end > first and at < past:
                yield at, code

    def _spans(self) -> Iterator[tuple[int, int, str]]:
        """Yield where each quality begins and ends."""
        begins = [at for at, _ in self.qualities]
        ends = [*begins[1:], len(self.powers)]
        for (at, code), past in zip(self.qualities, ends, strict=False):
            yield at, past, code

    def marked(self) -> list[Run]:
        """Return the slots that are missing, estimated or questionable, as runs."""
        found: list[Run] = []
        for at, past, code in self._spans():
            kind = "estimated" if code in ESTIMATED else code
            if kind not in KINDS:
                continue
            start, end = self.start + at * self.interval, self.start + past * self.interval
            if found and (found[-1].end, found[-1].kind) == (start, kind):
                start = found.pop().start
            found.append(Run(start, end, kind, (end - start) // self.interval))
        return found

    @property
    def peak(self) -> tuple[Instant, float] | None:
        """When the slot starts that has the highest power, and that; None without a reading."""
        there = [(power, -index) for index, power in enumerate(self.powers) if power is not None]
        if not there:
            return None
        power, index = max(there)
        return self.start - index * self.interval, power

    @property
    def mean(self) -> float | None:
        """The average power; None without a reading."""
        there = [power for power in self.powers if power is not None]
        return sum(there) / len(there) if there else None

    def steps(self, edges: Sequence[Instant] | None = None) -> list[Step]:
        """Return the power between each of some instants and the next; slot by slot without."""
        if edges is None:
            ends = range(self.start, self.end + 1, self.interval)
            return [
                Step(start, start + self.interval, power, power)
                for start, power in zip(ends, self.powers, strict=False)
            ]
        cuts = [self._index(edge) for edge in edges]
        return [
            _step(start, end, self.powers[begin:past])
            for start, end, begin, past in zip(edges, edges[1:], cuts, cuts[1:], strict=False)
        ]

    def missing(self) -> int:
        """Return how many slots have no reading."""
        return sum(power is None for power in self.powers)


def length_of_slot(interval: int) -> str:
    """Return the length of a slot as people write it: `15 min`."""
    number, unit = (interval // 60, "min") if interval % 60 == 0 else (interval, "s")
    return f"{number}\N{NO-BREAK SPACE}{unit}"


def _step(start: Instant, end: Instant, powers: Sequence[float | None]) -> Step:
    there = [power for power in powers if power is not None]
    if not there:
        return Step(start, end, None, None)
    return Step(start, end, max(there), sum(there) / len(there))
