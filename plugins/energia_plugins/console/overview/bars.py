"""Pictures of the overview: days of the month by periods, and the peaks of months."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

import attrs
from markupsafe import Markup

from energia_plugins.console import svg
from energia_plugins.console.periods import Period
from energia_plugins.console.svg import COLUMN, NARROW, Scale, label, line, rect
from energia_plugins.console.words import Words

_HEIGHT: Final = {NARROW: 170, COLUMN: 206}
_LEFT: Final = 40
#: Room above the highest line of the grid, for the unit; and below the axis, for days.
_TOP: Final = 26
_BOTTOM: Final = 22
#: So wide is a letter of a label.
_LETTER: Final = 7.5


@attrs.frozen
class Day:
    """A day as a bar.

    Attributes:
        day: Which one.
        parts: How much in each period, by its name.
        forecast: How much it will be in all; None for a day that is over.
        is_estimated: Whether any of it is estimated.
        is_missing: Whether readings are missing.

    """

    day: date
    parts: Mapping[str, float]
    forecast: float | None = None
    is_estimated: bool = False
    is_missing: bool = False

    @property
    def total(self) -> float:
        """All of what was."""
        return sum(self.parts.values())


@attrs.frozen
class DayBars:
    """The days of a month as bars, peak on top.

    Attributes:
        days: All days of the month.
        periods: The periods, peak first.
        today: The day up to which there are readings; None where they are of all days.
        running: What stands below it.
        unit: What is at the top left.
        title: Names the picture.
        description: Says what it shows.

    """

    days: Sequence[Day]
    periods: Sequence[Period]
    today: date | None
    running: str
    unit: str
    title: str
    description: str

    def drawn(self, words: Words) -> Markup:
        """Return the picture, for phones and for the wide place."""
        return svg.both(self._at(words, NARROW), self._at(words, COLUMN))

    def _at(self, words: Words, width: int) -> Markup:
        height = _HEIGHT[width]
        highest = max((max(day.total, day.forecast or 0) for day in self.days), default=0)
        marks = svg.ticks(highest or 1, most=3)
        scale = Scale(0, marks[-1], height - _BOTTOM, _TOP)
        step = (width - _LEFT) / len(self.days)
        parts = [
            svg.hatch(f"days-{width}"),
            label(self.unit, 0, 12),
            svg.grid(marks, scale, _LEFT, width, lambda value: words.number(f"{value:g}")),
        ]
        for index, day in enumerate(self.days):
            left, bar = _LEFT + index * step, max(2.0, step * 0.76)
            parts += self._bar(day, scale, left + (step - bar) / 2, bar, f"days-{width}")
        parts += self._labels(scale, step)
        return svg.picture(width, height, parts, title=self.title, description=self.description)

    def _bar(self, day: Day, scale: Scale, left: float, width: float, hatch: str) -> list[Markup]:
        """Return a day: off-peak below, a pixel between parts; what is to come as an outline."""
        found, base = [], scale(0)
        if day.forecast is not None and day.forecast > day.total:
            top = scale(day.forecast)
            found.append(rect(left, top, width, base - top, "forecast"))
        so_far = 0.0
        for period in reversed(self.periods):
            part = day.parts.get(period.name, 0.0)
            if part <= 0:
                continue
            bottom, top = scale(so_far), scale(so_far + part)
            gap = 1 if so_far else 0
            found.append(rect(left, top, width, bottom - top - gap, period.key))
            if period.key == "i":
                found.append(_dots(left, top, width, bottom - top - gap))
            so_far += part
        if day.is_estimated:
            top = scale(day.total)
            found.append(
                svg.tag(
                    "rect", x=left, y=top, width=width, height=base - top, fill=f"url(#{hatch})"
                )
            )
        if day.is_missing:
            top = scale(max(day.total, scale.high * 0.06))
            found.append(rect(left - 1, top - 1, width + 2, base - top + 1, "missing"))
        return found

    def _labels(self, scale: Scale, step: float) -> list[Markup]:
        """Return the days below the axis: the first, every fifth, and the one that is running."""
        y, found = scale(0) + 16, []
        at = {day.day: _LEFT + (index + 0.5) * step for index, day in enumerate(self.days)}
        running = at.get(self.today) if self.today else None
        for day, x in at.items():
            far = running is None or abs(x - running) > 34
            if far and (day == self.days[0].day or day.day % 5 == 0):
                anchor = "end" if day == self.days[-1].day else "middle"
                place = x + (step / 2 if anchor == "end" else 0)
                found.append(label(str(day.day), place, y, anchor=anchor))
        if running is not None:
            edge = max(at.values()) + step / 2
            fits = running + len(self.running) * _LETTER / 2 <= edge
            x, anchor = (running, "middle") if fits else (edge, "end")
            found.append(label(self.running, x, y, class_="strong", anchor=anchor))
        return found


def _dots(left: float, top: float, width: float, height: float) -> Markup:
    """Return what the period between has on top: it is told apart without its hue."""
    found = []
    y = top + 3
    while y < top + height - 1:
        x = left + 2.5
        while x < left + width - 1:
            found.append(svg.tag("circle", cx=x, cy=y, r=0.8, class_="dots"))
            x += 4
        y += 4
    return Markup("").join(found)


# The peaks of months.


@attrs.frozen
class Peak:
    """The peak of a month.

    Attributes:
        month: Its first day.
        value: In kW.
        text: As it is written.

    """

    month: date
    value: float
    text: str


@attrs.frozen
class PeakBars:
    """The peaks of months as bars, in ink where they cost more than what is contracted.

    Attributes:
        peaks: By month; those without readings are left out.
        limit: What is contracted; None without.
        over: Above this a peak costs more.
        unit: What is at the top left.
        title: Names the picture.
        description: Says what it shows.

    """

    peaks: Sequence[Peak]
    limit: float | None
    over: float | None
    unit: str
    title: str
    description: str

    def drawn(self, words: Words) -> Markup:
        """Return the picture, for phones and for the wide place."""
        return svg.both(self._at(words, NARROW), self._at(words, COLUMN))

    def _at(self, words: Words, width: int) -> Markup:
        height = _HEIGHT[width] - 16
        months = _months(self.peaks)
        highest = max(*(peak.value for peak in self.peaks), self.limit or 0)
        marks = svg.ticks(highest, most=3)
        scale = Scale(0, marks[-1], height - _BOTTOM, _TOP + 8)
        near = (marks[-1] or 1) / 10
        shown = [mark for mark in marks if not self.limit or abs(mark - self.limit) > near]
        step = (width - _LEFT) / len(months)
        parts = [
            label(self.unit, 0, 12),
            svg.grid(shown, scale, _LEFT, width, lambda value: words.number(f"{value:g}")),
        ]
        known = {peak.month: peak for peak in self.peaks}
        for index, month in enumerate(months):
            middle = _LEFT + (index + 0.5) * step
            name = words.short_month(month)
            text = name if width > NARROW else name[:1].upper()
            is_last = index == len(months) - 1
            parts.append(
                label(
                    text, middle, height - 6, class_="strong" if is_last else None, anchor="middle"
                )
            )
            if month in known:
                parts += self._bar(known[month], scale, middle, step, is_last=is_last)
        if self.limit is not None:
            y = scale(self.limit)
            parts.append(line(_LEFT, y, width, y, "limit"))
            parts.append(
                label(
                    words.number(f"{self.limit:g}"), _LEFT - 6, y + 4, class_="strong", anchor="end"
                )
            )
        return svg.picture(width, height, parts, title=self.title, description=self.description)

    def _bar(
        self, peak: Peak, scale: Scale, middle: float, step: float, *, is_last: bool
    ) -> list[Markup]:
        is_over = self.over is not None and peak.value > self.over
        bar, top = step * 0.62, scale(peak.value)
        found = [rect(middle - bar / 2, top, bar, scale(0) - top, "ink" if is_over else "grey")]
        if is_over or (is_last and self.over is None):
            text = peak.text if step > 34 else peak.text.split(",")[0].split(".")[0]
            found.append(label(text, middle, top - 5, class_="strong", anchor="middle"))
        return found


def _months(peaks: Sequence[Peak]) -> list[date]:
    """Return every month from the first peak to the last."""
    found = [peaks[0].month]
    while found[-1] < peaks[-1].month:
        found.append((found[-1] + timedelta(days=32)).replace(day=1))
    return found
