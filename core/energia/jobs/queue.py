"""What defers tasks: Procrastinate's queue, on the connections of the service.

Its own connectors bring pools of their own, which know nothing of the role that row policies bind,
of a connection pooler, or of our time limits; so it is given one over our pool, which is aiopg's.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import structlog
from procrastinate import sql
from procrastinate.connector import BaseAsyncConnector, Notify
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.exceptions import UniqueViolation as SameLock
from procrastinate.jobs import Job
from procrastinate.manager import (
    QUEUEING_LOCK_CONSTRAINT,
    JobManager,
    get_channel_for_queues,
)

from energia import tracing
from energia.convert import dumps
from energia.db.pool import Pool
from energia.db.tenant import Queries
from energia.errors import EnergiaError, UniqueViolation

# It logs every step of every job, and a failure with a traceback; we say what matters ourselves.
logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
log = structlog.get_logger(__name__)

#: Seconds until the database is listened to again where that has ended.
_PAUSE: Final = 1.0


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
        """Pass on what the server notifies of, on a new connection where the old one is lost."""
        del channels  # one of each task, and one of all: to listen to is a round trip each
        while True:
            try:
                async for channel, payload in self._pool.notifications(get_channel_for_queues()):
                    await on_notification(channel=channel, payload=payload)
            except EnergiaError as error:
                log.info("not_notified", reason=error.detail)
            await asyncio.sleep(_PAUSE)


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
    """Return a value as the driver writes it: objects as JSON, tuples as rows."""
    if isinstance(value, dict):
        return dumps(value).decode()
    if isinstance(value, list | tuple):
        adapted = map(_adapted, value)
        return list(adapted) if isinstance(value, list) else tuple(adapted)
    return value


#: The task that works a job off, and the one that helps with a job that is cut up.
TASK: Final = "job"
HELP: Final = "job-help"
#: Tasks that may take hours, as clients have begun them: they have places of their own, so that
#: they hold up nothing else.
LONG: Final = frozenset({TASK, HELP})
#: The argument in which a task has the headers of the trace that it goes on from.
TRACE: Final = "_trace"


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

        Raises:
            DatabaseAway: There is no database; or what else it says of the statement.

        """
        if once is not None and queries is not None:
            raise ValueError("`once` cannot be asked for within a transaction")
        trace: Any = {TRACE: dict(headers)} if (headers := tracing.headers()) else {}
        job = Job(
            # A worker looks for what it knows: another release's tasks are left to that one.
            queue=task,
            lock=lock,
            queueing_lock=once,
            task_name=task,
            task_kwargs={**(arguments or {}), **trace},
            scheduled_at=at,
            priority=priority,
        )
        try:
            return (await self._manager.defer_job_async(job, connection=queries)).id
        except AlreadyEnqueued:
            return None
        except ConnectorException as error:
            if isinstance(error.__cause__, EnergiaError):
                raise error.__cause__ from None
            raise

    async def cancel(self, number: int, queries: Queries) -> None:
        """Take back what waits, or let whoever does it be told to stop."""
        cancel = {"job_id": number, "abort": True, "delete_job": False}
        await queries.records(sql.queries["cancel_job"], cancel)
