"""The readings of a meter file as the `usage` of a request: nothing is stored."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

import attrs

from energia.errors import Fault, Invalid, TooLarge
from energia.metering import durations
from energia.metering.decoding import Problem, Reading

#: So many slots one channel has at most: 142 years of quarter-hours.
MOST: Final = 5_000_000
_ROLE: Final = re.compile(r"(\w+\.)?(import|export)")
_PROBLEMS: Final = 1000


@attrs.define
class _Channel:
    """The readings of one channel, by when their slots start (or end)."""

    values: dict[int, str | None] = attrs.Factory(dict)
    units: set[str | None] = attrs.Factory(set)


@attrs.define
class _File:
    """The readings of a file.

    Attributes:
        channels: The readings by the channel that the file names.
        meters: The meters that it names.
        problems: Its lines that are no readings.
        ends: Whether it says when slots end, and not when they start.

    """

    channels: dict[str | None, _Channel] = attrs.Factory(dict)
    meters: set[str | None] = attrs.Factory(set)
    problems: list[Fault] = attrs.Factory(list)
    ends: bool = False

    def take(self, one: Reading | Problem) -> None:
        """Take a reading, or note why a line is none; raises `Invalid` for a second reading."""
        if isinstance(one, Problem):
            self.problems.append(Fault(one.code, one.message, line=one.line))
            return
        channel = self.channels.setdefault(one.channel, _Channel())
        self.ends = one.start is None
        at = one.start if one.start is not None else one.end
        assert at is not None
        if at in channel.values:
            message = f"line {one.line}: a second reading of {_utc(at)}"
            raise Invalid(message, [Fault("repeated", message, line=one.line)])
        channel.values[at] = None if one.value is None else str(one.value)
        channel.units.add(one.unit)
        self.meters.add(one.meter)

    def refuse_unfit(self) -> None:
        """Refuse a file of which no usage can be made."""
        if self.problems:
            message = f"line {self.problems[0].line}: {self.problems[0].message}"
            raise Invalid(message, self.problems[:_PROBLEMS])
        if not self.channels:
            raise _refused("no_reading", "the file has no reading")
        if len(self.meters) > 1:
            message = f"the file has {len(self.meters)} meters: give one of them"
            raise _refused("several_meters", message)


def usage_of(
    found: Iterable[Reading | Problem], zone: str, interval: str | None = None
) -> Mapping[str, object]:
    """Return readings as JSON has the `usage` of `POST /v1/costs`.

    A channel that is called like a role has it; where there is only one channel, it is `import`.

    Args:
        found: What a decoder made of a file.
        zone: The time zone of the usage.
        interval: The length of a slot; without it, the shortest distance of two readings.

    Raises:
        Invalid: The file has lines that are no readings, or readings that do not fit together.
        TooLarge: A channel has more than `MOST` slots.

    """
    file = _File()
    for one in found:
        file.take(one)
    file.refuse_unfit()
    seconds = _seconds(interval, file.channels.values())
    roles = {_role(name, len(file.channels)): one for name, one in file.channels.items()}
    series = {role: _series(role, one, seconds, file.ends) for role, one in roles.items()}
    return {"timezone": zone, "interval": durations.text(seconds), "channels": series}


def _series(role: str, one: _Channel, interval: int, ends: bool) -> dict[str, object]:
    first, last = min(one.values), max(one.values)
    count = (last - first) // interval + 1
    if count > MOST:
        raise TooLarge(f"{role} has {count} slots; {MOST} are the most")
    if off := next((at for at in one.values if (at - first) % interval), None):
        message = f"{role}: {_utc(off)} is not on the grid of {durations.text(interval)}"
        raise _refused("off_grid", message)
    if len(one.units) > 1:
        raise _refused("several_units", f"{role} has readings in several units")
    values = [one.values.get(first + index * interval) for index in range(count)]
    found = {"start": _utc(first - interval if ends else first), "values": values}
    (unit,) = one.units
    return {**found, **({} if unit is None else {"unit": unit})}


def _seconds(interval: str | None, channels: Iterable[_Channel]) -> int:
    if interval is not None:
        try:
            return durations.seconds(interval)
        except durations.BadDuration as error:
            raise _refused("wrong_interval", str(error)) from None
    apart = [later - earlier for one in channels for earlier, later in pairwise(sorted(one.values))]
    if not apart:
        raise _refused("unknown_interval", "one reading does not tell how long a slot is")
    return min(apart)


def _role(channel: str | None, channels: int) -> str:
    if channel is not None and _ROLE.fullmatch(channel):
        return channel
    if channels == 1:
        return "import"
    raise _refused("unknown_role", f"the channel {channel!r} is no role, such as import")


def _utc(instant: int) -> str:
    return datetime.fromtimestamp(instant, UTC).isoformat().replace("+00:00", "Z")


def _refused(code: str, message: str) -> Invalid:
    return Invalid(message, [Fault(code, message)])
