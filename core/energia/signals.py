"""Signals that arrive before the service can act on them.

A process with the number 1 ignores SIGTERM until it has a handler, and importing the service takes
a moment: `energia.__main__` calls `install` before it imports anything else, so nothing else is
imported here. A command that serves asks for `received`; any other calls `restore`.
"""

import signal
from types import FrameType
from typing import Final

#: The signals that ask the service to stop.
STOPPING: Final = (signal.SIGTERM, signal.SIGINT)

_received: list[signal.Signals] = []


def install() -> None:
    """Remember the signals that ask to stop, from now on."""
    for number in STOPPING:
        signal.signal(number, _remember)


def received() -> tuple[signal.Signals, ...]:
    """Return the signals that were remembered, in their order."""
    return tuple(_received)


def restore() -> None:
    """Give the signals their usual effect again, also those that were remembered."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    remembered, _received[:] = received(), []
    for number in remembered:
        signal.raise_signal(number)


def ignore() -> None:
    """Ignore the signals from now on: what ends anyway is not killed by one more of them."""
    for number in STOPPING:
        # Python itself gives any other handler up when it ends, and the signal its usual effect.
        signal.signal(number, signal.SIG_IGN)


def _remember(number: int, _frame: FrameType | None) -> None:
    _received.append(signal.Signals(number))
