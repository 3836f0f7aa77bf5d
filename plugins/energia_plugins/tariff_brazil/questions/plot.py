"""A plot of lines as SVG: in the colour of the text around it, so it suits light and dark pages.

A screen reader hears the title and the description. Coordinates are exact numbers, rounded to a
tenth of a pixel.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from html import escape
from math import ceil, floor
from typing import Final, TypeAlias

import attrs

from energia_plugins.tariff_brazil.portuguese import number_text

__all__ = ["Curve", "Mark", "Plot", "plot"]

Number: TypeAlias = int | Fraction | Decimal
WIDTH: Final = 720
HEIGHT: Final = 400
#: Where the axes are, and where they end.
_LEFT: Final = 96
_RIGHT: Final = WIDTH - 24
_TOP: Final = 48
_BOTTOM: Final = HEIGHT - 64
#: About so many ticks are on an axis.
_TICKS: Final = 6
#: How the curves after the first are dashed.
_DASHES: Final = ("", "6 4", "2 3", "10 4 2 4")
_GRID: Final = 'stroke="currentColor" stroke-opacity="0.15"'


@attrs.frozen
class Curve:
    """A curve.

    Attributes:
        name: What it is, for the legend.
        points: From left to right.

    """

    name: str
    points: Sequence[tuple[Number, Number]]


@attrs.frozen
class Mark:
    """A point that stands out.

    Attributes:
        x: Where.
        y: Where.
        label: What is written beside it.

    """

    x: Number
    y: Number
    label: str


@attrs.frozen(kw_only=True)
class Plot:
    """What is drawn.

    Attributes:
        title: Above the plot.
        description: What it shows, in a sentence or two, for who cannot see it.
        x: What the horizontal axis is, with its unit.
        y: What the vertical axis is, with its unit.
        curves: The curves; at least one with a point.
        marks: What stands out.
        text: Writes the numbers of ticks.
        id: Begins the ids in the document: several plots of one page need different ones.

    """

    title: str
    description: str
    x: str
    y: str
    curves: Sequence[Curve]
    marks: Sequence[Mark] = ()
    text: Callable[[Decimal], str] = number_text
    id: str = "plot"


@attrs.frozen
class _Axis:
    """Numbers along an axis, from the first tick to the last, and the pixels of both."""

    ticks: tuple[Decimal, ...]
    begin: int
    end: int

    @classmethod
    def of(cls, values: Sequence[Number], begin: int, end: int) -> "_Axis":
        low, high = Fraction(min(values)), Fraction(max(values))
        step = _step((high - low) / _TICKS)
        first, last = floor(low / Fraction(step)), ceil(high / Fraction(step))
        ticks = (step * number for number in range(first, max(last, first + 1) + 1))
        return cls(tuple(ticks), begin, end)

    def at(self, value: Number) -> str:
        """Return the pixel of a number."""
        first, last = Fraction(self.ticks[0]), Fraction(self.ticks[-1])
        share = (Fraction(value) - first) / (last - first)
        tenths = round((self.begin + share * (self.end - self.begin)) * 10)
        return f"{Decimal(tenths) / 10}"


def _step(least: Fraction) -> Decimal:
    """Return 1, 2 or 5 times a power of ten: the first that is *least* or more."""
    power = Decimal(1)
    while Fraction(power) < least:
        power *= 10
    while least and Fraction(power) / 10 >= least:
        power /= 10
    nice = (power / 10 * times for times in (1, 2, 5))
    return next((step for step in nice if Fraction(step) >= least > 0), power)


def plot(of: Plot) -> str:
    """Return an SVG document."""
    points = [point for curve in of.curves for point in curve.points]
    marks = [(mark.x, mark.y) for mark in of.marks]
    across = _Axis.of([x for x, _ in [*points, *marks]], _LEFT, _RIGHT)
    up = _Axis.of([y for _, y in [*points, *marks]], _BOTTOM, _TOP)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-labelledby="{of.id}-title {of.id}-desc" font-family="sans-serif" font-size="12" '
            'fill="currentColor">',
            f'<title id="{of.id}-title">{escape(of.title)}</title>',
            f'<desc id="{of.id}-desc">{escape(of.description)}</desc>',
            _text(WIDTH // 2, 24, of.title, 'text-anchor="middle" font-size="15"'),
            *_axes(of, across, up),
            *_curves(of, across, up),
            *(_mark(mark, across, up, number) for number, mark in enumerate(of.marks)),
            "</svg>",
            "",
        ]
    )


def _text(x: object, y: object, text: str, more: str) -> str:
    return f'<text x="{x}" y="{y}" {more}>{escape(text)}</text>'


def _axes(of: Plot, across: _Axis, up: _Axis) -> Iterator[str]:
    """Yield the grid with its numbers, and what the axes are."""
    left, right, top, bottom = _LEFT, _RIGHT, _TOP, _BOTTOM
    for tick in across.ticks:
        at = across.at(tick)
        yield f'<line x1="{at}" y1="{top}" x2="{at}" y2="{bottom}" {_GRID}/>'
        yield _text(at, bottom + 18, of.text(tick), 'text-anchor="middle"')
    for tick in up.ticks:
        at = up.at(tick)
        yield f'<line x1="{left}" y1="{at}" x2="{right}" y2="{at}" {_GRID}/>'
        yield _text(left - 8, at, of.text(tick), 'text-anchor="end" dominant-baseline="middle"')
    yield f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="currentColor"/>'
    yield _text((left + right) // 2, bottom + 42, of.x, 'text-anchor="middle"')
    middle = (top + bottom) // 2
    turned = f'text-anchor="middle" transform="rotate(-90 16 {middle})"'
    yield _text(16, middle, of.y, turned)


def _curves(of: Plot, across: _Axis, up: _Axis) -> Iterator[str]:
    """Yield the curves, and a legend where there are several."""
    for number, curve in enumerate(of.curves):
        path = " ".join(f"{across.at(x)},{up.at(y)}" for x, y in curve.points)
        dashes = _DASHES[number % len(_DASHES)]
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        line = f'fill="none" stroke="currentColor" stroke-width="2"{dashed}'
        yield f'<polyline points="{path}" {line}/>'
        if len(of.curves) > 1:
            y = _TOP + 12 + 18 * number
            yield f'<line x1="{_LEFT + 14}" y1="{y}" x2="{_LEFT + 44}" y2="{y}" {line}/>'
            yield _text(_LEFT + 52, y, curve.name, 'dominant-baseline="middle"')


def _mark(mark: Mark, across: _Axis, up: _Axis, number: int) -> str:
    """Return a dot with its label; labels of marks that are near stand one below another."""
    x, y = across.at(mark.x), up.at(mark.y)
    is_left = Decimal(x) < WIDTH * 2 // 3
    beside = Decimal(x) + (10 if is_left else -10)
    anchor = f'text-anchor="{"start" if is_left else "end"}"'
    label = _text(beside, Decimal(y) + 20 + 16 * number, mark.label, anchor)
    return f'<circle cx="{x}" cy="{y}" r="5"/>{label}'
