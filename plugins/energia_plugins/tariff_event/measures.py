"""What is measured in dated windows: energy, and the slot with the most of it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

import attrs
import numpy as np

from energia import BaseMeasure, Invalid, Role, Slots
from energia.pricing.exact import total
from energia.time import DAY, day_number
from energia_plugins.tariff_event.windows import Window, by_name, is_split, slots_in

#: Slots from a first one to the one past a last one; those of one event are apart and in order.
Spans: TypeAlias = tuple[tuple[int, int], ...]


def spans(slots: Slots, channel: str, windows: tuple[Window, ...]) -> Mapping[str, Spans]:
    """Return the slots of each event that has some in the bill, by its name.

    A slot is in the window that its start is in; what is cut is reported as an assumption.
    """
    grid = slots.portion(channel).grid
    by_event: dict[str, Spans] = {}
    edges: set[int] = set()
    for name, of_event in by_name(windows).items():
        seconds = [window.seconds(slots.zone.clock) for window in of_event]
        edges.update(edge for span in seconds for edge in span if is_split(grid, edge))
        inside = [slots_in(grid, start, end) for start, end in seconds]
        if together := _together(span for span in sorted(inside) if span[0] < span[1]):
            by_event[name] = together
    if split := len({(edge - grid.start) // grid.interval for edge in edges}):
        slots.assume_boundary(
            "an event begins or ends",
            split,
            f"slots of {channel}",
            "is in the event that its start is in",
        )
    return by_event


def _together(pairs: Iterator[tuple[int, int]]) -> Spans:
    """Return spans, in order, such that those that overlap are one."""
    runs: list[tuple[int, int]] = []
    for first, past in pairs:
        if runs and first <= runs[-1][1]:
            runs[-1] = runs[-1][0], max(runs[-1][1], past)
        else:
            runs.append((first, past))
    return tuple(runs)


def _refuse_overlaps(events: Sequence[Spans]) -> None:
    every = sorted(span for of_event in events for span in of_event)
    if any(after[0] < before[1] for before, after in pairwise(every)):
        message = "two events share a slot, which would count twice: windows overlap"
        raise Invalid.of("events_overlap", message)


@attrs.frozen(cache_hash=True)
class EventEnergy(BaseMeasure):
    """The energy in each event that has slots in the bill, in micro-units, by its name.

    Attributes:
        windows: Those of one name are one event.
        channel: The role that is summed.
        apart: Whether events that share a slot are refused, which would charge it twice.

    """

    windows: tuple[Window, ...]
    channel: Role = "import"
    apart: bool = True
    all_slots = False

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is summed."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the exact sums."""
        part = slots.portion(self.channel)
        events = spans(slots, self.channel, self.windows)
        if self.apart:
            _refuse_overlaps(list(events.values()))
        return {
            name: sum(total(part.values[first:past], part.largest) for first, past in of_event)
            for name, of_event in events.items()
        }


@attrs.frozen(cache_hash=True)
class EventSeconds(BaseMeasure):
    """How long the slots of each event last in the bill, in seconds, by its name."""

    windows: tuple[Window, ...]
    channel: Role = "import"
    all_slots = False

    @property
    def roles(self) -> tuple[str, ...]:
        """The role whose slots are counted."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the seconds."""
        interval = slots.portion(self.channel).grid.interval
        return {
            name: sum(past - first for first, past in of_event) * interval
            for name, of_event in spans(slots, self.channel, self.windows).items()
        }


@attrs.frozen(cache_hash=True)
class EventPeak(BaseMeasure):
    """The highest mean power of a slot in each event, in micro-units per hour, by its name."""

    windows: tuple[Window, ...]
    channel: Role = "import"
    all_slots = False

    @property
    def roles(self) -> tuple[str, ...]:
        """The role whose power it is."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the exact maxima; raises `Invalid` for slots that do not divide an hour."""
        part = slots.portion(self.channel)
        if 3600 % part.grid.interval:
            message = (
                f"slots of {part.grid.interval} s have no exact power: they must divide an hour"
            )
            raise Invalid.of("wrong_interval", message)
        per_hour = 3600 // part.grid.interval
        return {
            name: max(int(part.values[first:past].max()) for first, past in of_event) * per_hour
            for name, of_event in spans(slots, self.channel, self.windows).items()
        }


