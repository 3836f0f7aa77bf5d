"""Units of measured quantities, and exact micro-units.

Quantities are stored as whole micro-units: 1e-6 of the canonical unit of the quantity (kWh for
energy, m3 for volumes). The table is fixed; factors are exact fractions. Numbers are rounded half
to even, once, decided by their decimal text and never by a binary float.

Where the factors come from:

* kWh: 3,600,000 J, as a watt is a joule a second (SI).
* BTU: the International Table one, 1055.05585262 J: what warms a pound of water (0.45359237 kg) by
  5/9 of a kelvin, at 4186.8 J for a kilogram and a kelvin. `MMBtu` are a million of them.
* therm: 100,000 such BTU. The UK's, 105,505,585.257348 J, is less by 5 in 100,000,000,000. That of
  US law (1968, by the BTU at 59 degrees Fahrenheit; NIST SP 811) is 105,480,400 J, less by 0.024 %:
  it has a name of its own, `thermUS`.
* ft3: 0.3048 m cubed, exactly (the international foot of 1959). `ccf` are a hundred, `Mcf` a
  thousand of them.
"""

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from typing import Final, TypeVar

import attrs
import numpy as np
import numpy.typing as npt

#: The public names, as docs/how-to/plugins.md lists them.
__all__ = ["MICRO", "POWER_UNITS", "QUANTITIES"]

MICRO: Final = 10**6
#: The largest magnitude of one slot: up to here a JSON number (a double) is exact both ways.
BOUND: Final = 10**15

#: The canonical unit of each quantity that a channel may measure.
QUANTITIES: Final = {
    "active_energy": "kWh",
    "reactive_energy": "kvarh",
    "apparent_energy": "kVAh",
    "gas_volume": "m3",
    "water_volume": "m3",
    "heat": "kWh",
}


def quantity_of(role: str) -> str:
    """Return what a role is of: the quantity that its name begins with, else active energy."""
    first, _, _ = role.partition(".")
    return first if first in QUANTITIES else "active_energy"


#: The unit of the average power in a slot, for the quantities that are energy.
POWER_UNITS: Final = {"kWh": "kW", "kvarh": "kvar", "kVAh": "kVA"}


#: Units of power, with that of their energy, and others of a moment: no channel has these.
_OF_A_MOMENT: Final = {
    **{name: f"{name}h" for name in ("W", "kW", "MW", "GW", "var", "kvar", "Mvar")},
    **{name: f"{name}h" for name in ("VA", "kVA", "MVA")},
    **dict.fromkeys(("V", "A", "Hz")),
}


class UnknownUnit(ValueError):
    """There is no such unit."""


class BadNumber(ValueError):
    """A number cannot be a quantity; `code` says why."""

    code = "invalid"


class NotANumber(BadNumber):
    """It is not a finite number."""

    code = "not_a_number"


class OutOfRange(BadNumber):
    """It is larger than 1e9 canonical units, the most that JSON numbers carry exactly."""

    code = "out_of_range"


_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")


@attrs.frozen
class Unit:
    """A unit: one of it is `factor` of the canonical unit."""

    name: str
    canonical: str
    factor: Fraction

    def fits(self, quantity: str) -> bool:
        """Whether *quantity* can be measured in this unit."""
        return QUANTITIES.get(quantity) == self.canonical


@attrs.frozen
class GasHeat:
    """How much heat a volume of gas has, as whoever bills it says.

    Attributes:
        calorific_value: In MJ for a cubic metre at reference conditions.
        correction_factor: Cubic metres at reference conditions in one as it is metered.

    """

    calorific_value: Decimal
    correction_factor: Decimal

    @property
    def factor(self) -> Fraction:
        """The kWh of a cubic metre as it is metered: correction x calorific value / 3.6.

        The Gas (Calculation of Thermal Energy) Regulations 1996 of the UK have it so, with a
        correction of 1.02264 for homes.
        """
        return Fraction(self.calorific_value) * Fraction(self.correction_factor) / Fraction(36, 10)


def _table() -> dict[str, Unit]:
    joule = Fraction(1, 3_600_000)
    btu = joule * Fraction(105_505_585_262, 10**8)
    cubic_foot = Fraction(3048, 10**4) ** 3
    sizes = {
        "kWh": {
            "Wh": Fraction(1, 1000),
            "kWh": Fraction(1),
            "MWh": Fraction(1000),
            "GWh": Fraction(10**6),
            "J": joule,
            "kJ": joule * 1000,
            "MJ": joule * 10**6,
            "GJ": joule * 10**9,
            "Btu": btu,
            "therm": btu * 10**5,
            "thermUS": joule * 105_480_400,
            "MMBtu": btu * 10**6,
        },
        "kvarh": {"varh": Fraction(1, 1000), "kvarh": Fraction(1), "Mvarh": Fraction(1000)},
        "kVAh": {"VAh": Fraction(1, 1000), "kVAh": Fraction(1), "MVAh": Fraction(1000)},
        # The C and the M of gas meters in the US are Roman: a hundred and a thousand cubic feet.
        "m3": {
            "m3": Fraction(1),
            "ft3": cubic_foot,
            "ccf": cubic_foot * 100,
            "Mcf": cubic_foot * 1000,
            "L": Fraction(1, 1000),
        },
    }
    return {
        name.casefold(): Unit(name, canonical, factor)
        for canonical, units in sizes.items()
        for name, factor in units.items()
    }


