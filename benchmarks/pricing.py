"""How long a year of one meter takes to price, beside other engines, in one run.

    python -m benchmarks.pricing [--peers] [--meters 200]

The tariffs and loads are those of the shared benchmark: one rate; three periods in two seasons;
tiers with demand. Every engine must charge the expected amount, or the run fails. Figures are the
median of many runs, in ms of one processor for one meter and year (every engine uses one, and other
programs on the machine count less):

- one: a year of readings, with the calendar compiled before; cold: compiled, too;
- batch: one of many meters, each with other readings, through one compiled calendar;
- with --peers PySAM and ratebook, which are installed into build/peers if they are not there.
  Energia is exact and makes lines that explain themselves; PySAM is C++ in floating point.
"""

import argparse
import functools
import gc
import resource
import statistics
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import attrs
import numpy as np

from benchmarks import tariffs
from benchmarks.peers import PYSAM, RATEBOOK, Peer
from energia.metering.series import Series
from energia.pricing.cache import CACHE
from energia.pricing.engine import price
from energia.pricing.tariffs import Tariff

Figures = Mapping[str, Mapping[str, Any]]


@attrs.frozen
class Ours:
    """What Energia needs for one tariff and load: ms for a meter and year, and memory.

    Attributes:
        one: With the calendar compiled.
        cold: Compiled, too.
        batch: Of many meters.
        peak: The memory that a batch takes at most beside its readings, in MiB.

    """

    one: float
    cold: float
    batch: float
    peak: float


def median(run: Callable[[], object], times: int) -> float:
    """Return the median of *times* runs, in milliseconds."""
    taken = []
    for _ in range(times):
        started = time.process_time()
        run()
        taken.append((time.process_time() - started) * 1000)
    return statistics.median(taken)


def forget() -> None:
    """Forget all calendars that are compiled."""
    for found in gc.get_objects():
        if isinstance(found, functools._lru_cache_wrapper):
            module = str(getattr(found, "__module__", ""))
            if module.startswith(("energia.pricing", "energia_plugins.tariff")):
                found.cache_clear()
    CACHE.clear()


def measured(name: str, minutes: int, meters: int) -> Ours:
    """Measure one tariff on one load; it must cost what is expected."""
    tariff, wh = tariffs.tariff(name, minutes), tariffs.load(minutes)
    usage = {"import": series(wh, minutes)}
    cost = price(tariff, usage, *tariffs.YEAR)
    if Fraction(cost.total) != Fraction(tariffs.expected(name, minutes)["annual"]):
        raise SystemExit(f"{name} at {minutes} minutes: {cost.total} is wrong")

    def one() -> None:
        price(tariff, usage, *tariffs.YEAR)

    colds = []
    for _ in range(15):
        forget()
        colds.append(median(one, 1))
    many = [{"import": series(np.roll(wh, at), minutes)} for at in range(meters)]
    return Ours(median(one, 100), statistics.median(colds), *batch(tariff, many))


def batch(tariff: Tariff, many: Sequence[Mapping[str, Series]]) -> tuple[float, float]:
    """Return the ms for each of many meters, and the peak of memory in MiB."""

    def run() -> list[str]:
        return [price(tariff, usage, *tariffs.YEAR).total for usage in many]

    taken = median(run, 3) / len(many)
    tracemalloc.start()
    run()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return taken, peak / 2**20


def series(wh: Any, minutes: int) -> Series:
    """Return readings of so many Wh."""
    return Series(tariffs.YEAR[0], minutes * 60, wh * 1000, np.ones(len(wh), np.int8))


def of_peer(peer: Peer) -> Figures:
    """Return the figures of another engine, or none and say why."""
    found = peer.measured()
    if isinstance(found, str):
        print(f"{peer.name} is left out: {found}")
        return {}
    return found


def check(name: str, minutes: int, figures: Mapping[str, Any]) -> None:
    """Refuse a peer that charges something else: then it was asked something else."""
    exact = tariffs.expected(name, minutes)
    energy = "energy" in figures
    wanted = sum(map(Fraction, exact["energy"])) if energy else Fraction(exact["annual"])
    found = Fraction(figures["energy" if energy else "annual"])
    if abs(found - wanted) > wanted / 10**6:
        raise SystemExit(f"{name} at {minutes} minutes: a peer charges {float(found)}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--peers", action="store_true", help="install and measure other engines")
    parser.add_argument("--meters", type=int, default=200, help="how many a batch has")
    asked = parser.parse_args()
    pysam, ratebook = (of_peer(one) if asked.peers else {} for one in (PYSAM, RATEBOOK))
    print(f"ms for a meter and year; a batch has {asked.meters} meters")
    print("| tariff | slots | one | cold | batch | peak | PySAM | new load | ratebook | ratios |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in tariffs.NAMES:
        for minutes in (60, 15):
            key = f"{name} {minutes}"
            row(key, measured(name, minutes, asked.meters), pysam.get(key), ratebook.get(key))
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak: what a batch takes beside its readings, MiB; the process: {rss:.0f} MiB at most")


def row(
    key: str, ours: Ours, pysam: Mapping[str, Any] | None, ratebook: Mapping[str, Any] | None
) -> None:
    """Print one row; a ratio is how many times as long another engine takes as a batch of ours."""
    name, minutes = key.split()
    times = {}
    for peer, figures in (("PySAM", pysam), ("ratebook", ratebook)):
        if figures:
            check(name, int(minutes), figures)
            times[peer] = figures.get("new load", figures["prepared"])
    cells = [f"{ours.one:.2f}", f"{ours.cold:.2f}", f"{ours.batch:.2f}", f"{ours.peak:.1f}"]
    for figures, which in ((pysam, "prepared"), (pysam, "new load"), (ratebook, "prepared")):
        cells.append(f"{figures[which]:.2f}" if figures else "-")
    ratios = ", ".join(f"{peer} x {taken / ours.batch:.1f}" for peer, taken in times.items())
    slots = 365 * 24 * 60 // int(minutes)
    print(f"| {name} | {slots} | {' | '.join(cells)} | {ratios or '-'} |")


if __name__ == "__main__":
    main()
