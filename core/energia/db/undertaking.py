"""What a client has asked for, and may no longer wait for.

A request is given up when its client leaves: a statement that waits is cancelled, its connection is
free, and the server ends it (`client_connection_check_interval`); what was begun is rolled back.
But nothing comes between a commit and what follows it: who listens hears of what was stored.
"""

import asyncio
from contextvars import ContextVar
from typing import Any

import attrs


@attrs.define(eq=False)
class Undertaking:
    """What a task does for a client, transaction by transaction.

    Attributes:
        task: The task.
        abandoned: Whether nobody waits for it.
        committing: Whether a commit is under way, or was the last thing that was done.
        deadline: When it must have an answer; None where it need not, or has one.

    """

    task: "asyncio.Task[Any] | None"
    abandoned: bool = False
    committing: bool = False
    deadline: "Deadline | None" = None

    def give_up(self) -> None:
        """Cancel the task; after a commit, not before it begins another transaction."""
        self.abandoned = True
        if self.task is not None and not self.committing:
            self.task.cancel()


class Deadline:
    """When the present task must have an answer: it is cancelled then.

    What `asyncio.timeout` does, at a third of its price: every request has one.
    """

    def __init__(self, seconds: float) -> None:
        """Let the task have so long."""
        task = asyncio.current_task()
        assert task is not None
        self._task, self._before = task, task.cancelling()
        self._passed = self._alone = False
        self._timer = asyncio.get_running_loop().call_later(seconds, self._pass)

    def _pass(self) -> None:
        self._passed = True
        self._task.cancel()

    def lift(self) -> None:
        """Let the task take its time from now on."""
        self._timer.cancel()

    def end(self) -> bool:
        """End it; return whether the task was cancelled by it, and by nobody else."""
        self._timer.cancel()
        if self._passed:
            self._passed = False
            self._alone = self._task.uncancel() <= self._before
        return self._alone


#: What the present task does for a client, if it does anything for one.
CURRENT: ContextVar[Undertaking | None] = ContextVar("undertaking", default=None)


def transaction_begins() -> None:
    """Note that a transaction begins; raises `CancelledError` if nobody waits for it."""
    undertaking = CURRENT.get()
    if undertaking is None:
        return
    undertaking.committing = False
    # A task that a request has begun, and that goes on without it, is none of a client's.
    if undertaking.abandoned and asyncio.current_task() is undertaking.task:
        raise asyncio.CancelledError("nobody waits for this transaction")


def transaction_commits() -> None:
    """Note that a transaction is committed from now on."""
    if (undertaking := CURRENT.get()) is not None:
        undertaking.committing = True
