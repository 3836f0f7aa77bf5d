"""The worker: does what was deferred, again where it fails or another worker has died."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import procrastinate
import structlog
from procrastinate import JobContext
from procrastinate.exceptions import ConnectorException
from procrastinate.exceptions import UniqueViolation as SameLock
from procrastinate.jobs import DeleteJobCondition, Job, Status
from procrastinate.manager import JobManager

from energia import tracing
from energia.contract import HasPeriod
from energia.db.queries import load
from energia.errors import EnergiaError
from energia.jobs.queue import LONG, TRACE, Connector
from energia.jobs.tasks import GiveUp, Retry, Task, TryAgain, retry_of
from energia.redact import redacted
from energia.settings import MISSED_HEARTBEATS
from energia.work import staying

if TYPE_CHECKING:
    from energia.core import Core

log = structlog.get_logger(__name__)

SQL: Final = load(__package__)
#: Seconds between two looks at whether the service closes.
_TICK: Final = 0.25
_LONGEST: Final = 500


class _Strategy(procrastinate.BaseRetryStrategy):
    """Says when to try a task again."""

    def __init__(self, core: "Core", retry: Retry) -> None:
        self._core, self._retry = core, retry

    def get_retry_decision(
        self, *, exception: BaseException, job: Job
    ) -> procrastinate.RetryDecision | None:
        """Return when, or None for never."""
        now = self._core.clock.now()
        if isinstance(exception, asyncio.CancelledError):  # this worker stops: another goes on
            return procrastinate.RetryDecision(retry_at=now)
        most = self._retry.tries
        if isinstance(exception, GiveUp) or (most is not None and job.attempts + 1 >= most):
            return None
        wanted = exception.after if isinstance(exception, TryAgain) else 0.0
        pause = self._retry.pause(job.attempts + 1, wanted)
        return procrastinate.RetryDecision(retry_at=now + timedelta(seconds=pause))


class _Manager(JobManager):
    """Ends what a worker has done, and only what is still its own.

    Whoever was late finds another one at it: each try counts, and the row of a later one is let be.
    An end that the database does not take is owed, and said again with the next heartbeat: the row
    of a worker that lives would be taken up by nobody.
    """

    def __init__(self, connector: Connector) -> None:
        super().__init__(connector)
        self._owed: list[Callable[[], Awaitable[None]]] = []

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """End a task for good."""
        await self._said(partial(self._end, job, status, delete_job))

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Let a task wait again."""
        await self._said(partial(self.again, job, retry_at))

    async def update_heartbeat(self, worker_id: int) -> None:
        """Say that the worker lives; the next time, where the database is away."""
        try:
            await super().update_heartbeat(worker_id)
        except ConnectorException as error:
            log.warning("heartbeat_missed", reason=str(error))

    async def again(self, job: Job, at: datetime | None) -> None:
        """Let a task wait again; one of which another waits already is ended instead."""
        again = {"id": job.id, "attempts": job.attempts, "at": at}
        try:
            await self.connector.execute_query_all_async(SQL["task_again"], **again)
        except SameLock:
            await self._end(job, Status.ABORTED, True)

    async def say_owed(self) -> None:
        """Say once more what the database did not take."""
        owed, self._owed = self._owed, []
        for say in owed:
            await self._said(say)

    async def _end(self, job: Job, status: Status, delete: bool) -> None:
        end = {"id": job.id, "attempts": job.attempts, "status": status.value, "delete": delete}
        await self.connector.execute_query_all_async(SQL["task_end"], **end)

    async def _said(self, say: Callable[[], Awaitable[None]]) -> None:
        try:
            await say()
        except ConnectorException as error:
            log.warning("task_end_owed", reason=str(error))
            self._owed.append(say)


