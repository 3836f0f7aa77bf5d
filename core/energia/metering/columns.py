"""Put single readings and runs together into columns."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from energia.errors import Fault
from energia.metering.sent import Origin, Sent

Floats = npt.NDArray[np.float64]

#: Readings lie in these years.
FIRST: Final = int(datetime(1900, 1, 1, tzinfo=UTC).timestamp())
LAST: Final = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp())


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


def whole_seconds(instant: datetime) -> int | None:
    """Return *instant* in seconds since 1970-01-01T00:00Z, or None if it has a fraction."""
    return None if instant.microsecond else round(instant.timestamp())
