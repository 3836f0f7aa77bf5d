"""The rows of jobs: made with what they wait for, cancelled and resumed as a whole."""

import asyncio
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import attrs

from energia.convert import dumps, structure
from energia.db.queries import load
from energia.db.tenant import Queries, Tenant
from energia.errors import Conflict, NotFound
from energia.ids import new_id
from energia.jobs.models import Job, JobProblem, JobProgress, JobStatus
from energia.jobs.queue import TASK, Jobs

SQL: Final = load(__package__)
#: So well is a part of a file compressed: as fast as it comes.
_LEVEL: Final = 1


class JobEnded(Conflict):
    """The job has ended."""

    code = "job_ended"


class NotResumable(Conflict):
    """The job has not ended before its end."""

    code = "job_not_resumable"


@attrs.frozen
class JobStore:
    """The jobs of one organization.

    Attributes:
        tenant: The database.
        jobs: What lets tasks be done.

    """

    tenant: Tenant
    jobs: Jobs

    async def new(self, kind: str, request: object) -> str:
        """Note what is asked for and return its id; it waits for nobody until `start`."""
        tenant = self.tenant
        row = {
            "id": new_id(),
            "kind": kind,
            "caller": tenant.caller,
            "name": tenant.name,
            "limits": self._limits,
            "request": dumps(request).decode(),
        }
        await self.tenant.execute(SQL["job_new"], row)
        return str(row["id"])

    @property
    def _limits(self) -> str | None:
        """The sites and meters that the caller sees, as they are kept; None for all."""
        if (limits := self.tenant.limits) is None:
            return None
        both = {"sites": limits.sites, "meters": limits.meters}
        return dumps({name: sorted(ids) for name, ids in both.items() if ids is not None}).decode()

    async def start(self, id_: str) -> None:
        """Let a job wait for a worker."""
        async with self.tenant.transaction() as queries:
            await self._wait(queries, id_)

    async def get(self, id_: str, caller: str | None = None) -> Job:
        """Return a job, of *caller* if one is given; raises `NotFound`.

        Who is limited finds only what was begun with the same limits.
        """
        wanted = {"id": id_, "caller": caller, "limits": self._limits}
        found = await self.tenant.fetch(_job, SQL["job_get"], wanted)
        if not found:
            raise NotFound(f"there is no job {id_!r}")
        return found[0]

    async def list(
        self,
        caller: str | None,
        status: JobStatus | None,
        kind: str | None,
        before: str | None,
        limit: int,
    ) -> list[Job]:
        """Return some jobs, the newest first, of *caller* if one is given."""
        wanted = {
            "caller": caller,
            "limits": self._limits,
            "status": status,
            "kind": kind,
            "before": before,
            "limit": limit,
        }
        return await self.tenant.fetch(_job, SQL["job_list"], wanted)

    async def cancel(self, id_: str) -> None:
        """End a job before its end: what it has not done yet it will not do.

        Raises:
            JobEnded: It has ended.

        """
        async with self.tenant.transaction() as queries:
            status, task = await self._held(queries, id_)
            if status not in ("waiting", "running"):
                raise JobEnded(f"the job has ended: {status}")
            await queries.execute(SQL["job_cancel"], id_)
            await self.jobs.cancel(task, queries)

    async def resume(self, id_: str) -> None:
        """Let a job that failed or was cancelled go on.

        Raises:
            NotResumable: It has neither failed nor was it cancelled.

        """
        async with self.tenant.transaction() as queries:
            status, _ = await self._held(queries, id_)
            if status not in ("failed", "cancelled"):
                raise NotResumable(f"the job is {status}")
            # What it has done it does anew, by what is stored now: days may have passed.
            await queries.execute(SQL["job_range_delete"], id_)
            await self._wait(queries, id_)

    async def _held(self, queries: Queries, id_: str) -> tuple[JobStatus, int]:
        (held,) = await queries.fetch(_held, SQL["job_hold"], id_)
        return held

    async def _wait(self, queries: Queries, id_: str) -> None:
        arguments = {"organization": self.tenant.organization, "job": id_}
        # Of one job one worker at a time: who was told to stop may still be at it.
        task = await self.jobs.defer(TASK, arguments, queries=queries, lock=f"job:{id_}")
        await queries.execute(SQL["job_wait"], {"id": id_, "task": task})

    # The file of a job, in parts.

    async def put_part(self, id_: str, number: int, data: bytes, tries: int = 0) -> bool:
        """Keep a part of a file, counted from 0; tell whether the job is still in that try."""
        packed = await asyncio.to_thread(zlib.compress, data, _LEVEL)
        part = {"id": id_, "number": number, "bytes": packed, "tries": tries}
        return await self.tenant.execute(SQL["job_part_put"], part) > 0

    async def part(self, id_: str, number: int) -> bytes | None:
        """Return a part of a file, or None after the last."""
        found = await self.tenant.fetch(zlib.decompress, SQL["job_part_get"], id_, number)
        return found[0] if found else None

    async def forget(self, id_: str) -> None:
        """Let a job go whose file did not come."""
        await self.tenant.execute(SQL["job_delete"], id_)


def _held(status: JobStatus, task: int | None) -> tuple[JobStatus, int]:
    return status, task or 0


def _job(  # noqa: PLR0913, PLR0917 - the columns of a row
    id_: str,
    kind: str,
    caller: str,
    status: JobStatus,
    tries: int,
    done: int,
    total: int | None,
    result: Mapping[str, Any] | None,
    problem: Mapping[str, Any] | None,
    created_at: datetime,
    started_at: datetime | None,
    ended_at: datetime | None,
) -> Job:
    return Job(
        id=id_,
        kind=kind,
        status=status,
        progress=JobProgress(done, total),
        tries=tries,
        result=result,
        problem=None if problem is None else structure(problem, JobProblem),
        created_by=caller,
        created_at=created_at,
        started_at=started_at,
        ended_at=ended_at,
    )
