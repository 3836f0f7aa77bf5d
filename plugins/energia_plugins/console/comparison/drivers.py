"""Where the difference between tariffs comes from: their lines, by what is charged.

Energy is told apart by its period. A tariff that has none charges the same at any time: its energy
is divided as the readings are among the periods of the others, at its own price.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

import attrs

from energia_plugins.console.comparison.asked import Json
from energia_plugins.console.comparison.costs import Priced
from energia_plugins.console.page import marked
from energia_plugins.console.periods import Key, letter_of
from energia_plugins.console.words import Words

#: What the kinds of charge charge; all others are the last one of `_NAMES`.
_KINDS: Final = {
    "energy.flat": "energy",
    "energy.time_of_use": "energy",
    "energy.tiered": "energy",
    "energy.dynamic": "energy",
    "adjustment.calendar": "surcharge",
    "demand": "demand",
    "demand.contracted": "demand",
    "reactive": "reactive",
    "fixed": "fixed",
    "minimum": "fixed",
    "tax": "tax",
    "percent": "tax",
    "export": "credit",
    "brazil.scee": "credit",
}
_ENERGY: Final = {
    "p": marked("energy in the peak"),
    "i": marked("energy in the shoulder"),
    "f": marked("energy off-peak"),
    "n": marked("energy"),
}
_NAMES: Final = {
    "surcharge": marked("surcharges on energy"),
    "demand": marked("demand"),
    "overrun": marked("demand over the contract"),
    "reactive": marked("excess reactive energy"),
    "fixed": marked("fixed charges"),
    "tax": marked("taxes and percentages"),
    "credit": marked("energy given back"),
    "other": marked("other charges"),
}
_PERIODS: Final[Mapping[str, Key]] = {"p": "p", "i": "i", "f": "f"}
_KEYS: Final[tuple[Key, ...]] = ("p", "i", "f", "n")
_TOLD: Final[Mapping[str, str]] = {**_ENERGY, **_NAMES}
_ORDER: Final = (*_KEYS, *_NAMES)
_SEVERAL: Final = 2
#: A reason that is less than this part of the largest is none.
_SLIGHT: Final = Decimal("0.05")
_CENT: Final = Decimal("0.01")


@attrs.frozen
class Driver:
    """What is charged, and what each tariff charges for it.

    Attributes:
        key: The class of its period, of energy that has one.
        name: What it is.
        own: What the first tariff charges.
        differences: What each of the others charges more, in their order.

    """

    key: Key | None
    name: str
    own: Decimal
    differences: tuple[Decimal, ...]

    @property
    def largest(self) -> Decimal:
        """The largest of the differences, whatever its sign."""
        return max(map(abs, self.differences), default=Decimal(0))


def drivers(words: Words, priced: Sequence[Priced]) -> list[Driver]:
    """Return what is charged, and how the other tariffs differ in it from the first."""
    shares = _shares(priced)
    sums = [_sums(each, shares) for each in priced]
    found = []
    for group in _ORDER:
        amounts = [each.get(group, Decimal(0)) for each in sums]
        if any(amounts):
            own, *others = amounts
            name = words.text(_TOLD[group])
            found.append(
                Driver(_PERIODS.get(group), name, own, tuple(each - own for each in others))
            )
    return found


def _sums(priced: Priced, shares: Mapping[Key, Fraction]) -> dict[str, Decimal]:
    """Return what a tariff charges for each group."""
    sums = dict[str, Decimal]()
    for line in priced.lines:
        for group, amount in _parts(priced, line, shares):
            sums[group] = sums.get(group, Decimal(0)) + amount
    return sums


def _parts(
    priced: Priced, line: Json, shares: Mapping[Key, Fraction]
) -> Iterator[tuple[str, Decimal]]:
    """Yield the groups that a line is in, and how much of it."""
    amount, group = Decimal(line["amount"]), _group(priced.document, line)
    if group != "energy":
        yield group, amount
    elif line.get("period") or not shares:
        yield letter_of(line.get("period") or ""), amount
    else:
        yield from _divided(amount, shares)


def _divided(amount: Decimal, shares: Mapping[Key, Fraction]) -> Iterator[tuple[Key, Decimal]]:
    """Yield an amount in parts that add up to it."""
    *first, last = shares
    rest = amount
    for key in first:
        exact = Fraction(amount) * shares[key]
        part = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(_CENT)
        rest -= part
        yield key, part
    yield last, rest


def _group(document: Json, line: Json) -> str:
    """Return what a line charges, by the kind of the charge that it is of."""
    code = str(line["code"])
    kinds = {
        charge.get("code") or charge["kind"]: charge["kind"]
        for version in document["versions"]
        for charge in version["charges"]
    }
    of = max((each for each in kinds if f"{code}.".startswith(f"{each}.")), key=len, default="")
    group = _KINDS.get(kinds.get(of, ""), "other")
    return "overrun" if group == "demand" and "overrun" in code.split(".") else group


def _shares(priced: Sequence[Priced]) -> dict[Key, Fraction]:
    """Return how the energy is divided among the periods of the first tariff.

    Those of the one that has the most of them, if the first has none.
    """
    energies = [_energy(each) for each in priced]
    energy = energies[0] if len(energies[0]) >= _SEVERAL else max(energies, key=len)
    whole = sum(energy.values())
    if len(energy) < _SEVERAL or not whole:
        return {}
    return {key: energy[key] / whole for key in _KEYS if key in energy}


def _energy(priced: Priced) -> dict[Key, Fraction]:
    """Return the energy in each class of period; a kWh that has two rates counts once."""
    by_period = dict[str, Fraction]()
    for line in priced.lines:
        period, quantity = line.get("period"), line.get("quantity")
        if period and quantity and _group(priced.document, line) == "energy":
            by_period[period] = max(by_period.get(period, Fraction(0)), Fraction(quantity))
    found = dict[Key, Fraction]()
    for period, energy in by_period.items():
        key = letter_of(period, by_period)
        found[key] = found.get(key, Fraction(0)) + energy
    return found


# The answer, in a sentence.


@attrs.frozen
class Why:
    """Why another tariff costs more or less.

    Attributes:
        saves: What it charges less for, and how much less; the most first.
        costs: What it charges more for.

    """

    saves: tuple[tuple[str, Decimal], ...]
    costs: tuple[tuple[str, Decimal], ...]


def why(found: Sequence[Driver], other: int) -> Why:
    """Return why the other tariff with this place costs more or less: two reasons for each."""
    parts = [(driver.name, driver.differences[other]) for driver in found]
    parts.sort(key=lambda part: -abs(part[1]))
    least = abs(parts[0][1]) * _SLIGHT if parts else Decimal(0)
    parts = [part for part in parts if abs(part[1]) >= least]
    saves = tuple((name, -amount) for name, amount in parts if amount < 0)
    costs = tuple((name, amount) for name, amount in parts if amount > 0)
    return Why(saves[:2], costs[:2])
