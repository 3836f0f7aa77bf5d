"""Ranges: the parts of a long job that any number of workers do at once, each of them once.

A job that is about many things is cut up when it is begun. A range is done in one transaction,
which holds its row, stores what doing it makes, and notes its outcome with that: a worker that dies
leaves nothing half done, and what it held is free as soon as the database misses it. Nobody deals
ranges out. Who has a place takes the next one that is free, and lets one more worker be asked for;
so as many help as have nothing else to do, and the first that finds nothing left asks for nobody.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs

from energia.convert import dumps
from energia.db.tenant import Queries
from energia.jobs.queue import HELP
from energia.jobs.store import SQL

if TYPE_CHECKING:
    from energia.jobs.kinds import Running

#: A helper does ranges for so many seconds, and then makes room: other jobs wait for its place.
_TURN: Final = 10.0
#: Seconds between two looks at whether others have done the last ranges.
_LOOK: Final = 0.1
#: How many outcomes are in memory at a time.
_PAGE: Final = 500
#: Whatever waits goes before those who help with what has begun.
_AFTER_ALL: Final = -1


@attrs.frozen
class Range:
    """A part of a job.

    Attributes:
        number: Which one, counted from 0.
        ids: The ids of what it is about.

    """

    number: int
    ids: list[str]


#: Does a range with the statements of its transaction. It returns the outcome, which is JSON, and
#: what to do once that is stored.
Do = Callable[[Queries, Range], Awaitable[tuple[object, Callable[[], None]]]]


@attrs.frozen
class _State:
    """How many ranges are not done, and how much is in those that are, and in all."""

    left: int
    done: int
    total: int


@attrs.define
class Ranges:
    """The ranges of a job that is being worked off.

    Attributes:
        job: The job.

    """

    job: "Running"
    _has_called: bool = False

    async def cut(self, sql: str, arguments: Mapping[str, object]) -> None:
        """Cut the job up by a statement that inserts into `job_range`, unless that was done."""
        await self.job.tenant.execute(sql, {**arguments, "job": self.job.id})

    async def work(self, do: Do) -> None:
        """Do ranges until all are done, by this worker or by others; raises `Superseded`."""
        await self._tell()
        while True:
            while await self._one(do):
                await self._tell()
            if not (await self._state()).left:
                return
            await self._tell()
            await asyncio.sleep(_LOOK)

    async def help(self, do: Do) -> None:
        """Do ranges that are free, for a while; the job is another worker's to end."""
        until = time.monotonic() + _TURN
        state = self.job.core.state
        while not state.closing and time.monotonic() < until and await self._one(do):
            pass

    async def outcomes(self) -> AsyncIterator[Mapping[str, Any]]:
        """Yield what the ranges have given, in their order; a few are in memory at a time."""
        arguments = {"job": self.job.id, "after": -1, "limit": _PAGE}
        while page := await self.job.tenant.fetch(_pair, SQL["job_range_outcomes"], arguments):
            for _, outcome in page:
                yield outcome
            arguments["after"] = page[-1][0]

    async def _one(self, do: Do) -> bool:
        """Do a range that is free; tell whether there was one."""
        async with self.job.tenant.transaction() as queries:
            taken = await queries.fetch(Range, SQL["job_range_take"], {"job": self.job.id})
            if not taken:
                return False
            (found,) = taken
            await self._call()
            outcome, stored = await do(queries, found)
            end = {"job": self.job.id, "number": found.number, "outcome": dumps(outcome).decode()}
            await queries.execute(SQL["job_range_end"], end)
        stored()
        return True

    async def _call(self) -> None:
        """Ask for one more worker, if none is asked for and there is something left for it."""
        if self._has_called or (await self._state()).left == 1:
            return
        self._has_called = True
        arguments = {"organization": self.job.tenant.organization, "job": self.job.id}
        once = f"{HELP}:{self.job.id}"
        await self.job.core.jobs.defer(HELP, arguments, once=once, priority=_AFTER_ALL)

    async def _tell(self) -> None:
        """Tell how far the job is, where that was not told for a while."""
        if self.job.is_silent:
            state = await self._state()
            await self.job.progress(state.done, state.total)

    async def _state(self) -> _State:
        (state,) = await self.job.tenant.fetch(_State, SQL["job_range_state"], self.job.id)
        return state


def _pair(number: int, outcome: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]]:
    return number, outcome
