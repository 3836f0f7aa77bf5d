"""Work that goes on while something else is served, and is begun again when it fails."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

import attrs

from energia.redact import redacted
from energia.work import staying

#: Begins work anew: what is called returns what is awaited.
Work = Callable[[], Awaitable[None]]
#: Seconds until work that failed is begun again: doubled with each failure, up to the longest.
FIRST_PAUSE: Final = 1.0
LAST_PAUSE: Final = 60.0
#: Work that went on for so many seconds has recovered: its next pause is the first one again.
_RECOVERED: Final = 60.0
#: For so many seconds a failure is told by `/health`.
RECENT: Final = 300.0
_LONGEST: Final = 500


@attrs.frozen
class Failure:
    """How work has failed.

    Attributes:
        at: When, on the monotonic clock.
        error: The kind of the error and what it says, without secrets.

    """

    at: float
    error: str


@attrs.define(eq=False)
class Background:
    """The work of one service in the background, by the names of its parts.

    Who works for ever deals with the failures that are expected. One that nobody thought of must
    not end the work without a word: it is logged, counted, told by `/health` for a while, and the
    work is begun again after a pause.

    Attributes:
        failures: How often each part has failed.
        first_pause: Seconds until it is begun again after its first failure.

    """

    failures: Counter[str] = attrs.field(factory=Counter)
    first_pause: float = FIRST_PAUSE
    _last: dict[str, Failure] = attrs.field(factory=dict, init=False)

    @asynccontextmanager
    async def running(self, work: Mapping[str, Work]) -> AsyncIterator[None]:
        """Let *work* go on until the context is left, which cancels it and waits for its end.

        Example:
            async with core.background.running({"broker": self._listen}):
                yield

        """
        for name in work:
            self.failures[name] += 0  # so that a rise to the first failure can be seen
        tasks = [asyncio.create_task(self._kept(name, begin)) for name, begin in work.items()]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def recent(self, within: float = RECENT) -> dict[str, Failure]:
        """Return the last failure of each part that has failed within so many seconds."""
        since = time.monotonic() - within
        return {name: failure for name, failure in self._last.items() if failure.at > since}

    async def _kept(self, name: str, begin: Work) -> None:
        """Do the work until it ends by itself or is cancelled."""
        pause = self.first_pause
        while True:
            begun = time.monotonic()
            try:
                with staying():
                    return await begin()
            except Exception as error:
                self._failed(name, error)
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise
                self._failed(name, error)  # cancelled by a library that the work uses
            if time.monotonic() - begun > _RECOVERED:
                pause = self.first_pause
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))
            pause = min(2 * pause, LAST_PAUSE)

    def _failed(self, name: str, error: BaseException) -> None:
        import structlog  # costs 100 ms, and is needed here only

        text = redacted(f"{type(error).__name__}: {error}".removesuffix(": "))[:_LONGEST]
        self.failures[name] += 1
        self._last[name] = Failure(time.monotonic(), text)
        log = structlog.get_logger(__name__)
        log.error("background_work_failed", work=name, error=text, exc_info=error)
