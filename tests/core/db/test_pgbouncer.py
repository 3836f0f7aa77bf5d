"""PgBouncer in transaction mode: settings travel in the messages, and nothing else changes."""

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from energia.db.connection import Connection
from energia.db.embedded import ADMIN, ROLE, Embedded
from energia.db.migrate import CORE_MIGRATIONS, migrate, pending
from energia.db.pool import Pool
from energia.db.queries import Prepared
from energia.db.role import TENANT
from energia.errors import DatabaseAway, LockTimeout, StatementTimeout
from energia.settings import Database
from tests.core.db.test_role import SITE, WHO, bound, database_of
from tests.databases import Databases

pytestmark = pytest.mark.needs("pgbouncer")

_NUMBERS = count(1)
#: Few connections to the server, so that clients share them.
_SETTINGS = """[databases]
* = host={server} port=5432
[pgbouncer]
listen_addr =
listen_port = 5432
unix_socket_dir = {folder}
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 2
{more}
"""
#: What the guide of PgBouncer says for clients that send options: they are then lost.
IGNORING = "ignore_startup_parameters = options"
#: What a session of ours is set to.
SET = """select concat_ws(' ',
  current_setting('statement_timeout'), current_setting('lock_timeout'),
  current_setting('client_connection_check_interval'), current_setting('timezone'))"""

Bouncer = Callable[[str, str], str]


@contextmanager
def running(server: Embedded, folder: Path, more: str) -> Iterator[None]:
    """Run PgBouncer before *server*, listening in *folder*."""
    folder.mkdir()
    run = server.folder / "run"
    (folder / "users").write_text(f'"{ROLE}" ""\n"{ADMIN}" ""\n')
    (folder / "ini").write_text(_SETTINGS.format(server=run, folder=folder, more=more))
    owner = run.stat()
    as_owner: dict[str, Any] = {}
    if os.geteuid() == 0:
        os.chown(folder, owner.st_uid, owner.st_gid)
        as_owner = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    process = subprocess.Popen(
        ["pgbouncer", "--quiet", folder / "ini"], stderr=subprocess.PIPE, **as_owner
    )
    try:
        until = time.monotonic() + 20
        while not (folder / ".s.PGSQL.5432").exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < until
            time.sleep(0.01)
        yield
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def bouncers(server: Embedded, open_folder: Path) -> Iterator[Bouncer]:
    """Give what returns the URL of a database behind a PgBouncer with further settings."""
    with ExitStack() as stack:
        folders: dict[str, Path] = {}

        def behind(dsn: str, more: str = "") -> str:
            if more not in folders:
                folders[more] = open_folder / f"bouncer_{next(_NUMBERS)}"
                stack.enter_context(running(server, folders[more], more))
            role = dsn.partition("//")[2].partition("@")[0]
            return f"postgresql://{role}@/{database_of(dsn)}?host={folders[more]}&port=5432"

        yield behind


@pytest.fixture(params=["", IGNORING], ids=["refusing_options", "ignoring_options"])
def url(request: pytest.FixtureRequest, bouncers: Bouncer, database: str) -> str:
    """Give the URL of a migrated database behind a PgBouncer."""
    return bouncers(database, request.param)


@pytest.fixture
async def pool(url: str) -> AsyncIterator[Pool]:
    """Give a pool of more connections than PgBouncer has to the server."""
    pool = Pool(url, Database(pool_size=5, statement_timeout=4, lock_timeout=0.2))
    yield pool
    await pool.close()


async def test_settings_travel_in_the_messages(pool: Pool) -> None:
    """Statements and transactions have the time limits of the service, and its time zone."""
    tenant = pool.tenant()

    for _ in range(2):
        assert await tenant.fetch(str, SET) == ["4s 200ms 500ms UTC"]
        async with tenant.transaction() as queries:
            assert await queries.fetch(str, SET) == ["4s 200ms 500ms UTC"]
            assert await queries.fetch(str, SET) == ["4s 200ms 500ms UTC"]
    assert len(pool.bearing.notes) == 1


