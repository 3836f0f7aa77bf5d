"""Tasks: deferred, done by one of many workers, tried again, and followed where a worker dies."""

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import attrs
import pytest
from structlog.testing import capture_logs

from energia.core import Core
from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.errors import DatabaseAway
from energia.jobs.tasks import GiveUp, Retry, Task, TryAgain
from energia.jobs.worker import Worker
from energia.settings import Database, Jobs, Settings
from tests.serving import make_core

QUICK = Settings(jobs=Jobs(heartbeat=1, poll=0.2, grace=0.1))
COUNT = "select count(*) from procrastinate_jobs where status = %s"
LISTENING = "from pg_stat_activity where query like 'listen %' and datname = current_database()"


@attrs.define(eq=False)
class Note:
    """Notes what it is given, and fails as often as it is told."""

    name: str = "note"
    fails: list[BaseException] = attrs.Factory(list)
    done: list[Mapping[str, Any]] = attrs.Factory(list)
    retry: Retry = attrs.Factory(lambda: Retry(first=0.01, most=0.01, tries=3))

    async def run(self, _: Core, arguments: Mapping[str, Any]) -> None:
        """Fail, or note."""
        if self.fails:
            raise self.fails.pop(0)
        self.done.append(arguments)


@attrs.define(eq=False)
class Long:
    """Goes on until it is let go."""

    name: str = "long"
    begun: int = 0
    ended: int = 0
    go: asyncio.Event = attrs.Factory(asyncio.Event)

    async def run(self, _: Core, __: Mapping[str, Any]) -> None:
        """Wait."""
        self.begun += 1
        await self.go.wait()
        self.ended += 1


@attrs.define(eq=False)
class Tick:
    """Is done again and again."""

    name: str = "tick"
    period: float = 0.01
    fails: bool = False
    count: int = 0

    async def run(self, _: Core, __: Mapping[str, Any]) -> None:
        """Count."""
        self.count += 1
        if self.fails:
            raise ValueError("broken")


@asynccontextmanager
async def worker(pool: Pool, *tasks: Task, concurrency: int = 2) -> AsyncIterator[Core]:
    """Let a worker do tasks."""
    core = make_core(pool=pool, settings=QUICK)
    async with core.background.running({"jobs": Worker(core, tasks, concurrency).work}):
        yield core


async def until(true: Any) -> None:
    """Wait for something to be true."""
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.01)


async def until_counted(tenant: Tenant, status: str, count: int) -> None:
    """Wait until so many have a status."""
    async with asyncio.timeout(30):
        while await tenant.fetch(int, COUNT, status) != [count]:
            await asyncio.sleep(0.01)


async def until_listening(tenant: Tenant, but: int = 0) -> int:
    """Wait until a worker is told by the database, on another connection than *but*; return it."""
    async with asyncio.timeout(30):
        while not (found := await tenant.fetch(int, f"select pid {LISTENING} and pid <> {but}")):
            await asyncio.sleep(0.01)
    return found[0]


async def test_what_is_deferred_is_done(pool: Pool) -> None:
    """With what it was given, and what waited before the worker came is done too."""
    note = Note()
    await make_core(pool=pool).jobs.defer("note", {"n": 1})
    async with worker(pool, note) as core:
        await core.jobs.defer("note", {"n": 2, "deep": {"list": [1]}})
        await until(lambda: len(note.done) == 2)

    assert note.done == [{"n": 1}, {"n": 2, "deep": {"list": [1]}}]


async def test_it_is_told_at_once(pool: Pool) -> None:
    """The database notifies a worker, which does not wait for its next look."""
    note, patient = Note(), attrs.evolve(QUICK, jobs=Jobs(poll=60, grace=0.1))
    core = make_core(pool=pool, settings=patient)
    async with core.background.running({"jobs": Worker(core, [note], 1).work}):
        await until(lambda: pool.stats.connects > 1)
        await until_listening(pool.tenant())
        await core.jobs.defer("note", {})
        await until(lambda: note.done)


