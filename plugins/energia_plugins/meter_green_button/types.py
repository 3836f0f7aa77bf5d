"""Types of readings: unit, power of ten, direction, and what is added up (ESPI 4.0, espi.xsd)."""

from collections.abc import Mapping
from typing import Final

import attrs

from energia import QUALITIES, Description, Unfit

_UNITS: Final = {
    31: "J",
    38: "W",
    42: "m3",
    61: "VA",
    63: "var",
    71: "VAh",
    72: "Wh",
    73: "varh",
    119: "ft3",
    132: "Btu",
    134: "L",
    169: "therm",
}
_QUANTITIES: Final = {
    "Wh": "active_energy",
    "varh": "reactive_energy",
    "VAh": "apparent_energy",
}
_FLOWS: Final = {1: "forward", 4: "net", 19: "reverse", 20: "total"}
#: What the amount of an interval is called; most feeds that tell nothing mean it too.
_AMOUNTS: Final = (0, 4)
#: What registers show: a bulk quantity, and what is a register by the standard all the same.
_REGISTERS: Final = (1, 2, 3, 9)
#: What is a register by the standard, and an amount where utilities take it lightly.
_CUMULATIVE: Final = (2, 3, 9)

_ACTUAL: Final = QUALITIES.index("actual")
_ESTIMATED: Final = QUALITIES.index("estimated")
_VALIDATED: Final = QUALITIES.index("validated")
_QUALITIES: Final = {
    7: QUALITIES.index("substituted"),
    **dict.fromkeys((8, 9, 15), _ESTIMATED),
    10: QUALITIES.index("questionable"),
    11: QUALITIES.index("derived"),
    12: QUALITIES.index("forecast"),
    13: QUALITIES.index("provisional"),
    **dict.fromkeys((17, 18, 19), _VALIDATED),
}


def whole(text: str | None, name: str) -> int | None:
    """Return a whole number of at most 15 digits, None where there is none; raises `Unfit`."""
    if text is not None and text.isdigit() and text.isascii() and len(text) <= 15:
        return int(text)  # as almost always
    plain = "" if text is None else text.strip()
    if not plain:
        return None
    digits = plain[1:] if plain[0] == "-" else plain
    if not (digits.isdigit() and digits.isascii() and len(digits) <= 15):
        raise Unfit("not_a_number", f"{name}: {plain[:40]!r} is no whole number")
    return int(plain)


def quality_of(code: int) -> int:
    """Return our code of a quality; what the standard does not know is some other, so actual."""
    return _QUALITIES.get(code, _ACTUAL)


@attrs.frozen
class ReadingType:
    """What readings are of.

    Attributes:
        line: Where it is.
        unit: Their unit, or None.
        power: Ten to this power multiplies them.
        flow: The direction as the feed codes it, or None.
        accumulation: What is added up, as the feed codes it, or None.
        quality: Our code of the quality of those that tell none.
        interval: How long a slot is that does not say it, in seconds, or None.

    """

    line: int = attrs.field(eq=False)
    unit: str | None
    power: int = 0
    flow: int | None = None
    accumulation: int | None = None
    quality: int = _ACTUAL
    interval: int | None = None

    @classmethod
    def of(cls, line: int, fields: Mapping[str, str]) -> "ReadingType":
        """Return what the fields of an element say; raises `Unfit`."""

        def number(name: str) -> int | None:
            return whole(fields.get(name), name)

        power, uom = number("powerOfTenMultiplier") or 0, number("uom")
        if abs(power) > 12:
            raise Unfit("out_of_range", f"powerOfTenMultiplier: {power} is out of range")
        return cls(
            line,
            None if uom is None else _UNITS.get(uom, f"uom {uom}"),
            power,
            number("flowDirection"),
            number("accumulationBehaviour"),
            quality_of(number("defaultQuality") or 0),
            number("intervalLength"),
        )

    @property
    def about(self) -> Description:
        """What the unit and the direction say; a volume may be of gas or of water."""
        directions = {1: "import", 19: "export"}
        return Description(_QUANTITIES.get(self.unit or ""), directions.get(self.flow or 0))

    @property
    def channel(self) -> str | None:
        """What the channel is called: its unit, and its direction where that is told."""
        if self.unit is None or not self.flow:
            return self.unit
        return f"{self.unit}.{_FLOWS.get(self.flow, self.flow)}"

    @property
    def is_register(self) -> bool:
        """Whether values are reads of a register, if they are no amounts of intervals."""
        return self.accumulation in _REGISTERS

    def is_of_intervals(self, lightly: bool) -> bool:
        """Whether values are the amounts of intervals, and no reads of a register."""
        kind = self.accumulation
        return kind is None or kind in _AMOUNTS or (lightly and kind in _CUMULATIVE)
