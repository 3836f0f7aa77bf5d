"""What a telegram says: its time, whose it is, and the reads of registers, by their OBIS codes.

`1-0:1.8.1` is what tariff 1 took from the grid, `1-0:2.8.2` what tariff 2 gave to it; `0-1:24.2.1`
is the register of the device at place 1 of the M-Bus, with a time of its own (DSMR 5.0.2 section
6.12; e-MUCS-P1 of Belgium and Luxembourg; EN 13757-3 for the types of devices).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Final

import attrs

from energia import Description
from energia.time import DAY, Instant, day_number
from energia_plugins.meter_dsmr.telegrams import Telegram

#: A line that matters: its code, and what is in its first two pairs of brackets. The codes are
#: those of the time, of numbers of meters, of registers, and of the devices behind the meter.
_LINE: Final = re.compile(
    rb"^(0-0:(?:1\.0\.0|96\.1\.[01]|42\.0\.0)|1-0:[1-4]\.8\.[0-4]"
    rb"|0-[1-9][0-9]?:(?:24\.1\.0|24\.2\.[13]|96\.1\.[01]))(?:[.*]255)?"
    rb"\(([^()\r\n]*)\)(?:\(([^()\r\n]*)\))?",
    re.MULTILINE,
)
_TIME: Final = re.compile(r"([0-9]{12})([SW]?)")
_VALUE: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)\*([A-Za-z0-9]{1,5})")
_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
#: Where the number of the meter stands: Netherlands and Belgium, Ireland and Hungary, Luxembourg.
_IDS: Final = ("0-0:96.1.1", "0-0:96.1.0", "0-0:42.0.0")
#: What registers of electricity are called, by the code of the quantity.
_QUANTITIES: Final = {
    "1": "import",
    "2": "export",
    "3": "reactive_import",
    "4": "reactive_export",
}
_TARIFFS: Final = "1234"
#: What registers behind the meter are called, by the type of their device.
_DEVICES: Final = {
    **{2: "electricity", 3: "gas", 4: "heat", 6: "hot_water", 7: "water"},
    **{10: "heat", 11: "heat", 12: "heat", 13: "heat"},
}
#: What registers measure, by what they are called: energy, or what comes through a pipe.
_ABOUT: Final = {
    "import": Description("active_energy", "import"),
    "export": Description("active_energy", "export"),
    "reactive_import": Description("reactive_energy", "import"),
    "reactive_export": Description("reactive_energy", "export"),
    "gas": Description("gas_volume", "import"),
    "water": Description("water_volume", "import"),
    "hot_water": Description("water_volume", "import"),
    "heat": Description("heat", "import"),
}
_REGISTER: Final = re.compile(r"1-0:[1-4]\.8\.[0-4]|0-[1-9][0-9]?:24\.2\.[13]")
_NO_TIME: Final = (
    "the telegram has no time (0-0:1.0.0), as those of DSMR 2.2 and 3 have none: "
    "its reads cannot be placed"
)
_TYPE: Final = re.compile(r"[0-9]{1,3}")
_MBUS: Final = re.compile(r"0-([1-9][0-9]?):24\.2\.[13]")


def described(name: str) -> Description | None:
    """Return what a register of a name such as `gas.1` measures."""
    return _ABOUT.get(name.partition(".")[0])


class BadTelegram(ValueError):
    """A line of a telegram cannot be read; `code` says why, `place` in which byte of it."""

    def __init__(self, code: str, message: str, place: int = 0) -> None:
        self.code = code
        self.place = place
        super().__init__(message)


@attrs.frozen
class Entry:
    """What stands behind a code: the first two pairs of brackets, and where in the telegram."""

    first: str
    second: str
    place: int

    def value(self) -> tuple[Decimal, str]:
        """Return the number of the last brackets and its unit; raises `BadTelegram`."""
        text = self.second or self.first
        found = _VALUE.fullmatch(text)
        if found is None:
            message = f"{text[:40]!r} is no value with a unit, such as 000123.456*kWh"
            raise BadTelegram("not_a_number", message, self.place)
        return Decimal(found[1]), found[2]

    def instant(self, winter: int) -> Instant:
        """Return the time of the first brackets; raises `BadTelegram`."""
        try:
            return _instant(self.first, winter)
        except BadTelegram as error:
            raise BadTelegram(error.code, str(error), self.place) from None


@attrs.frozen
class Total:
    """The read of a register, or of all tariffs together.

    Attributes:
        value: What it shows.
        unit: As it is written.
        equipment: What tells it from another register in the same place.
        place: Where it stands in the telegram.

    """

    value: Decimal
    unit: str
    equipment: str
    place: int


@attrs.frozen
class Objects:
    """The lines of a telegram that matter, by their codes."""

    entries: Mapping[str, Entry]

    @classmethod
    def of(cls, telegram: Telegram) -> "Objects":
        """Return what a telegram says.

        Raises `BadTelegram` where it says one thing in two ways, or has no register.
        """
        entries: dict[str, Entry] = {}
        for found in _LINE.finditer(telegram.text):
            code, first, second = (each.decode("latin-1") for each in found.groups(b""))
            entry = Entry(first, second, found.start())
            before = entries.setdefault(code, entry)
            if (before.first, before.second) != (first, second):
                raise BadTelegram("repeated", f"{code} stands there twice", entry.place)
        if not any(_REGISTER.fullmatch(code) for code in entries):
            raise _without_register(entries)
        return cls(entries)

    def sent(self, winter: int) -> Instant:
        """Return when the telegram was sent; raises `BadTelegram`."""
        entry = self.entries.get("0-0:1.0.0")
        if entry is None:
            raise BadTelegram("no_time", _NO_TIME)
        return entry.instant(winter)

    @property
    def meter(self) -> str | None:
        """The number of the meter."""
        for code in _IDS:
            if (entry := self.entries.get(code)) is not None and entry.first:
                return _number(entry.first)
        return None

    def quantities(self) -> Iterator[tuple[str, str]]:
        """Yield the names of the registers of electricity, each with its digit in codes."""
        for digit, name in _QUANTITIES.items():
            if any(f"1-0:{digit}.8.{tariff}" in self.entries for tariff in f"0{_TARIFFS}"):
                yield name, digit

    def total(self, digit: str) -> Total:
        """Return the sum of the tariffs of a quantity, or its total where there are none.

        Raises:
            BadTelegram: A value cannot be read, units differ, or the sum is not the total.

        """
        codes = [f"1-0:{digit}.8.{tariff}" for tariff in _TARIFFS]
        codes = [code for code in codes if code in self.entries] or [f"1-0:{digit}.8.0"]
        values = [self.entries[code].value() for code in codes]
        place = self.entries[codes[0]].place
        units = {unit for _, unit in values}
        if len(units) > 1:
            raise BadTelegram("wrong_unit", "the registers of the tariffs differ in unit", place)
        total = sum((value for value, _ in values), Decimal(0))
        if (whole := self.entries.get(f"1-0:{digit}.8.0")) is not None:
            _agree(total, units, len(values), whole)
        return Total(total, units.pop(), "+".join(codes), place)

    def devices(self) -> Iterator[tuple[str, str]]:
        """Yield the names of registers behind the meter, such as `gas.1`, each with its code."""
        for code in self.entries:
            if found := _MBUS.fullmatch(code):
                type_ = self.entries.get(f"0-{found[1]}:24.1.0")
                number = int(type_.first) if type_ and _TYPE.fullmatch(type_.first) else 0
                yield f"{_DEVICES.get(number, 'device')}.{found[1]}", code

    def device(self, code: str) -> Total:
        """Return the read of a register behind the meter; raises `BadTelegram`."""
        entry, place = self.entries[code], code.partition(":")[0]
        value, unit = entry.value()
        ids = (self.entries.get(f"{place}:96.1.{last}") for last in "01")
        number = next((one.first for one in ids if one is not None and one.first), "")
        return Total(value, unit, _number(number), entry.place)


def _without_register(entries: Mapping[str, Entry]) -> BadTelegram:
    if "0-0:1.0.0" not in entries:
        return BadTelegram("no_time", _NO_TIME)
    return BadTelegram("no_register", "the telegram has no register that is read (1.8, 24.2.1)")


def _agree(total: Decimal, units: set[str], count: int, whole: Entry) -> None:
    """Refuse a sum of tariffs that is not the total, but for what each may be rounded by."""
    value, unit = whole.value()
    exponent = total.as_tuple().exponent
    assert isinstance(exponent, int)  # no infinity is read
    if {unit} != units or abs(total - value) > count * Decimal(1).scaleb(exponent):
        message = f"the tariffs add up to {total} {'/'.join(units)}, the total is {value} {unit}"
        raise BadTelegram("registers_differ", message, whole.place)


def _number(text: str) -> str:
    """Return the number of a device: its octets as text, where they are written in hexadecimal."""
    try:
        plain = bytes.fromhex(text).decode("ascii")
    except ValueError:
        return text
    return plain if _ID.fullmatch(plain) else text


@lru_cache(maxsize=1024)
def _instant(text: str, winter: int) -> Instant:
    found = _TIME.fullmatch(text)
    if found is None:
        raise BadTelegram("not_a_time", f"{text[:40]!r} is not a time YYMMDDhhmmss with S or W")
    if not found[2]:
        message = f"the time {text!r} has no S or W, which tell summer time from winter time"
        raise BadTelegram("naive_time", message)
    year, month, day, hour, minute, second = (int(text[at : at + 2]) for at in range(0, 12, 2))
    try:
        midnight = day_number(date(2000 + year, month, day)) * DAY
    except ValueError:
        raise BadTelegram("not_a_time", f"{text!r} is no day of the calendar") from None
    if hour > 23 or minute > 59 or second > 59:
        raise BadTelegram("not_a_time", f"{text!r} is no time of the day")
    ahead = winter + (3600 if found[2] == "S" else 0)
    return midnight + hour * 3600 + minute * 60 + second - ahead
