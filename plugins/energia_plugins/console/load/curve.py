"""The load curve, as a picture: steps, the tariff's periods, what is missing, the highest point."""

import itertools
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

import attrs
from markupsafe import Markup

from energia.time import DAY, Instant
from energia_plugins.console.load.slots import Run, Slots, Step, length_of_slot
from energia_plugins.console.load.tariff import Strip
from energia_plugins.console.load.windows import Window
from energia_plugins.console.periods import Period
from energia_plugins.console.svg import (
    NARROW,
    WIDE,
    Scale,
    hatch,
    label,
    line,
    path,
    picture,
    rect,
    tag,
    ticks,
)
from energia_plugins.console.words import Words

_HEIGHT: Final = 310
_TOP: Final = 54
_BOTTOM: Final = 28
_LEFT: Final = 40
_RIGHT: Final = 6
#: Nothing that is marked is narrower than this.
_LEAST: Final = 3.0
_HOUR: Final = 3_600
#: Parts of a window that steps may last; from a day on they are days of the site.
_GRAINS: Final = (900, 1_800, _HOUR, 3 * _HOUR, 6 * _HOUR)


@attrs.frozen(kw_only=True)
class Curve:
    """What a load curve shows.

    Attributes:
        words: The language.
        window: The window.
        slots: Its readings.
        until: When readings end; what is missing after that is not there yet.
        strips: The periods that are shaded.
        periods: Those of the tariff, by their names.
        limits: The contracted demand.
        unit: That of a power.
        places: To how many places powers are written.

    """

    words: Words
    window: Window
    slots: Slots
    until: Instant
    strips: Sequence[Strip]
    periods: dict[str, Period]
    limits: Sequence[float]
    unit: str
    places: int

    def steps(self, width: float) -> list[Step]:
        """Return the steps that fit a width: slots, hours or days."""
        edges = edges_of(self.window, self.slots.interval, width)
        return self.slots.steps(edges)

    def power(self, value: float, *, unit: bool = True) -> str:
        """Return a power in words."""
        if not unit:
            return self.words.number(f"{value:.6f}", self.places)
        return self.words.quantity(f"{value:.6f}", self.unit, self.places)


def grain_of(window: Window, interval: int, width: float) -> int:
    """Return how long steps last that are wider than a pixel; a day, from a day on."""
    for grain in (interval, *_GRAINS):
        if grain >= interval and (window.end - window.start) / grain <= width:
            return grain
    return DAY


def edges_of(window: Window, interval: int, width: float) -> list[Instant] | None:
    """Return where steps of a window begin and end; None where they are the slots."""
    grain = grain_of(window, interval, width)
    if grain == interval:
        return None
    zone = window.zone
    midnights = [zone.midnight(day) for day in window.days] + [window.end]
    if grain == DAY:
        return sorted({window.start, *midnights[1:]})
    inner = [
        at
        for begin, past in itertools.pairwise(midnights)
        for at in range(begin, past, grain)
        if at > window.start
    ]
    return sorted({window.start, *inner, window.end})


