"""What is measured in dated windows: energy, and the slot with the most of it."""

from collections.abc import Iterator, Mapping

import attrs
import numpy as np
import numpy.typing as npt

from energia.errors import Fault, Invalid
from energia.pricing.charges import Role, Slots
from energia.pricing.exact import total
from energia.pricing.slots import Portion
from energia_plugins.tariff_event.windows import Window, by_name, is_split, slots_in

Bools = npt.NDArray[np.bool_]


def masks(slots: Slots, channel: str, windows: tuple[Window, ...]) -> Iterator[tuple[str, Bools]]:
    """Yield the name of each event that has slots in the bill, and which they are.

    A slot is in the window that its start is in; what is cut is told.
    """
    grid = slots.portion(channel).grid
    edges: set[int] = set()
    for name, found in by_name(windows).items():
        mask = np.zeros(grid.count, bool)
        for window in found:
            start, end = window.seconds(slots.zone)
            first, past = slots_in(grid, start, end)
            mask[first:past] = True
            edges |= {edge for edge in (start, end) if is_split(grid, edge)}
        if mask.any():
            yield name, mask
    split = len({(edge - grid.start) // grid.interval for edge in edges})
    if split:
        slots.assume(
            "boundary_inside_interval",
            f"an event begins or ends inside {split} slots of {channel}: "
            "each is in the event that its start is in",
            split,
        )


@attrs.frozen(cache_hash=True)
class EventEnergy:
    """The energy in each event that has slots in the bill, in micro-units, by its name.

    Attributes:
        schedule: The windows; those of one name are one event.
        channel: The role that is summed.
        apart: Whether events that share a slot are refused, which would charge it twice.

    """

    schedule: tuple[Window, ...]
    channel: Role = "import"
    apart: bool = True

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is summed."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the exact sums."""
        part = slots.portion(self.channel)
        found = dict(masks(slots, self.channel, self.schedule))
        if self.apart and sum(map(np.count_nonzero, found.values())) > np.count_nonzero(
            np.any(list(found.values()), axis=0)
        ):
            message = "two events share a slot, which would count twice: windows overlap"
            raise Invalid(message, [Fault("events_overlap", message)])
        return {name: _sum(part, mask) for name, mask in found.items()}


@attrs.frozen(cache_hash=True)
class EventSeconds:
    """How long the slots of each event last in the bill, in seconds, by its name."""

    schedule: tuple[Window, ...]
    channel: Role = "import"

    @property
    def roles(self) -> tuple[str, ...]:
        """The role whose slots are counted."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the seconds."""
        interval = slots.portion(self.channel).grid.interval
        found = masks(slots, self.channel, self.schedule)
        return {name: int(np.count_nonzero(mask)) * interval for name, mask in found}


@attrs.frozen(cache_hash=True)
class EventPeak:
    """The highest mean power of a slot in each event, in micro-units per hour, by its name."""

    schedule: tuple[Window, ...]
    channel: Role = "import"

    @property
    def roles(self) -> tuple[str, ...]:
        """The role whose power it is."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the exact maxima; raises `Invalid` for slots that do not divide an hour."""
        part = slots.portion(self.channel)
        if 3600 % part.grid.interval:
            message = f"slots of {part.grid.interval} s have no exact power: they divide no hour"
            raise Invalid(message, [Fault("wrong_interval", message)])
        per_hour = 3600 // part.grid.interval
        found = masks(slots, self.channel, self.schedule)
        return {name: int(part.values[mask].max()) * per_hour for name, mask in found}


def _sum(part: Portion, mask: Bools) -> int:
    return total(part.values[mask], part.largest)


@attrs.frozen(cache_hash=True)
class InBill:
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
        found: dict[str, int] = {}
        for at, window in enumerate(self.windows):
            start, end = window.seconds(slots.zone)
            if end <= slots.start or slots.end <= start:
                continue
            if start < slots.start or slots.end < end:
                message = (
                    f"the event at {slots.zone.text(start)} is only in part in the bill, and its "
                    "baseline is of all of it"
                )
                raise Invalid(message, [Fault("event_cut", message)])
            found[str(at)] = 1
        return found
