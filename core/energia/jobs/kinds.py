"""What works a job off: begins it, tells how far it is, and ends it once."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeVar, runtime_checkable

import attrs
import structlog

from energia.convert import dumps, structure
from energia.db.tenant import Limits, Queries, Tenant
from energia.errors import EnergiaError, NotFound
from energia.jobs.models import JobProblem
from energia.jobs.queue import HELP, TASK, Jobs
from energia.jobs.store import SQL, JobStore
from energia.jobs.tasks import GiveUp, Retry

if TYPE_CHECKING:
    from energia.core import Core

T = TypeVar("T")
log = structlog.get_logger(__name__)

#: How often a job is begun at most until it is resumed: also where workers stop, as they do with
#: every release.
_TRIES: Final = 20
#: Seconds between two times that a job tells how far it is.
_TELLS: Final = 0.5

#: For so many hours the rows of tasks are kept that were given up.
_KEPT_HOURS: Final = 24 * 7
#: So many jobs, each with a file, are let go at a time; and so many tasks.
_FEW, _MANY = 10, 10_000


class Superseded(Exception):
    """The job was cancelled, or another worker has begun it since."""


class Kind(Protocol):
    """What jobs of one kind do.

    It may be begun again where it was left: it must bear to be repeated.
    """

    @property
    def name(self) -> str:
        """What jobs of this kind are called."""
        ...

    async def run(self, job: "Running", /) -> object:
        """Do it and return what it has given: what the answer to its request would have been."""
        ...


@runtime_checkable
class Helped(Kind, Protocol):
    """A kind whose jobs are cut up (`energia.jobs.ranges`): several workers do one at once."""

    async def help(self, job: "Running", /) -> None:
        """Do part of a job that another worker has begun, and will end."""
        ...


@attrs.define(eq=False)
class Running:
    """A job that is being worked off.

    Attributes:
        core: The service.
        tenant: The database as the caller sees it that began the job.
        id: The id of the job.
        tries: How often it was begun, this time included.

    """

    core: "Core"
    tenant: Tenant
    id: str
    tries: int
    _request: Mapping[str, Any]
    #: Set when nobody waits for it any more: its threads end.
    stopped: threading.Event = attrs.Factory(threading.Event)
    _ended: bool = False
    _told: float = 0.0
    #: How far it has come, told or not, and how much there is.
    _far: tuple[int | None, int | None] = (None, None)

    @classmethod
    def of(cls, core: "Core", organization: int, id_: str, row: "_Begun") -> Self:
        """Return a job that was begun, or joined, with the database as its caller sees it."""
        tenant = core.pool.tenant(
            organization, row.caller, row.limited, name=row.name, request=f"job:{id_}"
        )
        return cls(core, tenant, id_, row.tries, row.request)

    @property
    def store(self) -> JobStore:
        """The rows of jobs."""
        return JobStore(self.tenant, Jobs(self.core.pool))

    def request(self, type_: type[T]) -> T:
        """Return what was asked for."""
        return structure(self._request, type_)

    async def progress(self, done: int, total: int | None) -> None:
        """Tell how far the job is; raises `Superseded`."""
        self._far = (done, total)
        if not self.is_silent:
            return
        self._told = time.monotonic()
        row = {"id": self.id, "tries": self.tries, "done": done, "total": total}
        if not await self.tenant.fetch(bool, SQL["job_progress"], row):
            raise Superseded

    @property
    def is_silent(self) -> bool:
        """Whether it was not told for a while how far the job is."""
        return time.monotonic() - self._told >= _TELLS

    async def finish(self, queries: Queries, result: object) -> None:
        """End the job in a transaction of its own making: with all that it does, or not at all.

        Raises:
            Superseded: Nothing of the transaction may stay.

        """
        await self._end(queries, "succeeded", result=dumps(result).decode())
        self._ended = True

    @property
    def has_finished(self) -> bool:
        """Whether it has ended itself, in a transaction that may still go on."""
        return self._ended

    async def done(self, result: object) -> None:
        """End the job, unless it has ended itself."""
        if not self._ended:
            await self._end(self.tenant, "succeeded", result=dumps(result).decode())

    async def failed(self, error: EnergiaError) -> None:
        """End the job without success."""
        problem = JobProblem.of(error, self.core.settings.limits.problems)
        await self._end(self.tenant, "failed", problem=dumps(problem).decode())

    async def _end(
        self, queries: Queries, status: str, result: str | None = None, problem: str | None = None
    ) -> None:
        done, total = self._far
        if status == "succeeded" and total is not None:
            done = total
        row = {
            "id": self.id,
            "tries": self.tries,
            "status": status,
            "result": result,
            "problem": problem,
            "done": done,
            "total": total,
        }
        if not await queries.fetch(bool, SQL["job_end"], row):
            raise Superseded

    # The file of the job.

    def blocks(self, tell: Callable[[int], None] = lambda _: None) -> Iterator[bytes]:
        """Yield the file that came with the request, for a worker thread.

        *tell* is told, in that thread, how many parts of it were read.
        """
        loop = asyncio.get_running_loop()

        def parts() -> Iterator[bytes]:
            number = 0
            while (part := self._awaited(loop, number)) is not None:
                number += 1
                tell(number)
                yield part

        return parts()

    def _awaited(self, loop: asyncio.AbstractEventLoop, number: int) -> bytes | None:
        """Return a part of the file to a thread, which must not outlive the job."""
        part = asyncio.run_coroutine_threadsafe(self.store.part(self.id, number), loop)
        while not self.stopped.is_set():
            with suppress(TimeoutError):
                return part.result(timeout=_TELLS)
        raise Superseded

    async def count_parts(self) -> int:
        """Return how many parts the file has."""
        (count,) = await self.tenant.fetch(int, SQL["job_parts_count"], self.id)
        return count

    async def put_part(self, number: int, data: bytes) -> None:
        """Keep a part of the file that the job gives; raises `Superseded`."""
        if not await self.store.put_part(self.id, number, data, self.tries):
            raise Superseded

    async def forget_file(self, queries: Queries) -> None:
        """Let the file go: the one that came with the request, or what a try before has written."""
        await queries.execute(SQL["job_parts_delete"], {"id": self.id, "tries": self.tries})


class JobTask:
    """The task that works jobs off."""

    name = TASK
    retry = Retry(first=1, most=60, tries=None)

    def __init__(self, kinds: Iterable[Kind]) -> None:
        """Know the kinds of jobs."""
        self._kinds = {kind.name: kind for kind in kinds}

    async def run(self, core: "Core", arguments: Mapping[str, Any]) -> None:
        """Work a job off; one that has ended meanwhile is left alone."""
        organization, id_ = arguments["organization"], arguments["job"]
        begun = await core.pool.tenant(organization).fetch(_Begun, SQL["job_begin"], id_)
        if not begun:
            return
        (row,) = begun
        job = Running.of(core, organization, id_, row)
        try:
            await self._run(job, row.kind, row.attempts)
        except Superseded:
            log.info("job_superseded", job=id_, kind=row.kind)
        finally:
            job.stopped.set()

    async def _run(self, job: Running, kind: str, attempts: int) -> None:
        log.info("job_begun", job=job.id, kind=kind, tries=job.tries)
        if attempts >= _TRIES:  # each of them has ended its worker
            await job.failed(_again_and_again())
            return
        is_last = attempts + 1 >= _TRIES
        try:
            if kind not in self._kinds:
                raise NotFound(f"there is no kind of job {kind!r}")
            await job.done(await self._kinds[kind].run(job))
        except Superseded:
            raise
        except EnergiaError as error:
            if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not is_last:
                raise
            await job.failed(error)
        except Exception as error:
            if not is_last:
                raise
            await job.failed(_again_and_again())
            raise GiveUp from error
        log.info("job_ended", job=job.id, kind=kind)


class HelpTask:
    """The task that helps with a job which another worker has begun."""

    name = HELP
    retry = Retry(first=1, most=60, tries=5)

    def __init__(self, kinds: Iterable[Kind]) -> None:
        """Know the kinds of jobs."""
        self._kinds: dict[str, Helped] = {}
        for kind in kinds:
            if isinstance(kind, Helped):
                self._kinds[kind.name] = kind

    async def run(self, core: "Core", arguments: Mapping[str, Any]) -> None:
        """Do part of a job; one that has ended meanwhile is left alone."""
        organization, id_ = arguments["organization"], arguments["job"]
        tenant = core.pool.tenant(organization)
        for row in await tenant.fetch(_Begun, SQL["job_join"], id_):
            if row.kind in self._kinds:
                await self._kinds[row.kind].help(Running.of(core, organization, id_, row))


def _again_and_again() -> EnergiaError:
    return EnergiaError("it failed again and again; the log says why")


@attrs.frozen
class _Begun:
    """A job that was begun, in the order of the columns of `job_begin` and `job_join`."""

    kind: str
    caller: str
    name: str
    limits: Mapping[str, Any] | None
    request: Mapping[str, Any]
    tries: int
    #: How often it was begun before, since it was asked for or resumed.
    attempts: int

    @property
    def limited(self) -> Limits | None:
        """The limits of the caller."""
        if self.limits is None:
            return None
        ids = {name: frozenset(given) for name, given in self.limits.items()}
        return Limits(self.caller, ids.get("sites"), ids.get("meters"))


class JobRetention:
    """Lets jobs go that ended long ago, with their files, and tasks that were given up."""

    name = "job-retention"
    period = 3600.0

    async def run(self, core: "Core", _: Mapping[str, Any]) -> None:
        """Delete them, of all organizations: a few at a time, each time within its time limit."""
        everywhere = core.pool.everywhere()
        jobs = {"retention": core.settings.jobs.retention, "limit": _FEW}
        while await everywhere.execute(SQL["job_expire"], jobs):
            pass
        tasks = {"hours": _KEPT_HOURS, "limit": _MANY}
        while await everywhere.execute(SQL["task_expire"], tasks):
            pass
