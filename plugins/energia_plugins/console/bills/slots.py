"""The slots of a line: which intervals of the readings it charges, and what is in each."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

import attrs

#: What counts as estimated, as in the coverage of the API.
ESTIMATES: Final = frozenset({"substituted", "provisional", "estimated", "forecast"})
_HOUR: Final = 60
_DAY: Final = 24 * _HOUR
#: So many rows of single slots are shown at most; else they are hours.
_ROWS: Final = 16


@attrs.frozen
class Slot:
    """An interval of the readings.

    Attributes:
        at: When it starts, on the clock of the bill.
        value: What was measured, to be drawn; None where nothing was.
        quality: What the value is worth.

    """

    at: datetime
    value: float | None
    quality: str | None

    @property
    def is_estimated(self) -> bool:
        """Whether nobody measured it."""
        return self.quality in ESTIMATES


@attrs.frozen
class Readings:
    """The readings of a bill.

    Attributes:
        slots: Each interval, in order.
        minutes: How long one is.
        unit: The unit of the values.

    """

    slots: Sequence[Slot]
    minutes: int
    unit: str

    @classmethod
    def read(cls, document: Mapping[str, Any], timezone: str) -> Self:
        """Return the readings that the API answers, on the clock of a zone."""
        zone = ZoneInfo(timezone)
        start = datetime.fromisoformat(document["start"])
        end = datetime.fromisoformat(document["end"])
        count = max(1, len(document["values"]))
        length = (end - start).total_seconds() / count
        qualities: list[str | None] = [None] * len(document["values"])
        for run in document["quality"]:
            qualities[run["from"] : run["to"]] = [run["code"]] * (run["to"] - run["from"])
        slots = [
            Slot(_later(start, length * index).astimezone(zone), value, quality)
            for index, (value, quality) in enumerate(
                zip(document["values"], qualities, strict=True)
            )
        ]
        return cls(slots, round(length / 60), document["unit"])

    def within(self, runs: Sequence[Mapping[str, Any]]) -> "Readings":
        """Return those slots that are in one of the runs of an explanation."""
        starts = [datetime.fromisoformat(run["start"]) for run in runs]
        ends = [datetime.fromisoformat(run["end"]) for run in runs]

        def is_in(slot: Slot) -> bool:
            index = bisect_right(starts, slot.at) - 1
            return index >= 0 and slot.at < ends[index]

        return attrs.evolve(self, slots=[slot for slot in self.slots if is_in(slot)])

    @property
    def estimated(self) -> int:
        """How many were estimated."""
        return sum(slot.is_estimated for slot in self.slots)

    @property
    def missing(self) -> int:
        """How many have no value."""
        return sum(slot.value is None for slot in self.slots)

    def power(self, minutes: int) -> "Readings":
        """Return the mean power of each time of so many minutes, in kW for kWh."""
        sums: dict[int, tuple[datetime, float, str | None]] = {}
        for slot in self.slots:
            key = int(slot.at.timestamp()) // (minutes * 60)
            at, value, quality = sums.get(key, (slot.at, 0.0, slot.quality))
            worse = slot.quality if slot.is_estimated else quality
            sums[key] = at, value + (slot.value or 0.0), worse
        slots = [Slot(at, value * _HOUR / minutes, quality) for at, value, quality in sums.values()]
        return Readings(slots, minutes, self.unit.removesuffix("h"))


def _later(start: datetime, seconds: float) -> datetime:
    return start + timedelta(seconds=seconds)


@attrs.frozen
class Day:
    """A day of a picture.

    Attributes:
        day: The day.
        total: The sum of its slots, or the highest of them.
        is_estimated: Whether one of them was estimated.
        is_missing: Whether one of them has no value.

    """

    day: date
    total: float
    is_estimated: bool = False
    is_missing: bool = False


@attrs.frozen
class Table:
    """Slots as cells: a column for each day, a row for each time of the day.

    Attributes:
        days: Every day of the bill; those without a slot have nothing.
        rows: When each row begins, in minutes of the day.
        minutes: How long a row is.
        cells: The sums, by day and row.

    """

    days: Sequence[Day]
    rows: Sequence[int]
    minutes: int
    cells: Mapping[tuple[date, int], float]

    @classmethod
    def of(cls, readings: Readings, first: date, end: date) -> Self:
        """Return the slots of a line as a table; the last day is the one before *end*."""
        minutes = cell_minutes(readings)
        cells: dict[tuple[date, int], float] = {}
        of_day: dict[date, list[Slot]] = {}
        for slot in readings.slots:
            key = slot.at.date(), _minute(slot.at) // minutes * minutes
            cells[key] = cells.get(key, 0.0) + (slot.value or 0.0)
            of_day.setdefault(slot.at.date(), []).append(slot)
        days = [_day(day, of_day.get(day, [])) for day in days_between(first, end)]
        rows = sorted({row for _, row in cells})
        if rows:
            rows = list(range(rows[0], rows[-1] + 1, minutes))
        return cls(days, rows, minutes, cells)

    @property
    def highest(self) -> float:
        """The largest cell."""
        return max(self.cells.values(), default=0.0)


def cell_minutes(readings: Readings) -> int:
    """Return how long a cell is: a slot, or an hour where there are many times of the day."""
    times = {_minute(slot.at) for slot in readings.slots}
    return readings.minutes if len(times) <= _ROWS else max(_HOUR, readings.minutes)


def _minute(at: datetime) -> int:
    return at.hour * _HOUR + at.minute


def _day(day: date, slots: Sequence[Slot]) -> Day:
    total = sum(slot.value or 0.0 for slot in slots)
    missing = any(slot.value is None for slot in slots)
    return Day(day, total, any(slot.is_estimated for slot in slots), missing)


def highest_of_days(readings: Readings, first: date, end: date) -> list[tuple[Day, datetime]]:
    """Return the highest value of each day, and when it was."""
    best: dict[date, Slot] = {}
    for slot in readings.slots:
        found = best.get(slot.at.date())
        if found is None or (slot.value or 0.0) > (found.value or 0.0):
            best[slot.at.date()] = slot
    return [
        (Day(day, best[day].value or 0.0, best[day].is_estimated), best[day].at)
        for day in days_between(first, end)
        if day in best
    ]


def days_between(first: date, end: date) -> list[date]:
    """Return the days from the first to the one before *end*."""
    return [first + timedelta(days=step) for step in range((end - first).days)]
