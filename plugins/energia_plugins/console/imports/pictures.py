"""Small pictures of forms: the days of a file that is to be imported."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from markupsafe import Markup

from energia_plugins.console.svg import (
    COLUMN,
    NARROW,
    Scale,
    both,
    grid,
    label,
    line,
    picture,
    rect,
    ticks,
)
from energia_plugins.console.words import Words

_HEIGHT: Final = 120
_LEFT: Final = 48
_TOP: Final = 24
_BOTTOM: Final = 22


def days_picture(words: Words, days: Sequence[Mapping[str, Any]], unit: str) -> Markup | None:
    """Return the sums of the days of a file as bars; None where there are fewer than two."""
    sums = [
        (day, sum(float(one["sum"]) for one in several))
        for day, several in groupby(days, key=lambda one: str(one["day"]))
    ]
    if len(sums) < 2:
        return None
    return both(_days(words, sums, unit, NARROW), _days(words, sums, unit, COLUMN))


def _days(words: Words, sums: Sequence[tuple[str, float]], unit: str, width: int) -> Markup:
    high = max(0.0, *(value for _, value in sums))
    values = ticks(high or 1.0, most=3)
    up = Scale(0, values[-1], _HEIGHT - _BOTTOM, _TOP)
    step = (width - _LEFT) / len(sums)
    gap = 1.0 if step > 3 else 0.0
    parts = [label(_title(words, unit), 0, 10)]
    parts.append(grid(values, up, _LEFT, width, lambda value: words.number(f"{value:g}")))
    for place, (_, value) in enumerate(sums):
        top = up(max(value, 0.0))
        parts.append(rect(_LEFT + place * step, top, step - gap, up(0) - top, "grey"))
    parts.append(line(_LEFT, up(0), width, up(0), "axis"))
    for place, anchor in ((0, "start"), (len(sums) - 1, "end")):
        x = _LEFT if place == 0 else width
        parts.append(label(words.day(sums[place][0]), x, _HEIGHT - 6, anchor=anchor))
    first, last = words.day(sums[0][0], year=True), words.day(sums[-1][0], year=True)
    described = words.text("From %(first)s to %(last)s", first=first, last=last)
    return picture(width, _HEIGHT, parts, title=_title(words, unit), description=described)


def _title(words: Words, unit: str) -> str:
    return words.text("%(unit)s a day", unit=unit) if unit else words.text("Sum of each day")