@attrs.frozen(cache_hash=True)
class InBill(BaseMeasure):
    """Which windows are in the bill: the labels are their numbers, the values 1.

    Attributes:
        windows: They are in the bill as a whole, or not at all; else the bill is refused.

    """

    windows: tuple[Window, ...]

    @property
    def roles(self) -> tuple[str, ...]:
        """None: no reading is needed."""
        return ()

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the windows; raises `Invalid` for one that is cut."""
        windows: dict[str, int] = {}
        for index, window in enumerate(self.windows):
            start, end = window.seconds(slots.zone.clock)
            if end <= slots.start or slots.end <= start:
                continue
            if start < slots.start or slots.end < end:
                message = (
                    f"the event at {slots.zone.clock.text(start)} is only in part in the bill, "
                    "and its baseline is of all of it"
                )
                raise Invalid.of("event_cut", message)
            windows[str(index)] = 1
        return windows


# What would have been used in an event: the mean of the same hours of the weekdays before.


@attrs.frozen(cache_hash=True)
class Baselines(BaseMeasure):
    """The energy in the same hours of the weekdays before each event, in micro-units, by its name.

    It is the sum over these days; their number is `days`. Holidays and days with an event are no
    such days. All of them must be in the bill.

    Attributes:
        windows: Those of the events.
        days: How many weekdays before an event count.
        channel: The role that is summed.

    """

    windows: tuple[Window, ...]
    days: int
    channel: Role = "import"
    all_slots = False

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is summed."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the exact sums; raises `Invalid` where the bill does not reach back so far."""
        energies: dict[str, int] = {}
        taken = {_day(slots, window.seconds(slots.zone.clock)[0]) for window in self.windows}
        for window in self.windows:
            start, end = window.seconds(slots.zone.clock)
            start, end = max(start, slots.start), min(end, slots.end)
            if start < end:
                energy = self._before(slots, window.name, (start, end), taken)
                energies[window.name] = energies.get(window.name, 0) + energy
        return energies

    def _before(self, slots: Slots, name: str, window: tuple[int, int], taken: set[int]) -> int:
        part, energy, count = slots.portion(self.channel), 0, 0
        for back in _weekdays_before(slots, _day(slots, window[0]), taken):
            start, end = (_days_earlier(slots, instant, back) for instant in window)
            if start < slots.start:
                break
            first, past = slots_in(part.grid, start, end)
            energy += total(part.values[first:past], part.largest)
            count += 1
            if count == self.days:
                return energy
        when = slots.zone.clock.text(window[0])
        message = (
            f"the event {name or 'at'} {when} has {count} weekdays before it in the bill, and its "
            f"baseline needs {self.days}: give the event a `baseline`"
        )
        raise Invalid.of("no_baseline", message)


def _day(slots: Slots, instant: int) -> int:
    """Return the local day of an instant, since 1970-01-01."""
    return day_number(slots.zone.clock.datetime(instant).date())


def _weekdays_before(slots: Slots, day: int, taken: set[int]) -> Iterator[int]:
    """Yield by how many days each weekday, that is not *taken*, is before *day*; nearest first."""
    numbers = np.arange(day - 1, _day(slots, slots.start) - 1, -1, dtype=np.int64)
    days = slots.types.days(numbers)
    for number, is_off in zip(
        numbers.tolist(), (days.weekend | days.holiday).tolist(), strict=True
    ):
        if not is_off and number not in taken:
            yield day - number


def _days_earlier(slots: Slots, instant: int, days: int) -> int:
    """Return the instant of the same local time some days before."""
    local = int(slots.zone.clock.local(np.array([instant], np.int64))[0]) - days * DAY
    # The earlier instant, where that time comes twice.
    return int(slots.zone.clock.instants(np.array([local], np.int64))[0][0])
