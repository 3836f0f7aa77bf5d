"""Habits: the average power of each hour of each day, as a heat map, and as hours of a day."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from math import ceil, floor, log10
from typing import Final, Self

import attrs
from markupsafe import Markup

from energia.time import DAY
from energia_plugins.console.load.tariff import Part
from energia_plugins.console.periods import Period
from energia_plugins.console.svg import COLUMN, NARROW, hatch, label, line, picture, rect, tag
from energia_plugins.console.words import Words

_LEFT: Final = 46
_TOP: Final = 6
_ROW: Final = 11
_ROWS: Final = 24
_DEPTHS: Final = 6
#: No letter is wider on average.
_LETTER: Final = 7.0
#: What a depth may differ by, times a power of ten.
_PARTS: Final = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 15)
#: How many days a picture has, across the column and on a phone.
DAYS: Final = 35
_DAYS_NARROW: Final = 21
#: So many slots are read for it at most.
_SLOTS: Final = 250_000
_WEEKEND: Final = 5


@attrs.frozen
class Habits:
    """The hours of some days.

    Attributes:
        words: The language.
        hours: The hours, in order.
        periods: The periods of the tariff, by their names.
        unit: That of a power.
        step: By how much power each of the six depths differs from the next: a round number.

    """

    words: Words
    hours: Sequence[Part]
    periods: dict[str, Period]
    unit: str
    step: float

    @classmethod
    def of(cls, words: Words, hours: Sequence[Part], periods: dict[str, Period], unit: str) -> Self:
        """Return hours, with depths that reach to the highest of them."""
        powers = [hour.power for hour in hours]
        high = max((power for power in powers if power is not None), default=0.0)
        return cls(words, hours, periods, unit, _step(high))

    @property
    def days(self) -> list[date]:
        """The days, in order."""
        return list(dict.fromkeys(hour.start.date() for hour in self.hours))

    def depth(self, power: float) -> int:
        """Return the depth of a power, 1 to 6."""
        return min(_DEPTHS, max(1, int(power / self.step) + 1))

    def key(self, hour: Part) -> str:
        """Return the class of the period of an hour."""
        return "n" if hour.period is None else self.periods[hour.period].key

    def keys(self) -> list[tuple[str, str]]:
        """Return the classes of the periods there are with their letters, peak first."""
        found = {self.key(hour) for hour in self.hours}
        letters: dict[str, str] = {
            period.key: period.letter for period in reversed(self.periods.values())
        }
        return [(key, letters.get(key, "")) for key in "pifn" if key in found]


def _step(high: float) -> float:
    """Return a round number, six times of which are at least so much."""
    if high <= 0:
        return 1.0
    size = 10.0 ** floor(log10(high / _DEPTHS))
    return next(size * part for part in _PARTS if size * part * _DEPTHS >= high)


@attrs.frozen
class Average:
    """The average power of an hour of the day.

    Attributes:
        hour: The hour.
        weekdays: From Monday to Friday; None without any reading.
        weekend: On Saturdays and Sundays.

    """

    hour: int
    weekdays: float | None
    weekend: float | None


def averages(hours: Sequence[Part]) -> list[Average]:
    """Return the average power of each hour of the day."""
    return [
        Average(
            hour,
            _mean(hours, hour, weekend=False),
            _mean(hours, hour, weekend=True),
        )
        for hour in range(_ROWS)
    ]


def _mean(hours: Sequence[Part], of: int, *, weekend: bool) -> float | None:
    powers = [
        hour.power
        for hour in hours
        if hour.start.hour == of
        and (hour.start.weekday() >= _WEEKEND) is weekend
        and hour.power is not None
    ]
    return sum(powers) / len(powers) if powers else None


def widths(habits: Habits) -> tuple[Markup, Markup]:
    """Return the picture for a phone, of the last weeks, and that for the column."""
    days = set(habits.days[-_DAYS_NARROW:])
    narrow = attrs.evolve(
        habits, hours=[hour for hour in habits.hours if hour.start.date() in days]
    )
    return draw(narrow, NARROW, "habits-narrow"), draw(habits, COLUMN, "habits-wide")


def draw(habits: Habits, width: float, id_: str) -> Markup:
    """Return the heat map: hue is the period, depth is the power."""
    days = habits.days
    column = (width - _LEFT - 2) / max(1, len(days))
    places = {day: _LEFT + index * column for index, day in enumerate(days)}
    inside = [
        hatch(id_),
        *_clock(),
        *_brackets(habits),
        *_cells(habits, places, column, id_),
        *_weeks(habits.words, places, width),
    ]
    title = habits.words.text("Average power by hour and day")
    height = _TOP + _ROWS * _ROW + 24
    return picture(width, height, inside, title=title, description=description(habits))


def description(habits: Habits) -> str:
    """Return what the heat map shows, in words."""
    there = [hour for hour in habits.hours if hour.power is not None]
    if not there:
        return habits.words.text("No readings in these days.")
    most = max(there, key=lambda hour: hour.power or 0.0)
    return habits.words.text(
        "%(days)s days. Highest hour: %(moment)s, %(power)s on average.",
        days=len(habits.days),
        moment=habits.words.moment(most.start),
        power=habits.words.quantity(f"{most.power:.6f}", habits.unit, 1),
    )


def _clock() -> Iterator[Markup]:
    for hour in (0, 6, 12, 18, 24):
        at = _TOP + hour * _ROW
        yield label(f"{hour:02d}:00", _LEFT - 12, at + 4, anchor="end")


def _brackets(habits: Habits) -> Iterator[Markup]:
    """Yield a bracket at the side of the hours that are peak on most working days."""
    for first, past in _peak_hours(habits):
        top, bottom = _TOP + first * _ROW, _TOP + past * _ROW
        points = f"M{_LEFT - 3} {top}H{_LEFT - 6}V{bottom}H{_LEFT - 3}"
        yield tag("path", d=points, class_="bracket p")
        letter = dict(habits.keys())["p"]
        yield label(letter, _LEFT - 11, (top + bottom) / 2 + 4, class_="p", anchor="end")


def _peak_hours(habits: Habits) -> list[tuple[int, int]]:
    days = {day for day in habits.days if day.weekday() < _WEEKEND}
    counts = dict.fromkeys(range(_ROWS), 0)
    for hour in habits.hours:
        counts[hour.start.hour] += habits.key(hour) == "p" and hour.start.date() in days
    found: list[tuple[int, int]] = []
    for hour_ in range(_ROWS):
        if not days or counts[hour_] * 2 <= len(days):
            continue
        first = found.pop()[0] if found and found[-1][1] == hour_ else hour_
        found.append((first, hour_ + 1))
    return found


def _cells(habits: Habits, places: dict[date, float], column: float, id_: str) -> Iterator[Markup]:
    """Yield a cell for each hour; one that clocks have twice is halved, one they skip is empty."""
    twice: dict[tuple[date, int], int] = {}
    for hour in habits.hours:
        at = (hour.start.date(), hour.start.hour)
        twice[at] = twice.get(at, 0) + 1
    drawn: dict[tuple[date, int], int] = {}
    for hour in habits.hours:
        at = (hour.start.date(), hour.start.hour)
        height = _ROW / twice[at]
        top = _TOP + hour.start.hour * _ROW + height * drawn.get(at, 0)
        drawn[at] = drawn.get(at, 0) + 1
        yield from _cell(habits, hour, (places[at[0]], top, column - 1, height - 1), id_)


def _cell(
    habits: Habits, hour: Part, box: tuple[float, float, float, float], id_: str
) -> Iterator[Markup]:
    x, y, width, height = box
    if hour.power is not None:
        yield rect(x, y, width, height, f"{habits.key(hour)}{habits.depth(hour.power)}")
    if hour.missing:
        yield rect(x + 0.5, y + 0.5, width - 1, height - 1, "missing")
    elif hour.estimated:
        yield tag("rect", x=x, y=y, width=width, height=height, fill=f"url(#{id_})")


def _weeks(words: Words, places: dict[date, float], width: float) -> Iterator[Markup]:
    base = _TOP + _ROWS * _ROW
    for day, x in places.items():
        if day.weekday() == 0:
            yield line(x, base, x, base + 4, "axis")
            text = words.day(day)
            if x + 2 + len(text) * _LETTER <= width:  # else its end would be cut off
                yield label(text, x + 2, base + 17)


def shown_days(interval: int, last: date) -> tuple[date, date]:
    """Return the first day of a picture that ends with a day, and the day after that.

    Of slots that are so short that there are too many of them it has fewer days.
    """
    days = max(1, min(DAYS, _SLOTS * interval // DAY))
    return last - timedelta(days=days - 1), last + timedelta(days=1)


def scale(habits: Habits) -> Markup:
    """Return the legend: a row of depths for each period, and the powers at which they begin."""
    rows = habits.keys()
    inside: list[Markup] = []
    texts = [f"{depth * habits.step:.3f}".rstrip("0").rstrip(".") for depth in range(_DEPTHS)]
    values = [habits.words.number(text) for text in texts]
    # No power runs into the next one.
    step = max(26, ceil(max(map(len, values)) * _LETTER) + 5)
    for row, (key, letter) in enumerate(rows):
        inside.append(label(letter, 0, 10 + row * 14, class_=key))
        inside += [
            rect(20 + depth * step, row * 14, step - 1, 12, f"{key}{depth + 1}")
            for depth in range(_DEPTHS)
        ]
    base = len(rows) * 14 + 13
    inside += [label(value, 20 + depth * step, base) for depth, value in enumerate(values)]
    inside.append(label(habits.unit, 20 + _DEPTHS * step + 6, base))
    width = 20 + _DEPTHS * step + 44
    return tag(
        "svg",
        *inside,
        viewBox=f"0 0 {width} {base + 5}",
        width=width,
        height=base + 5,
        aria_hidden="true",
    )
