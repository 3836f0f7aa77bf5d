"""Statements outside a transaction: what goes in, what comes out, what goes wrong."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, date, datetime
from decimal import Decimal

import attrs
import pytest

from energia.db.connection import Result
from energia.db.pool import Pool
from energia.db.queries import Prepared
from energia.db.tenant import Tenant
from energia.errors import (
    DatabaseError,
    ForeignKeyViolation,
    Invalid,
    LockTimeout,
    StatementTimeout,
    UniqueViolation,
)
from energia.settings import Database
from tests.core.db.test_pool import backend
from tests.core.db.test_role import SITE

ORGANIZATION = "select current_setting('energia.organization', true)"
SITES = Prepared("select name from site where id = %(id)s", id="text")
PREPARED = "select statement from pg_prepared_statements"


@attrs.frozen
class Pair:
    """Two columns."""

    number: int
    text: str


async def test_rows_are_typed_at_once(tenant: Tenant) -> None:
    """A row becomes what its constructor makes of the columns."""
    rows = await tenant.fetch(Pair, "select x, %s::text from generate_series(1, 2) x", "é")

    assert rows == [Pair(1, "é"), Pair(2, "é")]


async def test_values_are_exact(tenant: Tenant) -> None:
    """Numbers are exact, in JSON too, and instants are UTC."""
    sql = """select 0.10::numeric, '[1, 0.10, {"a": 1e3}]'::json, '0.5'::jsonb,
        timestamptz '2021-01-01 00:00+05:30', date '2021-01-01',
        array[1, null]::bigint[], null::json"""
    rows = await tenant.fetch(lambda *columns: columns, sql)

    assert rows == [
        (
            Decimal("0.10"),
            [1, Decimal("0.10"), {"a": Decimal("1e3")}],
            Decimal("0.5"),
            datetime(2020, 12, 31, 18, 30, tzinfo=UTC),
            date(2021, 1, 1),
            [1, None],
            None,
        )
    ]
    assert rows[0][3].utcoffset() == UTC.utcoffset(None)


async def test_parameters_have_positions_or_names(tenant: Tenant) -> None:
    """Both spellings work; one mapping is the named one."""
    positional = await tenant.fetch(int, "select %s - %s", 5, 3)
    named = await tenant.fetch(int, "select %(a)s - %(b)s", {"a": 5, "b": 3})

    assert positional == named == [2]


async def test_a_percent_sign(tenant: Tenant) -> None:
    """A `%` is doubled with parameters, and itself without."""
    without = await tenant.fetch(str, "select '5 %s'")
    with_one = await tenant.fetch(str, "select '5 %%s' || %s", "")

    assert without == with_one == ["5 %s"]


async def test_execute_counts_rows(pool: Pool) -> None:
    """`execute` says how many rows the statement touched."""
    assert (
        await pool.everywhere().execute("insert into organization (name) values ('a'), (%s)", "b")
        == 2
    )
    assert await pool.everywhere().execute("delete from organization where name = 'nobody'") == 0


async def test_the_organization_is_set_for_the_statement_only(pool: Pool) -> None:
    """Each statement sees its own organization, and nothing of it stays on the connection."""
    seen = [(await pool.tenant(n).fetch(str, ORGANIZATION))[0] for n in (1, 2, 1)]
    connection = await pool.take()
    left = await connection.run(ORGANIZATION, None, 5)
    pool.give(connection)

    assert seen == ["1", "2", "1"]
    assert left.rows == [("",)]
    assert pool.stats.connects == 1


async def test_a_statement_is_a_transaction(pool: Pool) -> None:
    """Of a message of several statements nothing stays if one of them fails."""
    with pytest.raises(DatabaseError):
        await pool.everywhere().execute(
            "insert into organization (name) values ('kept'); select 1 / 0"
        )

    assert await pool.everywhere().fetch(str, "select name from organization") == ["default"]


async def test_a_statement_without_rows_cannot_be_fetched(tenant: Tenant) -> None:
    """Fetching from a statement that gives no rows is refused."""
    with pytest.raises(DatabaseError, match="no rows"):
        await tenant.fetch(int, "delete from organization where false")


async def test_violations_have_names(pool: Pool) -> None:
    """A key that exists, and a row that is referred to, are told apart."""
    with pytest.raises(UniqueViolation, match="organization_name_key"):
        await pool.everywhere().execute("insert into organization (name) values ('default')")
    await pool.everywhere().execute("insert into tariff values (1, 't', 't', 'GBP', 'UTC')")
    with pytest.raises(ForeignKeyViolation, match="tariff"):
        await pool.everywhere().execute("delete from organization")


@pytest.mark.parametrize("text", ["nul \0", "half \ud800"])
async def test_a_text_that_cannot_be_stored_is_invalid(tenant: Tenant, text: str) -> None:
    """A character that PostgreSQL cannot keep is the client's fault, and harms no connection."""
    with pytest.raises(Invalid):
        await tenant.fetch(str, "select %s", text)

    assert await tenant.fetch(int, "select 1") == [1]


