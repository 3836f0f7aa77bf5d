"""The pool: few connections, shared, never dead ones."""

import asyncio
import os
import platform
import resource
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.errors import ConfigurationError, DatabaseAway, PoolExhausted, UniqueViolation
from energia.settings import Database
from tests.serving import AWAY

SMALL = Database(pool_size=2, acquire_timeout=0.2, connect_timeout=2.0)


@pytest.fixture(name="small")
async def _small(database: str) -> AsyncIterator[Pool]:
    """Give a pool of two connections that waits 0.2 s for one."""
    pool = Pool(database, SMALL)
    yield pool
    await pool.close()


async def backend(tenant: Tenant) -> int:
    """Return which server process answers."""
    return (await tenant.fetch(int, "select pg_backend_pid()"))[0]


async def end_backends(tenant: Tenant) -> None:
    """End every other session of the database, and wait until they are gone."""
    others = "from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()"
    await tenant.fetch(bool, f"select pg_terminate_backend(pid) {others}")
    while (await tenant.fetch(int, f"select count(*) {others}"))[0]:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)  # a session leaves that list a moment before it closes its socket


async def test_a_connection_is_reused(small: Pool) -> None:
    """One query after the other goes over one connection."""
    tenant = small.tenant()
    pids = {await backend(tenant) for _ in range(5)}

    assert len(pids) == 1
    assert (small.stats.connects, small.stats.idle, small.stats.used) == (1, 1, 0)


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="other C libraries have no such thing"
)
async def test_the_server_keeps_memory_for_the_next_statement(small: Pool) -> None:
    """A process of the server does not give back what statements of a year of blocks take."""
    tenant = small.tenant()
    faults = Path(f"/proc/{await backend(tenant)}/stat")

    async def cleared() -> int:
        """Return how many pages the system cleared for the process, for twenty such statements."""
        before = int(faults.read_text().rpartition(")")[2].split()[7])
        for _ in range(20):
            await tenant.fetch(int, "select octet_length(repeat(repeat(' ', 1024), 1024))")
        return int(faults.read_text().rpartition(")")[2].split()[7]) - before

    await cleared()  # what it needs once

    assert await cleared() < 256  # a mebibyte's pages, of the twenty that were used


async def test_the_last_one_given_back_is_taken_first(small: Pool) -> None:
    """Connections that are too many stay unused, and so grow old."""
    first, last = await small.take(), await small.take()
    small.give(first)
    small.give(last)

    assert await small.take() is last

    small.give(last)


async def test_a_busy_pool_refuses_after_a_while(small: Pool) -> None:
    """Who gets no connection within the time limit is told so, and the wait is counted."""
    waits: list[float] = []

    async def timed(wait: Awaitable[None]) -> None:
        started = asyncio.get_running_loop().time()
        try:
            await wait
        finally:
            waits.append(asyncio.get_running_loop().time() - started)

    small.stats.wait_timers.append(timed)
    taken = [await small.take(), await small.take()]
    started = asyncio.get_running_loop().time()
    async with asyncio.timeout(60):
        with pytest.raises(PoolExhausted, match=r"none of 2 connections came free within 0\.2 s"):
            await small.take()
    elapsed = asyncio.get_running_loop().time() - started

    assert 0.19 < elapsed < 0.5
    assert small.stats.timeouts == 1
    assert len(waits) == small.stats.waits == 3
    assert sum(waits) == pytest.approx(elapsed, abs=0.05)

    for connection in taken:
        small.give(connection)


async def test_who_waits_gets_the_connection_that_comes_free(small: Pool) -> None:
    """A waiting task goes on as soon as a connection is given back."""
    taken = [await small.take(), await small.take()]
    waiting = asyncio.create_task(small.take())
    await asyncio.sleep(0.05)
    seen = small.stats.waiting
    small.give(taken[0])

    assert seen == 1
    assert await waiting is taken[0]
    assert small.stats.size == 2

    small.give(taken[0])
    small.give(taken[1])


async def test_dead_connections_are_not_handed_out(database: str, tenant: Tenant) -> None:
    """After the server ended every idle session, the next queries work."""
    pool = Pool(database, Database(pool_size=8))
    other = pool.tenant()
    before = set(await asyncio.gather(*(backend(other) for _ in range(8))))
    await end_backends(tenant)
    after = set(await asyncio.gather(*(backend(other) for _ in range(8))))

    assert not before & after
    assert pool.stats.failures == 0

    await pool.close()


async def test_old_idle_connections_are_closed(small: Pool) -> None:
    """A connection that nobody needed for five minutes is closed."""
    first, last = await small.take(), await small.take()
    small.give(first)
    first.since -= 301.0
    small.give(last)

    assert first.closed
    assert (small.stats.idle, small.stats.size) == (1, 1)


