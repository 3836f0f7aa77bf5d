"""Registers of which a file has reads: what each counted in the slots between two of them.

A register only grows: what a slot used is its read at the end of the slot less the one at its
start. What does not fit that (it went back, another meter stands there) is refused where it
happens, and counting begins anew: nothing is ever booked across it.
"""

from decimal import Context, Decimal
from typing import Final

import attrs

from energia.time import Instant, utc_text

#: Differences of reads are exact: no read has more than 50 digits.
_EXACT: Final = Context(prec=60)
#: A drop of so many of its last digits is a dip, such as rounding makes: nothing was used.
_DIP: Final = 2
#: The finest digit that counts: values are stored in micro-units.
_FINEST: Final = -6


class RegisterFault(ValueError):
    """A read does not follow from the one before; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@attrs.frozen
class RegisterRead:
    """What a register showed.

    Attributes:
        instant: When, in seconds since 1970-01-01T00:00Z.
        value: What it showed, with the digits that are written.
        equipment: What it is the register of: reads of different equipment have no difference.

    """

    instant: Instant
    value: Decimal
    equipment: str = ""


@attrs.define
class Register:
    """The reads of one register, in order of time.

    Example:
        register = Register(interval=900)
        register.slot(RegisterRead(0, Decimal("10.0")))  # None: nothing is before it
        register.slot(RegisterRead(900, Decimal("10.5")))  # (0, Decimal("0.5"))

    Attributes:
        interval: The length of a slot in seconds; slots begin at whole multiples of it, in UTC.
        tolerance: How many seconds after the end of a slot its read may be, below *interval*. Of
            several the first counts; what is read later, within a slot, is passed over.

    """

    interval: int
    tolerance: int = 0
    _last: RegisterRead | None = None

    def slot(self, read: RegisterRead) -> tuple[Instant, Decimal] | None:
        """Return when the slot before a read starts, and what was used in it.

        It is None where the read ends no slot, or where the start of that slot was not read.

        Raises:
            RegisterFault: The register went back (`register_went_back`), is another one
                (`equipment_changed`), time went back (`out_of_order`), or one instant has two
                reads (`reads_differ`). The next slot is counted from this read on.

        """
        end = self._grid(read)
        if end is None:
            return None
        last = self._last
        if last is None or self._is_new(last, read, end):
            self._last = read
            return self._used(last, read, end) if last is not None else None
        return None

    def _grid(self, read: RegisterRead) -> Instant | None:
        """Return the end of the slot that a read is of."""
        late = read.instant % self.interval
        return read.instant - late if late <= self.tolerance else None

    def _is_new(self, last: RegisterRead, read: RegisterRead, end: Instant) -> bool:
        """Whether a read says something that is not known of its instant already."""
        is_again = (read.instant, read.value) == (last.instant, last.value)
        is_later = end <= last.instant < read.instant
        return read.equipment != last.equipment or not (is_again or is_later)

    def _used(
        self, last: RegisterRead, read: RegisterRead, end: Instant
    ) -> tuple[int, Decimal] | None:
        _refuse(last, read)
        used = _EXACT.subtract(read.value, last.value)
        if used < 0:  # a dip: the higher value holds, or its way back would be counted
            self._last = attrs.evolve(read, value=last.value)
            used = Decimal(0)
        return (end - self.interval, used) if self._grid(last) == end - self.interval else None


def _refuse(last: RegisterRead, read: RegisterRead) -> None:
    """Raise what is wrong with a read that comes after *last*."""
    if read.equipment != last.equipment:
        message = f"the equipment is {read.equipment!r} and was {last.equipment!r}"
        raise RegisterFault("equipment_changed", f"{message}: nothing is counted across")
    if read.instant < last.instant:
        message = (
            f"the read of {utc_text(read.instant)} comes after that of {utc_text(last.instant)}"
        )
        raise RegisterFault("out_of_order", f"{message}: sort the file by time")
    if read.instant == last.instant:
        message = f"{utc_text(read.instant)} has two reads, {last.value} and {read.value}"
        raise RegisterFault("reads_differ", message)
    if _EXACT.subtract(last.value, read.value) > _DIP * _resolution(last.value, read.value):
        message = f"the register went back from {last.value} to {read.value}"
        raise RegisterFault("register_went_back", f"{message}: nothing is counted across")


def _resolution(*values: Decimal) -> Decimal:
    """Return the last digit of reads, as a number."""
    exponents = [value.as_tuple().exponent for value in values]
    finest = min(one for one in exponents if isinstance(one, int))
    return Decimal(1).scaleb(max(finest, _FINEST))
