"""The decoder of the format `dsmr`: telegrams of cumulative registers, as readings of intervals."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import attrs

from energia import (
    ACTUAL,
    QUALITIES,
    Description,
    Item,
    MeterRead,
    Names,
    Problem,
    Reading,
    Register,
    RegisterFault,
    RegisterRead,
    archive_files,
    archive_head,
)
from energia.time import Instant, length_of, length_text
from energia_plugins.meter_dsmr.objects import BadTelegram, Objects, Total, described
from energia_plugins.meter_dsmr.options import DsmrOptions
from energia_plugins.meter_dsmr.telegrams import Telegram, crc16, telegrams

_DERIVED: Final = QUALITIES.index("derived")
#: A telegram begins, or its end is there before another one does; then lines of OBIS codes.
_BEGINS: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:[^\r\n]*\r?\n){0,200}?/[^\r\n]{3,80}\r?\n\s*[01]-[0-9]{1,2}:[0-9]"
)
_Named = tuple[str | None, str | None]
#: Our meter and channel, and what the channel measures.
_Described = tuple[_Named, Description | None]


class DsmrDecoder:
    """Reads what was used between telegrams that are at the ends of intervals."""

    name = "dsmr"
    options: type = DsmrOptions
    examples = (
        b"/ISk5\\2MT382-1000\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(260301000000W)\r\n"
        b"0-0:96.1.1(4530303031)\r\n1-0:1.8.1(000100.100*kWh)\r\n1-0:1.8.2(000050.000*kWh)\r\n"
        b"1-0:2.8.1(000001.000*kWh)\r\n1-0:2.8.2(000000.000*kWh)\r\n!6A8E\r\n"
        b"/ISk5\\2MT382-1000\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(260301001500W)\r\n"
        b"0-0:96.1.1(4530303031)\r\n1-0:1.8.1(000100.350*kWh)\r\n1-0:1.8.2(000050.000*kWh)\r\n"
        b"1-0:2.8.1(000001.000*kWh)\r\n1-0:2.8.2(000000.000*kWh)\r\n!0E52\r\n",
    )

    def sniff(self, head: bytes) -> bool:
        """Tell a file by a telegram that begins in it."""
        return _BEGINS.match(archive_head(head)) is not None

    def decode(self, chunks: Iterable[bytes], options: Any) -> Iterator[Item]:
        """Yield a reading for each slot that was read at both of its ends, and the problems.

        Raises:
            Malformed: It has no telegrams.
            Invalid: It names several meters or channels where one was given.

        """
        reader = _Reader(options, Names.of(options))
        for name, pieces in archive_files(chunks):
            reader.where = f"{name}: " if name else ""
            yield from reader.read(pieces)
        yield from reader.finish()


@attrs.define
class _Reader:
    """A file while it is read, or the files of an archive, one after the other.

    Attributes:
        options: What was said of it.
        names: Turn its names into ours.
        where: Stands before each message: which file of an archive it is.
        meter: Whose telegrams are read: the first of the file, and those that `meters` names.
        other: The last meter of which telegrams are left out.
        registers: By meter and name. Files of an archive go on with them: a log has a file a day.
        line: Of the last telegram.

    """

    options: DsmrOptions
    names: Names
    where: str = ""
    meter: tuple[str | None] | None = None
    other: str | None = None
    registers: dict[tuple[str | None, str], Register] = attrs.Factory(dict)
    line: int = 0

    def read(self, chunks: Iterable[bytes]) -> Iterator[Item]:
        """Yield what the telegrams say; raises `Malformed` for a file of none."""
        for each in telegrams(chunks):
            found: Iterable[Item] = [each] if isinstance(each, Problem) else self._take(each)
            yield from map(self._placed, found)

    def finish(self) -> Iterator[Problem]:
        """Tell of registers that have reads enough for a slot, and none at its ends."""
        if self.options.reads:
            return
        for (_, name), register in self.registers.items():
            if register.is_silent:
                yield Problem(self.line, "no_slot", f"{self.where}{_why_nothing(name, register)}")

    def _placed(self, item: Item) -> Item:
        if isinstance(item, Problem) and self.where:
            return attrs.evolve(item, message=f"{self.where}{item.message}")
        return item

    def _take(self, telegram: Telegram) -> Iterator[Item]:
        self.line = telegram.line
        try:
            _check(telegram, self.options.crc)
            objects = Objects.of(telegram)
            electricity = list(objects.quantities())
            sent = objects.sent(self.options.winter) if electricity else None
            if self._is_other(objects.meter):
                yield from self._leave_out(objects.meter, telegram.line)
                return
        except BadTelegram as error:
            yield _problem(telegram, error)
            return
        for name, digit in electricity:
            yield from self._register(telegram, objects, name, digit, sent)
        for name, code in objects.devices():
            yield from self._register(telegram, objects, name, code, None)

    def _is_other(self, meter: str | None) -> bool:
        """Whether a telegram is of a meter that is neither the first nor one that was named."""
        if self.meter is None:
            self.meter = (meter,)
        return (meter,) != self.meter and not self.names.knows(meter)

    def _leave_out(self, meter: str | None, line: int) -> Iterator[Problem]:
        """Tell of a meter that stands in the place of the first one."""
        if meter != self.other:
            first = self.meter[0] if self.meter else None
            self.other = meter
            message = (
                f"from here on the meter is {meter!r} and not {first!r}: its telegrams are left "
                f"out; say whose each is: meters={first}:...,{meter}:..."
            )
            yield Problem(line, "equipment_changed", message)

    def _register(
        self, telegram: Telegram, objects: Objects, name: str, code: str, sent: Instant | None
    ) -> Iterator[Item]:
        """Yield what a register says: of electricity at the time when the telegram was sent."""
        ours = self.names.ours(objects.meter, name, telegram.line)
        if ours is None:
            return
        register = self._register_of(objects.meter, name, is_mbus=sent is None)
        try:
            at = objects.entries[code].instant(self.options.winter) if sent is None else sent
            if register.ends_slot(at):
                total = objects.device(code) if sent is None else objects.total(code)
                if self.options.reads:
                    yield _read(telegram, at, total, (ours, described(name)))
                else:
                    yield from _reading(telegram, register, at, total, (ours, described(name)))
        except BadTelegram as error:
            yield _problem(telegram, error)

    def _register_of(self, meter: str | None, name: str, *, is_mbus: bool) -> Register:
        """Return what counts a register of a meter."""
        if (meter, name) not in self.registers:
            options = self.options
            interval = options.mbus_interval if is_mbus else options.interval
            register = Register(length_of(interval), length_of(options.tolerance))
            self.registers[meter, name] = register
        return self.registers[meter, name]


def _why_nothing(name: str, register: Register) -> str:
    option = "mbus_interval" if "." in name else "interval"
    interval, tolerance = map(length_text, (register.interval, register.tolerance))
    return (
        f"{name}: no slot of {interval} was read at both of its ends: reads count that are "
        f"{tolerance} after them at most; say tolerance=PT10S or more, or another {option}"
    )


def _read(telegram: Telegram, at: Instant, total: Total, named: _Described) -> MeterRead:
    ours, about = named
    names = (*ours, total.unit)
    line, equipment = telegram.line_of(total.place), total.equipment or None
    return MeterRead(line, total.value, at, ACTUAL, *names, equipment=equipment, about=about)


def _reading(
    telegram: Telegram,
    register: Register,
    at: Instant,
    total: Total,
    named: _Described,
) -> Iterator[Item]:
    line, (ours, about) = telegram.line_of(total.place), named
    identity = f"{total.equipment} in {total.unit}".lstrip()
    try:
        slot = register.slot(RegisterRead(at, total.value, identity))
    except RegisterFault as error:
        yield Problem(line, error.code, f"{ours[1]}: {error}" if ours[1] else str(error))
        return
    if slot is not None:
        start, used = slot
        end = start + register.interval
        yield Reading(line, used, start, end, _DERIVED, *ours, total.unit, about)


def _check(telegram: Telegram, how: str) -> None:
    """Refuse a telegram whose bytes are not those that were sent; raises `BadTelegram`."""
    if how == "ignore":
        return
    place = len(telegram.text) - 1
    if not telegram.has_crc:
        _refuse_without_crc(telegram, place)
        return
    text = telegram.text
    if how == "crlf":
        text = text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if crc16(text) != telegram.crc:
        hint = "" if b"\r" in text else "; its lines end in LF: crc=crlf checks it with CRLF"
        raise BadTelegram("wrong_crc", f"the telegram does not have the CRC it states{hint}", place)


def _refuse_without_crc(telegram: Telegram, place: int) -> None:
    """Refuse a telegram that should have a CRC; what has no time either is refused for that."""
    if b"0-0:1.0.0(" in telegram.text:
        message = "the telegram has a time and no CRC: crc=ignore trusts it as it is"
        raise BadTelegram("no_crc", message, place)


def _problem(telegram: Telegram, error: BadTelegram) -> Problem:
    return Problem(telegram.line_of(error.place), error.code, str(error))