class Worker:
    """Works off what was deferred, by the tasks of one process."""

    def __init__(self, core: "Core", tasks: Iterable[Task], concurrency: int) -> None:
        """Prepare to do *tasks*, so many at once."""
        self._core, self._concurrency = core, concurrency
        self._settings = core.settings.jobs
        connector = Connector(core.pool)
        self._app = procrastinate.App(connector=connector)
        self._app.job_manager = self._manager = _Manager(connector)
        self._tasks = {task.name: task for task in tasks}
        for task in self._tasks.values():
            strategy = _Strategy(core, retry_of(task))
            register = self._app.task(name=task.name, pass_context=True, retry=strategy)
            register(_function(partial(self._run, task)))

    async def work(self) -> None:
        """Do what is due until the service closes, which ends within `jobs.grace`.

        While the database is away it waits.
        """
        while not self._core.state.closing:
            try:
                return await self._work_off()
            except (ConnectorException, EnergiaError) as error:
                log.warning("worker_waits", reason=redacted(str(error)))
            await asyncio.sleep(self._settings.poll * random.uniform(0.5, 1.0))  # noqa: S311

    async def _work_off(self) -> None:
        """Do what is due until the service closes; raises where the database is away."""
        await self._begin()
        tasks = {asyncio.create_task(self._work(queues)) for queues in self._queues() if queues}
        tasks.add(asyncio.create_task(self._rescue()))
        try:
            while not (self._core.state.closing or any(task.done() for task in tasks)):
                await asyncio.wait(tasks, timeout=_TICK, return_when="FIRST_COMPLETED")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        # Of all, whichever is told: one that nobody asked for is logged with a traceback.
        errors = [task.exception() for task in tasks if not task.cancelled()]
        if failed := [error for error in errors if error is not None]:
            raise failed[0]
        if not self._core.state.closing:
            raise RuntimeError("the worker has stopped by itself")

    def _queues(self) -> tuple[list[str], list[str]]:
        """Return what may take hours, and what is short: the one never holds the other up."""
        long = [name for name in self._tasks if name in LONG]
        return long, [name for name in self._tasks if name not in LONG]

    async def _work(self, queues: list[str]) -> None:
        """Do what is due of some queues, so many at once."""
        settings = self._settings
        await self._app.run_worker_async(
            queues=queues,
            concurrency=self._concurrency,
            install_signal_handlers=False,
            fetch_job_polling_interval=settings.poll,
            abort_job_polling_interval=settings.poll,
            update_heartbeat_interval=settings.heartbeat,
            stalled_worker_timeout=MISSED_HEARTBEATS * settings.heartbeat,
            shutdown_graceful_timeout=settings.grace,
            delete_jobs=DeleteJobCondition.SUCCESSFUL,
        )

    async def _begin(self) -> None:
        """Let the tasks that are done again and again be done a first time."""
        for task in self._tasks.values():
            if isinstance(task, HasPeriod):
                await self._core.jobs.defer(task.name, once=task.name, lock=task.name)

    async def _rescue(self) -> None:
        """Let what dead workers have left undone be done again."""
        manager, silent = self._manager, MISSED_HEARTBEATS * self._settings.heartbeat
        while True:
            await manager.say_owed()
            for job in await manager.get_stalled_jobs(seconds_since_heartbeat=silent):
                log.warning("task_resumed", task=job.task_name, reason="its worker is gone")
                await manager.again(job, None)
            await manager.prune_stalled_workers(silent)
            await asyncio.sleep(self._settings.heartbeat)

    async def _run(self, task: Task, context: JobContext, /, **arguments: Any) -> None:
        """Do one thing; one that is done again and again is deferred for the next time."""
        tries, trace = context.job.attempts + 1, arguments.pop(TRACE, {})
        if isinstance(task, HasPeriod):  # each round is a trace: else one would never end
            trace = {}
        said: dict[str, tracing.Attribute] = {"energia.task": task.name, "energia.tries": tries}
        try:
            span = tracing.span(f"task {task.name}", said, kind="consumer", headers=trace)
            with span, staying():
                await task.run(self._core, arguments)
        except Exception as error:
            reason = redacted(f"{type(error).__name__}: {error}")[:_LONGEST]
            log.warning("task_failed", task=task.name, tries=tries, reason=reason)
            if not isinstance(task, HasPeriod):
                raise
        if isinstance(task, HasPeriod):
            due = self._core.clock.now() + timedelta(seconds=task.period)
            await self._core.jobs.defer(task.name, at=due, once=task.name, lock=task.name)


def _function(run: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Return *run* as what Procrastinate takes for a coroutine function."""

    async def do(*arguments: Any, **named: Any) -> None:
        await run(*arguments, **named)

    return do
