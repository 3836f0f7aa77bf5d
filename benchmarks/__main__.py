"""Measure Energia beside its limits and its peers: `make bench`, or some of it by name.

    python -m benchmarks                    # all; about half an hour
    python -m benchmarks pricing reads      # some
    python -m benchmarks --check            # and compare the ratios with benchmarks/expected.json
    python -m benchmarks --page             # and write docs/explanation/performance.md

Each benchmark is a module of this package with a function `figures`, and runs in a process of its
own, so that none finds what another has left in memory. All figures are in build/bench.json.
"""

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import attrs

from benchmarks.figures import Figure, table

ROOT: Final = Path(__file__).parents[1]
FOUND: Final = ROOT / "build/bench.json"
PAGE: Final = ROOT / "docs/explanation/performance.md"
EXPECTED: Final = ROOT / "benchmarks/expected.json"
#: How much worse than expected a ratio may be; machines are shared, and rounds are few.
TOLERANCE: Final = 0.3
#: The modules, in the order of the page: what each is about is the first line of its text.
BENCHMARKS: Final = (
    "ingest",
    "live",
    "reads",
    "pricing",
    "bill_runs",
    "requests",
    "process",
    "stalls",
    "storage",
    "archive",
)


def measured(name: str) -> list[Figure]:
    """Return the figures of one benchmark, which has a process of its own."""
    command = [sys.executable, "-m", "benchmarks", "--only", name]
    run = subprocess.run(command, stdout=subprocess.PIPE, cwd=ROOT, text=True, check=False)
    if run.returncode:
        raise SystemExit(f"{name} failed")
    return [Figure(**each) for each in json.loads(run.stdout.splitlines()[-1])]


def machine() -> str:
    """Say what all was measured on."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({models[0] if models else platform.machine()}), {memory:.0f} GiB,"
        f" {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def page(parts: dict[str, list[Figure]]) -> str:
    """Return the page of the documentation."""
    texts = [
        (ROOT / "benchmarks/page.md").read_text(encoding="utf-8"),
        f"Measured on {datetime.now(UTC):%Y-%m-%d}: {machine()}.\n",
    ]
    for name, figures in parts.items():
        title = (importlib.import_module(f"benchmarks.{name}").__doc__ or "").partition("\n")[0]
        texts.append(f"## {title.removesuffix('.')}\n\n{table(figures)}")
    return "\n".join(texts)


def worse(figures: Sequence[Figure]) -> list[str]:
    """Say which ratios are worse than those of the release that is committed."""
    expected: dict[str, float] = json.loads(EXPECTED.read_text(encoding="utf-8"))
    return [
        f"{each.name}: {each.ratio:.2f}, where {expected[each.name]:.2f} is expected"
        for each in figures
        if each.name in expected and each.worse(expected[each.name], TOLERANCE)
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(BENCHMARKS)}; all if none")
    parser.add_argument("--only", choices=BENCHMARKS, help="one, in this process, as JSON")
    parser.add_argument("--check", action="store_true", help="fail if a ratio got worse")
    parser.add_argument("--keep", action="store_true", help="expect these ratios from now on")
    parser.add_argument("--page", action="store_true", help="write the page of the documentation")
    asked = parser.parse_args()
    if asked.only:
        found = importlib.import_module(f"benchmarks.{asked.only}").figures()
        print(json.dumps([attrs.asdict(each) for each in found]))
        return
    if unknown := set(asked.names) - set(BENCHMARKS):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    print(machine())
    parts = {}
    for name in asked.names or BENCHMARKS:
        parts[name] = measured(name)
        print(f"\n{name}\n\n{table(parts[name])}", flush=True)
    figures = [each for part in parts.values() for each in part]
    FOUND.parent.mkdir(exist_ok=True)
    values = [{**attrs.asdict(each), "ratio": each.ratio} for each in figures]
    FOUND.write_text(json.dumps({"machine": machine(), "figures": values}, indent=1) + "\n")
    if asked.keep:
        ratios = {each.name: round(each.ratio, 2) for each in figures}
        before = json.loads(EXPECTED.read_text()) if EXPECTED.exists() else {}
        EXPECTED.write_text(json.dumps({**before, **ratios}, indent=1, sort_keys=True) + "\n")
    if asked.page:
        PAGE.write_text(page(parts), encoding="utf-8")
    if asked.check and (found := worse(figures)):
        raise SystemExit("Worse than expected:\n" + "\n".join(found))


if __name__ == "__main__":
    main()
