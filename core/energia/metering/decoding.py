"""Meter files: what a decoder is, and how the core reads a file through one."""

import math
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any, Final, Protocol

import attrs
import numpy as np

from energia.errors import Fault
from energia.metering.columns import Columns
from energia.metering.problems import Problems
from energia.metering.sent import Sent
from energia.metering.series import ACTUAL

#: How many readings are stored at a time.
BATCH: Final = 50_000


@attrs.frozen
class Reading:
    """One value of a file.

    Attributes:
        line: Where it is, counted from 1.
        value: The quantity of the slot as it is written, or None where it is missing.
        start: When the slot starts, in seconds since 1970-01-01T00:00Z; or None, and then
        end: when it ends.
        quality: The code of the quality, an index of `energia.metering.series.QUALITIES`.
        meter: The meter's id, if the file names one.
        channel: The channel's id, if the file names one.
        unit: The unit, if the file or the client names one.

    """

    line: int
    value: Decimal | None
    start: int | None = None
    end: int | None = None
    quality: int = ACTUAL
    meter: str | None = None
    channel: str | None = None
    unit: str | None = None


@attrs.frozen
class Problem:
    """A line that is no reading, though it should be one."""

    line: int
    code: str
    message: str


class Decoder(Protocol):
    """Reads one format of meter files."""

    @property
    def name(self) -> str:
        """The name of the format, as in `POST /v1/imports?format=<name>`."""
        ...

    @property
    def options(self) -> type:
        """An attrs class: what a client may say about a file, in the query."""
        ...

    def decode(self, chunks: Iterable[bytes], options: Any) -> Iterator[Reading | Problem]:
        """Read a file, chunk by chunk, in bounded memory; called in a worker thread.

        Args:
            chunks: The file.
            options: An instance of `options`.

        Raises:
            Malformed: The file is not of this format.
            Invalid: The options do not fit the file.

        """
        ...


@attrs.frozen
class Defaults:
    """The meter and channel of readings that name none."""

    meter: str | None = None
    channel: str | None = None


def batches(
    items: Iterable[Reading | Problem], defaults: Defaults, problems: Problems
) -> Iterator[tuple[Sent, int]]:
    """Yield readings in columns, and how many items they were, problems included."""
    gathered = _Gathered(defaults, problems)
    for item in items:
        gathered.add(item)
        if gathered.count >= BATCH:
            yield gathered.sent(), gathered.count
            gathered = _Gathered(defaults, problems)
    if gathered.count:
        yield gathered.sent(), gathered.count


class _Gathered:
    """The readings of one batch."""

    def __init__(self, defaults: Defaults, problems: Problems) -> None:
        self.count = 0
        self._defaults = defaults
        self._problems = problems
        self._columns = Columns()
        self._values: list[Decimal | None] = []
        self._ends: list[bool] = []

    def add(self, item: Reading | Problem) -> None:
        """Take in one reading, or note a problem."""
        self.count += 1
        if isinstance(item, Problem):
            self._problems.add(Fault(item.code, item.message, line=item.line))
            return
        meter = item.meter or self._defaults.meter
        instant = item.start if item.start is not None else item.end
        if meter is None:
            message = "no meter is named: neither in the file nor as `meter`"
            self._problems.add(Fault("unknown_meter", message, line=item.line))
        elif item.value is not None and not item.value.is_finite():
            self._problems.add(Fault("not_a_number", "not a number", line=item.line))
        else:
            assert instant is not None, "a reading has a start or an end"
            origin = (meter, item.channel or self._defaults.channel, item.unit)
            self._columns.one(origin, instant, item.quality, item.line)
            self._values.append(item.value)
            self._ends.append(item.start is None)

    def sent(self) -> Sent:
        """Return the columns."""
        floats = [math.nan if value is None else float(value) for value in self._values]
        return self._columns.sent(
            np.array(floats, np.float64),
            _exact(self._values),
            lambda line, _: Fault("", "", line=line),
            end_stamped=np.array(self._ends, bool),
        )


def _exact(values: list[Decimal | None]) -> Callable[[int], Decimal]:
    def exact(index: int) -> Decimal:
        value = values[index]
        assert value is not None
        return value

    return exact
