"""Procrastinate on the connections of the service: defers tasks, and works them off.

Its own connectors bring pools of their own, which know nothing of the role that row policies bind,
of a connection pooler, or of our time limits; so it is given one over our pool, which is aiopg's.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import procrastinate
import structlog
from procrastinate import JobContext
from procrastinate.connector import BaseAsyncConnector, Notify
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.exceptions import UniqueViolation as SameLock
from procrastinate.jobs import DeleteJobCondition, Job
from procrastinate.manager import QUEUEING_LOCK_CONSTRAINT, JobManager
from psycopg2.extras import Json

from energia.contract import HasPeriod
from energia.convert import dumps
from energia.db.pool import Pool
from energia.db.tenant import Queries
from energia.errors import EnergiaError, UniqueViolation
from energia.jobs.tasks import GiveUp, Retry, Task, TryAgain, retry_of
from energia.redact import redacted

if TYPE_CHECKING:
    from energia.core import Core

log = structlog.get_logger(__name__)
# It logs every step of every job, and a failure with a traceback; we say what matters ourselves.
logging.getLogger("procrastinate").setLevel(logging.CRITICAL)

#: Seconds between two looks at whether the service closes.
_TICK: Final = 0.25
#: A worker that has not been heard of for so many heartbeats is dead.
_MISSED: Final = 3
#: For so many hours the rows of tasks that were given up are kept.
_KEPT_HOURS: Final = 24 * 7
_LONGEST: Final = 500


class Connector(BaseAsyncConnector):
    """Runs Procrastinate's statements on a pool, or in a transaction that is handed over."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._tenant = pool.everywhere("jobs")

    async def open_async(self, pool: object = None) -> None:
        """Do nothing: the pool is the service's."""

    async def close_async(self) -> None:
        """Do nothing: the pool is the service's."""

    async def execute_query_async(self, query: str, **arguments: Any) -> None:
        """Run a statement."""
        await _records(self._tenant, query, arguments)

    async def execute_query_one_async(self, query: str, **arguments: Any) -> dict[str, Any]:
        """Return the first row of a statement."""
        return (await _records(self._tenant, query, arguments))[0]

    async def execute_query_all_async(self, query: str, **arguments: Any) -> list[dict[str, Any]]:
        """Return the rows of a statement."""
        return await _records(self._tenant, query, arguments)

    async def execute_query_all_async_with_connection(
        self, connection: Queries, query: str, **arguments: Any
    ) -> list[dict[str, Any]]:
        """Return the rows of a statement of somebody's transaction."""
        return await _records(connection, query, arguments)

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Pass on what the server notifies of."""
        try:
            async for channel, payload in self._pool.notifications(channels):
                await on_notification(channel=channel, payload=payload)
        except EnergiaError as error:
            raise ConnectorException(error.detail) from error


async def _records(
    queries: Queries, query: str, arguments: Mapping[str, Any]
) -> list[dict[str, Any]]:
    adapted = {name: _adapted(value) for name, value in arguments.items()}
    try:
        return await queries.records(query, adapted)
    except UniqueViolation as error:
        if QUEUEING_LOCK_CONSTRAINT not in error.detail:
            raise
        raise SameLock(constraint_name=QUEUEING_LOCK_CONSTRAINT, queueing_lock="") from error
    except EnergiaError as error:
        raise ConnectorException(error.detail) from error


def _adapted(value: Any) -> Any:
    """Return a value as psycopg2 writes it: objects as JSON, tuples as rows."""
    if isinstance(value, dict):
        return Json(value, dumps=lambda it: dumps(it).decode())
    if isinstance(value, list | tuple):
        adapted = map(_adapted, value)
        return list(adapted) if isinstance(value, list) else tuple(adapted)
    return value


class Jobs:
    """Defers tasks: what is deferred waits in the database until a worker takes it up."""

    def __init__(self, pool: Pool) -> None:
        """Defer to the database of *pool*."""
        self._manager = JobManager(Connector(pool))

    async def defer(  # noqa: PLR0913 - what is done, when, and beside what
        self,
        task: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        queries: Queries | None = None,
        at: datetime | None = None,
        lock: str | None = None,
        once: str | None = None,
        priority: int = 0,
    ) -> int | None:
        """Let a task be done by a worker; return the number of what waits.

        Args:
            task: The name of the task.
            arguments: What it is given: JSON.
            queries: A transaction in which it is deferred: with what it is about, or not at all.
            at: When; now without.
            lock: Of those with the same lock one is done at a time, in their order.
            once: If another one with this name waits already, nothing is done and None returned;
                not within a transaction, which that would end.
            priority: Those with a higher one go before.

        """
        if once is not None and queries is not None:
            raise ValueError("`once` cannot be asked for within a transaction")
        job = Job(
            queue="default",
            lock=lock,
            queueing_lock=once,
            task_name=task,
            task_kwargs=dict(arguments or {}),
            scheduled_at=at,
            priority=priority,
        )
        try:
            return (await self._manager.defer_job_async(job, connection=queries)).id
        except AlreadyEnqueued:
            return None

    async def cancel(self, number: int, queries: Queries) -> None:
        """Take back what waits, or let whoever does it be told to stop."""
        cancel = procrastinate_sql("cancel_job")
        await queries.records(cancel, {"job_id": number, "abort": True, "delete_job": False})


def procrastinate_sql(name: str) -> str:
    """Return a statement of Procrastinate's, by its name."""
    from procrastinate import sql

    return sql.queries[name]


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


