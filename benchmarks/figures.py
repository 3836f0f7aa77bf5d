"""What a benchmark finds: our figure beside a limit or a peer that was measured in the same run.

A figure alone says little, for machines differ and are shared. The ratio to what stands beside it,
measured in turns with it, is what is stated, aimed at and compared with an earlier run.
"""

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Literal

import attrs

#: Which of two values is the better one.
Better = Literal["more", "less"]


@attrs.frozen(kw_only=True)
class Figure:
    """One comparison.

    Attributes:
        name: What is done, such as `ingest, series form, 4 in flight`; it is known by this.
        against: What stands beside it, such as `binary COPY into a table with a primary key`.
        unit: Of both values: `readings/s`, `ms`, `MB`, `bytes a reading`.
        ours: What Energia needs or does.
        limit: What the other one needs or does.
        better: Whether more is better, as of a rate, or less, as of a time.
        least: The ratio that is aimed at; none where *most* is.
        most: How many times the limit it may be at most, where it cannot be better than it.
        note: What a reader has to know to understand the figure.

    """

    name: str
    against: str
    unit: str
    ours: float
    limit: float
    better: Better
    least: float | None = None
    most: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float:
        """How many times better than the limit; with *most*, how many times the limit."""
        if self.most is not None or self.better == "more":
            return self.ours / self.limit
        return self.limit / self.ours

    @property
    def reached(self) -> bool:
        """Whether the ratio is what is aimed at."""
        if self.most is not None:
            return self.ratio <= self.most
        return self.least is None or self.ratio >= self.least

    @property
    def aim(self) -> str:
        """What is aimed at, as a table says it."""
        if self.most is not None:
            return f"at most {self.most:g}"
        return "" if self.least is None else f"at least {self.least:g}"

    def worse(self, expected: float, tolerance: float) -> bool:
        """Whether the ratio is worse than an *expected* one, by more than a share of it."""
        if self.most is not None:
            return self.ratio > expected * (1 + tolerance)
        return self.ratio < expected * (1 - tolerance)


#: How often each side of a comparison is measured, in turns.
ROUNDS: Final = 5


def in_turns(
    ours: Callable[[], float], limit: Callable[[], float], rounds: int = ROUNDS
) -> tuple[float, float]:
    """Return the medians of both, each measured by its function, one after the other.

    The first turn is not counted: a process imports and connects when it is first asked.
    """
    _, *pairs = [(ours(), limit()) for _ in range(rounds + 1)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


async def in_turns_async(
    ours: Callable[[], Awaitable[float]],
    limit: Callable[[], Awaitable[float]],
    rounds: int = ROUNDS,
) -> tuple[float, float]:
    """Return the medians of both, as `in_turns` does."""
    _, *pairs = [(await ours(), await limit()) for _ in range(rounds + 1)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def processor_ms(run: Callable[[], object], times: int = 1) -> float:
    """Return how many ms of the processor one of *times* runs takes; others' load counts less."""
    begun = time.process_time()
    for _ in range(times):
        run()
    return (time.process_time() - begun) * 1000 / times


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a table of Markdown."""
    lines = [
        "| what | Energia | beside it | | ratio | aim |",
        "|---|---:|---:|---|---:|---|",
    ]
    for each in figures:
        mark = "" if each.reached else " **missed**"
        lines.append(
            f"| {each.name} | {number(each.ours)} {each.unit} | {number(each.limit)} {each.unit}"
            f" | {each.against} | {each.ratio:.2f} | {each.aim}{mark} |"
        )
    said: dict[str, list[str]] = {}
    for each in figures:
        if each.note:
            said.setdefault(each.note, []).append(each.name)
    notes = [f"- {'; '.join(names)}: {note}" for note, names in said.items()]
    return "\n".join([*lines, *([""] if notes else []), *notes]) + "\n"


def number(value: float) -> str:
    """Write a value with the digits that mean something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"
