"""The readings of a meter file: on their way to the database, or as the usage of a request.

A decoder (`decoders`) yields the readings of a file one by one. To be stored, they wait in a
temporary file until all of it is decoded (`Spool`), and then come as runs of numbers, batch by
batch: so a file of any size takes bounded memory, and one that breaks off or is refused has held no
connection and no lock. To be priced, they become the `usage` of a request (`usage_of`).
"""

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
from energia.metering.decoders import Defaults, Problem, Reading
from energia.metering.outcome import Problems
from energia.metering.series import Mask, Quality
from energia.metering.validation import Origin, ReadingRuns, refuse_rows
from energia.time import BadDuration, Int64, length_of, length_text, utc_text

#: How many readings are stored at a time.
BATCH: Final = 50_000
#: Of so many meters of a file the channels are locked at once, in one order; of others batch by
#: batch.
MOST_HELD: Final = 100_000


class Spool:
    """Holds the readings of one file.

    Attributes:
        received: How many items were put in, problems included.
        meters: The meters that they name, or the first `MOST_HELD` of them.

    """

    def __init__(self, file: IO[bytes]) -> None:
        self.received = 0
        self.meters: set[str] = set()
        self._batches = 0
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
            readings = [item for item in batch if _is_storable(item, defaults, problems)]
            if readings:
                rows = _FileRows.of(readings, defaults)
                pickle.dump(rows, self._file, pickle.HIGHEST_PROTOCOL)
                self._batches += 1
                names = (meter for meter, _, _ in rows.origins if meter not in self.meters)
                self.meters.update(islice(names, MOST_HELD - len(self.meters)))
        self.rewind()

    def rewind(self) -> None:
        """Begin again with the first readings."""
        self._file.seek(0)
        self._left = self._batches

    def take(self) -> ReadingRuns | None:
        """Return the next readings; None after the last."""
        if not self._left:
            return None
        self._left -= 1
        rows: _FileRows = pickle.load(self._file)  # noqa: S301 - what `store` has just written
        return rows.runs()


def _is_storable(
    item: Reading | Problem, defaults: Defaults, problems: Problems
) -> TypeGuard[Reading]:
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