def part_of(curve: Curve, days: int) -> Curve:
    """Return a curve of fewer days, around the highest point: what a phone shows."""
    peak = curve.slots.peak
    if len(curve.window.days) <= days or peak is None:
        return curve
    zone = curve.window.zone
    day = zone.datetime(peak[0]).date() - timedelta(days=days // 2)
    latest = curve.window.last - timedelta(days=days - 1)
    first = max(curve.window.first, min(day, latest))
    start, end = zone.midnight(first), zone.midnight(first + timedelta(days=days))
    window = Window(zone, start, min(end, curve.window.end))
    slots = curve.slots.within(window.start, window.end)
    return attrs.evolve(curve, window=window, slots=slots)


def draw(curve: Curve, width: float, id_: str) -> Markup:
    """Return the picture of a load curve."""
    words = curve.words
    steps = curve.steps(width - _LEFT - _RIGHT)
    high = max((step.peak for step in steps if step.peak is not None), default=0.0)
    values = ticks(max(high, *curve.limits, 0.0) or 1.0)
    x = Scale(curve.window.start, curve.window.end, _LEFT, width - _RIGHT)
    y = Scale(0, values[-1], _HEIGHT - _BOTTOM, _TOP)
    inside = [
        hatch(id_),
        *_strips(curve, x, y),
        *_grid(curve, values, x, y),
        *_runs(curve, steps, x, y, id_),
        *_line(steps, x, y),
        *_days(curve, x, y),
        *_limits(curve, x, y),
        *_peak(curve, x, y),
    ]
    title = words.text("Load curve, %(window)s", window=curve.window.title(words))
    return picture(width, _HEIGHT, inside, title=title, description=description(curve))


def description(curve: Curve) -> str:
    """Return what a picture shows, in words."""
    peak = curve.slots.peak
    if peak is None:
        return curve.words.text("No readings in this window.")
    at = curve.words.moment(curve.window.zone.datetime(peak[0]))
    said = curve.words.text(
        "Highest: %(power)s at %(moment)s.", power=curve.power(peak[1]), moment=at
    )
    limits = ", ".join(curve.power(limit) for limit in curve.limits)
    contract = curve.words.text("Contracted: %(power)s.", power=limits) if limits else ""
    return f"{said} {contract}".strip()


def _strips(curve: Curve, x: Scale, y: Scale) -> Iterator[Markup]:
    for strip in curve.strips:
        start, end = max(strip.start, curve.window.start), min(strip.end, curve.window.end)
        if start >= end:
            continue
        left, wide = x(start), max(x(end) - x(start), 1.0)
        period = curve.periods[strip.name]
        yield rect(left, y.end - 14, wide, y.start - y.end + 14, f"{period.key} shade")
        yield rect(left, y.end - 17, wide, 3, period.key)
        if wide >= 3:
            yield label(
                period.letter, left + wide / 2, y.end - 21, class_=period.key, anchor="middle"
            )


def _grid(curve: Curve, values: Sequence[float], x: Scale, y: Scale) -> Iterator[Markup]:
    yield label(f"{curve.unit}, {meaning(curve, x.end - x.start)}", 0, 12)
    for index, value in enumerate(values):
        yield line(x.start, y(value), x.end, y(value), "grid" if index else "axis")
        if not any(abs(y(limit) - y(value)) < 11 for limit in curve.limits):
            yield label(number(curve.words, value), x.start - 6, y(value) + 4, anchor="end")


def meaning(curve: Curve, width: float) -> str:
    """Return what a curve of a width shows: slots, or the highest of each part and its average."""
    interval, words = curve.slots.interval, curve.words
    grain = grain_of(curve.window, interval, width)
    if grain == interval:
        return words.text("average of %(length)s", length=length_of_slot(interval))
    if grain == DAY:
        return words.text("highest of each day; grey: its average")
    if grain == _HOUR:
        return words.text("highest of each hour; grey: its average")
    length = f"{grain // _HOUR} h" if grain > _HOUR else f"{grain // 60} min"
    return words.text("highest of each %(length)s; grey: their average", length=length)


def number(words: Words, value: float) -> str:
    """Return a value of an axis, with no more places than it has."""
    return words.number(f"{value:.3f}".rstrip("0").rstrip("."))


def _runs(curve: Curve, steps: Sequence[Step], x: Scale, y: Scale, id_: str) -> Iterator[Markup]:
    """Yield what is estimated, hatched below the line, and what is missing, as dashed frames."""
    for run in curve.slots.marked():
        start, end = max(run.start, curve.window.start), min(run.end, curve.until)
        if start >= end:
            continue
        left, wide = x(start), max(x(end) - x(start), _LEAST)
        if run.kind == "missing":
            yield rect(left, y.end + 20, wide, y.start - y.end - 20, "missing")
        elif run.kind == "estimated":
            inside = [step for step in steps if step.end > start and step.start < end]
            yield from _hatched(inside, x, y, id_)
        else:
            yield label("?", left + wide / 2, y.end + 12, class_="strong", anchor="middle")


def _hatched(steps: Sequence[Step], x: Scale, y: Scale, id_: str) -> Iterator[Markup]:
    for step in steps:
        if step.peak is not None:
            wide = max(x(step.end) - x(step.start), 1.0)
            yield tag(
                "rect",
                x=x(step.start),
                y=y(step.peak),
                width=wide,
                height=max(0.0, y.start - y(step.peak)),
                fill=f"url(#{id_})",
            )


def _line(steps: Sequence[Step], x: Scale, y: Scale) -> Iterator[Markup]:
    """Yield a line of steps, and below it what was used on average where a step is of many."""
    for part in _unbroken(steps):
        if any(step.mean != step.peak for step in part):
            means = [(step, step.mean or 0.0) for step in part]
            yield _stairs(means, x, y, "area", floor=y.start)
        yield _stairs([(step, step.peak or 0.0) for step in part], x, y, "curve")


def _stairs(
    values: Sequence[tuple[Step, float]],
    x: Scale,
    y: Scale,
    class_: str,
    floor: float | None = None,
) -> Markup:
    points = [(x(step.start), y(value)) for step, value in values]
    points.append((x(values[-1][0].end), y(values[-1][1])))
    if floor is not None:
        points = [(points[0][0], floor), *points, (points[-1][0], floor)]
    return path(points, class_, steps=True)


def _unbroken(steps: Sequence[Step]) -> Iterator[list[Step]]:
    part: list[Step] = []
    for step in steps:
        if step.peak is not None:
            part.append(step)
        elif part:
            yield part
            part = []
    if part:
        yield part


def _limits(curve: Curve, x: Scale, y: Scale) -> Iterator[Markup]:
    for limit in curve.limits:
        yield line(x.start, y(limit), x.end, y(limit), "limit")
        yield label(
            number(curve.words, limit), x.start - 6, y(limit) + 4, class_="strong", anchor="end"
        )


def _peak(curve: Curve, x: Scale, y: Scale) -> Iterator[Markup]:
    peak = curve.slots.peak
    if peak is None:
        return
    at, power = peak
    across, up = x(at + curve.slots.interval / 2), y(power)
    moment = curve.window.zone.datetime(at)
    is_long = len(curve.window.days) > 7
    when = curve.words.moment(moment) if is_long else curve.words.time(moment)
    right = across < x.end - 150
    yield tag("circle", cx=across, cy=up, r=4, class_="point")
    yield label(
        f"{curve.power(power)}, {when}",
        across + (9 if right else -9),
        up - 3,
        class_="strong halo",
        anchor="start" if right else "end",
    )


# The axis of time.


def _days(curve: Curve, x: Scale, y: Scale) -> Iterator[Markup]:
    window = curve.window
    count = (window.end - window.start) / DAY
    room = (x.end - x.start) / count
    if count <= 2.1:
        yield from _hours(curve, x, y)
    elif room >= 44:
        yield from _by_day(curve, x, y)
    elif count <= 100:
        yield from _by_week(curve, x, y)
    else:
        yield from _by_month(curve, x, y)


def _hours(curve: Curve, x: Scale, y: Scale) -> Iterator[Markup]:
    zone, step = curve.window.zone, 3 if x.end - x.start > 500 else 6
    for at in range(curve.window.start, curve.window.end + 1, _HOUR):
        moment = zone.datetime(at)
        if moment.hour % step == 0 and moment.minute == 0:
            yield line(x(at), y.start, x(at), y.start + 5, "axis")
            anchor = "end" if at == curve.window.end else "middle"
            text = "24:00" if at == curve.window.end and moment.hour == 0 else f"{moment:%H:%M}"
            yield label(text, x(at), y.start + 19, anchor=anchor)


def _by_day(curve: Curve, x: Scale, y: Scale) -> Iterator[Markup]:
    zone = curve.window.zone
    for day in curve.window.days:
        start, end = zone.midnight(day), zone.midnight(day + timedelta(days=1))
        if start >= curve.window.start:
            yield line(x(start), y.start, x(start), y.start + 5, "axis")
        middle = (max(start, curve.window.start) + min(end, curve.window.end)) / 2
        yield label(curve.words.weekday(day), x(middle), y.start + 19, anchor="middle")


def _by_week(curve: Curve, x: Scale, y: Scale) -> Iterator[Markup]:
    apart = 1 if (x.end - x.start) / len(curve.window.days) > 20 else 2
    mondays = [day for day in curve.window.days if day.weekday() == 0]
    for number_, day in enumerate(mondays):
        at = curve.window.zone.midnight(day)
        if at < curve.window.start:
            continue
        yield line(x(at), y.start, x(at), y.start + 5, "axis")
        if number_ % apart == 0 and x(at) < x.end - 30:
            yield label(curve.words.day(day), x(at), y.start + 19, anchor="middle")


def _by_month(curve: Curve, x: Scale, y: Scale) -> Iterator[Markup]:
    yield from months(curve.words, curve.window, x, y.start)


def months(words: Words, window: Window, x: Scale, base: float) -> Iterator[Markup]:
    """Yield the months of a window below an axis; as many of their names as have room."""
    firsts = [day for day in window.days if day.day == 1]
    room = (x.end - x.start) / max(1, len(firsts))
    apart = 1 if room >= 40 else 2 if room >= 20 else 4
    for index, day in enumerate(firsts):
        at = window.zone.midnight(day)
        yield line(x(at), base, x(at), base + 5, "axis")
        if index % apart == 0 and x(at) < x.end - 20:
            name = words.short_month(day)
            year = f" {day.year}" if day.month == 1 and room >= 60 else ""
            yield label(f"{name}{year}", x(at) + 4, base + 19)


def widths(curve: Curve) -> tuple[Markup, Markup]:
    """Return the picture for a phone, of three days of a week, and that for the wide place."""
    is_week = 3 < len(curve.window.days) <= 10
    narrow = part_of(curve, 3) if is_week else curve
    return draw(narrow, NARROW, "estimated-narrow"), draw(curve, WIDE, "estimated-wide")


def gaps(runs: Sequence[Run], until: Instant) -> list[Run]:
    """Return what is marked before readings end."""
    return [run for run in runs if run.start < until]
