"""The readings of a meter file: on their way to the database, or as the usage of a request."""

import pickle
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from functools import cached_property
from itertools import islice, pairwise
from tempfile import TemporaryFile
from typing import IO, Final, Self, TypeGuard

import attrs
import numpy as np
import numpy.typing as npt

from energia.errors import Fault, Invalid, TooLarge
from energia.metering.columns import Origin, Sent
from energia.metering.decoders import Defaults, Problem, Reading
from energia.metering.outcome import Problems
from energia.metering.series import Quality
from energia.time import BadDuration, Int64, length_of, length_text, utc_text

#: How many readings are stored at a time.
BATCH: Final = 50_000


@attrs.frozen(eq=False, slots=False)
class _Rows:
    """Readings in columns; `texts` are the values as they were written, a line each."""

    origins: tuple[Origin, ...]
    origin: Int64
    instants: Int64
    is_end: npt.NDArray[np.bool_]
    quality: Quality
    lines: Int64
    values: npt.NDArray[np.float64]
    texts: str

    @classmethod
    def of(cls, readings: list[Reading], defaults: Defaults) -> Self:
        meter, channel = defaults.meter, defaults.channel
        origins: dict[Origin, int] = {}
        named = [(one.meter or meter or "", one.channel or channel, one.unit) for one in readings]
        origin = [origins.setdefault(name, len(origins)) for name in named]
        values = [one.value for one in readings]
        return cls(
            tuple(origins),
            np.array(origin, np.int64),
            np.array([one.end if one.start is None else one.start for one in readings], np.int64),
            np.array([one.start is None for one in readings], bool),
            np.array([one.quality for one in readings], np.int8),
            np.array([one.line for one in readings], np.int64),
            np.array([np.nan if value is None else float(value) for value in values], np.float64),
            "\n".join(map(str, values)),
        )

    def sent(self) -> Sent:
        """Return them as runs of one slot each."""
        count = len(self.lines)
        return Sent(
            self.origins,
            self.origin,
            self.instants,
            np.zeros(count, np.int64),
            np.ones(count, np.int64),
            self.quality,
            self.values,
            lambda index: Decimal(self._written[index]),
            lambda run, _: Fault("", "", line=int(self.lines[run])),
            end_stamped=self.is_end if self.is_end.any() else None,
        )

    @cached_property
    def _written(self) -> list[str]:
        return self.texts.split("\n")


class Spool:
    """Holds the readings of one file.

    Attributes:
        received: How many items were put in, problems included.

    """

    def __init__(self, file: IO[bytes]) -> None:
        self.received = 0
        self._left = 0
        self._file = file

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator[Self]:
        """Give an empty one; at the end of the block what it holds is gone."""
        with TemporaryFile() as file:
            yield cls(file)

    def fill(
        self, items: Iterable[Reading | Problem], defaults: Defaults, problems: Problems, most: int
    ) -> None:
        """Put all readings in, and note the problems.

        Raises what *items* raises, and `TooLarge` if there are more than *most*.
        """
        pending = iter(items)
        while batch := list(islice(pending, BATCH)):
            self.received += len(batch)
            refuse_rows(self.received, most)
            good = [item for item in batch if _is_good(item, defaults, problems)]
            if good:
                pickle.dump(_Rows.of(good, defaults), self._file, pickle.HIGHEST_PROTOCOL)
                self._left += 1
        self._file.seek(0)

    def take(self) -> Sent | None:
        """Return the next readings; None after the last."""
        if not self._left:
            return None
        self._left -= 1
        rows: _Rows = pickle.load(self._file)
        return rows.sent()


def refuse_rows(received: int, most: int) -> None:
    """Refuse more readings than *most*; raises `TooLarge`."""
    if received > most:
        raise TooLarge(f"there are more readings than limits.rows ({most})")


def _is_good(item: Reading | Problem, defaults: Defaults, problems: Problems) -> TypeGuard[Reading]:
    """Whether *item* is a reading that can be stored; if not, note why."""
    if isinstance(item, Problem):
        fault = Fault(item.code, item.message, line=item.line)
    elif not (item.meter or defaults.meter):
        message = "no meter is named: neither in the file nor as `meter`"
        fault = Fault("unknown_meter", message, line=item.line)
    elif item.value is not None and not item.value.is_finite():
        fault = Fault("not_a_number", "not a number", line=item.line)
    else:
        return True
    problems.add(fault)
    return False


# The readings of a meter file as the `usage` of a request: nothing is stored.

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
            message = f"line {one.line}: a second reading of {utc_text(at)}"
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
    return {"timezone": zone, "interval": length_text(seconds), "channels": series}


def _series(role: str, one: _Channel, interval: int, ends: bool) -> dict[str, object]:
    first, last = min(one.values), max(one.values)
    count = (last - first) // interval + 1
    if count > MOST:
        raise TooLarge(f"{role} has {count} slots; {MOST} are the most")
    if off := next((at for at in one.values if (at - first) % interval), None):
        message = f"{role}: {utc_text(off)} is not on the grid of {length_text(interval)}"
        raise _refused("off_grid", message)
    if len(one.units) > 1:
        raise _refused("several_units", f"{role} has readings in several units")
    values = [one.values.get(first + index * interval) for index in range(count)]
    found = {"start": utc_text(first - interval if ends else first), "values": values}
    (unit,) = one.units
    return {**found, **({} if unit is None else {"unit": unit})}


def _seconds(interval: str | None, channels: Iterable[_Channel]) -> int:
    if interval is not None:
        try:
            return length_of(interval)
        except BadDuration as error:
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


def _refused(code: str, message: str) -> Invalid:
    return Invalid(message, [Fault(code, message)])
