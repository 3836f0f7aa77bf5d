"""What a client says about a file of telegrams."""

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Final, Literal

import attrs
from msgspec import Meta

from energia import Check, Fault, NameOptions, Rules, Unfit, enforce
from energia.time import DAY, HOUR, length_of

_OFFSET: Final = re.compile(r"([+-])(0[0-9]|1[0-4]):([0-5][0-9])")


def _length(text: str) -> int:
    try:
        return length_of(text)
    except ValueError as error:
        raise Unfit("wrong_interval", str(error)) from None


def _interval(text: str) -> None:
    length = _length(text)
    if not 0 < length <= HOUR or DAY % length:
        raise Unfit("wrong_interval", "the interval divides a day and is an hour at most")


def _tolerance(text: str) -> None:
    _length(text)


def _offset(text: str) -> None:
    if not _OFFSET.fullmatch(text):
        raise Unfit("wrong_offset", "expected hours and minutes from UTC, such as +01:00")


Interval = Annotated[str, Meta(max_length=10, examples=["PT15M"]), Check(_interval)]
Tolerance = Annotated[str, Meta(max_length=10, examples=["PT10S"]), Check(_tolerance)]
Offset = Annotated[str, Meta(max_length=6, examples=["+01:00"]), Check(_offset)]
CrcCheck = Literal["exact", "crlf", "ignore"]


def _tolerance_is_short(interval: str, mbus_interval: str, tolerance: str) -> Iterator[Fault]:
    if length_of(tolerance) >= min(length_of(interval), length_of(mbus_interval)):
        yield Fault("wrong_interval", "the tolerance is shorter than the intervals", "/tolerance")


@attrs.frozen
class DsmrOptions(NameOptions):
    """Of which telegrams the reads are taken, and what is trusted.

    Attributes:
        interval: The interval of the channels of electricity: reads at its ends are taken.
        mbus_interval: The interval of what is behind the meter (gas, water, heat), whose reads
            have times of their own.
        tolerance: How long after the end of an interval its read may be; the first one counts.
        offset: The offset from UTC of the meter's winter time (W); summer time (S) is an hour more.
        crc: `exact`: over the bytes as they are; `crlf`: for files of which the ends of lines were
            made LF, over the bytes with CRLF; `ignore`: telegrams may be damaged or have no CRC.
        reads: Whether what registers show at the ends of intervals is given as it is, for channels
            of kind `register`, and not what was used between.

    """

    __rules__: ClassVar[Rules] = (_tolerance_is_short,)

    interval: Interval = "PT15M"
    mbus_interval: Interval = "PT1H"
    tolerance: Tolerance = "PT0S"
    offset: Offset = "+01:00"
    crc: CrcCheck = "exact"
    reads: bool = False

    def __attrs_post_init__(self) -> None:
        """Refuse options that contradict each other; raises `Invalid`."""
        enforce(self)

    @property
    def winter(self) -> int:
        """How many seconds the meter's winter time is ahead of UTC."""
        sign, hours, minutes = (self.offset[:1], self.offset[1:3], self.offset[4:])
        seconds = int(hours) * HOUR + int(minutes) * 60
        return -seconds if sign == "-" else seconds
