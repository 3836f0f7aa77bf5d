"""Migrations: numbered files, each applied once, whole, and never changed."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import closing
from importlib.resources.abc import Traversable
from pathlib import Path

import psycopg2
import pytest
from pglast.parser import parse_sql_json
from psycopg2.extensions import parse_dsn

from energia.db import migrate as module
from energia.db.embedded import ADMIN, ROLE, Embedded
from energia.db.migrate import CORE_MIGRATIONS, Migrated, Migration, migrate, pending
from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.errors import DatabaseAway, MigrationError
from energia.plugins import Plugins
from energia.settings import Database
from tests.databases import administer

ONE = "create table one (x int);"
#: What the database of tests is migrated for.
BUNDLED: Mapping[str, Traversable] = {**CORE_MIGRATIONS, **Plugins.installed().migrations()}


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """Give the folder of an owner `own`, with one file."""
    (tmp_path / "0001_one.sql").write_text(ONE)
    return tmp_path


def own(folder: Path) -> Mapping[str, Traversable]:
    """Return the folders of the core and the bundled plugins, and one more."""
    return {**BUNDLED, "own": folder}


async def tables(tenant: Tenant) -> set[str]:
    """Return the names of the tables."""
    sql = "select tablename from pg_tables where schemaname = 'public'"
    return set(await tenant.fetch(str, sql))


async def test_files_are_applied_once(database: str, tenant: Tenant, folder: Path) -> None:
    """The first call applies what is pending, the second one nothing."""
    before = await pending(database, own(folder))
    first = await migrate(database, own(folder))
    second = await migrate(database, own(folder))

    assert before == Migrated(pending=("own 0001_one",))
    assert first == Migrated(applied=("own 0001_one",))
    assert second == Migrated()
    assert "one" in await tables(tenant)


async def test_a_migrated_database_has_the_core(database: str, tenant: Tenant) -> None:
    """The fixtures' database is at the schema of the code."""
    assert await pending(database, BUNDLED) == Migrated()
    assert {"reading_day", "tariff_version", "schema_migration"} <= await tables(tenant)


async def test_files_are_applied_in_order(database: str, tenant: Tenant, folder: Path) -> None:
    """Numbers give the order, not the file system."""
    (folder / "0010_three.sql").write_text("alter table one rename column y to z")
    (folder / "0002_two.sql").write_text("alter table one rename column x to y")
    (folder / "README.md").write_text("not a migration")
    done = await migrate(database, own(folder))

    assert done.applied == ("own 0001_one", "own 0002_two", "own 0010_three")
    assert await tenant.fetch(int, "select z from one") == []


async def test_a_changed_file_is_refused(database: str, folder: Path) -> None:
    """A file that was applied may not change; the error names it."""
    await migrate(database, own(folder))
    (folder / "0001_one.sql").write_text(ONE + " -- changed")
    with pytest.raises(MigrationError, match=r"own 0001_one: the file was changed .* restore it"):
        await migrate(database, own(folder))


async def test_unknown_numbers_are_accepted(database: str, folder: Path) -> None:
    """Old code runs on a newer schema, and says what it does not know."""
    (folder / "0002_later.sql").write_text("create table later (x int)")
    await migrate(database, own(folder))
    (folder / "0002_later.sql").unlink()
    same = await migrate(database, own(folder))
    without = await migrate(database, BUNDLED)

    assert same == Migrated(unknown=("own 0002_later",))
    assert without == Migrated(unknown=("own 0001_one", "own 0002_later"))


async def test_a_failing_file_leaves_nothing(database: str, tenant: Tenant, folder: Path) -> None:
    """What came before it stays, of itself nothing; the error names it and what is wrong."""
    (folder / "0002_two.sql").write_text("create table two (x int);\nselect * from nowhere;")
    (folder / "0003_three.sql").write_text("create table three (x int)")
    with pytest.raises(MigrationError, match=r'(?s)own 0002_two: relation "nowhere" .*LINE 2'):
        await migrate(database, own(folder))
    there = await tables(tenant)
    left = await pending(database, own(folder))

    assert "one" in there
    assert not {"two", "three"} & there
    assert left.pending == ("own 0002_two", "own 0003_three")


