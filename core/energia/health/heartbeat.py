"""Whether the event loop turns: it beats ten times a second, and notes by how much it was late.

A loop that is held up answers nothing, and cannot say why. A thread looks at the beat and logs what
holds the loop up.
"""

import asyncio
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import structlog

#: Seconds between two beats.
_PERIOD: Final = 0.1
#: How many beats are remembered: those of ten seconds.
_BEATS: Final = 100

log = structlog.get_logger(__name__)


class Heartbeat:
    """The beat of one event loop."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Wait for `running`; *now* gives seconds on a monotonic clock."""
        self._now = now
        self._beat_at: float | None = None
        self._late: deque[float] = deque(maxlen=_BEATS)

    @property
    def age(self) -> float:
        """Seconds since the last beat; 0 while it does not run."""
        beat_at = self._beat_at
        return 0.0 if beat_at is None else self._now() - beat_at

    @property
    def lag(self) -> float:
        """The most seconds by which a beat of the last ten seconds was late, or is by now."""
        return max([self.age - _PERIOD, *self._late, 0.0])

    @asynccontextmanager
    async def running(self, limit: float) -> AsyncIterator[None]:
        """Beat until the context is left; log what holds the loop up for over *limit* seconds."""
        self._beat_at = self._now()
        task = asyncio.create_task(self._beat())
        try:
            with self._watch(limit):
                yield
        finally:
            task.cancel()
            self._beat_at = None

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_PERIOD)
            self._late.append(self.age - _PERIOD)
            self._beat_at = self._now()

    @contextmanager
    def _watch(self, limit: float) -> Iterator[None]:
        """Look at the beat from a thread of its own."""
        left = threading.Event()
        arguments = (limit, threading.get_ident(), left)
        thread = threading.Thread(target=self._look, args=arguments, daemon=True)
        thread.start()
        try:
            yield
        finally:
            left.set()
            thread.join()

    def _look(self, limit: float, beating: int, left: threading.Event) -> None:
        reported = False
        while not left.wait(min(1.0, limit / 2)):
            age = self.age
            if age > limit and not reported:
                frame = sys._current_frames().get(beating)
                stack = "".join(traceback.format_stack(frame))
                log.warning("event_loop_blocked", seconds=round(age, 3), stack=stack)
            reported = age > limit