@attrs.frozen(eq=False, slots=False)
class _FileRows:
    """Readings in columns, so that a batch is pickled as a few arrays and not as 50,000 objects.

    Attributes:
        origins: The meters, channels and units that there are.
        origin: int64[n], an index of `origins`.
        instants: int64[n], when each slot starts or ends, in seconds since 1970-01-01T00:00Z.
        is_end: bool[n], whether that is its end.
        quality: int8[n].
        lines: int64[n], the line of each in the file.
        values: float64[n], the nearest binary floats; NaN for null.
        texts: The values as they were written, a line each.

    """

    origins: tuple[Origin, ...]
    origin: Int64
    instants: Int64
    is_end: Mask
    quality: Quality
    lines: Int64
    values: npt.NDArray[np.float64]
    texts: str

    @classmethod
    def of(cls, readings: list[Reading], defaults: Defaults) -> Self:
        meter, channel = defaults.meter, defaults.channel
        origins: dict[Origin, int] = {}
        names = [(row.meter or meter or "", row.channel or channel, row.unit) for row in readings]
        origin = [origins.setdefault(name, len(origins)) for name in names]
        values = [row.value for row in readings]
        return cls(
            tuple(origins),
            np.array(origin, np.int64),
            np.array([row.end if row.start is None else row.start for row in readings], np.int64),
            np.array([row.start is None for row in readings], bool),
            np.array([row.quality for row in readings], np.int8),
            np.array([row.line for row in readings], np.int64),
            np.array([np.nan if value is None else float(value) for value in values], np.float64),
            "\n".join(map(str, values)),
        )

    def runs(self) -> ReadingRuns:
        """Return them as runs of one slot each."""
        count = len(self.lines)
        return ReadingRuns(
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


# The readings of a file as the `usage` of a request: nothing is stored.

#: So many slots one channel has at most: 142 years of quarter-hours.
MOST: Final = 5_000_000
_ROLE: Final = re.compile(r"(\w+\.)?(import|export)")
#: How many lines that are no readings are listed.
_PROBLEMS: Final = 1000


def usage_of(
    items: Iterable[Reading | Problem], zone: str, interval: str | None = None
) -> Mapping[str, object]:
    """Return readings as JSON has the `usage` of `POST /v1/costs`.

    A channel that is called like a role has it; where there is only one channel, it is `import`.

    Args:
        items: What a decoder yields of a file.
        zone: The time zone of the usage.
        interval: The length of a slot; without it, the shortest distance of two readings.

    Raises:
        Invalid: The file has lines that are no readings, or readings that do not fit together.
        TooLarge: A channel has more than `MOST` slots.

    """
    file = _FileUsage()
    for item in items:
        file.take(item)
    file.refuse_unfit()
    channels = file.channels
    seconds = _seconds(interval, channels.values())
    roles = {_role(name, len(channels)): channel for name, channel in channels.items()}
    series = {role: _series(role, each, seconds, file.ends) for role, each in roles.items()}
    return {"timezone": zone, "interval": length_text(seconds), "channels": series}


@attrs.define
class _ChannelUsage:
    """The readings of one channel, by when their slots start (or end)."""

    values: dict[int, str | None] = attrs.Factory(dict)
    units: set[str | None] = attrs.Factory(set)


@attrs.define
class _FileUsage:
    """The readings of a file.

    Attributes:
        channels: The readings by the channel that the file names.
        meters: The meters that it names.
        problems: Its lines that are no readings.
        ends: Whether it says when slots end, and not when they start.

    """

    channels: dict[str | None, _ChannelUsage] = attrs.Factory(dict)
    meters: set[str | None] = attrs.Factory(set)
    problems: list[Fault] = attrs.Factory(list)
    ends: bool = False

    def take(self, item: Reading | Problem) -> None:
        """Take a reading, or note a line's problem; raises `Invalid` for a second reading."""
        if isinstance(item, Problem):
            self.problems.append(Fault(item.code, item.message, line=item.line))
            return
        channel = self.channels.setdefault(item.channel, _ChannelUsage())
        self.ends = item.start is None
        instant = item.start if item.start is not None else item.end
        assert instant is not None
        text = None if item.value is None else str(item.value)
        # A null beside a value says nothing, whichever comes first.
        if instant in channel.values and None not in (text, channel.values[instant]):
            message = f"line {item.line}: a second reading of {utc_text(instant)}"
            raise Invalid(message, [Fault("repeated", message, line=item.line)])
        channel.values[instant] = channel.values.get(instant) if text is None else text
        channel.units.add(item.unit)
        self.meters.add(item.meter)

    def refuse_unfit(self) -> None:
        """Refuse a file of which no usage can be made."""
        if self.problems:
            message = f"line {self.problems[0].line}: {self.problems[0].message}"
            raise Invalid(message, self.problems[:_PROBLEMS])
        if not self.channels:
            raise Invalid.of("no_reading", "the file has no reading")
        if len(self.meters) > 1:
            message = f"the file has {len(self.meters)} meters: give one of them"
            raise Invalid.of("several_meters", message)


def _series(role: str, channel: _ChannelUsage, interval: int, ends: bool) -> dict[str, object]:
    """Return a channel as JSON has it: every slot from its first reading to its last."""
    first, last = min(channel.values), max(channel.values)
    count = (last - first) // interval + 1
    if count > MOST:
        raise TooLarge(f"{role} has {count} slots; {MOST} are the most")
    if off := next((instant for instant in channel.values if (instant - first) % interval), None):
        message = f"{role}: {utc_text(off)} is not on the grid of {length_text(interval)}"
        raise Invalid.of("off_grid", message)
    if len(channel.units) > 1:
        raise Invalid.of("several_units", f"{role} has readings in several units")
    values = [channel.values.get(first + index * interval) for index in range(count)]
    series = {"start": utc_text(first - interval if ends else first), "values": values}
    (unit,) = channel.units
    return {**series, **({} if unit is None else {"unit": unit})}


def _seconds(interval: str | None, channels: Iterable[_ChannelUsage]) -> int:
    """Return the length of a slot, as it was given or as the readings have it."""
    if interval is not None:
        try:
            return length_of(interval)
        except BadDuration as error:
            raise Invalid.of("wrong_interval", str(error)) from None
    distances = [
        later - earlier
        for channel in channels
        for earlier, later in pairwise(sorted(channel.values))
    ]
    if not distances:
        raise Invalid.of("unknown_interval", "one reading does not tell how long a slot is")
    return min(distances)


def _role(channel: str | None, channels: int) -> str:
    if channel is not None and _ROLE.fullmatch(channel):
        return channel
    if channels == 1:
        return "import"
    raise Invalid.of("unknown_role", f"the channel {channel!r} is no role, such as import")
