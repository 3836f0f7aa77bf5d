"""Quantities on an even grid of time."""

from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

from energia.convert.scalars import Unfit
from energia.units import BOUND
from energia.zones import DAY

__all__ = [
    "ACTUAL",
    "BOUND",
    "MISSING",
    "NEVER_SENT",
    "QUALITIES",
    "Micro",
    "Quality",
    "Series",
    "refuse_length",
]

#: Quantities in micro-units (1e-6 kWh, m3, ...).
Micro = npt.NDArray[np.int64]
#: Quality codes, one for each slot.
Quality = npt.NDArray[np.int8]

#: Stands in an array of micro-units for "no value".
MISSING: Final = int(np.iinfo(np.int64).min)

#: The longest slot, in seconds.
LONGEST: Final = 3600

#: The names of the quality codes 0 to 8, as stored and as sent.
QUALITIES: Final = (
    "missing",
    "actual",
    "validated",
    "substituted",
    "provisional",
    "estimated",
    "derived",
    "questionable",
    "forecast",
)
ACTUAL: Final = 1
#: In an array of quality codes: nothing was ever said of this slot.
NEVER_SENT: Final = -1


def refuse_length(seconds: float) -> None:
    """Refuse what is no length of a slot: whole seconds that divide a day, at most an hour."""
    if seconds > LONGEST:
        raise Unfit("not_supported", "intervals over PT1H are not supported yet")
    if seconds < 1 or seconds % 1 or DAY % seconds:
        raise Unfit("wrong_interval", "the interval does not divide a day")


@attrs.frozen(eq=False)
class Series:
    """Quantities of consecutive slots of one length.

    Attributes:
        start: When the first slot starts, in seconds since 1970-01-01T00:00Z.
        interval: The length of a slot in seconds.
        values: int64[n], micro-units; `MISSING` where there is no value.
        quality: int8[n], codes of `QUALITIES`; `NEVER_SENT` where nothing was ever sent.

    """

    start: int
    interval: int
    values: Micro
    quality: Quality

    @property
    def end(self) -> int:
        """When the last slot ends, in seconds since 1970-01-01T00:00Z."""
        return self.start + self.interval * len(self.values)

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """When each slot starts: int64[n], seconds since 1970-01-01T00:00Z."""
        return self.start + self.interval * np.arange(len(self.values), dtype=np.int64)
