"""Registers: what each counted between two of its reads.

A register only grows: what was used is the later read less the earlier one. What does not fit that
(it went back, another meter stands there) is said where it happens, and counting begins anew:
nothing is ever booked across it.
"""

from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Any, Final, Literal, Self

import attrs

from energia.convert.scalars import Unfit
from energia.time import Instant, utc_text

#: Reads keep their digits, and differences are exact: no read has more than 50.
EXACT: Final = Context(prec=60)
#: A drop of so many of its last digits is a dip, such as rounding makes: nothing was used.
_DIP: Final = 2
#: The finest digit that counts: values are stored in micro-units.
_FINEST: Final = -6
#: Seconds of an hour: powers are energies of an hour.
_HOUR: Final = 3600
#: What a difference of two reads is, if it is not simply what was used: a dip (0 was used), the way
#: round past the last digit, more than the meter can measure, or a fall that nothing explains.
Finding = Literal["dip", "rollover", "above_max_power", "register_went_back"]


class RegisterFault(Unfit):
    """A read does not follow from the one before; `code` says why."""


@attrs.frozen
class Used:
    """What a register counted between two reads.

    Attributes:
        quantity: How much, in the unit of the reads and not multiplied; None where nobody can tell.
        finding: What else there is to say of it.

    """

    quantity: Decimal | None
    finding: Finding | None = None


@attrs.frozen
class RegisterRules:
    """What is known of a register, by which its reads are judged.

    Attributes:
        digits: How many digits it has before the decimal mark; then it begins again with 0.
        most: What it can count in an hour at most, in the unit of its reads.

    """

    digits: int | None = None
    most: Decimal | None = None

    def fits(self, used: Decimal, seconds: int) -> bool:
        """Whether the meter can have measured so much in so many seconds."""
        return self.most is None or EXACT.multiply(used, _HOUR) <= EXACT.multiply(
            self.most, seconds
        )

    def used(self, held: Decimal, value: Decimal, seconds: int) -> Used:
        """Return what was used between a read of *held* and one of *value*, *seconds* later.

        A fall is a dip, if it is of two of the last digits at most; past the last digit and on from
        0, if the digits are known and so much can have been used; else it is no difference at all.
        A register that shows whole kWh may go on by one within a minute: what was used is known to
        its last digit only.
        """
        used = EXACT.subtract(value, held)
        if used >= 0:
            certain = EXACT.subtract(used, _resolution(held, value))
            return Used(used, None if self.fits(certain, seconds) else "above_max_power")
        if -used <= _DIP * _resolution(held, value):
            return Used(Decimal(0), "dip")
        if self.digits is not None and self.most is not None:
            turn = Decimal(1).scaleb(self.digits)
            round_ = EXACT.add(used, turn)
            # What showed more than its digits can has others than were said.
            if held < turn and self.fits(round_, seconds):
                return Used(round_, "rollover")
        return Used(None, "register_went_back")


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
        rules: What is known of the register.

    """

    interval: int
    tolerance: int = 0
    rules: RegisterRules = RegisterRules()
    _last: RegisterRead | None = None
    _held: Decimal = Decimal(0)  # what is counted from: above the last read after a dip
    _span: tuple[Instant, Instant] | None = None
    _is_told: bool = False

    @classmethod
    def of(
        cls,
        interval: int,
        tolerance: int = 0,
        state: Mapping[str, Any] | None = None,
        rules: RegisterRules = RegisterRules(),
    ) -> Self:
        """Return a register that goes on from a *state*, or begins without one."""
        register = cls(interval, tolerance, rules)
        if state:
            value, equipment = Decimal(state["value"]), state["equipment"]
            register._last = RegisterRead(state["instant"], value, equipment)
            register._held = Decimal(state["held"])
        return register

    def state(self) -> dict[str, Any]:
        """Return what it counts from, as JSON has it; empty before the first read that counts."""
        if self._last is None:
            return {}
        last, held = attrs.asdict(self._last), str(self._held)
        return {**last, "value": str(self._last.value), "held": held}

    def ends_slot(self, instant: Instant) -> bool:
        """Note that there is a read at an instant; return whether it is at the end of a slot.

        Who is told no need not find out what was read.
        """
        first, last = self._span or (instant, instant)
        self._span = min(first, instant), max(last, instant)
        return instant % self.interval <= self.tolerance

    @property
    def is_silent(self) -> bool:
        """Whether the reads reach over a whole slot, and yet none was counted and none refused.

        So it is where reads are seldom at the ends of slots, or are further apart than those.
        """
        first, last = self._span or (0, 0)
        return last - first >= 2 * self.interval and not self._is_told

    def slot(self, read: RegisterRead) -> tuple[Instant, Decimal] | None:
        """Return when the slot before a read starts, and what was used in it.

        It is None where the read ends no slot, or where the start of that slot was not read.

        Raises:
            RegisterFault: The register went back (`register_went_back`), is another one
                (`equipment_changed`), time went back (`out_of_order`), or one instant has two
                reads (`reads_differ`). The next slot is counted from this read on.

        """
        if not self.ends_slot(read.instant):
            return None
        last = self._last
        if last is None:
            self._last, self._held = read, read.value
        if last is None or not self._is_new(last, read):
            return None
        told, self._is_told = self._is_told, True  # by a fault, if there is one
        slot = self._used(last, read)
        self._is_told = told or slot is not None
        return slot

    def _end(self, read: RegisterRead) -> Instant:
        """Return the end of the slot that a read is of."""
        return read.instant - read.instant % self.interval

    def _is_new(self, last: RegisterRead, read: RegisterRead) -> bool:
        """Whether a read says something that is not known of its instant already."""
        is_again = (read.instant, read.value) == (last.instant, last.value)
        is_later = self._end(read) <= last.instant < read.instant
        return read.equipment != last.equipment or not (is_again or is_later)

    def _used(self, last: RegisterRead, read: RegisterRead) -> tuple[Instant, Decimal] | None:
        held, self._last, self._held = self._held, read, read.value
        _refuse(last, read)
        used = self.rules.used(held, read.value, read.instant - last.instant)
        if used.quantity is None:
            message = f"the register went back from {held} to {read.value}"
            raise RegisterFault("register_went_back", f"{message}: nothing is counted across")
        if used.finding == "dip":
            self._held = held  # the way back up is not counted either
        start = self._end(read) - self.interval
        return (start, used.quantity) if self._end(last) == start else None


def _refuse(last: RegisterRead, read: RegisterRead) -> None:
    """Raise why a read cannot come after *last*."""
    if read.equipment != last.equipment:
        message = f"the equipment is {read.equipment!r} and was {last.equipment!r}"
        raise RegisterFault("equipment_changed", f"{message}: nothing is counted across")
    if read.instant < last.instant:
        both = utc_text(read.instant), utc_text(last.instant)
        message = f"the read of {both[0]} comes after that of {both[1]}: sort the file by time"
        raise RegisterFault("out_of_order", message)
    if read.instant == last.instant:
        message = f"{utc_text(read.instant)} has two reads, {last.value} and {read.value}"
        raise RegisterFault("reads_differ", message)


def _resolution(*values: Decimal) -> Decimal:
    """Return the last digit of reads, as a number."""
    exponents = [value.as_tuple().exponent for value in values]
    finest = min(one for one in exponents if isinstance(one, int))
    return Decimal(1).scaleb(max(finest, _FINEST))
