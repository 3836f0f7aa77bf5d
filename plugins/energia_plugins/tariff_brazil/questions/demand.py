"""Which demand to contract: what costs the least over some bills, verde or azul.

Of each posto a bill pays the measured demand, what of the contract was not used (without ICMS), and
twice the price of what exceeds the contract where it is exceeded by more than the tolerance (REN
ANEEL 1.000/2021, art. 301). So over the contract, the cost of a bill is made of straight pieces. It
is not convex: where the tolerance ends, the excess from the contract on is due at once, and the
cost jumps. The least is at an end of a piece all the same, so `best` looks there alone, and finds
what trying every kW would.

Example:
    measured = [("2026-01", 95), ("2026-02", 120), ("2026-03", 88)]
    bills = [
        Bill(month, Fraction(kw), price=Fraction(51), unused=Fraction(39), excess=Fraction(102))
        for month, kw in measured
    ]
    best(bills).contract  # 115: it takes 120 within 5 %

"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Final, TypeAlias

import attrs

from energia.pricing.exact import rounded

__all__ = [
    "LEAST",
    "Best",
    "Bill",
    "Choice",
    "Point",
    "Year",
    "best",
    "best_of_postos",
    "choices",
    "cost",
    "curve",
    "drivers",
]

#: REN ANEEL 1.000/2021 asks for a contract of so many kW, in one posto at least.
LEAST: Final = 30
_TOLERANCE: Final = Fraction(5, 100)
#: A contract and what it costs.
Point: TypeAlias = tuple[int, Fraction]


@attrs.frozen
class Bill:
    """The demand of a posto in a bill, and what a kW of it costs with all taxes.

    Attributes:
        month: Whose bill it is: `2026-08`.
        measured: The highest demand, kW.
        price: The price of measured demand, R$/kW.
        unused: The price of contracted demand that was not used, R$/kW.
        excess: The price of what exceeds the contract, on top of `price`: twice the tariff.
        tolerance: What part of the contract may be exceeded without it.
        above_tolerance: Whether the excess is what is above the tolerance; else it is all above the
            contract.

    """

    month: str
    measured: Fraction
    price: Fraction
    unused: Fraction
    excess: Fraction
    tolerance: Fraction = _TOLERANCE
    above_tolerance: bool = False

    def parts(self, contract: int) -> tuple[Fraction, Fraction, Fraction]:
        """Return the kW that are measured, not used, and in excess."""
        unused = max(contract - self.measured, Fraction(0))
        limit = contract * (1 + self.tolerance)
        if self.measured <= limit:
            return self.measured, unused, Fraction(0)
        return self.measured, unused, self.measured - (limit if self.above_tolerance else contract)

    def cost(self, contract: int) -> Fraction:
        """Return what it costs under a contract, exactly."""
        return sum(self._lines(contract), Fraction(0))

    def printed(self, contract: int) -> Fraction:
        """Return what it costs as the bill prints it: each line rounded to centavos."""
        return Fraction(sum(rounded(line, 2, "half_up") for line in self._lines(contract)), 100)

    def _lines(self, contract: int) -> Iterator[Fraction]:
        prices = (self.price, self.unused, self.excess)
        for kw, price in zip(self.parts(contract), prices, strict=True):
            yield kw * price

    @property
    def knees(self) -> tuple[Fraction, Fraction]:
        """The contracts at which its cost changes course: no excess any more, then unused kW."""
        return self.measured / (1 + self.tolerance), self.measured


@attrs.frozen
class Best:
    """The contract that costs the least.

    Attributes:
        contract: kW; of equal ones the lowest.
        cost: What demand costs in all bills together.
        drivers: The bills that set it; none where it is the least that may be contracted.

    """

    contract: int
    cost: Fraction
    drivers: tuple[str, ...]


@attrs.frozen
class Year:
    """What a modality costs over some bills.

    Attributes:
        postos: The demand of each posto, bill by bill: `unico` alone in verde.
        others: What all else costs in all bills together: the energy of each posto, at its price.

    """

    postos: Mapping[str, Sequence[Bill]]
    others: Fraction = Fraction(0)

    def total(self, contracts: Mapping[str, int]) -> Fraction:
        """Return what all bills cost under a contract of each posto, as they are printed."""
        demand = (
            bill.printed(contracts[posto]) for posto, bills in self.postos.items() for bill in bills
        )
        return sum(demand, self.others)


@attrs.frozen
class Choice:
    """A modality with the contracts that cost the least.

    Attributes:
        modality: Its name.
        year: What it is made of.
        contracts: The best of each posto.
        total: What all bills cost.

    """

    modality: str
    year: Year
    contracts: Mapping[str, Best]
    total: Fraction


def choices(years: Mapping[str, Year], least: int = LEAST) -> list[Choice]:
    """Return modalities with their best contracts, the cheapest first."""
    found = []
    for modality, year in years.items():
        contracts = best_of_postos(year.postos, least)
        total = year.total({posto: one.contract for posto, one in contracts.items()})
        found.append(Choice(modality, year, contracts, total))
    return sorted(found, key=lambda choice: choice.total)


def cost(bills: Iterable[Bill], contract: int) -> Fraction:
    """Return what the demand of some bills costs under a contract, exactly."""
    return sum((bill.cost(contract) for bill in bills), Fraction(0))


def best(bills: Sequence[Bill], least: int = 0) -> Best:
    """Return the whole number of kW, *least* or more, that costs the least over all bills."""
    contract = min(_ends(bills, least), key=lambda kw: (cost(bills, kw), kw))
    return Best(contract, cost(bills, contract), drivers(bills, contract))


def best_of_postos(postos: Mapping[str, Sequence[Bill]], least: int = LEAST) -> dict[str, Best]:
    """Return the contract of each posto that costs the least, one of them being *least* or more."""
    free = {posto: best(bills) for posto, bills in postos.items()}
    if any(one.contract >= least for one in free.values()):
        return free
    held = {posto: best(bills, least) for posto, bills in postos.items()}
    raised = min(postos, key=lambda posto: held[posto].cost - free[posto].cost)
    return {**free, raised: held[raised]}


def drivers(bills: Iterable[Bill], contract: int) -> tuple[str, ...]:
    """Return the bills whose cost changes course at a contract."""
    return tuple(
        bill.month for bill in bills if any(contract in _around(knee) for knee in bill.knees)
    )


def _around(knee: Fraction) -> tuple[int, int]:
    return floor(knee), ceil(knee)


def _ends(bills: Iterable[Bill], least: int) -> list[int]:
    """Return where pieces of the cost begin and end, in whole kW, *least* among them.

    The excess ends with the first whole kW at a knee or above it, so the last piece before that
    ends one kW below.
    """
    knees = [knee for bill in bills for knee in bill.knees]
    ends = {end for knee in knees for end in (*_around(knee), ceil(knee) - 1)}
    return sorted({least, *(end for end in ends if end > least)})


def curve(bills: Sequence[Bill], least: int = 0, most: int | None = None) -> tuple[Point, ...]:
    """Return the cost over the contract: between two of its points it is a straight line.

    Args:
        bills: The bills.
        least: The first contract.
        most: The last; without, a fifth above the highest demand.

    """
    highest = max((bill.measured for bill in bills), default=Fraction(0))
    last = max(least + 1, ceil(highest * 6 / 5) if most is None else most)
    ends = [end for end in _ends(bills, least) if end < last]
    points = [(end, cost(bills, end)) for end in [*ends, last]]
    return tuple(_bends(points))


def _bends(points: Sequence[Point]) -> Iterator[Point]:
    """Yield the points but for those that are on the line between their neighbours."""
    kept: list[Point] = []
    for point in points:
        if len(kept) > 1 and _slope(kept[-2], kept[-1]) == _slope(kept[-1], point):
            kept.pop()
        kept.append(point)
    yield from kept


def _slope(first: Point, last: Point) -> Fraction:
    return (last[1] - first[1]) / (last[0] - first[0])
