"""Breaks everything, again and again, and prints what became of it: a part of `make chaos`."""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle

from tests.mounts import can_mount
from tests.rehearsals.chaos.faults import CLOCK, DATABASE, DISK, NETWORK, SERVICE, Fault
from tests.rehearsals.chaos.verdict import Verdict, judged
from tests.rehearsals.chaos.world import World, faketime, world

#: How many readings are acknowledged between two faults, at least.
_CALM = 5_000


def faults(kills: int, *, disk: bool) -> Iterator[Fault]:
    """Yield so many kills, every other one followed by a fault of another kind."""
    others = cycle((*NETWORK, *([DISK] if disk else [])))
    for number in range(kills):
        yield (SERVICE, DATABASE)[number % 2]
        if number % 2:
            yield next(others)


async def happened(world: World, plan: Sequence[Fault], calm: int, readings: int) -> None:
    """Let everything of *plan* happen, and go on until *readings* are acknowledged."""
    for fault in plan:
        await world.served(calm)
        begun = time.monotonic()
        await fault.happen(world)
        await world.served_since(begun)
        print(f"{fault.name}: served again after {time.monotonic() - begun:.2f} s", flush=True)
    await world.served(max(1, readings - world.writers.acknowledged))


async def rehearse(
    plan: Sequence[Fault], readings: int, *, writers: int = 8, calm: int = _CALM, meters: int = 24
) -> tuple[World, Verdict]:
    """Do it; return the world as it was, and the verdict."""
    async with world(disk=DISK in plan, clock=CLOCK in plan, meters=meters) as made:
        begun = time.monotonic()
        async with made.writers.running(writers):
            await happened(made, plan, calm, readings)
        seconds = time.monotonic() - begun
        found = await judged(made.writers, made.server.dsn())
    print(f"{found.readings} readings acknowledged in {seconds:.0f} s; {found.text()}")
    said = dict(sorted(made.writers.said.items()))
    print(f"{len(made.kills)} kills, with {made.kills} requests in flight; answers: {said}")
    return made, found


def main() -> None:
    """Rehearse as the options say; exits with 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description="Break everything while readings are written.")
    parser.add_argument("--readings", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=20)
    given = parser.parse_args()
    disk, clock = can_mount(), faketime() is not None
    for here, name in ((disk, "leave to mount a disk"), (clock, "libfaketime")):
        if not here:
            print(f"left out: needs {name}")
    made, found = asyncio.run(rehearse(list(faults(given.kills, disk=disk)), given.readings))
    good = found.good and len(made.kills) >= given.kills and all(made.kills)
    if clock:
        # Without kills: processes under libfaketime share a lock, and one that is killed keeps it.
        _, found = asyncio.run(rehearse([CLOCK], _CALM))
        good = good and found.good
    sys.exit(not good)


if __name__ == "__main__":
    main()