_UNITS: Final = _table()
#: The names of all units.
UNITS: Final = tuple(unit.name for unit in _UNITS.values())


@lru_cache(maxsize=256)
def unit(name: str) -> Unit:
    """Return the unit *name*, whatever its case; raises `UnknownUnit`.

    A small `m` is never taken for mega: `mWh` is a milliwatt-hour, which is not in the table.
    """
    known = _UNITS.get(name.casefold().replace("³", "3"))
    if known is None or (known.name[0] == "M" and name[0] != "M"):
        raise UnknownUnit(_unknown(name))
    return known


def _unknown(name: str) -> str:
    """Return what is said of a name that is no unit here."""
    if name not in _OF_A_MOMENT:
        return f"there is no unit {name!r}; known are {', '.join(UNITS)}"
    if energy := _OF_A_MOMENT[name]:
        return f"{name} is power at a moment: a channel has what that gives in time, in {energy}"
    return f"{name} is measured at a moment: a channel has quantities over time"


def to_micro(value: Decimal | int | float | str, factor: Fraction = Fraction(1)) -> int:
    """Return *value* units of *factor* in micro-units, rounded half to even.

    Raises:
        NotANumber: It is no finite decimal number.
        OutOfRange: Its magnitude is over 10**15 micro-units.

    """
    number = _decimal(value)
    # So that a hostile exponent costs nothing: these are far beyond the bounds on either side.
    if not number or number.adjusted() < -40:
        return 0
    if number.adjusted() > 40:
        raise OutOfRange("the number is out of range")
    micro = round(Fraction(number) * factor * MICRO)
    if abs(micro) > BOUND:
        raise OutOfRange("the number is out of range")
    return micro


def decimal_of(text: str) -> Decimal:
    """Return the finite decimal number *text*; raises `NotANumber`."""
    try:
        if len(text) <= 100 and _NUMBER.fullmatch(text):
            return Decimal(text)
    except InvalidOperation:
        pass
    raise NotANumber(f"{text[:40]!r} is not a number")


def _decimal(value: Decimal | int | float | str) -> Decimal:
    if isinstance(value, str):
        return decimal_of(value)
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise NotANumber(f"{value} is not a number")
    return number


def to_micros(
    values: npt.NDArray[np.float64], factor: Fraction, exact: Callable[[int], Decimal]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return many numbers in micro-units, and which are out of range; 0 for these and for NaN.

    The binary float of a number is scaled with a relative error below 2**-51, so its rounding is
    certain unless it falls that near to a tie; those few are rounded from *exact*, which returns
    the number as it was written, given its index.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = values * float(factor * MICRO)
        rounded = np.rint(scaled)
        size = np.abs(rounded)
        away = np.abs(scaled - rounded)
        largest = size.max(initial=0)
        if largest <= BOUND and away.max(initial=0) < 0.5 - largest * 2.0**-51:
            # None is missing, too large or near a tie, as in nearly all series: no need to ask of
            # each of them.
            return rounded.astype(np.int64), np.zeros(len(values), bool)
        near_tie = away >= 0.5 - size * 2.0**-51
        outside = size > BOUND
    micro = np.where(np.isnan(values) | outside, 0, rounded).astype(np.int64)
    # From twice the bound on no rounding could bring a number back into range.
    for index in np.flatnonzero(near_tie & (size < 2 * BOUND)).tolist():
        try:
            micro[index] = to_micro(exact(index), factor)
            outside[index] = False
        except OutOfRange:
            micro[index] = 0
            outside[index] = True
    return micro, outside


def finer(values: npt.NDArray[np.float64], factor: Fraction) -> npt.NDArray[np.bool_]:
    """Tell which numbers have a part below the micro-unit, which `to_micros` rounds away.

    A part that a binary float does not tell from its error, below 2**-51 of the number, is none.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = values * float(factor * MICRO)
        return np.asarray(np.abs(scaled - np.rint(scaled)) > np.abs(scaled) * 2.0**-51)


N = TypeVar("N", int, npt.NDArray[np.int64])


def ceiling(dividend: N, divisor: int) -> N:
    """Return `dividend / divisor` as the whole number at or above it, exactly."""
    return -(-dividend // divisor)


#: What follows the point of most quantities, which have three decimals at most.
_THOUSANDTHS: Final = ("", *(f".{number:03}".rstrip("0") for number in range(1, 1000)))


def decimal_text(value: int | Fraction, scale: int = MICRO) -> str:
    """Return `value / scale` as the shortest decimal text, with at most six decimals.

    What does not end within six decimals is rounded half to even.
    """
    micro = value if scale == MICRO and isinstance(value, int) else _micros(value, scale)
    whole, rest = divmod(abs(micro), MICRO)
    thousandths, finer = divmod(rest, 1000)
    text = f"{whole}.{rest:06}".rstrip("0") if finer else f"{whole}{_THOUSANDTHS[thousandths]}"
    return f"-{text}" if micro < 0 else text


def _micros(value: int | Fraction, scale: int) -> int:
    return round(Fraction(value) * MICRO / scale)
