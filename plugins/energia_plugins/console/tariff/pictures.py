"""The pictures of a tariff: its week by period, and its prices slot by slot."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import attrs
from markupsafe import Markup

from energia_plugins.console.periods import Period, letter_of
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
    ticks,
)
from energia_plugins.console.tariff.week import MINUTES, Part
from energia_plugins.console.words import Words

_ROW: Final = 22.0
_DAY: Final = 64.0
_HALF: Final = 540
#: How wide a letter is.
_LETTER: Final = 8.0
_HOURS: Final = range(0, 25, 3)


@attrs.frozen
class Week:
    """The week of part of a year.

    Attributes:
        part: The part.
        days: What its rows are called.
        periods: The periods of the tariff, by their names.
        title: What the picture is called.
        description: What it shows, in words.

    """

    part: Part
    days: Sequence[str]
    periods: Mapping[str, Period]
    title: str
    description: str

    def picture(self) -> Markup:
        """Return the picture, for phones and for all else."""
        return both(self._drawn(NARROW), self._drawn(_HALF))

    def _drawn(self, width: float) -> Markup:
        height = len(self.part.rows) * _ROW + 22
        across = Scale(0, MINUTES, _DAY, width - 8)
        parts, letters = list[Markup](), list[Markup]()
        for index, row in enumerate(self.part.rows):
            y = index * _ROW
            parts.append(label(self.days[index], 0, y + 15))
            for span in row.spans:
                period = self.periods.get(span.period)
                ends = (across(span.start), across(span.end))
                parts.append(_cell(period, ends, y))
                letters += _letter(period, ends, y)
        bottom = len(self.part.rows) * _ROW
        for hour in range(25):
            x = across(hour * 60)
            parts.append(line(x, 0, x, bottom - 2, "cell"))
        parts += letters
        for hour in _HOURS:
            parts.append(label(str(hour), across(hour * 60), height - 6, anchor="middle"))
        return picture(width, height, parts, title=self.title, description=self.description)


def _cell(period: Period | None, ends: tuple[float, float], y: float) -> Markup:
    key = period.key if period else "n"
    return rect(ends[0], y, ends[1] - ends[0], _ROW - 2, f"cell-{key}")


def _letter(period: Period | None, ends: tuple[float, float], y: float) -> list[Markup]:
    """Return the letter of a period where there is room for it."""
    start, end = ends
    if period is None or end - start < _LETTER * len(period.letter):
        return []
    class_ = f"on-{period.key}"
    return [label(period.letter, (start + end) / 2, y + 15, class_=class_, anchor="middle")]


@attrs.frozen
class Curve:
    """Prices slot by slot.

    Attributes:
        words: The language.
        slots: The slots, as the API has them.
        title: What the picture is called.
        unit: What a price is of.
        description: What it shows, in words.

    """

    words: Words
    slots: Sequence[Mapping[str, Any]]
    title: str
    unit: str
    description: str

    def picture(self) -> Markup:
        """Return the picture; a phone shows the first day and a half."""
        start = datetime.fromisoformat(self.slots[0]["start"])
        near = start + timedelta(hours=36)
        few = [one for one in self.slots if datetime.fromisoformat(one["start"]) < near]
        return both(self._drawn(few, NARROW, 200), self._drawn(self.slots, WIDE, 240))

    def _drawn(self, slots: Sequence[Mapping[str, Any]], width: float, height: float) -> Markup:
        prices = [float(one["price"]) for one in slots]
        lines = ticks(max(*prices, 0.0), min(*prices, 0.0))
        up = Scale(lines[0], lines[-1], height - 40, 26)
        starts = [datetime.fromisoformat(one["start"]).timestamp() for one in slots]
        end = datetime.fromisoformat(slots[-1]["end"]).timestamp()
        across = Scale(starts[0], end, 54, width - 8)
        parts = [label(self.unit, 0, 12), grid(lines, up, 54, width - 8, self._price)]
        names = {str(one["period"]) for one in slots if one.get("period")}
        for one, begin, past in zip(slots, starts, [*starts[1:], end], strict=True):
            key = letter_of(one.get("period") or "", names)
            x, y, zero = across(begin), up(float(one["price"])), up(0)
            class_ = f"{key} shade" if key != "n" else "n shade"
            parts.append(rect(x, min(y, zero), across(past) - x, abs(zero - y), class_))
        points = [(across(at), up(price)) for at, price in zip(starts, prices, strict=True)]
        parts.append(path([*points, (across(end), points[-1][1])], "curve", steps=True))
        parts += self._times(slots, across, height)
        return picture(width, height, parts, title=self.title, description=self.description)

    def _price(self, value: float) -> str:
        return self.words.number(round(value, 3), 2)

    def _times(
        self, slots: Sequence[Mapping[str, Any]], across: Scale, height: float
    ) -> list[Markup]:
        """Return the hours below the axis, and the day where one begins."""
        parts = list[Markup]()
        for one in slots:
            at = datetime.fromisoformat(one["start"])
            if at.minute or at.hour % 6:
                continue
            x = across(at.timestamp())
            parts.append(label(f"{at:%H}", x, height - 24, anchor="middle"))
            if at.hour == 0:
                parts.append(label(self.words.weekday(at.date()), x, height - 6))
                parts.append(line(x, 26, x, height - 40, "grid"))
        return parts
