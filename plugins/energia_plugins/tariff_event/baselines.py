"""What would have been used in an event: the mean of the same hours of the weekdays before."""

from collections.abc import Iterator, Mapping

import attrs
import numpy as np

from energia.errors import Fault, Invalid
from energia.pricing.charges import Role, Slots
from energia.pricing.exact import total
from energia.zones import DAY, day_number
from energia_plugins.tariff_event.windows import Window, slots_in


@attrs.frozen(cache_hash=True)
class Baselines:
    """The energy in the same hours of the weekdays before each event, in micro-units, by its name.

    It is the sum over these days; their number is `days`. Holidays and days with an event are no
    such days. All of them must be in the bill.

    Attributes:
        schedule: The windows of the events.
        days: How many weekdays before an event count.
        channel: The role that is summed.

    """

    schedule: tuple[Window, ...]
    days: int
    channel: Role = "import"

    @property
    def roles(self) -> tuple[str, ...]:
        """The role that is summed."""
        return (self.channel,)

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the exact sums; raises `Invalid` where the bill does not reach back so far."""
        found: dict[str, int] = {}
        taken = {_day(slots, window.seconds(slots.zone)[0]) for window in self.schedule}
        for window in self.schedule:
            start, end = window.seconds(slots.zone)
            start, end = max(start, slots.start), min(end, slots.end)
            if start < end:
                energy = self._before(slots, window.name, (start, end), taken)
                found[window.name] = found.get(window.name, 0) + energy
        return found

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
        when = slots.zone.text(window[0])
        message = (
            f"the event {name or 'at'} {when} has {count} weekdays before it in the bill, and its "
            f"baseline needs {self.days}: give the event a `baseline`"
        )
        raise Invalid(message, [Fault("no_baseline", message)])


def _day(slots: Slots, instant: int) -> int:
    """Return the local day of an instant, since 1970-01-01."""
    return day_number(slots.zone.datetime(instant).date())


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
    local = int(slots.zone.local(np.array([instant], np.int64))[0]) - days * DAY
    return int(slots.zone.instants(np.array([local], np.int64))[0][0])
