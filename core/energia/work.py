"""CPU work beside the event loop: a few threads, places in them by caller, and a way to stop it.

The loop answers everybody; what computes for longer than a blink goes through `off_loop`. A request
that waits for such work is cancelled when its client leaves or its time is over, which sets a flag;
the work looks at it by `checkpoint` between charges, bill periods and contracts, and ends.

Threads, not processes: readings and tariffs would have to be pickled to another process and back
for each price, which costs as much as most prices do; the threads hand the loop the interpreter
within `SWITCH` seconds.
"""

import asyncio
import contextvars
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from functools import partial
from tempfile import TemporaryFile
from typing import IO, Final, ParamSpec, TypeVar

import attrs

from energia import tracing
from energia.errors import Busy, EnergiaError, exits

P = ParamSpec("P")
T = TypeVar("T")

#: Seconds after which a thread that computes lets another one run: `sys.setswitchinterval`.
SWITCH: Final = 0.001


class Stopped(BaseException):
    """Nobody waits for the work any more.

    No `Exception`: what deals with the failures of a charge or a contract must not deal with this.
    """


_STOP: Final = contextvars.ContextVar[threading.Event | None]("_STOP", default=None)


def checkpoint() -> None:
    """Let work end here if nobody waits for it any more: costs 0.1 microseconds.

    Raises:
        Stopped: Nobody does.

    """
    stop = _STOP.get()
    if stop is not None and stop.is_set():
        raise Stopped


@asynccontextmanager
async def temporary_file() -> AsyncIterator[IO[bytes]]:
    """Give a file without a name; at the end of the block it is gone.

    It is closed in a thread: the pages of a large one take the kernel half a second.
    """
    file = await asyncio.to_thread(TemporaryFile)
    try:
        yield file
    finally:
        await asyncio.shield(asyncio.to_thread(file.close))


@attrs.define(eq=False)
class Asker:
    """A request, as the workers know it.

    Attributes:
        workers: Those that work for it.
        caller: Whose request it is: each caller has places of its own.
        is_admitted: Whether work was done for it: what follows waits, but is not refused.

    """

    workers: "Workers"
    caller: str
    is_admitted: bool = False


#: The request that is being answered; None in commands and in background work.
ASKER: Final = contextvars.ContextVar[Asker | None]("ASKER", default=None)


async def off_loop(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what *work* returns, from a thread; the event loop goes on meanwhile.

    Raises:
        Busy: All places are taken, and the queue is full.
        asyncio.CancelledError: Nobody waits for the answer.

    """
    call, asker = partial(work, *args, **kwargs), ASKER.get()
    if asker is not None:
        return await asker.workers.run(asker, call)
    stop = threading.Event()
    try:
        return await asyncio.to_thread(_stoppable, stop, call)
    except asyncio.CancelledError:
        stop.set()
        raise


class _Staying:
    """Has no state, so that there is one for all: it is entered several times in each request."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: object, _: object) -> None:
        if isinstance(error, SystemExit):
            raise RuntimeError(exits(error)) from error


_STAYING: Final = _Staying()


def staying() -> AbstractContextManager[None]:
    """Call what plugins bring: their `sys.exit` is a failure, and ends neither loop nor service."""
    return _STAYING


@contextmanager
def noting(place: str) -> Iterator[None]:
    """Call what plugins bring; an error that nobody expected says in a note where it happened."""
    try:
        with staying():
            yield
    except EnergiaError:
        raise
    except Exception as error:
        error.add_note(f"in {place}")
        raise


def _stoppable(stop: threading.Event, call: Callable[[], T]) -> T:
    _STOP.set(stop)
    with staying():
        return call()


@attrs.frozen(eq=False)
class _Waiting:
    """A request that waits for a place, and what tells it that there is one."""

    caller: str
    place: "asyncio.Future[None]"


class Workers:
    """A few threads; a caller gets all of them but one, and those in the queue come fairly."""

    def __init__(self, threads: int, queue: int) -> None:
        """Begin without a thread.

        Args:
            threads: How many threads there are at most (`limits.workers`).
            queue: How many requests may wait for one (`limits.queue`); a caller has at most half.

        """
        self._threads, self._queue = threads, queue
        self._most = max(1, threads - 1)
        self._pool = ThreadPoolExecutor(threads, "work")
        self._running = Counter[str]()
        self._waiting: list[_Waiting] = []
        self._stops = set[threading.Event]()

    @property
    def running(self) -> int:
        """How many threads are at work."""
        return self._running.total()

    @property
    def waiting(self) -> int:
        """How many requests wait for one."""
        return len(self._waiting)

    async def run(self, asker: Asker, call: Callable[[], T]) -> T:
        """Return what *call* returns, from a thread; raises as `off_loop`."""
        await self._place(asker)
        stop, context = threading.Event(), contextvars.copy_context()
        self._stops.add(stop)
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._pool, context.run, _stoppable, stop, call)
        future.add_done_callback(partial(self._ended, asker.caller, stop))
        try:
            await asyncio.wait({future})  # which leaves it alone when it is cancelled itself
        except BaseException:
            stop.set()
            raise
        return future.result()

    def close(self) -> None:
        """Stop what is at work; nothing new begins."""
        for stop in self._stops:
            stop.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _place(self, asker: Asker) -> None:
        """Wait for a place, which is then taken."""
        caller = asker.caller
        if not self._is_free(caller):
            self._refuse(asker)
            waiting = _Waiting(caller, asyncio.get_running_loop().create_future())
            self._waiting.append(waiting)
            try:
                with tracing.span("work.wait"):
                    await asyncio.wait({waiting.place})
            except BaseException:
                if waiting.place.done():
                    self._leave(caller)
                else:
                    self._waiting.remove(waiting)
                raise
        else:
            self._running[caller] += 1
        asker.is_admitted = True

    def _is_free(self, caller: str) -> bool:
        return self.running < self._threads and self._running[caller] < self._most

    def _refuse(self, asker: Asker) -> None:
        """Refuse a request that would wait in a queue that is full."""
        own = sum(waiting.caller == asker.caller for waiting in self._waiting)
        is_full = len(self._waiting) >= self._queue or own >= max(1, self._queue // 2)
        if is_full and not asker.is_admitted:
            raise Busy(
                f"limits.workers ({self._threads}) requests are being worked on, and "
                f"{len(self._waiting)} wait, {own} of them yours (limits.queue, {self._queue})"
            )

    def _ended(self, caller: str, stop: threading.Event, future: "asyncio.Future[object]") -> None:
        if not future.cancelled():
            future.exception()  # it may be that nobody waits for it any more
        self._stops.discard(stop)
        self._leave(caller)

    def _leave(self, caller: str) -> None:
        """Give a place back, and to whoever comes next: the caller with the fewest places."""
        self._running[caller] -= 1
        if not self._running[caller]:
            del self._running[caller]
        while ready := [each for each in self._waiting if self._is_free(each.caller)]:
            chosen = min(ready, key=lambda each: self._running[each.caller])
            self._waiting.remove(chosen)
            self._running[chosen.caller] += 1
            chosen.place.set_result(None)