async def test_nothing_is_prepared(pool: Pool) -> None:
    """The next statement may come to another session, which does not have it."""
    sites = Prepared("select name from site where id = %s", "text")

    for _ in range(2):
        assert await pool.tenant().fetch(str, sites, "here") == []
    assert await pool.tenant().fetch(str, "select name from pg_prepared_statements") == []


async def test_a_statement_takes_no_longer_than_it_may(url: str) -> None:
    """The server ends it, in the very message that brought the limit."""
    pool = Pool(url, Database(pool_size=1, statement_timeout=0.3))

    with pytest.raises(StatementTimeout, match="statement timeout"):
        await pool.tenant().execute("select pg_sleep(10)")
    assert pool.stats.connects == 1

    await pool.close()


async def test_a_lock_is_not_waited_for_without_end(pool: Pool) -> None:
    """Waiting for a row of somebody else ends as it does without PgBouncer."""
    tenant = pool.tenant()
    await tenant.execute(SITE.format(1, "a"))
    async with tenant.transaction() as queries:
        await queries.execute("update site set name = 'mine'")
        with pytest.raises(LockTimeout):
            await tenant.execute("update site set name = 'theirs'")


async def test_organizations_that_share_connections_are_apart(pool: Pool) -> None:
    """Many at once, on few connections to the server: each sees its own."""
    await pool.everywhere().execute("insert into organization (name) values ('other')")
    await bound(pool.tenant(1), pool.tenant(2))

    async def seen(organization: int) -> list[int]:
        async with pool.tenant(organization).transaction() as queries:
            await queries.execute("select pg_sleep(0.002)")
            return await queries.fetch(int, "select organization_id from site")

    asked = [1 + number % 2 for number in range(40)]
    assert await asyncio.gather(*(seen(one) for one in asked)) == [[one] for one in asked]


async def test_a_superuser_is_bound(bouncers: Bouncer, server: Embedded, database: str) -> None:
    """The role travels in the messages too."""
    dsn = server.dsn(ADMIN, database_of(database))
    await migrate(bouncers(dsn, ""))
    pool = Pool(bouncers(dsn, ""), Database(pool_size=2))

    assert await pool.tenant().fetch(str, WHO) == [TENANT]
    assert len(pool.bearing.notes) == 2

    await pool.close()


@pytest.mark.parametrize("more", ["", IGNORING])
async def test_replicas_migrate_at_once(
    bouncers: Bouncer, empty_databases: Databases, tmp_path: Path, more: str
) -> None:
    """Each file is applied once, concurrent indexes too, though sessions keep no lock."""
    (tmp_path / "0001_table.sql").write_text("create table own (a int);")
    concurrent = "-- no transaction\ncreate index concurrently if not exists own_a on own (a);"
    (tmp_path / "0002_index.sql").write_text(concurrent)
    folders = {**CORE_MIGRATIONS, "own": tmp_path}
    with empty_databases.fresh() as dsn:
        url = bouncers(dsn, more)
        outcomes = await asyncio.gather(*(migrate(url, folders) for _ in range(2)))
        left = await pending(url, folders)

    assert min(len(outcome.applied) for outcome in outcomes) == 0
    assert left.pending == ()
    assert any("own 0002_index" in outcome.applied for outcome in outcomes)


async def test_without_pgbouncer_nothing_travels(database: str) -> None:
    """A session of the server keeps what it is set to: the message is as short as it was."""
    pool = Pool(database, Database(pool_size=1))
    connection = await pool.take()

    assert isinstance(connection, Connection)
    assert connection.also == ""
    assert pool.bearing.notes == ()

    pool.give(connection)
    await pool.close()


async def test_options_of_the_url_are_not_dropped(bouncers: Bouncer, database: str) -> None:
    """What the URL asks for cannot travel: the service says what refuses it."""
    url = f"{bouncers(database, '')}&options=-c%20search_path%3Down"
    pool = Pool(url, Database())

    with pytest.raises(DatabaseAway, match="unsupported startup parameter"):
        await pool.tenant().execute("select 1")

    await pool.close()
