"""Sessions of work that is not a request's."""

import asyncio
import time

import pytest

from energia.db.session import Session, in_thread
from energia.errors import DatabaseAway, DatabaseError, EnergiaError, MigrationError


async def test_a_cancelled_task_interrupts_its_statement(database: str) -> None:
    """At once, and the connection is closed when the task ends."""
    task = asyncio.create_task(
        in_thread(database, lambda session: session.fetch("select pg_sleep(60)"), {})
    )
    await asyncio.sleep(0.3)
    started = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert time.monotonic() - started < 2


async def test_a_cancelled_task_begins_no_other_statement(database: str) -> None:
    """Between two statements, too."""

    def work(session: Session) -> None:
        while True:
            session.fetch("select 1")

    task = asyncio.create_task(in_thread(database, work, {}))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 60)


async def test_a_lock_is_waited_for_and_given_back(database: str) -> None:
    """One at a time; who waits too long gets the error that it named."""
    held: list[int] = []

    def work(session: Session, limit: float = 10) -> None:
        with session.turn(7, limit, MigrationError("busy")):
            held.append(1)
            assert held == [1]
            session.pause(0.3)
            held.remove(1)
        with session.turn(7, limit, MigrationError("busy")):
            pass  # it was given back, though the session goes on

    both = asyncio.gather(*(in_thread(database, work, {}) for _ in range(2)))
    await asyncio.sleep(0.15)
    with pytest.raises(MigrationError, match="busy"):
        await in_thread(database, lambda session: work(session, 0), {})
    await both


@pytest.mark.parametrize(
    ("sql", "error"), [("selekt 1", DatabaseError), ("select pg_sleep(9)", DatabaseAway)]
)
async def test_errors_are_ours(database: str, sql: str, error: type[EnergiaError]) -> None:
    """What the server refuses, and what takes too long for the options that were given."""
    options = {"statement_timeout": "100"}

    with pytest.raises(error):
        await in_thread(database, lambda session: session.fetch(sql), options)
