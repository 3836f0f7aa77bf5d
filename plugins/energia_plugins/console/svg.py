"""SVG that the server draws: elements with classes, a scale, axes; never a style of its own.

A picture is drawn for its own width, so its text is always 12 px: a page has it twice, once for a
phone (`NARROW`) and once for the wide place, and the style sheet shows one of them.
"""

from collections.abc import Iterable, Sequence
from math import floor, log10
from typing import Final

import attrs
from markupsafe import Markup, escape

#: The width of a picture on a phone.
NARROW: Final = 358
#: The width of a picture in the wide column, and across the page.
COLUMN: Final = 694
WIDE: Final = 1120


def tag(name: str, *inside: str | Markup, **attributes: object) -> Markup:
    """Return an element; a trailing `_` of an attribute's name goes, others are hyphens.

    Numbers are written to a tenth of a pixel. An attribute that is None is left out.
    """
    given = " ".join(
        f'{key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    content = Markup("").join(inside)
    # What comes from outside is escaped above.
    whole = f"<{name} {given}>{content}</{name}>" if given else f"<{name}>{content}</{name}>"
    return Markup(whole)  # noqa: S704


def _text(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


def picture(
    width: float, height: float, inside: Iterable[Markup], *, title: str, description: str = ""
) -> Markup:
    """Return a whole picture, which screen readers read by its title and description."""
    return tag(
        "svg",
        tag("title", escape(title)),
        tag("desc", escape(description)),
        *inside,
        viewBox=f"0 0 {_text(width)} {_text(height)}",
        width=width,
        height=height,
        role="img",
    )


def both(narrow: Markup, wide: Markup) -> Markup:
    """Return a picture for phones and one for all else."""
    return tag("div", narrow, class_="narrow-only") + tag("div", wide, class_="wide-only")


def label(
    text: str, x: float, y: float, *, class_: str | None = None, anchor: str = "start"
) -> Markup:
    """Return a text; *y* is its base line."""
    return tag("text", escape(text), x=x, y=y, class_=class_, text_anchor=anchor)


def rect(x: float, y: float, width: float, height: float, class_: str) -> Markup:
    """Return a rectangle; one of less than nothing has no height."""
    return tag("rect", x=x, y=y, width=max(0.0, width), height=max(0.0, height), class_=class_)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Return a line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def path(points: Sequence[tuple[float, float]], class_: str, *, steps: bool = False) -> Markup:
    """Return a line through points; with *steps* each value holds until the next one."""
    if not points:
        return Markup("")
    parts = [f"M{_text(float(points[0][0]))} {_text(float(points[0][1]))}"]
    for x, y in points[1:]:
        if steps:
            parts.append(f"H{_text(float(x))}")
        parts.append(f"V{_text(float(y))}" if steps else f"L{_text(float(x))} {_text(float(y))}")
    return tag("path", d="".join(parts), class_=class_)


@attrs.frozen
class Scale:
    """From values to pixels, in one direction.

    Attributes:
        low: The value at *start*.
        high: The value at *end*.
        start: A pixel.
        end: A pixel; below *start* where values grow upwards.

    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        if self.high == self.low:
            return self.start
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def ticks(high: float, low: float = 0.0, most: int = 4) -> list[float]:
    """Return three or four round values from *low* up to at least *high*."""
    span = high - low
    if span <= 0:
        return [low, low + 1]
    step = 10 ** floor(log10(span / most))
    step = next(size * step for size in (1, 2, 2.5, 5, 10, 20) if size * step * most >= span)
    first = floor(low / step) * step
    found = [first]
    while found[-1] < high:
        found.append(found[-1] + step)
    return found


def grid(values: Iterable[float], scale: Scale, left: float, right: float, form: object) -> Markup:
    """Return the lines of an axis that grows upwards, each with its value at the left.

    Args:
        values: Where lines are; the first one is the axis.
        scale: Of the values.
        left: Where lines begin; values end 6 px before it.
        right: Where they end.
        form: A function that writes a value.

    """
    assert callable(form)
    parts = []
    for index, value in enumerate(values):
        y = scale(value)
        parts.append(line(left, y, right, y, "grid" if index else "axis"))
        parts.append(label(form(value), left - 6, y + 4, anchor="end"))
    return Markup("").join(parts)


def hatch(id_: str) -> Markup:
    """Return the pattern of what is estimated, for `fill="url(#...)"`."""
    return tag(
        "defs",
        tag(
            "pattern",
            line(0, 0, 0, 6, "hatch"),
            id=id_,
            width=5,
            height=6,
            patternUnits="userSpaceOnUse",
            patternTransform="rotate(45)",
        ),
    )
