"""Tasks that are cancelled in the middle of anything."""

import asyncio
import random
from collections.abc import Callable

import pytest

from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.errors import EnergiaError
from energia.settings import Database

BUSY = """select count(*) from pg_stat_activity
    where query like '%pg_sleep(60)' and state = 'active' and pid <> pg_backend_pid()"""


async def idle_within(tenant: Tenant, seconds: float) -> bool:
    """Tell whether the server gives the long statement up within some seconds."""
    for _ in range(int(seconds * 20)):
        if await tenant.fetch(int, BUSY) == [0]:
            return True
        await asyncio.sleep(0.05)
    return False


async def test_a_statement_whose_client_gave_up_ends_on_the_server(tenant: Tenant) -> None:
    """A time-out around a query frees its slot at once, and the server within a second or so."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await tenant.execute("select pg_sleep(60)")

    assert await idle_within(tenant, 3)


async def test_a_server_that_hangs_is_given_up(database: str) -> None:
    """Beyond the server's own time limit there is one of ours, and the connection is closed."""
    pool = Pool(database, Database(statement_timeout=60))
    pool.limit = 0.1
    with pytest.raises(EnergiaError, match=r"no answer within 0\.1 s"):
        await pool.tenant().execute("select pg_sleep(60)")

    assert pool.stats.size == 0
    assert await idle_within(pool.tenant(), 3)

    await pool.close()


async def one(tenant: Tenant, number: int) -> None:
    """Ask for numbers and check the answer, alone or in a transaction."""
    sql = "select x from generate_series(%s, %s) x"
    expected = list(range(number, number + 50))
    if number % 2:
        assert await tenant.fetch(int, sql, number, number + 49) == expected
        return
    async with tenant.transaction() as queries:
        for _ in range(2):
            assert await queries.fetch(int, sql, number, number + 49) == expected


async def cancelled_after(work: Callable[[], object], steps: int) -> None:
    """Cancel a task after some turns of the loop."""
    for _ in range(steps):
        await asyncio.sleep(0)
    work()


async def test_random_cancellations_leak_nothing(database: str) -> None:
    """After thousands of cancellations every slot is free, and no answer went to the wrong task."""
    pool = Pool(database, Database(pool_size=4))
    tenant = pool.tenant()
    source = random.Random(20210101)
    for _ in range(100):
        tasks = [asyncio.create_task(one(tenant, source.randrange(1000))) for _ in range(20)]
        doomed = [task for task in tasks if source.random() < 0.6]
        await asyncio.gather(
            *(cancelled_after(task.cancel, source.randrange(60)) for task in doomed)
        )
        results = await asyncio.gather(*tasks, return_exceptions=True)
        faults = [
            result
            for result in results
            if result is not None and not isinstance(result, asyncio.CancelledError)
        ]
        assert not faults

    assert (pool.stats.used, pool.stats.waiting, pool.stats.timeouts) == (0, 0, 0)
    async with asyncio.timeout(60):
        taken = [await pool.take() for _ in range(4)]
    for connection in taken:
        pool.give(connection)
    assert pool.stats.size == 4

    await pool.close()
