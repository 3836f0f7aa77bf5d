"""Concurrent indexes: built outside transactions, waited for, and never left invalid."""

import asyncio
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path

import pytest

from energia.db import migrate as module
from energia.db.migrate import CORE_MIGRATIONS, migrate
from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.errors import MigrationError

ONE = "create table one (x int);"
PARTS = """create table one (x int) partition by list (x);
create table one_1 partition of one for values in (1);"""
UNIQUE = "-- no transaction\ncreate unique index concurrently if not exists one_x on one (x);"


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """Give the folder of an owner `own`, with one file."""
    (tmp_path / "0001_one.sql").write_text(ONE)
    return tmp_path


def own(folder: Path) -> Mapping[str, Traversable]:
    """Return the core's folder and one more."""
    return {**CORE_MIGRATIONS, "own": folder}


async def indexes(tenant: Tenant) -> dict[str, bool]:
    """Return the indexes of the tables of `own`, each with whether it is valid."""
    sql = (
        "select row(indexrelid::regclass, indisvalid)::text from pg_index"
        " where indrelid in (to_regclass('one'), to_regclass('two'))"
    )
    rows = await tenant.fetch(str, sql)
    return {name: valid == "t" for name, valid in (row.strip("()").split(",") for row in rows)}


async def test_an_invalid_index_is_built_again(database: str, tenant: Tenant, folder: Path) -> None:
    """What a failed concurrent index leaves is dropped, once its reason is gone."""
    await migrate(database, own(folder))
    await tenant.execute("insert into one values (1), (1)")
    (folder / "0002_index.sql").write_text(UNIQUE)
    with pytest.raises(MigrationError, match="own 0002_index: could not create unique index"):
        await migrate(database, own(folder))
    failed = await indexes(tenant)
    await tenant.execute("delete from one")
    done = await migrate(database, own(folder))

    assert failed == {"one_x": False}
    assert done.applied == ("own 0002_index",)
    assert await indexes(tenant) == {"one_x": True}


async def test_the_invalid_index_of_another_is_left(
    database: str, tenant: Tenant, folder: Path
) -> None:
    """An index that the file does not name is somebody else's: it may be in the making."""
    (folder / "0001_one.sql").write_text(PARTS)
    (folder / "0002_index.sql").write_text("create index other_x on only one (x);")
    (folder / "0003_two.sql").write_text("create table two (x int);")
    (folder / "0004_index.sql").write_text(UNIQUE.replace("one", "two"))
    await migrate(database, own(folder))

    assert await indexes(tenant) == {"other_x": False, "two_x": True}


async def test_an_index_that_stays_invalid_is_refused(database: str, folder: Path) -> None:
    """A file that ends with an invalid index was not applied."""
    (folder / "0001_one.sql").write_text(PARTS)
    (folder / "0002_index.sql").write_text("-- no transaction\ncreate index one_x on only one (x);")
    with pytest.raises(MigrationError, match="own 0002_index: left invalid: one_x"):
        await migrate(database, own(folder))


async def test_a_concurrent_index_outwaits_a_long_writer(
    database: str, pool: Pool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for the transactions before it, longer than for a lock, and nobody waits for it."""
    monkeypatch.setattr(module, "_LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(module, "_TRIES", 1)
    await migrate(database, own(folder))
    (folder / "0002_index.sql").write_text(UNIQUE)
    async with pool.tenant().transaction() as writer:
        await writer.execute("insert into one values (1)")
        migrating = asyncio.create_task(migrate(database, own(folder)))
        await asyncio.sleep(0.5)
        await pool.tenant().execute("insert into one values (2)")
        waiting = not migrating.done()

    assert waiting
    assert (await migrating).applied == ("own 0002_index",)
