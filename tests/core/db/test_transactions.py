"""Transactions: all of it or nothing of it."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

import pytest

from energia.db.connection import Connection, Result
from energia.db.pool import Pool
from energia.db.tenant import Queries, Tenant, statement_of
from energia.errors import DatabaseAway, DatabaseError, NotFound, UniqueViolation
from energia.settings import Database
from tests.core.db.test_pool import end_backends
from tests.core.db.test_statements import ORGANIZATION

NAMES = "select name from organization order by id"
ADD = "insert into organization (name) values (%s)"


@pytest.fixture
def tenant(pool: Pool) -> Tenant:
    """Give a database with the rows of all organizations, so that they can be made."""
    return pool.everywhere()


async def test_a_transaction_is_committed(tenant: Tenant) -> None:
    """What its statements did is there after the block, and not before."""
    async with tenant.transaction() as queries:
        await queries.execute(ADD, "a")
        await queries.execute(ADD, "b")
        outside = await tenant.fetch(str, NAMES)

    assert outside == ["default"]
    assert await tenant.fetch(str, NAMES) == ["default", "a", "b"]


async def test_an_error_rolls_back_and_keeps_the_connection(pool: Pool) -> None:
    """An error that leaves the block undoes everything, and costs no connection."""
    tenant = pool.everywhere()
    with pytest.raises(NotFound):
        async with tenant.transaction() as queries:
            await queries.execute(ADD, "a")
            raise NotFound

    assert await tenant.fetch(str, NAMES) == ["default"]
    assert pool.stats.connects == 1


async def test_a_failed_statement_cannot_be_committed(tenant: Tenant) -> None:
    """Who swallows a statement's error is told that nothing was stored."""
    with pytest.raises(DatabaseError, match="nothing is stored"):
        async with tenant.transaction() as queries:
            await queries.execute(ADD, "a")
            with pytest.raises(UniqueViolation):
                await queries.execute(ADD, "a")

    assert await tenant.fetch(str, NAMES) == ["default"]


async def test_the_last_statement_goes_with_the_commit(pool: Pool) -> None:
    """What is known to be the last takes no message of its own."""
    messages: list[str] = []

    async def note(message: str, answer: Awaitable[Result]) -> Result:
        messages.append(statement_of(message))
        return await answer

    pool.stats.statement_timers.append(note)
    async with pool.everywhere().transaction() as queries:
        await queries.execute(ADD, "a")
        await queries.execute_last(ADD, "b")

    assert messages == [ADD, f"{ADD}; commit"]
    assert await pool.everywhere().fetch(str, NAMES) == ["default", "a", "b"]


async def test_a_last_statement_may_be_the_only_one(tenant: Tenant) -> None:
    """It takes the connection then, and is committed."""
    async with tenant.transaction() as queries:
        await queries.execute_last(ADD, "a")

    assert await tenant.fetch(str, NAMES) == ["default", "a"]


async def test_what_follows_sees_the_last_statement(tenant: Tenant) -> None:
    """If it was not the last, it comes before what is sent next."""
    async with tenant.transaction() as queries:
        await queries.execute_last(ADD, "a")
        await queries.execute_last(ADD, "b")
        seen = await queries.fetch(str, NAMES)

    assert seen == ["default", "a", "b"]


async def test_a_last_statement_that_fails_leaves_nothing(pool: Pool) -> None:
    """The end of the block raises what it raised, and the connection is kept."""
    tenant = pool.everywhere()
    with pytest.raises(UniqueViolation):
        async with tenant.transaction() as queries:
            await queries.execute(ADD, "a")
            await queries.execute_last(ADD, "a")

    assert await tenant.fetch(str, NAMES) == ["default"]
    assert pool.stats.connects == 1


async def test_a_last_statement_of_what_is_undone_is_not_sent(tenant: Tenant) -> None:
    """An error that leaves the block leaves it out."""
    with pytest.raises(NotFound):
        async with tenant.transaction() as queries:
            await queries.execute(ADD, "a")
            await queries.execute_last(ADD, "b")
            raise NotFound

    assert await tenant.fetch(str, NAMES) == ["default"]


async def test_a_last_statement_that_fails_undoes_its_part_alone(tenant: Tenant) -> None:
    """Within a whole it belongs to its part, and not to what is done after it."""
    async with tenant.whole() as whole:
        await whole.execute(ADD, "a")
        with pytest.raises(UniqueViolation):
            async with whole.transaction() as part:
                await part.execute(ADD, "b")
                await part.execute_last(ADD, "a")

    assert await tenant.fetch(str, NAMES) == ["default", "a"]


async def test_a_last_statement_outside_a_transaction_is_run(tenant: Tenant) -> None:
    """A call is a transaction of its own."""
    await tenant.execute_last(ADD, "a")

    assert await tenant.fetch(str, NAMES) == ["default", "a"]


async def test_every_statement_sees_the_organization(pool: Pool) -> None:
    """The organization holds for the whole transaction, and not beyond it."""
    async with pool.tenant(7).transaction() as queries:
        seen = [(await queries.fetch(str, ORGANIZATION))[0] for _ in range(2)]
    after = await pool.tenant(8).fetch(str, ORGANIZATION)

    assert seen == ["7", "7"]
    assert after == ["8"]