async def test_an_unknown_type_is_an_error(tenant: Tenant) -> None:
    """What the driver cannot send is an error of the database layer."""
    with pytest.raises(DatabaseError, match="can't adapt"):
        await tenant.fetch(str, "select %s", object())


async def test_a_statement_that_takes_too_long(database: str) -> None:
    """The server's time-out is an error of the statement; the connection is as good as before."""
    pool = Pool(database, Database(statement_timeout=0.1))
    tenant = pool.tenant()
    pid = await backend(tenant)
    with pytest.raises(StatementTimeout):
        await tenant.execute("select pg_sleep(10)")

    assert await backend(tenant) == pid

    await pool.close()


async def test_a_lock_that_takes_too_long(database: str) -> None:
    """Waiting for a row that somebody else holds ends with an error of its own."""
    pool = Pool(database, Database(lock_timeout=0.1))
    tenant = pool.tenant()
    async with tenant.transaction() as queries:
        await queries.execute("update organization set name = 'mine'")
        with pytest.raises(LockTimeout):
            await tenant.execute("update organization set name = 'theirs'")

    assert await tenant.fetch(str, "select name from organization") == ["mine"]

    await pool.close()


async def test_a_cancelled_statement_does_not_cancel_the_task(tenant: Tenant) -> None:
    """An operator who cancels a statement on the server gives its client an error."""
    running = asyncio.create_task(tenant.execute("select pg_sleep(10)"))
    cancel = """select pg_cancel_backend(pid) from pg_stat_activity
        where query like '%pg_sleep(10)' and pid <> pg_backend_pid()"""
    while not await tenant.fetch(bool, cancel):
        await asyncio.sleep(0.01)
    with pytest.raises(StatementTimeout):
        await running

    assert not running.cancelled()


# Statements that the server prepares.


async def test_a_statement_is_prepared_once_for_a_connection(pool: Pool) -> None:
    """The server keeps it, and timers hear of the statement, not of how it was sent."""
    heard: list[str] = []

    def note(message: str, answer: Awaitable[Result]) -> Awaitable[Result]:
        heard.append(message.rpartition("; ")[2])
        return answer

    tenant = pool.tenant()
    await tenant.execute(SITE.format(1, "here"))
    pool.stats.statement_timers.append(note)
    for _ in range(3):
        assert await tenant.fetch(str, SITES, {"id": "here"}) == ["n"]
    assert await tenant.fetch(str, SITES, {"id": "nowhere"}) == []

    assert heard == [SITES] * 4
    assert await tenant.fetch(str, PREPARED) == [SITES.definition]


async def test_a_prepared_statement_sees_one_organization(pool: Pool) -> None:
    """What was planned for one caller shows another one nothing of it."""
    await pool.tenant().execute(SITE.format(1, "here"))

    assert await pool.tenant().fetch(str, SITES, {"id": "here"}) == ["n"]
    assert await pool.tenant(2).fetch(str, SITES, {"id": "here"}) == []
    assert await pool.tenant().fetch(str, SITES, {"id": "here"}) == ["n"]


async def test_a_prepared_statement_that_the_server_has_lost_is_sent_as_it_is(pool: Pool) -> None:
    """A session may be another one than before, and a migration may change what a plan gives."""
    tenant = pool.tenant()
    await tenant.execute("create table thing (id text, number int)")
    await tenant.execute("insert into thing values ('a', 1)")
    things = Prepared("select number::text, number from thing where id = %s", "text")
    found = [("1", 1)]
    assert await tenant.fetch(_pair, things, "a") == found

    await tenant.execute("alter table thing alter number type bigint")
    assert await tenant.fetch(_pair, things, "a") == found

    await tenant.execute("deallocate all")
    assert await tenant.fetch(_pair, things, "a") == found


async def test_what_is_wrong_with_a_prepared_statement_is_told(pool: Pool) -> None:
    """It fails as any other does, again and again, and the connection goes on."""
    tenant = pool.tenant()
    divided = Prepared("select 1 / %s", "int")

    for _ in range(2):
        with pytest.raises(DatabaseError, match="division by zero"):
            await tenant.fetch(int, divided, 0)
    assert await tenant.fetch(int, divided, 1) == [1]
    assert pool.stats.connects == 1


async def test_within_a_transaction_a_statement_is_not_prepared(pool: Pool) -> None:
    """It is sent as any other."""
    async with pool.tenant().transaction() as queries:
        assert await queries.fetch(str, SITES, {"id": "here"}) == []
        assert await queries.fetch(str, PREPARED) == []


def _pair(text: str, number: int) -> tuple[str, int]:
    return text, number
