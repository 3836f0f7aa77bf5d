"""Dated windows of time, and which slots of a bill are in them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, ClassVar, TypeAlias

import attrs
import numpy as np
from msgspec import Meta

from energia import Check, Fault, FromTime, Grid, Period, Rules, ToTime, Unfit, enforce
from energia.time import DAY, Zone, day_number, instant_of

#: A date; events have a field of the name.
Day: TypeAlias = date


def _whole(instant: datetime) -> None:
    if instant.microsecond:
        raise Unfit("off_grid", "the time must be on a whole second")


Instant = Annotated[datetime, Check(_whole)]


def _instants_or_times(
    start: datetime | None,
    end: datetime | None,
    date: Day | None,
    from_: str | None,
    to: str | None,
) -> Iterator[Fault]:
    instants, times = (start, end), (date, from_, to)
    whole = [all(bound is not None for bound in given) for given in (instants, times)]
    if any(time is not None for time in (times if whole[0] else instants)) or not any(whole):
        message = "give start and end, which are instants, or else date, from and to"
        yield Fault("instants_or_times", message, "/start")
    elif (start is not None and end is not None and end <= start) or (to and from_ == to):
        yield Fault(
            "empty_window", "the window must end after it begins", "/end" if whole[0] else "/to"
        )


@attrs.frozen(cache_hash=True)
class Event:
    """A window of time: between two instants, or on a date between two times of the tariff's zone.

    Attributes:
        start: When it starts; or
        date: the date on which it starts, with `from` and `to`.
        end: When it ends.
        from_: The time at which it starts, `HH:MM`.
        to: The time at which it ends; up to 24:00, or before `from`: then on the next day.
        name: What it is called; windows of one name are one event, together.
        rate: The price of one unit in it; without it, that of the charge.
        baseline: What would have been used in it, for a rebate.

    """

    __public_name__: ClassVar[str] = "EventWindow"

    __rules__: ClassVar[Rules] = (_instants_or_times,)

    start: Instant | None = None
    end: Instant | None = None
    date: Day | None = None
    from_: FromTime | None = None
    to: ToTime | None = None
    name: Period | None = None
    rate: Decimal | None = None
    baseline: Annotated[Decimal, Meta(extra_json_schema={"minimum": 0})] | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse a window that is not clear."""
        enforce(self)

    @property
    def window(self) -> "Window":
        """When it is."""
        return Window(self.name or "", self.start, self.end, self.date, self.from_, self.to)


@attrs.frozen(cache_hash=True)
class Window:
    """When an event is, whatever it costs."""

    name: str
    start: datetime | None
    end: datetime | None
    date: Day | None
    from_: str | None
    to: str | None

    def seconds(self, zone: Zone) -> tuple[int, int]:
        """Return when it starts and ends, in seconds since 1970-01-01T00:00Z.

        A time that comes twice starts it at the first and ends it at the second.
        """
        return _in_seconds(self, zone)


@lru_cache(maxsize=10_000)
def _in_seconds(window: Window, zone: Zone) -> tuple[int, int]:
    if window.start is not None and window.end is not None:
        return instant_of(window.start), instant_of(window.end)
    assert window.date is not None
    midnight = day_number(window.date) * DAY
    first, last = _minute(window.from_ or ""), _minute(window.to or "")
    last += 24 * 60 if last <= first else 0
    local = np.array([midnight + first * 60, midnight + last * 60], np.int64)
    earlier, later, _ = zone.instants(local)
    return int(earlier[0]), int(later[1])


def _minute(text: str) -> int:
    """Return the minute of the day of `HH:MM`; 24:00 is 1440."""
    return int(text[:2]) * 60 + int(text[3:])


def slots_in(grid: Grid, start: int, end: int) -> tuple[int, int]:
    """Return the first slot of *grid* that starts in [start, end), and the one past the last."""
    return grid.index_at(start), grid.index_at(end)


def is_split(grid: Grid, instant: int) -> bool:
    """Tell whether an instant is inside a slot of *grid*."""
    inside = grid.start < instant < grid.start + grid.count * grid.interval
    return inside and (instant - grid.start) % grid.interval != 0


def by_name(windows: Sequence[Window]) -> Mapping[str, list[Window]]:
    """Return the windows of each event."""
    events: dict[str, list[Window]] = {}
    for window in windows:
        events.setdefault(window.name, []).append(window)
    return events