async def test_without_a_statement_no_connection_is_taken(pool: Pool) -> None:
    """A transaction takes a connection when it needs one."""
    async with pool.everywhere().transaction():
        pass

    assert pool.stats.connects == 0


async def test_a_transaction_is_over_after_its_block(tenant: Tenant) -> None:
    """Its queries cannot be used any more."""
    async with tenant.transaction() as queries:
        await queries.execute(ADD, "a")
    with pytest.raises(RuntimeError, match="over"):
        await queries.execute(ADD, "b")


async def test_a_cancelled_transaction_is_rolled_back(pool: Pool) -> None:
    """A task cancelled between two statements leaves nothing and gives its slot back."""
    tenant = pool.everywhere()

    async def hang() -> None:
        async with tenant.transaction() as queries:
            await queries.execute(ADD, "a")
            await asyncio.sleep(10)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await hang()

    assert await tenant.fetch(str, NAMES) == ["default"]
    assert (pool.stats.used, pool.stats.idle) == (0, 1)


async def test_a_lost_connection_loses_the_transaction(tenant: Tenant) -> None:
    """A session that the server ends in the middle is an error, and nothing is stored."""
    with pytest.raises(DatabaseAway):
        async with tenant.transaction() as queries:
            await queries.execute(ADD, "a")
            await end_backends(tenant)
            await queries.execute(ADD, "b")

    assert await tenant.fetch(str, NAMES) == ["default"]


async def test_what_is_lost_before_the_commit_may_be_tried_again(tenant: Tenant) -> None:
    """Whoever has not seen that the connection is lost is told so by the end of the transaction."""
    with pytest.raises(DatabaseAway, match="nothing is stored"):
        async with tenant.transaction() as queries:
            await queries.execute(ADD, "a")
            await end_backends(tenant)
            with suppress(DatabaseAway):
                await queries.execute("select 1")

    assert await tenant.fetch(str, NAMES) == ["default"]


async def test_the_first_message_is_sent_again_over_a_dead_connection(
    pool: Pool, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A good-bye that comes in after the look at the connection is no error: nothing was done."""
    tenant = pool.everywhere()
    await tenant.execute("select 1")
    other = Pool(database, Database())
    await end_backends(other.everywhere())
    await other.close()
    monkeypatch.setattr(Connection, "dead", False)
    async with tenant.transaction() as queries:
        await queries.execute(ADD, "a")

    assert await tenant.fetch(str, NAMES) == ["default", "a"]
    assert (pool.stats.connects, pool.stats.used) == (2, 0)


# One transaction of all that is done by a tenant.


async def test_a_whole_is_done_or_not(tenant: Tenant) -> None:
    """What is done by it is seen by nobody before its end, and an error takes all of it back."""
    with pytest.raises(ZeroDivisionError):
        async with tenant.whole() as whole:
            await whole.execute("insert into organization (name) values ('one')")
            async with whole.transaction() as queries:
                await queries.execute("insert into organization (name) values ('two')")
            assert await names(tenant) == []
            assert await names(whole) == ["one", "two"]
            raise ZeroDivisionError
    undone = await names(tenant)
    async with tenant.whole() as whole:
        await whole.execute("insert into organization (name) values ('one')")

    assert (undone, await names(tenant)) == ([], ["one"])


async def names(queries: Queries) -> list[str]:
    """Return the names of organizations that were made here."""
    sql = "select name from organization where name in ('one', 'two') order by 1"
    return await queries.fetch(str, sql)


async def test_a_part_of_a_whole_is_undone_alone(tenant: Tenant) -> None:
    """Also after an error of the database: the whole goes on."""
    async with tenant.whole() as whole:
        await whole.execute("insert into organization (name) values ('one')")
        with pytest.raises(DatabaseError):
            async with whole.transaction() as queries:
                await queries.execute("insert into organization (name) values ('two')")
                await queries.execute("select 1 / 0")
        async with whole.whole() as same:
            assert same is whole

    assert await names(tenant) == ["one"]


async def test_news_come_after_the_commit(tenant: Tenant) -> None:
    """Others hear at once of what is done alone, and of a whole once it is done; of none undone."""
    heard: list[str] = []
    tenant.committed(lambda: heard.append("alone"))
    async with tenant.whole() as whole:
        whole.committed(lambda: heard.append("whole"))
        before = list(heard)
    with pytest.raises(ZeroDivisionError):
        async with tenant.whole() as whole:
            whole.committed(lambda: heard.append("undone"))
            raise ZeroDivisionError

    assert (before, heard) == (["alone"], ["alone", "whole"])


async def test_a_whole_is_no_snapshot(tenant: Tenant) -> None:
    """It sees what others commit meanwhile, and so does not pretend otherwise."""
    async with tenant.whole() as whole:
        with pytest.raises(RuntimeError, match="no snapshot"):
            whole.snapshot()
