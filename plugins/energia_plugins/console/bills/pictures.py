"""Pictures of a line: its energy by day above its slots, or the highest power of each day."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from math import ceil
from typing import Any, Final

import attrs
from markupsafe import Markup

from energia_plugins.console import svg
from energia_plugins.console.bills.lines import Line
from energia_plugins.console.bills.slots import Day, Readings, Table, highest_of_days
from energia_plugins.console.words import Words

_LEFT: Final = 44
_TOP: Final = 28
_BARS: Final = 72
_GAP: Final = 8
#: The width of the picture beside its steps.
_WIDTHS: Final = (svg.NARROW, 560)
_DEPTHS: Final = 6
#: Labels of days are at least so far apart.
_APART: Final = 26
_MONDAY: Final = 0


@attrs.frozen
class Frame:
    """Where the days of a picture are.

    Attributes:
        width: Of the picture.
        days: From the left to the right.

    """

    width: int
    days: Sequence[date]

    @property
    def step(self) -> float:
        """The width of a day."""
        return (self.width - _LEFT) / max(1, len(self.days))

    def x(self, day: date) -> float:
        """Return where a day begins."""
        return _LEFT + self.step * (day - self.days[0]).days

    @property
    def bar(self) -> float:
        """The width of what is drawn of a day."""
        return max(1.0, self.step - 1)

    def labels(self, y: float) -> Iterator[Markup]:
        """Yield the first day, and each Monday that has room."""
        last = -float(_APART)
        for day in self.days:
            x = self.x(day)
            if (day == self.days[0] or day.weekday() == _MONDAY) and x - last >= _APART:
                last = x
                yield svg.label(str(day.day), x + self.bar / 2, y, anchor="middle")


def slots_picture(words: Words, line: Line, readings: Readings, span: tuple[date, date]) -> Markup:
    """Return the energy of a line by day, and the slots that it is in."""
    table = Table.of(readings, *span)
    title = words.text("%(line)s by day and by interval", line=line.name)
    drawn = [_slots(words, line, table, readings.unit, (width, title)) for width in _WIDTHS]
    return svg.both(*drawn)


def _slots(words: Words, line: Line, table: Table, unit: str, shape: tuple[int, str]) -> Markup:
    width, title = shape
    frame = Frame(width, [day.day for day in table.days])
    row = 8 if len(table.rows) <= 16 else 6
    top = _TOP + _BARS + _GAP
    bottom = top + row * len(table.rows)
    inside = [
        svg.hatch(f"hatch-{line.index}-{width}"),
        svg.label(words.text("%(unit)s per day", unit=unit), 0, 10),
        *_bars(words, line.key, table.days, frame, f"hatch-{line.index}-{width}"),
        *_cells(line.key, table, frame, (top, row)),
        *_times(table, (top, row)),
        *frame.labels(bottom + 14),
    ]
    most = max(table.days, key=lambda day: day.total)
    said = words.text(
        "The day with the most is %(day)s, with %(quantity)s.",
        day=words.day(most.day),
        quantity=words.quantity(_shown(most.total), unit),
    )
    return svg.picture(width, bottom + 20, inside, title=title, description=said)


def _bars(
    words: Words, key: str, days: Sequence[Day], frame: Frame, pattern: str
) -> Iterator[Markup]:
    values = svg.ticks(max(day.total for day in days), most=2)
    scale = svg.Scale(values[0], values[-1], _TOP + _BARS, _TOP)
    yield svg.grid(values, scale, _LEFT, frame.width, _form(words))
    for day in days:
        x, y = frame.x(day.day), scale(day.total)
        height = _TOP + _BARS - y
        if day.total:
            yield svg.rect(x, y, frame.bar, height, key)
        if day.is_estimated:
            fill = f"url(#{pattern})"
            yield svg.tag("rect", x=x, y=y, width=frame.bar, height=height, fill=fill)
        if day.is_missing:
            yield svg.rect(x, _TOP, frame.bar, _BARS, "missing")


def _cells(key: str, table: Table, frame: Frame, place: tuple[float, float]) -> Iterator[Markup]:
    top, row = place
    for (day, minute), value in table.cells.items():
        depth = max(1, ceil(_DEPTHS * value / table.highest)) if table.highest > 0 else 1
        y = top + row * table.rows.index(minute)
        yield svg.rect(frame.x(day), y, frame.bar, row - 1, f"{key}{min(depth, _DEPTHS)}")


def _times(table: Table, place: tuple[float, float]) -> Iterator[Markup]:
    """Yield the times at the left: every hour of few rows, every six hours of many."""
    top, row = place
    every = 60 if len(table.rows) <= 16 and table.minutes < 60 else 360
    if len(table.rows) <= 12 and table.minutes >= 60:
        every = 60 if len(table.rows) <= 6 else 180
    for index, minute in enumerate(table.rows):
        if minute % every == 0 or (index == 0 and len(table.rows) < 4):
            time = f"{minute // 60:02}:{minute % 60:02}"
            yield svg.label(time, _LEFT - 6, top + row * index + 9, anchor="end")


def power_picture(
    words: Words,
    line: Line,
    readings: Readings,
    span: tuple[date, date],
    charge: Mapping[str, Any],
) -> Markup:
    """Return the highest power of each day, beside what is contracted."""
    contract = charge.get("contracted")
    limit = float(contract) if isinstance(contract, str) else None
    days = highest_of_days(readings, *span)
    if not days:
        return Markup("")
    title = words.text("Highest power of each day")
    drawn = [_power(words, days, readings.unit, limit, (width, title)) for width in _WIDTHS]
    return svg.both(*drawn)


def _power(
    words: Words,
    days: Sequence[tuple[Day, Any]],
    unit: str,
    limit: float | None,
    shape: tuple[int, str],
) -> Markup:
    width, title = shape
    frame = Frame(width, [day.day for day, _ in days])
    most, at = max(days, key=lambda pair: pair[0].total)
    high = 110
    values = svg.ticks(max(most.total, limit or 0.0), most=3)
    scale = svg.Scale(values[0], values[-1], _TOP + high, _TOP + 14)
    inside = [
        svg.label(words.text("Highest %(unit)s of each day", unit=unit), 0, 10),
        svg.grid(values, scale, _LEFT, width, _form(words)),
    ]
    for day, _ in days:
        y = scale(day.total)
        class_ = "ink" if day is most else "grey"
        inside.append(svg.rect(frame.x(day.day), y, frame.bar, _TOP + high - y, class_))
    peak = f"{words.quantity(_shown(most.total), unit)}, {words.moment(at)}"
    inside.append(_above(peak, frame.x(most.day) + frame.bar / 2, scale(most.total) - 4, width))
    said = peak
    if limit is not None:
        told = words.text("contracted: %(limit)s", limit=words.quantity(_shown(limit), unit))
        said = f"{peak}; {told}"
        inside.append(svg.line(_LEFT, scale(limit), width, scale(limit), "limit"))
        inside.append(_on_axis(words, limit, scale))
    inside += frame.labels(_TOP + high + 14)
    return svg.picture(width, _TOP + high + 20, inside, title=title, description=said)


def _on_axis(words: Words, limit: float, scale: svg.Scale) -> Markup:
    """Return the value of the limit at the axis, on the page's own colour."""
    y = scale(limit)
    text = words.number(_shown(limit))
    return svg.rect(0, y - 8, _LEFT - 4, 16, "behind") + svg.label(
        text, _LEFT - 6, y + 4, class_="strong", anchor="end"
    )


def _above(text: str, x: float, y: float, width: int) -> Markup:
    """Return a label in the picture that stays within it."""
    half = 3.4 * len(text)
    anchor = "middle"
    if x - half < _LEFT:
        anchor, x = "start", float(_LEFT)
    elif x + half > width:
        anchor, x = "end", float(width)
    return svg.label(text, x, y, class_="strong", anchor=anchor)


def _form(words: Words) -> Any:
    return lambda value: words.number(_shown(value))


def _shown(value: float) -> Decimal:
    """Return what is drawn as a number with as few decimals as it needs, four digits at most."""
    places = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2
    return Decimal(f"{value:.{places}f}").normalize() + 0
