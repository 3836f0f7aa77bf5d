"""Readings of a file on their way from its decoder to the database.

They wait in a temporary file, in columns, so that nothing is locked while a file is decoded.
"""

import pickle
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import cached_property
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Final, Self, TypeGuard

import attrs
import numpy as np
import numpy.typing as npt

from energia.errors import Fault, TooLarge
from energia.metering.decoding import Defaults, Problem, Reading
from energia.metering.problems import Problems
from energia.metering.sent import Int64, Origin, Sent
from energia.metering.series import Quality

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
