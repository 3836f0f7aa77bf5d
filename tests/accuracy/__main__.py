"""Prices all of the shared data and writes its page; exit code 1 if something differs."""

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.accuracy import bench, others, pysam, ratebook, reopt, report, ssc
from tests.accuracy.by_hand.run import run
from tests.accuracy.outcomes import Source
from tests.shared import SHARED

ROOT = Path(__file__).parents[2]
#: So many random tariffs are priced twice.
RANDOM = 2000


def sources(folder: Path) -> Iterator[Source]:
    """Price all sources."""
    yield bench.source(folder / "bench")
    yield pysam.source(folder / "pysam")
    yield ssc.source(folder / "nrel-ssc")
    yield ratebook.bills(folder / "ratebook")
    yield ratebook.vectors(folder / "ratebook")
    yield reopt.source(folder / "reopt")
    yield others.spain(folder / "aiopvpc-2.0td")
    yield others.calculator(folder / "electricitycostcalculator")
    yield others.entries(folder / "open-energy-tariffs")


def main() -> int:
    """Write the page; tell what fails."""
    if not SHARED.is_dir():
        print("the shared data are not here: set SHARED_DATA", file=sys.stderr)
        return 2
    found = list(sources(SHARED))
    by_hand = run(range(RANDOM))
    (ROOT / "docs/explanation/accuracy.md").write_text(
        report.page(found, by_hand), encoding="utf-8"
    )
    failed = [(source.name, one) for source in found for one in source.failures()]
    for name, one in failed:
        print(f"{name}: {one.case} {one.kind}: {one.detail}", file=sys.stderr)
    for tried in by_hand.failures:
        print(f"seed {tried.seed}: {tried.difference}", file=sys.stderr)
    print(f"{sum(len(source.outcomes) for source in found)} cases, {len(failed)} fail")
    print(f"{len(by_hand.tried)} random tariffs, {len(by_hand.failures)} differ")
    return 1 if failed or by_hand.failures else 0


if __name__ == "__main__":
    sys.exit(main())