async def test_a_file_may_not_end_its_transaction(database: str, folder: Path) -> None:
    """A file that commits by itself is refused."""
    (folder / "0002_two.sql").write_text("commit")
    with pytest.raises(MigrationError, match="own 0002_two: a file may not end its transaction"):
        await migrate(database, own(folder))


def test_a_file_is_parted_into_its_statements() -> None:
    """As a cluster gets them: they are those that the parser of PostgreSQL finds."""
    for migration in module.read(BUNDLED):
        parted = [parse_sql_json(statement) for statement in migration.each]

        assert [len(json.loads(each)["stmts"]) for each in parted] == [1] * len(parted)
        assert len(parted) == len(json.loads(parse_sql_json(migration.sql))["stmts"])


@pytest.mark.parametrize(
    ("sql", "each"),
    [
        ("select 1; select 2", ["select 1", "select 2"]),
        ("-- one; two\nselect 1;\n-- three;\n", ["select 1"]),
        ("/* a; b\n c; */ select /* d; */ 1;", ["select   1"]),
        ("select ';', 'it''s; so';", ["select ';', 'it''s; so'"]),
        (r"select E'\';', 'C:\'; select 2", [r"select E'\';', 'C:\'", "select 2"]),
        ('select 1 as "a;--b"; select 2', ['select 1 as "a;--b"', "select 2"]),
        (
            "do $$ begin; end $$; do $a$ $$; $b$; $a$;",
            ["do $$ begin; end $$", "do $a$ $$; $b$; $a$"],
        ),
    ],
)
def test_what_ends_a_statement(sql: str, each: list[str]) -> None:
    """A semicolon does, outside of comments, texts, names and bodies."""
    assert Migration("own", 1, "it", sql).each == each


async def test_statements_outside_a_transaction(
    database: str, tenant: Tenant, folder: Path
) -> None:
    """A file may ask to run outside a transaction, as concurrent indexes need."""
    (folder / "0002_index.sql").write_text(
        "-- no transaction\n-- Two; of them.\ndrop index concurrently if exists one_x;\n"
        "create index concurrently one_x on one (x);\n"
        "create index concurrently one_y\n  on one (x)  -- again\n  where x = 5;"
    )
    await migrate(database, own(folder))

    assert await tenant.fetch(
        str,
        "select indexrelid::regclass::text from pg_index join pg_class c on c.oid = indrelid"
        " where c.relname = 'one' and indisvalid order by 1",
    ) == ["one_x", "one_y"]


async def test_two_processes_apply_once(database: str, folder: Path) -> None:
    """Of several that migrate at the same time one does, and the others wait and find it done."""
    (folder / "0002_slow.sql").write_text("select pg_sleep(0.3); create table slow (x int)")
    (folder / "0003_index.sql").write_text(
        "-- no transaction\ncreate index concurrently slow_x on slow (x);"
    )
    done = await asyncio.gather(*(migrate(database, own(folder)) for _ in range(4)))

    assert sorted(len(each.applied) for each in done) == [0, 0, 0, 3]


