"""Readings as they were sent, in columns: runs of consecutive slots."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from energia.errors import Fault
from energia.metering.series import Quality
from energia.time import FIRST_YEAR, LAST_YEAR, Int64, instant_of

#: The meter's id; the channel's, or None for the meter's only one; the unit, or None for the
#: channel's.
Origin = tuple[str, str | None, str | None]


@attrs.frozen(eq=False, slots=False)
class Sent:
    """Runs of readings, one entry of each column for a run; `values` holds all runs in a row.

    Attributes:
        origins: The meters, channels and units that there are.
        origin: int64, the index of each run's origin in `origins`.
        starts: int64, when the first slot starts, in seconds since 1970-01-01T00:00Z.
        intervals: int64, the length of a slot in seconds, or 0 for the channel's.
        lengths: int64, how many slots the run has.
        quality: int8, the quality code of all values of the run.
        values: float64[sum of lengths], the nearest binary floats; NaN for null.
        exact: Returns the value, as it was written, at an index of `values`.
        place: Returns a fault that says where a run was sent, or one of its values, given the run
            and the position in it or None.
        refused: bool, which of `values` were refused already; None for none.
        end_stamped: bool, of which runs `starts` holds when the first slot ends; None for none.

    """

    origins: Sequence[Origin]
    origin: Int64
    starts: Int64
    intervals: Int64
    lengths: Int64
    quality: Quality
    values: npt.NDArray[np.float64]
    exact: Callable[[int], Decimal]
    place: Callable[[int, int | None], Fault]
    refused: npt.NDArray[np.bool_] | None = None
    end_stamped: npt.NDArray[np.bool_] | None = None

    @cached_property
    def bases(self) -> Int64:
        """Where in `values` each run begins."""
        found: Int64 = np.cumsum(self.lengths) - self.lengths
        return found

    def fault(self, code: str, message: str, run: int, position: int | None = None) -> Fault:
        """Return a fault of a run, or of one of its values."""
        return attrs.evolve(self.place(run, position), code=code, message=message)

    def fault_at(self, code: str, message: str, index: int) -> Fault:
        """Return a fault of the value at *index* of `values`."""
        run = int(np.searchsorted(self.bases, index, side="right")) - 1
        return self.fault(code, message, run, index - int(self.bases[run]))

    def split(self, runs: Int64) -> tuple[Int64, Int64, Int64]:
        """Return, for each value of *runs*, its run, its position in it and its index."""
        lengths = self.lengths[runs]
        run = np.repeat(runs, lengths)
        position = np.arange(len(run)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return run, position, self.bases[run] + position

    def count(self, runs: Int64) -> int:
        """Return how many readings of some runs were not refused yet."""
        if self.refused is None:
            return int(self.lengths[runs].sum())
        refused = np.concatenate([[0], np.cumsum(self.refused)])
        ends = self.bases[runs] + self.lengths[runs]
        return int((self.lengths[runs] - refused[ends] + refused[self.bases[runs]]).sum())


# Put single readings and runs together into columns.

Floats = npt.NDArray[np.float64]

#: Readings lie in these years.
FIRST: Final = instant_of(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC))
LAST: Final = instant_of(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC))


@attrs.define
class Columns:
    """Grows run by run; `labels` says which item each came from."""

    origins: dict[Origin, int] = attrs.Factory(dict)
    origin: list[int] = attrs.Factory(list)
    starts: list[int] = attrs.Factory(list)
    intervals: list[int] = attrs.Factory(list)
    lengths: list[int] = attrs.Factory(list)
    quality: list[int] = attrs.Factory(list)
    labels: list[int] = attrs.Factory(list)

    def __len__(self) -> int:
        return len(self.origin)

    def one(self, origin: Origin, start: int, quality: int, label: int) -> None:
        """Add a single slot; `Sent` says what the fields are."""
        self.run(origin, (start, 0, 1), quality, label)

    def run(self, origin: Origin, slots: tuple[int, int, int], quality: int, label: int) -> None:
        """Add a run of *slots*: start, interval, how many; `Sent` says what the fields are."""
        start, interval, length = slots
        self.origin.append(self.origins.setdefault(origin, len(self.origins)))
        self.starts.append(start)
        self.quality.append(quality)
        self.labels.append(label)
        self.intervals.append(interval)
        self.lengths.append(length)

    def sent(
        self,
        values: Floats,
        exact: Callable[[int], Decimal],
        place: Callable[[int, int | None], Fault],
        *,
        refused: "npt.NDArray[np.bool_] | None" = None,
    ) -> Sent:
        """Return the columns as arrays; *place* is given a label and a position in the run."""
        labels = self.labels
        return Sent(
            tuple(self.origins),
            np.array(self.origin, np.int64),
            np.array(self.starts, np.int64),
            np.array(self.intervals, np.int64),
            np.array(self.lengths, np.int64),
            np.array(self.quality, np.int8),
            values,
            exact,
            lambda run, position: place(labels[run], position),
            refused,
        )