class Worker:
    """Works off what was deferred, by the tasks of one process."""

    def __init__(self, core: "Core", tasks: Iterable[Task], concurrency: int) -> None:
        """Prepare to do *tasks*, so many at once."""
        self._core, self._concurrency = core, concurrency
        self._settings = core.settings.jobs
        self._app = procrastinate.App(connector=Connector(core.pool))
        self._tasks = {task.name: task for task in tasks}
        for task in self._tasks.values():
            strategy = _Strategy(core, retry_of(task))
            register = self._app.task(name=task.name, pass_context=True, retry=strategy)
            register(_function(partial(self._run, task)))

    async def work(self) -> None:
        """Do what is due until the service closes, which ends within `jobs.grace`."""
        await self._begin()
        worker = asyncio.create_task(self._work())
        rescue = asyncio.create_task(self._rescue())
        try:
            while not (self._core.state.closing or worker.done() or rescue.done()):
                await asyncio.wait({worker, rescue}, timeout=_TICK, return_when="FIRST_COMPLETED")
        finally:
            rescue.cancel()
            worker.cancel()
            await asyncio.wait({worker, rescue})
        for ended in (worker, rescue):
            if not ended.cancelled() and (error := ended.exception()) is not None:
                raise error

    async def _work(self) -> None:
        settings = self._settings
        await self._app.run_worker_async(
            concurrency=self._concurrency,
            install_signal_handlers=False,
            fetch_job_polling_interval=settings.poll,
            abort_job_polling_interval=settings.poll,
            update_heartbeat_interval=settings.heartbeat,
            stalled_worker_timeout=_MISSED * settings.heartbeat,
            shutdown_graceful_timeout=settings.grace,
            delete_jobs=DeleteJobCondition.SUCCESSFUL,
        )

    async def _begin(self) -> None:
        """Let the tasks that are done again and again be done a first time."""
        for task in self._tasks.values():
            if isinstance(task, HasPeriod):
                await self._core.jobs.defer(task.name, once=task.name, lock=task.name)

    async def _rescue(self) -> None:
        """Let what dead workers have left undone be done again, and old rows go."""
        manager, silent = self._app.job_manager, _MISSED * self._settings.heartbeat
        while True:
            for job in await manager.get_stalled_jobs(seconds_since_heartbeat=silent):
                log.warning("task_resumed", task=job.task_name, reason="its worker is gone")
                with suppress(ConnectorException):  # another worker was first
                    await manager.retry_job(job, retry_at=self._core.clock.now())
            await manager.prune_stalled_workers(silent)
            await manager.delete_old_jobs(
                _KEPT_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
            )
            await asyncio.sleep(self._settings.heartbeat)

    async def _run(self, task: Task, context: JobContext, /, **arguments: Any) -> None:
        """Do one thing; one that is done again and again is deferred for the next time."""
        tries = context.job.attempts + 1
        try:
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
