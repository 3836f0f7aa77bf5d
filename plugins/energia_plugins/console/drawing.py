"""Charts that plugins describe, drawn as those of the console."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from math import ceil

from babel.numbers import is_currency
from markupsafe import Markup

from energia.web.panels import Bars, Curve, Number
from energia_plugins.console.svg import (
    COLUMN,
    NARROW,
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

_TOP = 28
_FOOT = 24
_HEIGHT = 220
#: So wide is a letter of a label.
_LETTER = 7.0


def chart(words: Words, what: Bars | Curve) -> Markup:
    """Return a chart for phones and for all else."""
    draw: Callable[[int], Markup]
    if isinstance(what, Bars):
        draw = lambda width: bars(words, what, width)  # noqa: E731 - one of two
    else:
        draw = lambda width: curve(words, what, width)  # noqa: E731
    return both(draw(NARROW), draw(COLUMN))


def bars(words: Words, what: Bars, width: int) -> Markup:
    """Return bars beside each other; on a phone, the last twelve."""
    shown = what.bars[-12:] if width == NARROW else what.bars
    values = [float(value) for _, value in shown if value is not None]
    limit = None if what.limit is None else float(what.limit)
    steps = ticks(max([*values, limit or 0.0, 0.0]), min([*values, 0.0]))
    left, bottom = _left(words, steps), _HEIGHT - _FOOT
    scale = Scale(steps[0], steps[-1], bottom, _TOP)
    parts = [label(what.title, 0, 12), grid(steps, scale, left, width, _form(words, steps))]
    room = (width - left) / max(1, len(shown))
    parts += _names([name for name, _ in shown], left, room)
    for index, (_, value) in enumerate(shown):
        middle = left + room * (index + 0.5)
        if value is None:
            box = {"x": middle - room * 0.3, "y": scale(steps[-1] / 3), "width": room * 0.6}
            parts.append(tag("rect", **box, height=bottom - box["y"], class_="missing"))
            continue
        over = limit is not None and float(value) > limit
        top, base = sorted((scale(float(value)), scale(0.0)))
        class_ = "ink" if over else "grey"
        parts.append(rect(middle - room * 0.32, top, room * 0.64, base - top, class_))
        if over and room > 34:
            text = words.number(_shown(value))
            parts.append(label(text, middle, top - 5, class_="strong", anchor="middle"))
    if limit is not None and what.limit is not None:
        parts.append(line(left, scale(limit), width, scale(limit), "limit"))
    described = "; ".join(f"{name}: {_text(words, value, what.unit)}" for name, value in shown)
    return picture(width, _HEIGHT, parts, title=what.title, description=described)


def _names(names: list[str], left: float, room: float) -> list[Markup]:
    """Return the names below bars: the last, and of those before it as many as have room."""
    longest = max((len(name) for name in names), default=0) * _LETTER
    step, end = max(1, ceil(longest / room)), left + room * len(names)
    parts = list[Markup]()
    for index, name in enumerate(names):
        if (len(names) - 1 - index) % step == 0:
            middle = left + room * (index + 0.5)
            fits = middle + len(name) * _LETTER / 2 <= end
            x, anchor = (middle, "middle") if fits else (end, "end")
            parts.append(label(name, x, _HEIGHT - 6, anchor=anchor))
    return parts


def curve(words: Words, what: Curve, width: int) -> Markup:
    """Return curves over one axis, which need not begin at zero; marks are labelled."""
    points = list(chain.from_iterable(points for _, points in what.curves))
    if not points:
        return picture(width, _FOOT, [label(what.title, 0, 12)], title=what.title)
    xs, ys = [float(x) for x, _ in points], [float(y) for _, y in points]
    steps, across = ticks(max(ys), min(ys)), ticks(max(xs), min(xs))
    left, bottom = _left(words, steps), _HEIGHT - 2 * _FOOT
    up = Scale(steps[0], steps[-1], bottom, _TOP)
    along = Scale(min(xs), max(xs), left + 4, width - 8)
    parts = [label(what.title, 0, 12), grid(steps, up, left, width, _form(words, steps))]
    form = _form(words, across)
    for value in across:
        if min(xs) <= value <= max(xs):
            parts.append(label(form(value), along(value), bottom + 18, anchor="middle"))
    parts.append(label(what.x_title, (left + width) / 2, bottom + 38, anchor="middle"))
    for index, (_, drawn) in enumerate(reversed(what.curves)):
        class_ = "curve" if index == len(what.curves) - 1 else "other"
        parts.append(path([(along(float(x)), up(float(y))) for x, y in drawn], class_))
    for mark in what.marks:
        x, y = along(float(mark.x)), up(float(mark.y))
        at_end = x > width * 0.7
        parts.append(tag("circle", cx=x, cy=y, r=4, class_="point"))
        anchor, beside = ("end", x - 8) if at_end else ("start", x + 8)
        parts.append(label(mark.label, beside, y - 8, class_="strong halo", anchor=anchor))
    marks = "; ".join(mark.label for mark in what.marks)
    names = ", ".join(name for name, _ in what.curves)
    description = f"{what.x_title}. {names}. {marks}"
    return picture(width, _HEIGHT, parts, title=what.title, description=description)


def _left(words: Words, steps: list[float]) -> float:
    """Return where a picture begins, beside the longest number of its axis."""
    form = _form(words, steps)
    return 12 + 7 * max(len(form(step)) for step in steps)


def _form(words: Words, steps: list[float]) -> Callable[[float], str]:
    """Return how the values of an axis are written: all to the same decimals."""
    texts = [f"{step:.4f}".rstrip("0") for step in steps]
    places = max(len(text.partition(".")[2]) for text in texts)
    return lambda value: words.number(f"{value:.6f}", places)


def _shown(value: Number) -> Decimal:
    """Return a value as it stands at its bar."""
    exact = Fraction(value)
    if abs(exact) >= 1000:
        return Decimal(round(exact))
    return Decimal(round(exact * 10)).scaleb(-1)


def _text(words: Words, value: Number | None, unit: str) -> str:
    if value is None:
        return "\N{EN DASH}"
    shown = _shown(value)
    return words.money(shown, unit) if is_currency(unit) else words.quantity(shown, unit)
