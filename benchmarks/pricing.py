"""Pricing: bills of a meter-year beside PySAM, for one meter and for many.

The tariffs and loads are those of the shared benchmark (`tests/data/bench`): three periods in two
seasons; tiers with demand. PySAM's Utilityrate5 is C++ in floating point, in an environment of its
own with everything prepared; of many meters it is given the load of each. Energia is exact, and
builds each line's amount and exact value. Both must charge the expected amount, or nothing is
measured. Figures are ms of the processor, in turns in one run.

- one bill: the year is one bill, with the calendar compiled before;
- twelve bills: each month is one, with tiers and demand of its own; PySAM bills months, too;
- of a batch: for each meter of 500 in one call, each with other readings.
"""

import gc
import statistics
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any, Final

import numpy as np

from benchmarks import tariffs
from benchmarks.figures import Figure, processor_ms
from benchmarks.peers import PYSAM, Asked
from energia.costing.groups import price_groups
from energia.metering.series import Series
from energia.pricing.engine import price, price_batch, price_chains
from energia.pricing.tariffs import Tariff
from energia.pricing.usage import Terms, Usage
from energia.time import Zone

#: How many meters a batch has.
METERS: Final = 500
ROUNDS: Final = 3
#: How often one round repeats what takes less than a millisecond.
_TIMES: Final = 10
_TITLES: Final = {"tou": "TOU 3x2", "tier_demand": "tiers and demand"}
_LOADS: Final = {15: "15 min", 60: "hourly"}
#: What is aimed at: of one bill, of it in a batch, of twelve bills, of them in a batch.
_AIMS: Final = (25.0, 80.0, 12.0, 25.0)
#: What is said of the peer of a batch.
_NEW_LOAD: Final = (
    "a meter of a batch has another load than the one before it, so PySAM's prepared object is "
    "given the load of each; without that it executes as it does for one bill"
)
#: When each month of the year begins, and the end of the last.
_MONTHS: Final = tuple(
    Zone.named("UTC").midnight(date(2018 + month // 12, month % 12 + 1, 1)) for month in range(13)
)


def figures() -> list[Figure]:
    """Return how much longer PySAM takes."""
    found = list[Figure]()
    with PYSAM.asked() as pysam:
        for minutes in _LOADS:
            for name in _TITLES:
                found += _of_tariff(name, minutes, pysam)
    return found


def _of_tariff(name: str, minutes: int, pysam: Asked) -> list[Figure]:
    tariff, wh = tariffs.tariff(name, minutes), tariffs.load(minutes)
    usage = {"import": series(wh, minutes)}
    many = [{"import": series(np.roll(wh, meter), minutes)} for meter in range(METERS)]
    check(name, minutes, tariff, usage, many, pysam)
    aimed = minutes == 15
    cases: Sequence[tuple[str, Callable[[], object], int, bool]] = (
        ("one bill", lambda: price(tariff, usage, *tariffs.YEAR), 1, False),
        ("one bill, of a batch", lambda: price_batch(tariff, many, *tariffs.YEAR), METERS, True),
        ("twelve bills", lambda: price_groups(tariff, usage, _MONTHS, Terms()), 1, False),
        ("twelve bills, of a batch", lambda: price_chains(tariff, many, _MONTHS), METERS, True),
    )
    if not aimed:
        cases = cases[:2]
    found = list[Figure]()
    for (what, run, meters, new_load), least in zip(cases, _AIMS, strict=False):
        run()
        run()
        gc.collect()
        gc.freeze()  # what was made before is not looked at again and again
        ours, theirs = list[float](), list[float]()
        for _ in range(ROUNDS):
            times = _TIMES if meters == 1 else 1
            ours.append(processor_ms(run, times) / meters)
            theirs.append(pysam({"tariff": f"{name} {minutes}", "new_load": new_load})["ms"])
        found.append(
            Figure(
                name=f"{what}, {_TITLES[name]}, {_LOADS[minutes]}",
                against="PySAM, prepared" + (", each meter's load set" if new_load else ""),
                unit="ms",
                ours=statistics.median(ours),
                limit=statistics.median(theirs),
                better="less",
                least=least if aimed else None,
                note=_NEW_LOAD if new_load else "",
            )
        )
    return found


def check(
    name: str,
    minutes: int,
    tariff: Tariff,
    usage: Usage,
    many: Sequence[Usage],
    pysam: Asked,
) -> None:
    """Refuse to measure what charges something else."""
    expected = Fraction(tariffs.expected(name, minutes)["annual"])
    cost = price(tariff, usage, *tariffs.YEAR)
    months = price_groups(tariff, usage, _MONTHS, Terms())
    of_batch = price_batch(tariff, many[:2], *tariffs.YEAR)
    chain = price_chains(tariff, many[:2], _MONTHS)[0] or ()
    for found in (cost, of_batch[0]):
        if isinstance(found, Exception) or Fraction(found.total) != expected:
            raise SystemExit(f"{name} at {minutes} minutes: {found} is wrong")
    if sum(Fraction(month.cost.total) for month in months) != expected:
        raise SystemExit(f"{name} at {minutes} minutes: the months are wrong")
    if sum(Fraction(month.total) for month in chain) != expected:
        raise SystemExit(f"{name} at {minutes} minutes: the months of a batch are wrong")
    asked: Mapping[str, Any] = pysam({"tariff": f"{name} {minutes}", "new_load": False})
    if abs(Fraction(asked["annual"]) - expected) > expected / 10**6:
        raise SystemExit(f"{name} at {minutes} minutes: PySAM charges {asked['annual']}")


def series(wh: Any, minutes: int) -> Series:
    """Return readings of so many Wh."""
    return Series(tariffs.YEAR[0], minutes * 60, wh * 1000, np.ones(len(wh), np.int8))