async def test_a_ping_needs_no_slot(small: Pool) -> None:
    """The server answers a probe while every connection is in use."""
    taken = [await small.take(), await small.take()]
    await small.ping()

    for connection in taken:
        small.give(connection)
    await small.ping()

    assert (small.stats.size, small.stats.connects) == (2, 3)


async def test_a_closed_pool_gives_nothing(small: Pool) -> None:
    """After the close a connection in use is closed when it comes back, and none is given."""
    connection = await small.take()
    await small.tenant().execute("select 1")
    await small.close()
    small.give(connection)

    assert connection.closed
    assert small.stats.size == 0
    with pytest.raises(DatabaseAway):
        await small.take()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://127.0.0.1:1/energia",
        "postgresql:///energia?host=/nowhere",
        "postgresql://no-such-host.invalid/energia",
    ],
)
async def test_without_a_server_the_database_is_away(url: str) -> None:
    """No server, no socket, no such host: all the same to a client, and no slot is lost."""
    pool = Pool(url, SMALL)
    for _ in range(3):
        with pytest.raises(DatabaseAway):
            await pool.tenant().execute("select 1")

    assert (pool.stats.size, pool.stats.connects, pool.stats.failures) == (0, 3, 3)


async def test_a_server_that_does_not_answer_is_given_up() -> None:
    """A port that accepts and says nothing costs the connect time-out, not for ever."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://127.0.0.1:{silent.getsockname()[1]}/energia"
        pool = Pool(url, Database(connect_timeout=0.1))
        with pytest.raises(DatabaseAway, match=r"within 0\.1 s"):
            await pool.tenant().execute("select 1")


async def test_an_unknown_role_is_an_away_database(database: str) -> None:
    """The message says why the server refuses, and never the password."""
    url = database.replace("//energia@", "//stranger:wrong-password@")
    with pytest.raises(DatabaseAway, match="stranger") as caught:
        await Pool(url, SMALL).tenant().execute("select 1")

    assert "wrong-password" not in str(caught.value)


async def test_a_text_that_is_no_url_is_refused() -> None:
    """A pool is not made of a text that libpq does not understand."""
    with pytest.raises(ConfigurationError, match=r"database\.url"):
        Pool("nonsense", SMALL)


async def test_descriptors_above_1023_work(small: Pool) -> None:
    """With more than a thousand open files, errors are still errors, and do not hang."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2048:
        pytest.skip("the machine allows too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1030)]
    try:
        async with asyncio.timeout(60):
            with pytest.raises(UniqueViolation):
                await small.everywhere().execute(
                    "insert into organization (name) values ('a'), ('a') returning id"
                )
            pid = await backend(small.tenant())
            with pytest.raises(DatabaseAway):
                await small.tenant().execute("select pg_terminate_backend(pg_backend_pid())")
            assert await backend(small.tenant()) != pid
    finally:
        for descriptor in files:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class KeepingLoop(asyncio.SelectorEventLoop):
    """A loop that keeps whatever nobody takes back, as uvloop does.

    Taking a descriptor back that was closed is no error there; and a new one of the same number is
    refused for as long as the old one is kept.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kept: set[tuple[str, Any]] = set()

    def add_reader(  # type: ignore[override]
        self, fd: Any, callback: Callable[..., Any], *args: Any
    ) -> None:
        """Watch for something to read."""
        self.kept.add(("reader", fd))
        super().add_reader(fd, callback, *args)

    def add_writer(  # type: ignore[override]
        self, fd: Any, callback: Callable[..., Any], *args: Any
    ) -> None:
        """Watch for room to write."""
        self.kept.add(("writer", fd))
        super().add_writer(fd, callback, *args)

    def remove_reader(self, fd: Any) -> bool:
        """Watch no more."""
        self.kept.discard(("reader", fd))
        with suppress(OSError):
            super().remove_reader(fd)
        return True

    def remove_writer(self, fd: Any) -> bool:
        """Watch no more."""
        self.kept.discard(("writer", fd))
        with suppress(OSError):
            super().remove_writer(fd)
        return True


def test_a_server_that_refuses_leaves_nothing_in_the_loop() -> None:
    """Else the next connection, whose descriptor has the same number, ends with another error."""

    async def kept() -> set[tuple[str, Any]]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, KeepingLoop)
        for _ in range(3):
            with pytest.raises(DatabaseAway):
                await Pool(AWAY, SMALL).ping()
        return loop.kept

    with asyncio.Runner(loop_factory=KeepingLoop) as runner:
        assert runner.run(kept()) == set()
