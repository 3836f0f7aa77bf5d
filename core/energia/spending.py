"""What a request costs: whoever works for one says how much, and the rate by cost counts it.

A unit is about one slot that is read, priced or stored, or 100 bytes of a body after inflation.
"""

from contextvars import ContextVar
from typing import Final

import attrs

#: How many bytes of a body are a unit.
BYTES: Final = 100.0


@attrs.define
class Account:
    """What one request has cost so far, in units; threads that work for it may add to it."""

    units: float = 0.0


#: The account of the request that is being answered, also in threads (`asyncio.to_thread`).
ACCOUNT: Final[ContextVar[Account | None]] = ContextVar("ACCOUNT", default=None)


def spend(units: float) -> None:
    """Add to what the request costs; where there is none, such as in a command, nothing happens."""
    if (account := ACCOUNT.get()) is not None:
        account.units += units