async def test_it_is_deferred_with_a_transaction(pool: Pool) -> None:
    """What is rolled back defers nothing."""
    note = Note()
    async with worker(pool, note) as core:
        with pytest.raises(ZeroDivisionError):
            async with pool.tenant().transaction() as queries:
                await core.jobs.defer("note", {"n": 1}, queries=queries)
                raise ZeroDivisionError
        async with pool.tenant().transaction() as queries:
            await core.jobs.defer("note", {"n": 2}, queries=queries)
        await until(lambda: note.done)

    assert note.done == [{"n": 2}]


async def test_what_fails_is_tried_again(pool: Pool) -> None:
    """Whatever the failure."""
    note = Note(fails=[ValueError("broken"), TryAgain("away")])
    async with worker(pool, note) as core:
        await core.jobs.defer("note", {"n": 1})
        await until(lambda: note.done)

    assert note.done == [{"n": 1}]


async def test_it_is_tried_so_often_and_no_more(pool: Pool, tenant: Tenant) -> None:
    """Then it has failed, and its row tells of it."""
    note = Note(fails=[ValueError("broken")] * 4)
    async with worker(pool, note) as core:
        await core.jobs.defer("note")
        await until_counted(tenant, "failed", 1)

    assert len(note.fails) == 1
    assert note.done == []


async def test_who_gives_up_is_not_tried_again(pool: Pool, tenant: Tenant) -> None:
    """The first try is the last."""
    note = Note(fails=[GiveUp("gone"), ValueError("never")])
    async with worker(pool, note) as core:
        await core.jobs.defer("note")
        await until_counted(tenant, "failed", 1)

    assert len(note.fails) == 1


async def test_a_task_says_when_to_try_again(pool: Pool, tenant: Tenant) -> None:
    """A wish that is longer than the usual pause counts."""
    note = Note(fails=[TryAgain("busy", after=3600)])
    async with worker(pool, note) as core:
        await core.jobs.defer("note")
        await until_counted(tenant, "todo", 1)
        async with asyncio.timeout(30):
            due: list[timedelta] = []
            while not due:
                due = await tenant.fetch(
                    lambda left: left,
                    "select scheduled_at - now() from procrastinate_jobs where attempts = 1",
                )
    assert due[0] > timedelta(minutes=55)


async def test_one_waits_where_one_is_enough(pool: Pool) -> None:
    """The second of the same name is not deferred while the first one waits."""
    jobs = make_core(pool=pool).jobs

    first = await jobs.defer("note", once="daily")
    second = await jobs.defer("note", once="daily")

    assert first is not None
    assert second is None


async def test_of_many_workers_one_does_it(pool: Pool) -> None:
    """Each thing is done once."""
    note = Note()
    async with worker(pool, note) as core, worker(pool, note):
        for number in range(40):
            await core.jobs.defer("note", {"n": number})
        await until(lambda: len(note.done) >= 40)

    assert sorted(each["n"] for each in note.done) == list(range(40))


async def test_those_of_one_lock_are_done_one_at_a_time(pool: Pool) -> None:
    """While one goes on, the next one waits."""
    long = Long()
    async with worker(pool, long) as core:
        await core.jobs.defer("long", lock="a")
        await core.jobs.defer("long", lock="a")
        await core.jobs.defer("long", lock="b")
        await until(lambda: long.begun == 2)
        await asyncio.sleep(3 * QUICK.jobs.poll)
        assert long.begun == 2
        long.go.set()
        await until(lambda: long.ended == 3)


async def test_a_job_of_a_client_holds_up_no_other_task(pool: Pool) -> None:
    """It may take hours: it has places of its own."""
    long, note = Long(name="job"), Note()
    async with worker(pool, long, note, concurrency=1) as core:
        await core.jobs.defer("job")
        await until(lambda: long.begun)
        await core.jobs.defer("note", {"n": 1})
        await until(lambda: note.done)
        assert long.ended == 0
        long.go.set()


@pytest.mark.parametrize("fails", [False, True])
async def test_a_task_with_a_period_is_done_again_and_again(pool: Pool, fails: bool) -> None:
    """Nobody defers it; a failure ends nothing."""
    tick = Tick(fails=fails)
    async with worker(pool, tick), worker(pool, tick):
        await until(lambda: tick.count >= 3)

    (waits,) = await pool.tenant().fetch(
        int, "select count(*) from procrastinate_jobs where task_name = 'tick'"
    )
    assert waits == 1


