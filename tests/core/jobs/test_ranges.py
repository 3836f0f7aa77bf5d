"""Ranges of a job: each is done once, by whoever has a place, and counts when it is stored."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pytest

from energia.core import Core
from energia.db.pool import Pool
from energia.db.tenant import Queries, Tenant
from energia.jobs.kinds import HelpTask, JobTask, Running, Superseded
from energia.jobs.queue import TASK
from energia.jobs.ranges import Range, Ranges
from energia.jobs.store import JobStore
from energia.jobs.tasks import Task
from energia.jobs.worker import Worker
from energia.settings import Jobs, Settings
from tests.serving import make_core

#: Ranges of two ids each.
CUT = """
insert into job_range (organization_id, job_id, number, ids, size)
select 1, %(job)s, n, array[n || 'a', n || 'b'], 2
from generate_series(0, %(last)s) n
where not exists (select from job_range where job_id = %(job)s)
"""
#: Who holds a range.
HELD = """
select count(*) from pg_locks where mode = 'RowShareLock' and relation = 'job_range'::regclass
"""
HELPERS = "select count(*) from procrastinate_jobs where task_name = 'job-help'"
QUICK = Settings(jobs=Jobs(heartbeat=1, poll=0.2, grace=0.1))


@pytest.fixture(name="core")
def _core(pool: Pool) -> Core:
    """Give a service that works nothing off by itself."""
    return make_core(pool=pool, settings=QUICK)


@pytest.fixture(name="job")
async def _job(core: Core, tenant: Tenant) -> Running:
    """Give a job that was begun."""
    id_ = await JobStore(tenant, core.jobs).new("note", {})
    await tenant.execute("update job set status = 'running', tries = 1")
    return Running(core, tenant, id_, 1, {})


@attrs.define(eq=False)
class Note:
    """Does ranges by noting them; where it is told to it fails, or waits."""

    name: str = "note"
    done: list[int] = attrs.Factory(list)
    stored: list[int] = attrs.Factory(list)
    fails: list[int] = attrs.Factory(list)
    go: asyncio.Event = attrs.Factory(asyncio.Event)
    last: int = 9

    async def __call__(self, _: Queries, part: Range) -> tuple[object, Callable[[], None]]:
        """Do one."""
        if part.number in self.fails:
            self.fails.remove(part.number)
            raise ValueError("broken")
        await self.go.wait()
        self.done.append(part.number)
        return {"ids": part.ids}, lambda: self.stored.append(part.number)

    async def run(self, job: Running) -> list[Mapping[str, Any]]:
        """Do a job of ten ranges."""
        ranges = Ranges(job)
        await ranges.cut(CUT, {"last": self.last})
        await ranges.work(self)
        return [outcome async for outcome in ranges.outcomes()]

    async def help(self, job: Running) -> None:
        """Do some of them."""
        await Ranges(job).help(self)


async def test_two_workers_do_each_range_once(job: Running) -> None:
    """Both at once; the outcomes are in the order of the ranges, whoever was first."""
    note = Note()
    note.go.set()
    outcomes, _ = await asyncio.gather(note.run(job), note.help(job))

    assert sorted(note.done) == sorted(note.stored) == list(range(10))
    assert outcomes == [{"ids": [f"{n}a", f"{n}b"]} for n in range(10)]


async def test_what_was_done_before_is_not_done_again(job: Running) -> None:
    """One that failed is: nothing of it is stored, and the next worker begins with it."""
    note = Note(fails=[3])
    note.go.set()
    with pytest.raises(ValueError, match="broken"):
        await note.run(job)
    assert note.stored == [0, 1, 2]

    outcomes = await note.run(job)

    assert note.stored == list(range(10))
    assert len(outcomes) == 10


async def test_nobody_does_ranges_of_a_job_that_was_cancelled(job: Running, tenant: Tenant) -> None:
    """Whoever has begun it hears of that, and a helper has nothing to do."""
    note = Note()
    note.go.set()
    await Ranges(job).cut(CUT, {"last": 9})
    await tenant.execute("update job set status = 'cancelled'")
    with pytest.raises(Superseded):
        await note.run(job)
    await note.help(job)

    assert note.done == []


async def test_one_helper_is_asked_for_at_a_time(job: Running, tenant: Tenant) -> None:
    """By a job of many ranges; one of a single range needs nobody."""
    alone = Note(last=0)
    alone.go.set()
    await alone.run(job)
    assert await tenant.fetch(int, HELPERS) == [0]
    await tenant.execute("delete from job_range")

    note = Note()
    note.go.set()
    await asyncio.gather(note.run(job), note.help(job), note.help(job))

    assert await tenant.fetch(int, HELPERS) == [1]


async def test_workers_that_are_idle_help(core: Core, pool: Pool, tenant: Tenant) -> None:
    """As many as have a place, each at another range; the job then ends as any other."""
    note = Note()
    store = JobStore(tenant, core.jobs)
    id_ = await store.new("note", {})
    await store.start(id_)
    tasks: list[Task] = [JobTask([note]), HelpTask([note])]
    async with core.background.running({"jobs": Worker(core, tasks, 3).work}):
        async with asyncio.timeout(30):
            while await tenant.fetch(int, HELD) != [3]:
                await asyncio.sleep(0.01)
            note.go.set()
            while (job := await store.get(id_)).ended_at is None:
                await asyncio.sleep(0.01)

    assert (job.status, job.progress.done, job.progress.total) == ("succeeded", 20, 20)
    assert sorted(note.stored) == list(range(10))


async def test_a_job_that_is_resumed_is_done_anew(job: Running, tenant: Tenant) -> None:
    """By what is stored by then: what its ranges gave is forgotten."""
    note = Note()
    note.go.set()
    await note.run(job)
    await tenant.execute("update job set status = 'cancelled'")
    await JobStore(tenant, job.core.jobs).resume(job.id)
    assert await tenant.fetch(int, "select count(*) from job_range") == [0]
    waiting = f"select count(*) from procrastinate_jobs where task_name = '{TASK}'"
    assert await tenant.fetch(int, waiting) == [1]
