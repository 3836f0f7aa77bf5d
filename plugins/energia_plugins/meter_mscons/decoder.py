"""The decoder of the format `mscons`."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import attrs

from energia import (
    QUALITIES,
    Description,
    Item,
    Malformed,
    MeterRead,
    NameOptions,
    Names,
    Problem,
    Reading,
    Unfit,
    archive_files,
    archive_head,
)
from energia.time import DAY, FIRST_YEAR, LAST_YEAR, day_number
from energia_plugins.meter_mscons.segments import Marks, Segment, segments

#: The quality that the qualifier of a quantity means (QTY 6063).
_QUALITIES: Final = {
    "220": QUALITIES.index("actual"),
    "67": QUALITIES.index("substituted"),
    "201": QUALITIES.index("provisional"),
    "187": QUALITIES.index("estimated"),
    "79": QUALITIES.index("derived"),
    "20": QUALITIES.index("missing"),
}
#: Units as EDIFACT codes them (UN/ECE Recommendation 20), and the market's own.
_UNITS: Final = {
    "WHR": "Wh",
    "KWH": "kWh",
    "MWH": "MWh",
    "GWH": "GWh",
    "K3": "kvarh",
    "KWT": "kW",
    "MTQ": "m3",
}
#: What an OBIS code of electricity (A = 1) measures, by its C (IEC 62056-61).
_OBIS: Final = re.compile(r"1-[0-9]{1,3}:([0-9]{1,2})\.[0-9]{1,3}\.[0-9]{1,3}")
_OF_OBIS: Final = {"1": "kWh", "2": "kWh", **dict.fromkeys("345678", "kvarh")}
#: What the codes of energy from and to the grid measure; quadrants have no direction of ours.
_ABOUT: Final = {
    "1": ("active_energy", "import"),
    "2": ("active_energy", "export"),
    "3": ("reactive_energy", "import"),
    "4": ("reactive_energy", "export"),
    "9": ("apparent_energy", "import"),
    "10": ("apparent_energy", "export"),
}
_NUMBER: Final = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
#: A time as DTM has it: format 303, or 304 with seconds; the offset of both is hours, or also
#: minutes.
_TIME: Final = re.compile(r"([0-9]{12}(?:[0-9]{2})?)(?:([+-])([0-9]{2})([0-9]{2})?)?")
_LENGTHS: Final = {"203": 12, "303": 12, "204": 14, "304": 14}


@attrs.frozen
class MsconsOptions(NameOptions):
    """What stands for metering points and OBIS codes, which are taken as ids by default."""


class MsconsDecoder:
    """Reads interval readings of the German and Austrian market."""

    name = "mscons"
    options: type = MsconsOptions
    examples = (
        b"UNA:+,? 'UNB+UNOC:3+1:500+2:500+260302:0000+R1'UNH+1+MSCONS:D:04B:UN:2.4b'BGM+7+M1+9'"
        b"DTM+137:202603020600?+00:303'UNS+D'NAD+DP'LOC+172+DE0001'LIN+1'PIA+5+1-1?:1.29.0:SRW'"
        b"QTY+220:0,25:KWH'DTM+163:202603010000?+01:303'DTM+164:202603010015?+01:303'"
        b"QTY+67:1:KWH'DTM+163:202603010015?+01:303'DTM+164:202603010030?+01:303'"
        b"UNT+15+1'UNZ+1+R1'",
        b"UNB+UNOC:3+1:500+2:500+260302:0000+R1'\r\nUNH+1+MSCONS:D:04B:UN:2.4b'\r\nLOC+172+AT01'\r\n"
        b"PIA+5+AUA:Z08'\r\nQTY+220:1.5:KWH'\r\nDTM+163:202603010000?+00:303'\r\n"
        b"DTM+164:202603010015?+00:303'\r\nUNT+7+1'\r\nUNZ+1+R1'\r\n",
    )

    def sniff(self, head: bytes) -> bool:
        """Tell a file by its UNA or UNB, and the type of its first message."""
        begin = archive_head(head).removeprefix(b"\xef\xbb\xbf").lstrip()
        return begin[:3] in (b"UNA", b"UNB") and b"MSCONS" in begin

    def decode(self, chunks: Iterable[bytes], options: Any) -> Iterator[Item]:
        """Yield a reading for each quantity, or its problem; a line is the number of a segment.

        Raises:
            Malformed: It is no such interchange, or it is cut off.
            Invalid: It names several meters or channels where one was given.

        """
        names = Names.of(options)
        for _, pieces in archive_files(chunks):
            yield from _Interchange(names).read(pieces)


@attrs.define
class _Quantity:
    """A QTY segment, and the times below it."""

    line: int
    value: Decimal | None
    quality: int
    unit: str | None
    start: int | None = None
    end: int | None = None
    read: int | None = None


@attrs.define
class _Interchange:
    """An interchange while it is read.

    Attributes:
        names: Turn its names into ours.
        meter: The last metering point (LOC 172).
        channel: The last product (PIA), such as an OBIS code.
        device: The number of the last meter (RFF MG).
        quantity: The last QTY, while its times may follow.
        began: At which segment the message began; 0 outside of one.
        cancels: Whether the message takes back an earlier one.

    """

    names: Names
    meter: str | None = None
    channel: str | None = None
    device: str | None = None
    quantity: _Quantity | None = None
    began: int = 0
    cancels: bool = False

    def read(self, chunks: Iterable[bytes]) -> Iterator[Item]:
        """Yield what the segments say; raises `Malformed`."""
        tag, number = "", 0
        for number, segment, marks in segments(chunks):
            tag = segment[:3]
            if tag != "DTM":
                yield from self._finish()
            if tag in _SEGMENTS:
                try:
                    yield from self._take(number, tag, segment, marks)
                except Unfit as error:
                    yield from self._refuse(Problem(number, error.code, str(error)))
        if tag != "UNZ":
            raise Malformed(f"the file ends after segment {number}, without UNZ: it is cut off")

    def _take(self, number: int, tag: str, segment: str, marks: Marks) -> Iterator[Problem]:
        if tag == "DTM":
            self._time(segment, marks)
            return
        elements = marks.split(segment)
        if tag == "QTY":
            self._begin_quantity(number, elements, marks)
        elif tag == "LOC" and _component(elements, 1) == "172":
            self.meter, self.channel = _component(elements, 2) or None, None
            self.device = None
        elif tag == "RFF" and _component(elements, 1) == "MG":
            self.device = _component(elements, 1, 1) or None
        elif tag == "PIA":
            self.channel = _component(elements, 2) or None
        elif tag == "BGM" and _component(elements, 3) == "1":
            self.cancels = True
            message = "the message cancels an earlier one, which is not supported"
            yield Problem(number, "not_supported", message)
        elif tag == "UNH":
            self._begin_message(number, elements)
        elif tag == "UNT":
            yield from self._end_message(number, elements)

    def _begin_message(self, number: int, elements: Segment) -> None:
        self.meter = self.channel = None
        self.began, self.cancels = number, False
        if (type_ := _component(elements, 2)) != "MSCONS":
            raise Malformed(f"segment {number}: a message of the type {type_[:20]!r}, not MSCONS")

    def _end_message(self, number: int, elements: Segment) -> Iterator[Problem]:
        stated, count = _component(elements, 1), number - self.began + 1
        if stated.lstrip("0") != str(count):
            message = f"the message has {count} segments and says {stated[:20]!r}: some are lost"
            yield Problem(number, "segments_lost", message)

    def _begin_quantity(self, number: int, elements: Segment, marks: Marks) -> None:
        if self.cancels:
            return
        qualifier, text = _component(elements, 1), _component(elements, 1, 1)
        if qualifier not in _QUALITIES:
            known = ", ".join(_QUALITIES)
            message = f"there is no quality for the qualifier {qualifier[:20]!r}; known are {known}"
            raise Unfit("unknown_quality", message)
        quality, unit = _QUALITIES[qualifier], _component(elements, 1, 2).upper()
        value = _number(text, marks.decimal) if text and quality else None
        named = _UNITS.get(unit, unit) or _unit_of(self.channel)
        self.quantity = _Quantity(number, value, quality, named)

    def _time(self, segment: str, marks: Marks) -> None:
        """Note when the slot of the last quantity starts or ends."""
        if self.quantity is None:
            return
        qualifier, instant = _instant(segment, marks)
        if qualifier == "163":
            self.quantity.start = instant
        elif qualifier == "164":
            self.quantity.end = instant
        elif qualifier == _VALID or (qualifier == _READ and self.quantity.read is None):
            self.quantity.read = instant

    def _refuse(self, problem: Problem) -> Iterator[Problem]:
        """Yield a problem, which is all that is said of the quantity."""
        self.quantity = None
        yield problem

    def _finish(self) -> Iterator[Item]:
        """Yield the reading of the last quantity."""
        quantity, self.quantity = self.quantity, None
        if quantity is None:
            return
        if quantity.read is not None and quantity.start is None and quantity.end is None:
            yield from self._register(quantity, quantity.read)
        elif quantity.start is None or quantity.end is None:
            message = "the quantity has no start and end (DTM 163 and 164)"
            yield Problem(quantity.line, "missing_field", message)
        elif quantity.start >= quantity.end:
            message = "the slot ends before it starts, as where a clock was set back"
            yield Problem(quantity.line, "wrong_interval", message)
        elif ours := self.names.ours(self.meter, self.channel, quantity.line):
            one = quantity
            told = one.unit, _described(self.channel)
            yield Reading(one.line, one.value, one.start, one.end, one.quality, *ours, *told)

    def _register(self, one: _Quantity, instant: int) -> Iterator[Item]:
        """Yield the read of a register."""
        if one.value is None:
            yield Problem(one.line, "missing_value", "a read of a register has a value")
        elif ours := self.names.ours(self.meter, self.channel, one.line):
            names, device = (*ours, one.unit), self.device
            about = _described(self.channel)
            yield MeterRead(
                *(one.line, one.value, instant, one.quality, *names),
                equipment=device,
                about=about,
            )


_SEGMENTS: Final = frozenset({"UNH", "BGM", "LOC", "RFF", "PIA", "QTY", "DTM", "UNT"})
#: Times of a read: for when it counts, and when it was taken.
_VALID: Final = "7"
_READ: Final = "9"
_TIMED: Final = ("163", "164", _VALID, _READ)


def _component(elements: Segment, element: int, component: int = 0) -> str:
    """Return a component of an element, or nothing."""
    parts = elements[element] if element < len(elements) else []
    return parts[component] if component < len(parts) else ""


def _number(text: str, mark: str) -> Decimal:
    plain = text.replace(mark, ".") if mark == "," and "." not in text else text
    if len(text) > 60 or not _NUMBER.fullmatch(plain):
        message = f"{text[:60]!r} is not a number with the decimal {mark!r} of the UNA"
        raise Unfit("not_a_number", message)
    return Decimal(plain)


def _unit_of(product: str | None) -> str | None:
    """Return the unit of a product of which no quantity has one."""
    obis = _OBIS.fullmatch(product or "")
    return _OF_OBIS.get(obis[1]) if obis else None


@lru_cache(maxsize=1024)
def _described(product: str | None) -> Description | None:
    """Return what an OBIS code of electricity says."""
    obis = _OBIS.fullmatch(product or "")
    told = _ABOUT.get(obis[1]) if obis else None
    return None if told is None else Description(*told)


def _instant(segment: str, marks: Marks) -> tuple[str, int]:
    """Return the qualifier of a DTM and its instant (0 for a time that is none of a slot's)."""
    elements = marks.split(segment)
    parts = elements[1] if len(elements) > 1 else []
    qualifier, text, format_, *_ = (*parts, "", "", "")
    return qualifier, _moment(text, format_) if qualifier in _TIMED else 0


@lru_cache(maxsize=1024)
def _moment(text: str, format_: str) -> int:
    """Return the instant of a time; most come twice, as an end and as a start."""
    found = _TIME.fullmatch(text)
    if found is None or _LENGTHS.get(format_) != len(found[1]):
        message = f"{text[:40]!r} is not a time of the format 303, or 304 with seconds"
        raise Unfit("not_a_time", message)
    if found[2] is None:
        raise Unfit("naive_time", f"the time {text!r} has no offset from UTC")
    ahead = int(found[3]) * 3600 + int(found[4] or 0) * 60
    return _utc(found[1].ljust(14, "0"), ahead if found[2] == "+" else -ahead)


def _utc(digits: str, ahead: int) -> int:
    """Return the instant of a local time, YYYYMMDDhhmmss, so many seconds ahead of UTC."""
    hour, minute, second = (int(digits[at : at + 2]) for at in (8, 10, 12))
    if hour > 23 or minute > 59 or second > 59:
        raise Unfit("not_a_time", f"{digits!r} is no time of the day")
    return _midnight(digits[:8]) + hour * 3600 + minute * 60 + second - ahead


@lru_cache(maxsize=1024)
def _midnight(digits: str) -> int:
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise Unfit("not_a_time", f"{digits!r} is no day of the calendar") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Unfit("out_of_range", f"the years are {FIRST_YEAR} to {LAST_YEAR}")
    return day_number(day) * DAY
