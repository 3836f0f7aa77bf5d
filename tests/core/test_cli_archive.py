"""`energia archive`: which days go to the archive, and back."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from click.testing import CliRunner, Result

from energia.cli.main import energia
from energia.db import organizations
from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.settings import Database
from energia.time import instant_of
from tests.core.metering.setting import meter, store
from tests.e2e.service import environment

T = TypeVar("T")
START = instant_of(datetime(2020, 1, 1, tzinfo=UTC))
#: The days of January to March, of two meters.
DAYS = 2 * 91
TOTAL = "select count(*)::int, sum(value)::int, max(start_at)::text from reading"
ARCHIVED = "select count(*)::int from reading_day_archived"


def run(database: str, *arguments: str, **more: str) -> Result:
    """Run the command on a database."""
    env = {"DATABASE_URL": database, "ENERGIA_PROFILE": "development", **more}
    return CliRunner().invoke(energia, ["archive", *arguments], env=env)


def asked(database: str, work: Callable[[Pool], Awaitable[T]]) -> T:
    """Do something in the database."""

    async def within() -> T:
        pool = Pool(database, Database())
        try:
            return await work(pool)
        finally:
            await pool.close()

    return asyncio.run(within())


async def fill(tenant: Tenant, *meters: str) -> None:
    """Store a kWh of each of 121 days from 2020 on."""
    for name in meters:
        await meter(tenant, name)
        items = [(START + day * 86_400, 1, 1) for day in range(121)]
        await store(tenant, name, [items], START + 500 * 86_400)


@pytest.fixture(name="filled")
def _filled(database: str) -> str:
    """Give a database with two meters."""
    asked(database, lambda pool: fill(pool.tenant(), "m", "n"))
    return database


def archived(database: str) -> int:
    """Return how many days are in the archive."""
    return asked(database, lambda pool: pool.everywhere().fetch(int, ARCHIVED))[0]


def test_a_dry_run_says_what_would_be_moved(filled: str) -> None:
    """And moves nothing."""
    result = run(filled, "--older-than", "P2Y", "--dry-run")

    assert result.stdout == f"{DAYS} days of readings would be archived\n"
    assert archived(filled) == 0


def test_days_go_and_come_back(filled: str) -> None:
    """What was moved is not moved again, and restored by the meter, or all of it."""
    told = [
        run(filled, *arguments).stdout.partition(" of ")[0]
        for arguments in (
            ("--older-than", "P2Y", "--meter", "m"),
            ("--older-than", "P2Y"),
            ("--older-than", "P2Y"),
            ("--restore", "--meter", "n"),
            ("--restore",),
        )
    ]

    assert told == ["91 days", "91 days", "0 days", "91 days", "91 days"]
    assert archived(filled) == 0


def test_the_setting_says_how_old(filled: str) -> None:
    """Where the command does not."""
    result = run(filled, ENERGIA_READINGS__ARCHIVE="P2Y")

    assert result.stdout == f"{DAYS} days of readings are archived\n"


def test_all_organizations_or_one(filled: str) -> None:
    """Without a name, what is old goes of every one of them."""

    async def make(pool: Pool) -> None:
        await fill(pool.tenant((await organizations.create(pool, "other")).key), "m")

    asked(filled, make)

    assert run(filled, "--older-than", "P2Y", "--organization", "other").stdout.startswith("91 ")
    assert run(filled, "--older-than", "P2Y").stdout.startswith(f"{DAYS} ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--older-than", "P1M"], "two months at least"),
        (["--older-than", "P90D"], "two months at least"),
        ([], "Say how old they are"),
        (["--restore", "--dry-run"], "does not go with --restore"),
    ],
)
def test_what_cannot_be_meant(database: str, arguments: list[str], told: str) -> None:
    """An age that is too small or missing, and opposites: exit code 2."""
    result = run(database, *arguments)

    assert result.exit_code == 2
    assert told in result.stderr


@pytest.mark.parametrize("option", ["--meter", "--organization"])
def test_what_is_not_there(database: str, option: str) -> None:
    """A meter or an organization that does not exist, in one line."""
    result = run(database, "--older-than", "P2Y", option, "nothing")

    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "nothing" in result.stderr


def test_nothing_is_lost_by_who_is_killed(database: str) -> None:
    """After each `kill -9` all readings are there once, and the next run goes on to the end."""
    asked(database, lambda pool: fill(pool.tenant(), *(f"m{number}" for number in range(30))))
    before = asked(database, lambda pool: pool.tenant().records(TOTAL))
    command = [sys.executable, "-m", "energia", "archive", "--older-than", "P2Y"]
    kills = 0
    while archived(database) < 30 * 91:
        at = archived(database)
        process = subprocess.Popen(command, env=environment(DATABASE_URL=database))
        while process.poll() is None and archived(database) < at + 5 * 91:
            time.sleep(0.001)
        kills += process.poll() is None
        process.kill()
        process.wait()
        assert asked(database, lambda pool: pool.tenant().records(TOTAL)) == before

    assert kills >= 3