async def test_a_locked_table_is_tried_again(
    database: str, pool: Pool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that waits for a lock too long gives way, and is tried again."""
    monkeypatch.setattr(module, "_LOCK_TIMEOUT", "50ms")
    await migrate(database, own(folder))
    (folder / "0002_two.sql").write_text("alter table one add column y int")
    async with pool.tenant().transaction() as queries:
        await queries.execute("select from one")
        migrating = asyncio.create_task(migrate(database, own(folder)))
        await asyncio.sleep(0.3)
    done = await migrating

    assert done.applied == ("own 0002_two",)


async def test_a_table_that_stays_locked(
    database: str, pool: Pool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some tries the error names the file."""
    monkeypatch.setattr(module, "_LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(module, "_TRIES", 2)
    await migrate(database, own(folder))
    (folder / "0002_two.sql").write_text("alter table one add column y int")
    async with pool.tenant().transaction() as queries:
        await queries.execute("select from one")
        with pytest.raises(MigrationError, match="own 0002_two: canceling statement due to lock"):
            await migrate(database, own(folder))


async def test_a_cancelled_migration_ends_at_once(
    database: str, tenant: Tenant, folder: Path
) -> None:
    """A service that is stopped while it migrates does not wait for the file's end."""
    (folder / "0002_two.sql").write_text("create table two (x int); select pg_sleep(60)")
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await migrate(database, own(folder))

    assert time.monotonic() - started < 5
    assert "two" not in await tables(tenant)


async def test_without_a_server() -> None:
    """Without a server the database is away: the caller may try again."""
    with pytest.raises(DatabaseAway):
        await migrate("postgresql:///nothing?host=/nowhere")


@pytest.mark.parametrize("name", ["1_short.sql", "0002_Upper.sql", "0002.sql", "later.sql"])
async def test_a_file_without_a_proper_name(database: str, folder: Path, name: str) -> None:
    """A file that would be left out silently is refused."""
    (folder / name).write_text("select 1")
    with pytest.raises(MigrationError, match=name):
        await migrate(database, own(folder))


async def test_a_number_is_used_once(database: str, folder: Path) -> None:
    """Two files of one owner may not have one number."""
    (folder / "0001_two.sql").write_text("select 1")
    with pytest.raises(MigrationError, match="has the number already"):
        await migrate(database, own(folder))


async def test_an_empty_database_is_migrated(empty_database: str) -> None:
    """A database without any table is brought up to date from nothing."""
    before = await pending(empty_database)
    done = await migrate(empty_database)
    pool = Pool(empty_database, Database())
    organizations = await pool.tenant().fetch(str, "select name from organization")
    await pool.close()

    assert before.pending == done.applied
    assert done.applied[0] == "core 0001_core"
    assert organizations == ["default"]


@pytest.fixture(name="weak")
def _weak(server: Embedded, database: str) -> Iterator[str]:
    """Give the URL of a migrated database for a role that has no rights there."""
    name = parse_dsn(database)["dbname"]
    with closing(psycopg2.connect(server.dsn(ADMIN, name))) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(f"create role weak_{name} login")
        yield server.dsn(f"weak_{name}", name)
        cursor.execute(f"drop owned by weak_{name}; drop role weak_{name}")


@pytest.mark.parametrize("work", [migrate, pending])
async def test_a_role_without_rights_is_told_where_and_what_it_needs(
    weak: str, work: Callable[[str], Awaitable[Migrated]]
) -> None:
    """Host, port, database and role are named: PostgreSQL names the table alone."""
    with pytest.raises(MigrationError) as caught:
        await work(weak)

    place = "database {dbname}, role {user}): the role must own".format(**parse_dsn(weak))
    assert caught.value.detail.startswith("permission denied for table schema_migration (host ")
    assert place in caught.value.detail


async def test_a_file_that_the_role_may_not_run_is_told_too(
    tenant: Tenant, weak: str, folder: Path
) -> None:
    """With the file, and what it is not allowed to change."""
    role = parse_dsn(weak)["user"]
    await tenant.execute(f"grant select on schema_migration to {role}")
    await tenant.execute(f"grant create on schema public to {role}")
    (folder / "0001_one.sql").write_text("alter table site add column nickname text")

    with pytest.raises(MigrationError, match=f"own 0001_one: must be owner .*role {role}"):
        await migrate(weak, own(folder))


async def test_a_new_database_that_is_not_utf8_is_refused(server: Embedded) -> None:
    """It could not store every text; SQL_ASCII would store bytes that nobody has looked at."""
    made = f"create database latin owner {ROLE} encoding 'LATIN1' locale 'C' template template0"
    administer(server, made)
    try:
        with pytest.raises(MigrationError, match="latin has the encoding LATIN1, and must have"):
            await migrate(server.dsn(database="latin"))
    finally:
        administer(server, "drop database latin")
