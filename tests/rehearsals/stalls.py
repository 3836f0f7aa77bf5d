"""A plugin for rehearsals: how long the event loop of the service is held up, and by what.

`GET /stalls` tells it of the time since it was asked last.
"""

import asyncio
import gc
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

import attrs

from energia.core import Core
from energia.hookspecs import hookimpl
from energia.web.routes import PUBLIC, Route, Routes

#: Seconds of a nap; what it takes longer is a stall.
_NAP: Final = 0.005
#: What holds the loop up is looked at after so many seconds.
_LOOK: Final = 0.03
#: Where threads wait.
_WAITING: Final = ("threading.py", "thread.py", "stalls.py", "selectors.py")
_KEPT: Final = 100


@attrs.frozen(order=True)
class Stall:
    """Time in which the loop did nothing else.

    Attributes:
        seconds: How long it was.
        cpu: How much of it the loop itself computed: the rest it waited for a processor, or for a
            thread to give the interpreter.
        waited: How much of it threads of the service waited for a processor, all of them together.
        collected: How much of it was the longest pause for collecting garbage.
        stack: What the loop was in, if it was looked at meanwhile.
        others: What other threads were in when it was over.

    """

    seconds: float
    cpu: float
    waited: float = 0.0
    collected: float = 0.0
    stack: str = ""
    others: str = ""


@attrs.frozen
class Stalls:
    """What happened since it was asked last.

    Attributes:
        worst: The longest stalls, the longest first.
        naps: How often the loop was looked at.

    """

    worst: tuple[Stall, ...]
    naps: int


@attrs.define
class _Watch:
    """Measures the loop of one service."""

    worst: list[Stall] = attrs.Factory(list)
    naps: int = 0
    begun: float = 0.0
    stack: str = ""
    collecting: float = 0.0
    collected: float = 0.0

    def collects(self, phase: str, told: object) -> None:
        """Note how long collecting garbage takes, which all threads wait for."""
        if phase == "start":
            self.collecting = time.perf_counter()
        else:
            self.collected = max(self.collected, time.perf_counter() - self.collecting)

    async def watch(self) -> None:
        """Measure until cancelled."""
        gc.callbacks.append(self.collects)
        threading.Thread(target=self._look, args=(threading.get_ident(),), daemon=True).start()
        while True:
            cpu, waited, self.begun = time.thread_time(), _waited(), time.perf_counter()
            self.stack, self.collected = "", 0.0
            await asyncio.sleep(_NAP)
            late = time.perf_counter() - self.begun - _NAP
            self.naps += 1
            others = _others() if late > _LOOK else ""
            waited = _waited() - waited
            stall = Stall(
                late, time.thread_time() - cpu, waited, self.collected, self.stack, others
            )
            self.worst = sorted([*self.worst, stall], reverse=True)[:_KEPT]

    def _look(self, loop: int) -> None:
        while True:
            time.sleep(_LOOK / 6)
            if not self.stack and time.perf_counter() - self.begun > _LOOK:
                frame = sys._current_frames().get(loop)
                self.stack = "".join(traceback.format_stack(frame)[-4:])

    def told(self) -> Stalls:
        """Return what was measured, and begin anew."""
        found = Stalls(tuple(self.worst), self.naps)
        self.worst, self.naps = [], 0
        return found


def _waited() -> float:
    """Return how long the threads of this process have waited for a processor, in seconds."""
    tasks = Path("/proc/self/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[1]) for each in tasks) / 1e9


def _others() -> str:
    """Return where the other threads are that do something."""
    me, found = threading.get_ident(), []
    for thread, frame in sys._current_frames().items():
        last = traceback.extract_stack(frame)[-3:]
        if thread != me and not last[-1].filename.endswith(_WAITING):
            found.append(" > ".join(f"{each.name}:{each.lineno}" for each in last))
    return "; ".join(found)


_WATCH: Final = _Watch()
routes = Routes()


@routes.add("GET", "/stalls", scopes=PUBLIC)
async def get_stalls() -> Stalls:
    """Return the longest stalls since it was asked last."""
    return _WATCH.told()


@hookimpl
def register_routes() -> list[Route]:
    """Offer the route."""
    return routes


@hookimpl
def lifespan(core: Core) -> AbstractAsyncContextManager[None]:
    """Measure for as long as the service runs."""
    return _measured()


@asynccontextmanager
async def _measured() -> AsyncIterator[None]:
    task = asyncio.create_task(_WATCH.watch())
    try:
        yield
    finally:
        task.cancel()
