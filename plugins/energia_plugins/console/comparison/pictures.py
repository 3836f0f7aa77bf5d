"""The pictures of a comparison: costs by month, lines that cross, bars left and right."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Final

import attrs
from markupsafe import Markup

from energia_plugins.console.comparison.breakeven import BreakEven
from energia_plugins.console.comparison.costs import Priced
from energia_plugins.console.svg import (
    NARROW,
    WIDE,
    Scale,
    both,
    grid,
    label,
    line,
    path,
    picture,
    rect,
    tag,
    ticks,
)
from energia_plugins.console.words import Words

#: What tells tariffs apart: the first is the customer's own.
SHAPES: Final = ("disc", "square", "triangle", "diamond", "cross")
_SIZE: Final = 4.0
_LEFT: Final = 54.0


def mark(shape: str, x: float, y: float) -> Markup:
    """Return the mark of a tariff at a point."""
    s = _SIZE
    if shape == "disc":
        return tag("circle", cx=x, cy=y, r=s + 0.5, class_="disc")
    if shape == "square":
        return rect(x - s, y - s, 2 * s, 2 * s, "point")
    if shape == "triangle":
        return _closed([(x, y - s - 1), (x + s + 1, y + s), (x - s - 1, y + s)])
    if shape == "diamond":
        return _closed([(x, y - s - 1), (x + s + 1, y), (x, y + s + 1), (x - s - 1, y)])
    down = line(x - s, y - s, x + s, y + s, "stroke")
    return down + line(x - s, y + s, x + s, y - s, "stroke")


def _closed(points: Sequence[tuple[float, float]]) -> Markup:
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return tag("polygon", points=corners, class_="point")


def key_mark(shape: str) -> Markup:
    """Return the mark of a tariff as it stands beside its name."""
    inside = mark(shape, 6.0, 6.0)
    return tag("svg", inside, width=12, height=12, viewBox="0 0 12 12", aria_hidden="true")


# Month by month.


@attrs.frozen
class Months:
    """What tariffs cost by month.

    Attributes:
        words: The language.
        months: Their first days.
        priced: The tariffs, the customer's own first.
        title: What the picture is called.
        unit: What its numbers are.
        description: What it shows, with the numbers.

    """

    words: Words
    months: Sequence[date]
    priced: Sequence[Priced]
    title: str
    unit: str
    description: str

    def picture(self) -> Markup:
        """Return the picture, for phones and for all else."""
        return both(self._drawn(NARROW, 210), self._drawn(WIDE, 270))

    def _drawn(self, width: float, height: float) -> Markup:
        top = max(float(cost) for each in self.priced for cost in each.months)
        low = min(0.0, *(float(cost) for each in self.priced for cost in each.months))
        lines = ticks(top, low)
        up = Scale(lines[0], lines[-1], height - 24, 30)
        band = (width - _LEFT) / len(self.months)
        parts = [
            label(self.unit, 0, 12),
            grid(lines, up, _LEFT, width, lambda value: self.words.number(round(value))),
        ]
        for index, month in enumerate(self.months):
            x = _LEFT + band * (index + 0.5)
            parts += [self._month(index, x, band, up), self._name(index, month, x, band, height)]
        return picture(width, height, parts, title=self.title, description=self.description)

    def _month(self, index: int, x: float, band: float, up: Scale) -> Markup:
        """Return the marks of a month on their stem; each tariff has a place of its own."""
        values = [up(float(each.months[index])) for each in self.priced]
        step = min(10.0, band / (len(values) + 1))
        found = line(x, min(values), x, max(values), "axis")
        places = range(len(values))
        for place in sorted(places, reverse=True):
            found += mark(SHAPES[place], x + step * _aside(place), values[place])
        return found

    def _name(self, index: int, month: date, x: float, band: float, height: float) -> Markup:
        """Return the name of a month; in little room its first letter, or no name."""
        short = self.words.short_month(month)
        if band < _LETTER:
            return Markup("")
        text = short[:1].upper() if band < _SHORT else short
        if band >= _LONG and (index == 0 or month.month == 1):
            text = f"{short} {month.year}"
        return label(text, x, height - 6, anchor="middle")


_LETTER: Final = 12.0
_SHORT: Final = 34.0
_LONG: Final = 64.0


def _aside(place: int) -> int:
    """Return how far from the stem a tariff is: the first on it, others left and right."""
    return (0, -1, 1, -2, 2)[place]


# The break-even.


@attrs.frozen
class Crossing:
    """What a kWh costs by the share of the peak.

    Attributes:
        words: The language.
        even: The lines.
        priced: The tariffs, the customer's own first.
        title: What the picture is called.
        unit: What its numbers are.
        below: What the shares are of.
        you: Marks today's share.
        there: Marks the share where it changes.
        description: What it shows, with the numbers.

    """

    words: Words
    even: BreakEven
    priced: Sequence[Priced]
    title: str
    unit: str
    below: str
    you: str
    there: str
    description: str

    def picture(self) -> Markup:
        """Return the picture, for phones and for all else."""
        return both(self._drawn(NARROW, 250), self._drawn(540, 270))

    def _drawn(self, width: float, height: float) -> Markup:
        even = self.even
        right = width - 16 - _WIDE * max(len(cut(each.name)) for each in self.priced)
        shares = [float(even.share), float(even.change.share) if even.change else 0.0]
        past = ticks(min(1.0, max(0.1, *(share * 1.5 for share in shares))))
        ends = (Fraction(0), Fraction(past[-1]).limit_denominator(1000))
        costs = [[self._cost(place, share) for share in ends] for place in self._places]
        lowest, highest = min(map(min, costs)), max(map(max, costs))
        lines = ticks(highest, lowest - (highest - lowest) * 0.3)
        across = Scale(0, past[-1], _LEFT, right)
        up = Scale(lines[0], lines[-1], height - 40, 26)
        parts = [label(self.unit, 0, 12), grid(lines, up, _LEFT, right, self._rate)]
        parts += [self._share(share, across, height) for share in past]
        parts.append(label(self.below, (_LEFT + right) / 2, height - 6, anchor="middle"))
        parts += self._limits(across, up)
        parts += self._curves(costs, across, up)
        return picture(width, height, parts, title=self.title, description=self.description)

    @property
    def _places(self) -> list[int]:
        told = [each.tariff for each in self.even.curves]
        return [place for place, each in enumerate(self.priced) if each.id in told]

    def _cost(self, place: int, share: Fraction) -> float:
        """Return what a kWh costs under a tariff at a share of the peak."""
        even = self.even
        (found,) = (one for one in even.curves if one.tariff == self.priced[place].id)
        return float(found.at(share, even.share, even.energy) / even.energy)

    def _rate(self, value: float) -> str:
        return self.words.number(round(value, 3), 2)

    def _share(self, share: float, across: Scale, height: float) -> Markup:
        text = self.words.percent(round(share, 3))
        return label(text, across(share), height - 24, anchor="middle")

    def _limits(self, across: Scale, up: Scale) -> list[Markup]:
        """Return where one is, and where it changes: dashed, with the share."""
        even, floor = self.even, up.start
        cheapest = min(self._places, key=lambda place: self.priced[place].total)
        shown = [(even.share, self.you)]
        if even.change:
            shown.append((even.change.share, self.there))
        shown.sort()
        lines, labels = list[Markup](), list[Markup]()
        for index, (share, text) in enumerate(shown):
            x, y = across(float(share)), up(self._cost(cheapest, share))
            is_first = index == 0 and len(shown) > 1
            is_left = is_first and x > _LEFT + _WIDE * len(text)
            lines.append(line(x, y, x, floor, "limit"))
            at = (x - 5, "end") if is_left else (x + 5, "start")
            height = floor - 6 - (16 if is_first and not is_left else 0)
            labels.append(label(text, at[0], height, class_="strong halo", anchor=at[1]))
            labels.append(tag("circle", cx=x, cy=y, r=4, class_="point"))
        return [*lines, *labels]

    def _curves(self, costs: Sequence[Sequence[float]], across: Scale, up: Scale) -> list[Markup]:
        """Return the lines, each with its mark and its name at the end."""
        named = _apart([up(end) for _, end in costs])
        parts = list[Markup]()
        for place, (begin, end), beside in zip(self._places, costs, named, strict=True):
            class_ = "curve" if place == 0 else "other"
            points = [(across.start, up(begin)), (across.end, up(end))]
            parts.insert(0, path(points, class_))
            parts.append(mark(SHAPES[place], across.end, up(end)))
            name = cut(self.priced[place].name)
            strong = "strong" if place == 0 else None
            parts.append(label(name, across.end + 10, beside + 4, class_=strong))
        return parts


#: So many letters of a name stand beside a line, each so wide.
_NAME: Final = 16
_WIDE: Final = 7.0


def cut(name: str) -> str:
    """Return a name that fits beside a line: its last words, where it is long, tell it apart."""
    if len(name) <= _NAME:
        return name
    end = name[-_NAME:]
    words = end.partition(" ")[2]
    return f"…{words or end[1:]}"


def _apart(heights: Sequence[float]) -> list[float]:
    """Return where names stand beside their lines: as near as leaves a line of text each."""
    found = list(heights)
    order = sorted(range(len(found)), key=lambda index: found[index])
    for before, index in pairwise(order):
        found[index] = max(found[index], found[before] + 15)
    return found


# Bars left and right.

_BAR: Final = 112.0


def bar(amount: float, largest: float) -> Markup:
    """Return a difference as a bar: to the left what is cheaper, to the right what is dearer."""
    middle = _BAR / 2
    length = abs(amount) / largest * (middle - 2) if largest else 0.0
    inside = [line(middle, 0, middle, 14, "axis")]
    if length >= 0.5:
        x = middle - length if amount < 0 else middle
        inside.append(rect(x, 3, length, 8, "grey" if amount < 0 else "ink"))
    return tag("svg", *inside, width=_BAR, height=14, viewBox=f"0 0 {_BAR} 14", aria_hidden="true")
