"""The role that the service works as, where row policies do not bind the one that logs in."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from energia.db.embedded import ADMIN, ROLE, Embedded
from energia.db.migrate import migrate, pending
from energia.db.pool import Pool
from energia.db.role import TENANT
from energia.db.tenant import Tenant
from energia.errors import DatabaseError, MigrationError
from energia.settings import Database
from tests.databases import Databases, administer

SITE = "insert into site values ({}, '{}', 'n', 'UTC', 'BR', null, 'BRL')"
WHO = "select current_user::text"


def database_of(dsn: str) -> str:
    """Return the name of the database of a URL."""
    return dsn.partition("?")[0].rpartition("/")[2]


def as_role(server: Embedded, dsn: str, role: str) -> str:
    """Return the URL of the database of *dsn* for another role."""
    return server.dsn(role, database_of(dsn))


@pytest.fixture
def superuser(server: Embedded, empty_database: str) -> str:
    """Give the URL of an empty database for a superuser, as Coolify does."""
    return as_role(server, empty_database, ADMIN)


@pytest.fixture
def bypasser(server: Embedded, empty_database: str) -> Iterator[str]:
    """Give the URL of an empty database for a role with BYPASSRLS that is no superuser."""
    name = database_of(empty_database)
    role = f"bypasser_{name}"
    administer(server, f"create role {role} login bypassrls createrole")
    administer(server, f"alter database {name} owner to {role}")
    yield server.dsn(role, name)
    administer(server, f"alter database {name} owner to {ROLE}")


@pytest.fixture
async def pool(superuser: str) -> AsyncIterator[Pool]:
    """Give a migrated database that a superuser logs in to."""
    await migrate(superuser)
    pool = Pool(superuser, Database(pool_size=3))
    await pool.everywhere().execute("insert into organization (name) values ('other')")
    yield pool
    await pool.close()


async def bound(tenant: Tenant, other: Tenant) -> None:
    """Check that two organizations have the same ids and do not see each other."""
    await tenant.execute(SITE.format(1, "a"))
    await other.execute(SITE.format(2, "a"))

    assert await tenant.fetch(int, "select organization_id from site") == [1]
    assert await other.fetch(int, "select organization_id from site") == [2]
    with pytest.raises(DatabaseError, match="row-level security"):
        await other.execute(SITE.format(1, "b"))


async def test_a_superuser_is_bound(pool: Pool) -> None:
    """Each statement, in a transaction or not, runs as the ordinary role."""
    tenant, other = pool.tenant(1), pool.tenant(2)
    await bound(tenant, other)

    assert await tenant.fetch(str, WHO) == [TENANT]
    async with other.transaction() as queries:
        assert await queries.fetch(str, WHO) == [TENANT]
        assert await queries.fetch(int, "select organization_id from site") == [2]
        assert await queries.fetch(str, WHO) == [TENANT]
    async with other.snapshot() as queries:
        assert await queries.fetch(int, "select organization_id from site") == [2]


async def test_nothing_of_the_role_stays_on_a_connection(pool: Pool) -> None:
    """The role is set for a message, or a transaction, and not beyond it."""
    await pool.tenant().execute("select 1")
    connection = await pool.take()
    left = await connection.run(WHO, None, 5)
    pool.give(connection)

    assert left.rows == [(ADMIN,)]
    assert pool.bearing.notes == (f"works as {TENANT}: row policies do not bind {ADMIN}",)


async def test_bypassrls_is_bound(bypasser: str) -> None:
    """A role that is no superuser and passes policies makes the role, and works as it."""
    await migrate(bypasser)
    pool = Pool(bypasser, Database(pool_size=2))
    await pool.everywhere().execute("insert into organization (name) values ('other')")

    await bound(pool.tenant(1), pool.tenant(2))
    assert await pool.tenant().fetch(str, WHO) == [f"{TENANT}_{pool.bearing.login}"]

    await pool.close()


async def test_bypassrls_without_createrole_is_refused(server: Embedded, bypasser: str) -> None:
    """Who may not make the role is told how to go on."""
    name = bypasser.partition("@")[0].rpartition("/")[2]
    administer(server, f"alter role {name} nocreaterole")

    remedy = f"ordinary role that owns the database, .*; grant {TENANT}_{name} to {name}"
    with pytest.raises(MigrationError, match=remedy):
        await migrate(bypasser)


async def test_an_ordinary_role_works_as_itself(pool: Pool, database: str) -> None:
    """Policies bind the owner of the tables: nothing else is needed."""
    own = Pool(database, Database(pool_size=2))
    await own.everywhere().execute("insert into organization (name) values ('other')")

    await bound(own.tenant(1), own.tenant(2))
    assert await own.tenant().fetch(str, WHO) == [ROLE]
    assert own.bearing.notes == ()

    await own.close()


async def test_the_start_changes_nothing_where_nothing_is_missing(
    pool: Pool, superuser: str
) -> None:
    """What the role may do is looked up, and not said again."""
    query = "select relname::text || coalesce(relacl::text, '') || xmin::text from pg_class"
    before = await pool.everywhere().fetch(str, query)

    assert await migrate(superuser) == await pending(superuser)
    assert await pool.everywhere().fetch(str, query) == before


async def test_the_role_may_do_what_the_owner_may(pool: Pool, superuser: str) -> None:
    """New tables are allowed to it by the next migration; what the owner left itself of them."""
    connection = await pool.take()
    await connection.run(
        "create table log (x int); revoke update, delete on log from current_user;"
        "create table acme (id int generated always as identity, x int)",
        None,
        5,
    )
    pool.give(connection)
    tenant = pool.tenant()

    await migrate(superuser)

    await tenant.execute("insert into log values (1)")
    await tenant.execute("insert into acme (x) values (1)")
    await tenant.execute("update acme set x = 2")
    for statement in ("update log set x = 2", "delete from log", "delete from schema_migration"):
        with pytest.raises(DatabaseError, match="permission denied"):
            await tenant.execute(statement)


async def test_it_is_made_once_for_all_databases(
    server: Embedded, empty_databases: Databases
) -> None:
    """Databases of one server that are migrated at once share it, and one may be dropped."""
    with empty_databases.fresh() as one, empty_databases.fresh() as two:
        urls = [as_role(server, dsn, ADMIN) for dsn in (one, two)]
        await asyncio.gather(*(migrate(url) for url in urls * 2))
        pool = Pool(urls[0], Database(pool_size=1))
        await pool.tenant().execute(SITE.format(1, "a"))
        await pool.close()
        administer(server, f"drop database {database_of(urls[0])} with (force)")
        pool = Pool(urls[1], Database(pool_size=1))
        await pool.tenant().execute(SITE.format(1, "a"))
        await pool.close()
        administer(server, f"create database {database_of(urls[0])}")


async def test_a_role_that_passes_policies_is_refused(
    server: Embedded, pool: Pool, superuser: str
) -> None:
    """It does not start where there is no role that policies bind."""
    administer(server, f"alter role {TENANT} bypassrls")
    try:
        await pool.everywhere().execute("select 1")
        with pytest.raises(MigrationError, match="alter role energia_tenant nosuperuser"):
            await migrate(superuser)
    finally:
        administer(server, f"alter role {TENANT} nobypassrls")
