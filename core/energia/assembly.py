"""Puts a service together: at its start, and where more of it is wanted later.

Nearly all that is made then stays as long as the process, so it is seldom looked for what may go,
and never again at what has stayed: that would hold everybody up for 25 ms, again and again.
"""

import asyncio
import gc
import linecache
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

#: Objects that are made until it is looked which of them may go: to look as often as Python does
#: would be a seventh of the start. What attrs leaves of each class goes at the first look.
_MADE: Final = (10_000, 1_000, 1_000)
_ASSEMBLING: Final = Lock()


@contextmanager
def assembling() -> Iterator[None]:
    """Put something together that stays; where all of it is there already, nothing is done."""
    with _ASSEMBLING:
        usual, before = gc.get_threshold(), len(sys.modules)
        gc.set_threshold(*_MADE)
        try:
            yield
            if len(sys.modules) > before:
                _keep()
        finally:
            gc.set_threshold(*usual)


def _keep() -> None:
    # Else the usual thresholds would have all of it looked at at once, for 50 ms.
    gc.collect(0)
    gc.freeze()
    # For tracebacks attrs keeps the source of every method that it makes, a quarter of what it
    # makes: what is said of the error there is enough.
    linecache.clearcache()


async def late(load: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what *load* imports: in a thread, as it takes longer than the loop may be held up."""
    return await asyncio.to_thread(_assembled, partial(load, *args, **kwargs))


def _assembled(load: Callable[[], T]) -> T:
    with assembling():
        return load()
