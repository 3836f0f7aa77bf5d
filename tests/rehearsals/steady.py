"""A service under a moderate load for long: its memory, connections and tasks stay as they are.

    python -m tests.rehearsals.steady [--minutes 30] [--rate 20]

Sends days of readings and questions about them at a steady rate, and looks at the service along the
way. Exit code 1 if memory grows by more than a megabyte a minute once it is warm, if descriptors or
tasks become more, if the slowest answers become slower, or if one request fails.
"""

import argparse
import asyncio
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import linear_regression
from typing import Final

import aiohttp
import attrs

from benchmarks.soak import resident
from energia.db.connect import connected
from energia.settings import Database
from tests.e2e.load import Load
from tests.e2e.service import Service, serving

#: What memory may grow by once warm, in MB a minute; how many more descriptors and tasks are noise;
#: how many times slower the slowest answers may become.
GROWTH: Final = 1.0
NOISE: Final = 15
SLOWER: Final = 3.0
#: The part of the time that is warming up.
_WARM: Final = 0.3
_TASKS: Final = re.compile(r"^asyncio_tasks(?:\{\})? (\S+)$", re.MULTILINE)


@attrs.frozen
class Sample:
    """The service at one moment.

    Attributes:
        at: When, on the monotonic clock.
        memory: Its resident memory in MB.
        descriptors: How many files and connections it has open.
        tasks: How many tasks its event loop has.

    """

    at: float
    memory: float
    descriptors: int
    tasks: int


async def sampled(service: Service, api: aiohttp.ClientSession) -> Sample:
    """Look at the service."""
    pid = service.process.pid
    async with api.get("/metrics") as answer:
        found = _TASKS.search(await answer.text())
    assert found is not None
    descriptors = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Sample(time.monotonic(), resident(pid), descriptors, int(float(found[1])))


def growth(samples: Sequence[Sample]) -> float:
    """Return by how much memory grows, in MB a minute, once warm: the slope of a line."""
    warm = samples[round(_WARM * len(samples)) :]
    slope, _ = linear_regression([one.at for one in warm], [one.memory for one in warm])
    return 60 * slope


def leaked(counts: Sequence[int]) -> int:
    """Return how many more there are of something at rest in the end than at rest before."""
    return counts[-1] - counts[0]


def slower(seconds: Sequence[float]) -> float:
    """Return how many times slower the slowest 1 % became: the last third to that before."""
    third = max(len(seconds) // 3, 1)
    before, after = (
        sorted(part)[int(0.99 * len(part))]
        for part in (seconds[third : 2 * third], seconds[-third:])
    )
    return after / before


async def steady(database: str, seconds: float, rate: float) -> tuple[Load, list[Sample]]:
    """Load a service for so long; return the load, and the samples along the way.

    The first and the last are of the service at rest.
    """
    async with serving(database) as service, aiohttp.ClientSession(service.url) as api:
        load = Load(service.url, rate, meters=round(rate * seconds / 2 / 300) + 2)
        await load.set_up()
        samples = [await sampled(service, api)]
        async with load.running():
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                await asyncio.sleep(min(max(seconds / 60, 0.2), 10))
                samples.append(await sampled(service, api))
        await asyncio.sleep(1)  # the connections of the load end
        samples.append(await sampled(service, api))
    return load, samples


def faults(load: Load, samples: Sequence[Sample]) -> list[str]:
    """Return what is not as it must be."""
    failed = {said: many for said, many in load.said().items() if not said.endswith(" 200")}
    found = [f"failed: {failed}"] if failed else []
    if (slope := growth(samples)) > GROWTH:
        found.append(f"memory grows by {slope:.2f} MB a minute")
    for name in ("descriptors", "tasks"):
        if (more := leaked([getattr(one, name) for one in samples])) > NOISE:
            found.append(f"{more} more {name}")
    if (times := slower([one.seconds for one in load.answered])) > SLOWER:
        found.append(f"the slowest answers are {times:.1f} times slower")
    return found


async def main(minutes: float, rate: float) -> list[str]:
    """Run, print the figures, and return what is not as it must be."""
    with tempfile.TemporaryDirectory(prefix="e") as folder:
        Path(folder).chmod(0o755)
        async with connected(Database(url=f"embedded:{folder}/db")) as dsn:
            load, samples = await steady(dsn, 60 * minutes, rate)
    seconds = [one.seconds for one in load.answered]
    last = samples[-1]
    print(
        f"{len(seconds)} requests in {minutes:g} minutes: {dict(load.said())}; "
        f"p99 {1000 * sorted(seconds)[int(0.99 * len(seconds))]:.0f} ms, "
        f"at the end {slower(seconds):.2f} times that of before; "
        f"{last.memory:.0f} MB, growing by {growth(samples):+.2f} MB a minute; "
        f"{last.descriptors} descriptors, {last.tasks} tasks"
    )
    return faults(load, samples)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=20, help="requests a second")
    given = parser.parse_args()
    sys.exit("; ".join(asyncio.run(main(given.minutes, given.rate))) or 0)