async def test_a_worker_that_stops_leaves_it_to_others(pool: Pool) -> None:
    """What it has no time to finish is begun again elsewhere, at once."""
    first, second = Long(), Long()
    async with worker(pool, first) as core:
        await core.jobs.defer("long")
        await until(lambda: first.begun)
    second.go.set()
    async with worker(pool, second):
        await until(lambda: second.ended)

    assert first.ended == 0


async def test_a_dead_worker_is_followed(pool: Pool, tenant: Tenant) -> None:
    """What it was doing when it was last heard of is begun again."""
    await tenant.execute(
        "insert into procrastinate_workers (last_heartbeat) values (now() - interval '1 hour');"
        "insert into procrastinate_jobs (queue_name, task_name, status, worker_id)"
        " select 'note', 'note', 'doing', id from procrastinate_workers"
    )
    note = Note()
    async with worker(pool, note):
        await until(lambda: note.done)


async def test_what_waits_can_be_taken_back(pool: Pool, tenant: Tenant) -> None:
    """It is never begun."""
    jobs = make_core(pool=pool).jobs
    number = await jobs.defer("note", {})
    assert number is not None
    await jobs.cancel(number, tenant)
    note = Note()
    async with worker(pool, note) as core:
        await core.jobs.defer("note", {"n": 2})
        await until(lambda: note.done)

    assert note.done == [{"n": 2}]


async def test_who_does_it_can_be_stopped(pool: Pool, tenant: Tenant) -> None:
    """It ends without having come to its end, and is not begun again."""
    long = Long()
    async with worker(pool, long) as core:
        number = await core.jobs.defer("long")
        assert number is not None
        await until(lambda: long.begun)
        await core.jobs.cancel(number, tenant)
        await until_counted(tenant, "doing", 0)

    assert (long.begun, long.ended) == (1, 0)


async def test_a_worker_outlives_the_connection_that_tells_it(pool: Pool, tenant: Tenant) -> None:
    """Where the database ends that one, what is begun goes on, and what is new is done."""
    note, long, patient = Note(), Long(), attrs.evolve(QUICK, jobs=Jobs(poll=60, grace=0.1))
    core = make_core(pool=pool, settings=patient)
    async with core.background.running({"jobs": Worker(core, [note, long], 2).work}):
        first = await until_listening(tenant)
        await core.jobs.defer("long")
        await until(lambda: long.begun)
        await tenant.execute("select pg_terminate_backend(%s)", first)
        await until_listening(tenant, but=first)
        await core.jobs.defer("note")
        await until(lambda: note.done)
        long.go.set()
        await until(lambda: long.ended)

    assert (long.begun, core.background.failures.total()) == (1, 0)


async def test_a_worker_begins_again_where_it_was_stopped(pool: Pool, tenant: Tenant) -> None:
    """Whoever forgot it in the database ends nothing for good."""
    note = Note()
    async with worker(pool, note) as core:
        await core.jobs.defer("note", {"n": 1})
        await until(lambda: note.done)
        await tenant.execute("delete from procrastinate_workers")
        for number in (2, 3):
            await core.jobs.defer("note", {"n": number})
        await until(lambda: len(note.done) == 3)


async def test_a_late_worker_ends_nothing_that_another_has_begun(
    pool: Pool, tenant: Tenant
) -> None:
    """The row stays with the worker that has it now, so that it is not lost with that one."""
    late = Long()
    async with worker(pool, late) as core:
        await core.jobs.defer("long")
        await until(lambda: late.begun)
        await tenant.execute(
            "with dead as (insert into procrastinate_workers default values returning id)"
            " update procrastinate_jobs set attempts = attempts + 1, worker_id = dead.id from dead"
        )
        late.go.set()
        await until(lambda: late.ended)
    next_one = Long()
    next_one.go.set()
    assert await tenant.fetch(int, COUNT, "doing") == [1]
    await tenant.execute("update procrastinate_workers set last_heartbeat = '2020-01-01'")
    async with worker(pool, next_one):
        await until(lambda: next_one.ended)


