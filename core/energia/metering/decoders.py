"""Meter files: what a decoder is, and what it yields of a file.

This is what plugins that add a format implement (`register_decoders`); the names are public in
`energia`. A decoder only reads: which meter exists, whether an instant is on its grid and whether a
unit fits is found out afterwards, in `validation`, alike for every format.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Protocol

import attrs

from energia.metering.series import ACTUAL


# Not frozen, because one is made for each row of a file, and that takes a third of the time.
@attrs.define
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
