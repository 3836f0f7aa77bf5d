"""Prices many random tariffs both ways, and counts what they were cases of."""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

import attrs

from tests.accuracy.by_hand.against import differences, shown
from tests.accuracy.by_hand.drawn import Drawn, draw

#: So many tariffs go to a process at a time.
_CHUNK = 8


@attrs.frozen
class Tried:
    """What became of one random tariff.

    Attributes:
        seed: Draws it again.
        zone: Its time zone.
        bills: How many bills it has.
        marks: What it is a case of.
        difference: Where it differs, for a person; empty if it does not.

    """

    seed: int
    zone: str
    bills: int
    marks: frozenset[str]
    difference: str


@attrs.frozen
class Summary:
    """Many random tariffs.

    Attributes:
        tried: What became of each, at least one.

    """

    tried: tuple[Tried, ...]

    @property
    def bills(self) -> int:
        """How many bills were priced both ways."""
        return sum(one.bills for one in self.tried)

    @property
    def failures(self) -> list[Tried]:
        """The tariffs that differ."""
        return [one for one in self.tried if one.difference]

    def zones(self) -> Counter[str]:
        """Count the tariffs of each zone."""
        return Counter(one.zone for one in self.tried)

    def marks(self) -> Counter[str]:
        """Count the tariffs that are a case of something."""
        return Counter(mark for one in self.tried for mark in one.marks)


def try_one(seed: int, small: bool = True) -> Tried:
    """Price a random tariff both ways; what differs is made *small*."""
    drawn = draw(seed)
    found = differences(drawn)
    difference = "" if not found else shown(drawn) if small else "\n".join(found)
    return _tried(drawn, difference)


def run(seeds: Iterable[int], processes: int = 2) -> Summary:
    """Price the random tariffs of *seeds*."""
    with ProcessPoolExecutor(processes) as pool:
        return Summary(tuple(pool.map(try_one, seeds, repeat(False), chunksize=_CHUNK)))


def _tried(drawn: Drawn, difference: str) -> Tried:
    bills = len(drawn.bounds) - 1
    return Tried(drawn.seed, drawn.site.zone, bills, frozenset(drawn.marks), difference)