async def test_a_period_goes_on_after_a_worker_that_died_in_it(pool: Pool, tenant: Tenant) -> None:
    """The dead one's row does not lock the next one out."""
    await tenant.execute(
        "insert into procrastinate_workers (last_heartbeat) values (now() - interval '1 hour');"
        "insert into procrastinate_jobs"
        " (queue_name, task_name, lock, queueing_lock, status, worker_id)"
        " select 'tick', 'tick', 'tick', 'tick', 'doing', id from procrastinate_workers"
    )
    tick = Tick()
    async with worker(pool, tick):
        await until(lambda: tick.count >= 3)


async def test_what_a_worker_does_not_know_waits_for_one_that_does(
    pool: Pool, tenant: Tenant
) -> None:
    """An older release beside a newer one, or a plugin that is off, loses no task of it."""
    older, newer = Note(), Note(name="newer")
    async with worker(pool, older) as core:
        await core.jobs.defer("newer", {"n": 1})
        await core.jobs.defer("note", {"n": 2})
        await until(lambda: older.done)
        await asyncio.sleep(3 * QUICK.jobs.poll)
    assert await tenant.fetch(int, COUNT, "todo") == [1]
    async with worker(pool, older, newer):
        await until(lambda: newer.done)


async def test_who_defers_is_told_that_the_database_is_away() -> None:
    """By the error that a request is answered with, not one of the engine."""
    away = Pool("postgresql://127.0.0.1:1/none", Database(connect_timeout=1))
    with pytest.raises(DatabaseAway):
        await make_core(pool=away).jobs.defer("note")


async def test_what_ends_with_the_database_is_told_once(pool: Pool, tenant: Tenant) -> None:
    """No part of a worker ends with an exception that nobody asks for, logged with a traceback."""
    unasked: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unasked.append(context))
    away = ("procrastinate_fetch_job_v2", "procrastinate_unregister_worker_v1")
    with capture_logs() as logs:
        async with worker(pool, Long(name="job"), Note()):
            await until_listening(tenant)
            for name in away:
                await tenant.execute(f"alter function {name} rename to {name}_away")
            await until(lambda: any(line["event"] == "worker_waits" for line in logs))
            for name in away:
                await tenant.execute(f"alter function {name}_away rename to {name}")
    gc.collect()

    assert unasked == []


async def test_an_end_that_was_not_taken_is_said_again(pool: Pool, tenant: Tenant) -> None:
    """Else nobody would take up the row, whose worker lives, and its lock would stay."""
    long, name = Long(), "procrastinate_finish_job_v1"
    async with worker(pool, long) as core:
        await core.jobs.defer("long", lock="a")
        await until(lambda: long.begun)
        await tenant.execute(f"alter function {name} rename to away")
        long.go.set()
        await until(lambda: long.ended)
        await asyncio.sleep(QUICK.jobs.heartbeat)
        await tenant.execute(f"alter function away rename to {name}")
        await until_counted(tenant, "doing", 0)

    assert (long.begun, core.background.failures.total()) == (1, 0)


async def test_a_heart_beats_on_after_one_that_was_missed(pool: Pool, tenant: Tenant) -> None:
    """Else others would take a worker for dead that goes on, and do its work a second time."""
    name = "procrastinate_update_heartbeat_v1"
    beats = "select count(*) from procrastinate_workers where last_heartbeat > %s"
    # Slow enough that one beat is missed on any machine, and not three.
    core = make_core(pool=pool, settings=Settings(jobs=Jobs(heartbeat=2, poll=0.2, grace=0.1)))
    async with core.background.running({"jobs": Worker(core, [Note()], 2).work}):
        await until_listening(tenant)
        await tenant.execute(f"alter function {name} rename to away")
        await asyncio.sleep(2.5)
        await tenant.execute(f"alter function away rename to {name}")
        (now,) = await tenant.fetch(lambda now: now, "select clock_timestamp()")
        async with asyncio.timeout(30):
            while await tenant.fetch(int, beats, now) != [1]:
                await asyncio.sleep(0.01)
