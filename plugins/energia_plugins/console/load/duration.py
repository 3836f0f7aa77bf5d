"""The load-duration curve: for how much of the time the power was at least so high."""

from collections.abc import Iterator, Sequence
from typing import Final, Self

import attrs
from markupsafe import Markup

from energia_plugins.console.load.curve import number
from energia_plugins.console.load.slots import Slots
from energia_plugins.console.svg import NARROW, Scale, label, line, path, picture, tag, ticks
from energia_plugins.console.words import Words

#: The width beside the habits.
_WIDTH: Final = 358
_HEIGHT: Final = 300
_LEFT: Final = 40
_TOP: Final = 24
_BOTTOM: Final = 26
_POINTS: Final = 240
_HOUR: Final = 3_600
#: The shares of time that the table has.
SHARES: Final = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


@attrs.frozen(eq=False)
class Duration:
    """Powers, the highest first.

    Attributes:
        powers: The powers of all slots that have a reading.
        interval: The length of a slot in seconds.

    """

    powers: list[float]
    interval: int

    @classmethod
    def of(cls, slots: Slots) -> Self:
        """Return the powers of some slots."""
        there = [power for power in slots.powers if power is not None]
        return cls(sorted(there, reverse=True), slots.interval)

    def at(self, share: float) -> float:
        """Return the power that is reached for a share of the time."""
        return self.powers[min(len(self.powers) - 1, int(share * len(self.powers)))]

    def hours_above(self, limit: float) -> float:
        """Return for how many hours the power was higher than a limit."""
        return sum(power > limit for power in self.powers) * self.interval / _HOUR

    @property
    def factor(self) -> float | None:
        """The load factor: the average power, as a part of the highest."""
        high = self.powers[0] if self.powers else 0.0
        return sum(self.powers) / len(self.powers) / high if high > 0 else None


@attrs.frozen
class Shown:
    """What a picture of it needs.

    Attributes:
        words: The language.
        duration: The powers.
        limits: The contracted demand.
        unit: That of a power.
        places: To how many places powers are written.

    """

    words: Words
    duration: Duration
    limits: Sequence[float]
    unit: str
    places: int

    def power(self, value: float) -> str:
        """Return a power in words."""
        return self.words.quantity(f"{value:.6f}", self.unit, self.places)


def draw(shown: Shown, width: float = NARROW) -> Markup:
    """Return the picture of a load-duration curve."""
    duration = shown.duration
    values = ticks(max(duration.powers[0], *shown.limits, 0.0) or 1.0, most=3)
    x = Scale(0, 1, _LEFT, width - 8)
    y = Scale(0, values[-1], _HEIGHT - _BOTTOM, _TOP)
    inside = [
        label(shown.unit, 0, 12),
        *_grid(shown, values, x, y),
        *_area(duration, x, y),
        *_shares(shown.words, x, y),
        *_limits(shown, x, y),
        *_half(shown, x, y),
    ]
    title = shown.words.text("Load duration")
    return picture(width, _HEIGHT, inside, title=title, description=description(shown))


def description(shown: Shown) -> str:
    """Return what the picture shows, in words."""
    duration = shown.duration
    return shown.words.text(
        "Highest %(high)s, half of the time up to %(half)s, lowest %(low)s.",
        high=shown.power(duration.powers[0]),
        half=shown.power(duration.at(0.5)),
        low=shown.power(duration.powers[-1]),
    )


def _grid(shown: Shown, values: Sequence[float], x: Scale, y: Scale) -> Iterator[Markup]:
    for index, value in enumerate(values):
        yield line(x.start, y(value), x.end, y(value), "grid" if index else "axis")
        if not any(abs(y(limit) - y(value)) < 11 for limit in shown.limits):
            yield label(number(shown.words, value), x.start - 6, y(value) + 4, anchor="end")


def _area(duration: Duration, x: Scale, y: Scale) -> Iterator[Markup]:
    shares = [index / _POINTS for index in range(_POINTS + 1)]
    # The few highest are what it is about: they are not left out between two points.
    shares = sorted({*shares, *(index / 2_000 for index in range(40))})
    points = [(x(share), y(max(0.0, duration.at(share)))) for share in shares]
    yield path([(x.start, y.start), *points, (x.end, y.start)], "area")
    yield path(points, "curve")


def _shares(words: Words, x: Scale, y: Scale) -> Iterator[Markup]:
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        anchor = {0.0: "start", 1.0: "end"}.get(share, "middle")
        yield label(words.percent(share), x(share), y.start + 18, anchor=anchor)


def _limits(shown: Shown, x: Scale, y: Scale) -> Iterator[Markup]:
    for limit in shown.limits:
        yield line(x.start, y(limit), x.end, y(limit), "limit")
        yield label(
            number(shown.words, limit), x.start - 6, y(limit) + 4, class_="strong", anchor="end"
        )
        hours = shown.words.number(f"{shown.duration.hours_above(limit):.6f}", 1)
        said = shown.words.text("above the contract: %(hours)s h", hours=hours)
        yield label(said, x.start + 14, y(limit) - 7, class_="strong halo")


def _half(shown: Shown, x: Scale, y: Scale) -> Iterator[Markup]:
    power = shown.duration.at(0.5)
    said = shown.words.text("half of the time: up to %(power)s", power=shown.power(power))
    yield tag("circle", cx=x(0.5), cy=y(power), r=4, class_="point")
    yield label(said, x.end, y(power) - 12, class_="halo", anchor="end")
