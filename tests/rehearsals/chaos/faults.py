"""What goes wrong; each is over when readings are acknowledged again."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import attrs

from energia.db.embedded import Embedded
from tests.rehearsals.chaos.world import World

Happen = Callable[[World], Awaitable[None]]

#: For how long a disk is full, or the network in disorder.
_SECONDS: Final = 1.5
#: What the clock is set to, in seconds beside the real time: forward and back.
_JUMPS: Final = ("+3600", "-86400", "+0")


@attrs.frozen
class Fault:
    """One kind of fault.

    Attributes:
        name: What it is called.
        happen: Makes it, and mends it where it does not mend itself.
        kills: Whether it kills something that requests are in flight in.

    """

    name: str
    happen: Happen
    kills: bool = False


async def service_killed(world: World) -> None:
    """`kill -9` of the service; it is started again."""
    await world.service_killed()


async def database_killed(world: World) -> None:
    """`kill -9` of the database; its supervisor starts it again."""
    await world.database_killed()


async def network_slow(world: World) -> None:
    """Every message between service and database takes its time."""
    world.cable.delay = 0.1
    await asyncio.sleep(_SECONDS)
    world.cable.delay = 0.0


async def network_silent(world: World) -> None:
    """Nothing passes for a while, then everything that was held back."""
    world.cable.silent = True
    await asyncio.sleep(_SECONDS)
    world.cable.silent = False


async def network_lost(world: World) -> None:
    """Nothing passes for a while, then all connections are gone."""
    world.cable.silent = True
    await asyncio.sleep(_SECONDS)
    world.cable.cut()
    world.cable.silent = False


async def network_cut(world: World) -> None:
    """All connections are reset, while requests are in flight."""
    async with asyncio.timeout(60):
        while not world.writers.in_flight:
            await asyncio.sleep(0.001)
    world.cable.cut()


async def disk_full(world: World) -> None:
    """Leave the database no room for anything."""
    assert world.disk is not None
    filler = world.disk / "filler"
    _fill(filler)
    await asyncio.sleep(_SECONDS)
    _fill(filler)  # what was freed meanwhile
    await asyncio.sleep(_SECONDS)
    filler.unlink()
    # A server that found no room to start has ended; an operator starts it again.
    await asyncio.to_thread(_up, world)


async def clock_jumps(world: World) -> None:
    """Set the clock of service and database an hour ahead, a day back, and right again."""
    assert world.clock is not None
    for jump in _JUMPS:
        world.clock.write_text(jump)
        await asyncio.sleep(_SECONDS)
        await world.served(1)


def _fill(filler: Path) -> None:
    """Write until the disk is full."""
    piece = bytes(1024 * 1024)
    with filler.open("ab", buffering=0) as file:
        while piece:
            try:
                file.write(piece)
                os.fsync(file.fileno())
            except OSError:
                piece = piece[: len(piece) // 2]


def _up(world: World) -> None:
    """Wait until the server is up, and start it if its supervisor has given up."""
    operator = Embedded(world.server.folder)
    operator.start()
    operator.stop()  # it runs on: the world uses it


SERVICE: Final = Fault("service killed", service_killed, kills=True)
DATABASE: Final = Fault("database killed", database_killed, kills=True)
NETWORK: Final = (
    Fault("network slow", network_slow),
    Fault("network silent", network_silent),
    Fault("network lost", network_lost),
    Fault("network cut", network_cut),
)
DISK: Final = Fault("disk full", disk_full)
CLOCK: Final = Fault("clock jumps", clock_jumps)
