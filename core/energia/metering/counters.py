"""The reads of a file, by where they go: registers keep them, channels of slots get differences."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import attrs

from energia.errors import Fault
from energia.metering.decoders import MeterRead, Reading
from energia.metering.models import Channel
from energia.metering.outcome import Problems
from energia.metering.reads import SentRead, in_register_unit
from energia.metering.registers import Register, RegisterFault, RegisterRead
from energia.metering.series import ACTUAL, QUALITIES
from energia.metering.stretches import Read
from energia.metering.validation import Directory, Refusal, with_unit
from energia.units import BOUND, MICRO

_DERIVED = QUALITIES.index("derived")


@attrs.frozen
class Sorted:
    """Reads by where they go.

    Attributes:
        kept: Those of registers.
        readings: What was used in slots that end with a read.
        passed: How many reads made no reading, and are no problem: such as the first.

    """

    kept: list[SentRead]
    readings: list[Reading]
    passed: int


@attrs.define(eq=False)
class Counters:
    """The registers of one import of which the differences are stored, by their channels.

    Attributes:
        in_parts: Whether reads come in one import after the other, as those of a source do. Then a
            channel of slots takes none: the read before is not there to count from.

    """

    in_parts: bool = False
    _registers: dict[int, Register] = attrs.Factory(dict)

    def sorted(
        self, reads: Sequence[MeterRead], directory: Directory, problems: Problems
    ) -> Sorted:
        """Sort *reads*, whose meters are in *directory*; what is wrong is noted."""
        result, refused = Sorted([], [], 0), 0
        for read in reads:
            try:
                self._sort(read, directory, result)
            except RegisterFault as error:
                problems.add(Fault(error.code, error.message, line=read.line))
                refused += 1
        passed = len(reads) - refused - len(result.kept) - len(result.readings)
        return attrs.evolve(result, passed=passed)

    def _sort(self, read: MeterRead, directory: Directory, result: Sorted) -> None:
        index = directory.found(read.meter or "", read.channel)
        if isinstance(index, Refusal):
            raise RegisterFault(index.code, index.message)
        channel = directory.channels[index]
        if channel.kind == "irregular":
            message = f"{channel.id} is no register: send what was used, with a start and an end"
            raise RegisterFault("wrong_kind", message)
        if channel.kind == "interval" and self.in_parts:
            message = f"{channel.id} is no register: work out what was used with a `Register`"
            raise RegisterFault("wrong_kind", message)
        if not read.quality:
            raise RegisterFault("missing_with_value", "a read of quality missing has no value")
        value = register_value(channel, read.value, read.unit)
        if channel.kind == "register":
            kept = Read(read.instant, value, read.quality, read.kind, read.equipment)
            result.kept.append(SentRead(channel, kept, Fault("", "", line=read.line)))
        elif reading := self._reading(channel, read, value):
            result.readings.append(reading)

    def _reading(self, channel: Channel, read: MeterRead, value: Decimal) -> Reading | None:
        """Return what was used in the slot that ends with a read, if one does and is known."""
        if read.kind == "initial" or channel.key not in self._registers:
            self._registers[channel.key] = Register(channel.interval, rules=channel.register)
        register = self._registers[channel.key]
        shown = RegisterRead(read.instant - channel.offset, value, read.equipment or "")
        used = register.slot(shown)
        if used is None:
            return None
        start, quantity = used[0] + channel.offset, used[1]
        quality = _DERIVED if read.quality == ACTUAL else read.quality
        names = (read.meter, channel.id, channel.unit)
        return Reading(read.line, quantity, start, start + channel.interval, quality, *names)


def register_value(channel: Channel, value: Decimal, unit: str | None) -> Decimal:
    """Return what a register showed in the unit of its channel; raises `RegisterFault`."""
    target = with_unit(0, channel, unit)
    if isinstance(target, Refusal):
        raise RegisterFault(target.code, target.message)
    own = in_register_unit(value, target.factor, channel.declared.factor)
    if own is None:
        message = f"reads are kept in {channel.unit}, or in a power of ten of it, and not {unit}"
        raise RegisterFault("wrong_unit", message)
    if own < 0:
        raise RegisterFault("out_of_range", "a register shows no negative number")
    if channel.digits is not None and own >= 10**channel.digits:
        message = f"the register {channel.id} has {channel.digits} digits before the decimal mark"
        raise RegisterFault("out_of_range", message)
    if Fraction(own) * channel.register_factor > BOUND // MICRO:
        raise RegisterFault("out_of_range", "the number is out of range")
    return own
