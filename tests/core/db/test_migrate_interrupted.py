"""Migrations that are interrupted, at whatever moment."""

import asyncio
import time
from pathlib import Path

import pytest

from energia.db.migrate import CORE_MIGRATIONS, migrate
from tests.core.db.processes import scalar

#: Seconds after which the task is cancelled.
MOMENTS = (0.0, 0.002, 0.01, 0.03, 0.1, 0.3)
SLOW = """create table first_half (id int);
select pg_sleep(30);
create table second_half (id int);
"""
#: Short statements, so that a moment may fall between two of them.
MANY = "-- no transaction\n" + "select pg_sleep(0.01);\n" * 3000

#: How many sessions still work on it.
LEFT = """select count(*) from pg_stat_activity where datname = current_database()
  and state = 'active' and query like '%pg_sleep%' and pid <> pg_backend_pid()"""


async def interrupted(dsn: str, sql: str, folder: Path, seconds: float) -> float:
    """Cancel a migration after some seconds, and return how long it took to end."""
    (folder / "0001_slow.sql").write_text(sql)
    task = asyncio.create_task(migrate(dsn, {**CORE_MIGRATIONS, "slow": folder}))
    await asyncio.sleep(seconds)
    task.cancel()
    started = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await task
    return time.monotonic() - started


@pytest.mark.parametrize("seconds", MOMENTS)
@pytest.mark.parametrize("sql", [SLOW, MANY], ids=["transaction", "alone"])
async def test_it_ends_soon_and_nothing_is_half_done(
    database: str, tmp_path: Path, sql: str, seconds: float
) -> None:
    """The file is not noted, none of its tables is there, and no session works on."""
    took = await interrupted(database, sql, tmp_path, seconds)

    assert took < 5
    assert scalar(database, "select count(*) from schema_migration where owner = 'slow'") == 0
    assert scalar(database, "select to_regclass('first_half')") is None
    assert scalar(database, LEFT) == 0


async def test_the_next_one_finishes(database: str, tmp_path: Path) -> None:
    """What was interrupted is done from its beginning by the next one who migrates."""
    await interrupted(database, SLOW, tmp_path, 0.2)
    (tmp_path / "0001_slow.sql").write_text(SLOW.replace("30", "0"))

    done = await migrate(database, {**CORE_MIGRATIONS, "slow": tmp_path})

    assert done.applied == ("slow 0001_slow",)
    assert scalar(database, "select count(*) from second_half") == 0
