"""Coverage: how much was read, and a bar that shows where readings are missing or estimated."""

from collections.abc import Iterator, Sequence
from string import ascii_lowercase
from typing import Final, Self

import attrs
from markupsafe import Markup

from energia.time import Instant
from energia_plugins.console.load.curve import gaps, months
from energia_plugins.console.load.slots import Run, Slots
from energia_plugins.console.load.windows import Window
from energia_plugins.console.svg import NARROW, WIDE, Scale, hatch, label, picture, rect, tag
from energia_plugins.console.words import Words

_TOP: Final = 18
_BAR: Final = 16
#: How many of them a table has, the newest.
_LISTED: Final = 8
_LEAST: Final = 3.0


@attrs.frozen
class Lettered:
    """A run of slots, and the letter by which the bar points to it.

    Attributes:
        letter: The letter.
        run: The run.

    """

    letter: str
    run: Run


@attrs.frozen
class Coverage:
    """How much was read of a window.

    Attributes:
        start: When the first reading begins.
        end: When the last one ends.
        expected: How many slots there have been between these.
        missing: How many of them have no reading.
        estimated: How many were estimated.
        questionable: How many are not to be believed.
        listed: The newest runs of them, in order.
        others: How many runs there are before these.
        runs: All of them.

    """

    start: Instant
    end: Instant
    expected: int
    missing: int
    estimated: int
    questionable: int
    listed: tuple[Lettered, ...]
    others: int
    runs: tuple[Run, ...]

    @classmethod
    def of(cls, slots: Slots) -> Self:
        """Return how much was read from the first reading to the last."""
        inside = slots.within(slots.first, slots.last)
        runs = gaps(inside.marked(), inside.end)
        counted = {
            kind: sum(run.slots for run in runs if run.kind == kind)
            for kind in ("missing", "estimated", "questionable")
        }
        newest = runs[-_LISTED:]
        listed = tuple(map(Lettered, ascii_lowercase, newest))
        return cls(
            inside.start,
            inside.end,
            len(inside.powers),
            **counted,
            listed=listed,
            others=len(runs) - len(newest),
            runs=tuple(runs),
        )

    @property
    def measured(self) -> int:
        """How many slots were measured."""
        return self.expected - self.missing - self.estimated - self.questionable

    @property
    def share(self) -> float:
        """The part of the slots that was measured, in thousandths: all of them are 1 alone."""
        return self.measured * 1_000 // self.expected / 1_000 if self.expected else 0.0


def widths(words: Words, coverage: Coverage, window: Window) -> tuple[Markup, Markup]:
    """Return the bar for a phone, and that for the wide place."""
    return (
        draw(words, coverage, window, NARROW, "coverage-narrow"),
        draw(words, coverage, window, WIDE, "coverage-wide"),
    )


def draw(words: Words, coverage: Coverage, window: Window, width: float, id_: str) -> Markup:
    """Return a bar of a window: what was read is grey, what is missing is framed."""
    x = Scale(window.start, window.end, 0, width - 1)
    inside = [
        hatch(id_),
        rect(x(coverage.start), _TOP, x(coverage.end) - x(coverage.start), _BAR, "grey"),
        *(part for run in coverage.runs for part in _run(run, x, id_)),
        *_letters(coverage.listed, x, width),
        *months(words, window, x, _TOP + _BAR),
    ]
    title = words.text("Coverage, %(window)s", window=window.title(words))
    description = words.text(
        "%(missing)s intervals without a reading, %(estimated)s estimated.",
        missing=words.number(coverage.missing),
        estimated=words.number(coverage.estimated),
    )
    return picture(width, _TOP + _BAR + 24, inside, title=title, description=description)


def _run(run: Run, x: Scale, id_: str) -> Iterator[Markup]:
    left, wide = x(run.start), max(x(run.end) - x(run.start), _LEAST)
    yield rect(left, _TOP, wide, _BAR, "paper")
    if run.kind == "missing":
        yield rect(left + 0.5, _TOP + 0.5, max(wide - 1, 2), _BAR - 1, "missing")
    else:
        yield tag("rect", x=left, y=_TOP, width=wide, height=_BAR, fill=f"url(#{id_})")


def _letters(listed: Sequence[Lettered], x: Scale, width: float) -> Iterator[Markup]:
    """Yield the letters above the bar, each a little to the right where two would meet."""
    free = 0.0
    for each in listed:
        at = max(x((each.run.start + each.run.end) / 2), free)
        free = at + 9
        yield label(each.letter, min(at, width - 5), _TOP - 5, class_="strong", anchor="middle")
