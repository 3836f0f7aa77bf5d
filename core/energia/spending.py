"""What a request costs: whoever works for one says how much, and the rate by cost counts it.

A unit is about one slot that is read, priced or stored, or 100 bytes of a body after inflation.
Bodies and readings also take room in memory until the request is answered, of which all requests
have some together (`limits.memory_bytes`).
"""

from contextvars import ContextVar
from typing import Final

import attrs

from energia.errors import Busy

#: How many bytes of a body are a unit.
BYTES: Final = 100.0
#: How many bytes of memory a slot takes while it is worked on: its value, its quality, its sums.
SLOT_BYTES: Final = 40


@attrs.define
class Room:
    """What all requests together may hold in memory.

    Attributes:
        size: How many bytes (`limits.memory_bytes`).
        taken: How many are held.

    """

    size: int
    taken: int = 0


@attrs.define
class Account:
    """What one request has cost so far, in units; threads that work for it may add to it.

    Attributes:
        units: What it has cost.
        room: Where it holds its body and what it reads.
        held: How many bytes it holds.

    """

    units: float = 0.0
    room: Room | None = None
    held: int = 0

    def close(self) -> None:
        """Give the room back."""
        if self.room is not None:
            self.room.taken -= self.held
        self.held = 0


#: The account of the request that is being answered, also in threads (`asyncio.to_thread`).
ACCOUNT: Final[ContextVar[Account | None]] = ContextVar("ACCOUNT", default=None)


def spend(units: float) -> None:
    """Add to what the request costs; where there is none, such as in a command, nothing happens."""
    if (account := ACCOUNT.get()) is not None:
        account.units += units


def hold(size: int) -> None:
    """Take room for so many bytes, until the request is answered; a command has all it wants.

    One that is alone always has its room: other limits bound it.

    Raises:
        Busy: Others hold too much.

    """
    account = ACCOUNT.get()
    if account is None or account.room is None:
        return
    room = account.room
    if room.taken + size > room.size and room.taken > account.held:
        raise Busy(
            f"other requests hold {room.taken - account.held} bytes in memory, and this one would "
            f"hold {account.held + size}, of limits.memory_bytes ({room.size})"
        )
    room.taken += size
    account.held += size


def hold_slots(slots: int) -> None:
    """Take room for so many slots of readings; raises as `hold`."""
    hold(slots * SLOT_BYTES)
