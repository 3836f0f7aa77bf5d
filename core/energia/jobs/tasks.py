"""Tasks: what is to be done beside requests, now or later, again where it fails, by any worker."""

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

import attrs

if TYPE_CHECKING:
    from energia.core import Core

#: Beyond so many doublings every pause is the longest; more of them overflow a float.
_DOUBLINGS: Final = 30


@attrs.frozen
class Retry:
    """How stubbornly a task is tried again.

    Attributes:
        first: Seconds between the first failure and the next try; doubled with each.
        most: Seconds between two tries at most.
        tries: How often it is tried in all; None: for ever.

    """

    first: float = 1.0
    most: float = 600.0
    tries: int | None = 12

    def pause(self, tries: int, wanted: float = 0.0) -> float:
        """Return how many seconds to wait after so many failed tries; at least what is *wanted*."""
        pause = min(self.first * 2.0 ** min(max(tries - 1, 0), _DOUBLINGS), self.most)
        # Uneven, so that what failed together does not come back together.
        return max(pause * random.uniform(0.5, 1.0), wanted)  # noqa: S311 - no secret


class TryAgain(Exception):
    """Nothing is wrong with the task, but what it needs is away: it is tried again.

    Any other exception has the same effect; this one says when, and what to tell of it.
    """

    def __init__(self, reason: str, after: float = 0.0) -> None:
        """State the reason, and after how many seconds at least to try again."""
        super().__init__(reason)
        self.reason, self.after = reason, after


class GiveUp(Exception):
    """It makes no sense to try again."""


class Task(Protocol):
    """Does one thing that outlives a request: sends a message, asks a source, cleans up.

    What is to be done waits in the database (`core.jobs.defer`), so it survives restarts; of many
    workers one does it. It is tried again where it fails, and may be begun twice where a worker
    dies: it must bear to be repeated.

    A task may also have

    * `retry`: a `Retry`, instead of the usual one;
    * `period`: seconds. Then it needs nobody to defer it: it is done again and again, by one worker
      at a time, with no arguments.

    Example:
        @attrs.frozen
        class Greeting:
            name: str = "acme-greeting"

            async def run(self, core: Core, arguments: Mapping[str, Any]) -> None:
                async with core.outgoing.session() as session:
                    await session.post(arguments["url"], b"hello", {})

        await core.jobs.defer("acme-greeting", {"url": "https://example.com"})

    """

    @property
    def name(self) -> str:
        """The name by which it is deferred."""
        ...

    async def run(self, core: "Core", arguments: Mapping[str, Any], /) -> None:
        """Do it.

        Raises:
            TryAgain: It is to be tried again, perhaps not before so many seconds.
            GiveUp: It is not to be tried again.

        """
        ...


@runtime_checkable
class HasRetry(Protocol):
    """A task that states how stubbornly it is tried."""

    @property
    def retry(self) -> Retry:
        """How often, and when."""
        ...


def retry_of(task: Task) -> Retry:
    """Return how stubbornly a task is tried."""
    return task.retry if isinstance(task, HasRetry) else Retry()
