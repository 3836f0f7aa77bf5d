"""The database that the settings name."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from energia.db.connect import connected
from energia.db.embedded import Embedded
from energia.db.pool import Pool
from energia.errors import ConfigurationError, DatabaseAway
from energia.settings import Database
from tests.core.db.processes import gone, is_supervisor, postmaster, processes


async def test_a_url_is_given_as_it_is() -> None:
    """A libpq URL is passed on; whether it is reachable is seen later."""
    url = "postgresql://a:b@db.example/energia?sslmode=require"
    async with connected(Database(url=url)) as dsn:
        assert dsn == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hunter2",
        "mysql://root:hunter2@localhost/energia",
        "postgresql://energia:hunter2@[::1/energia",
        "postgresql://energia:hunter2@localhost/energia?nosuch=1",
        "postgresql://energia:hunter2@localhost:http/energia",
        "postgresql://energia:hunter2@localhost:99999/energia",
        "host=localhost password='hunter2",
    ],
)
async def test_a_url_that_does_not_parse(url: str) -> None:
    """The error names the setting, and shows no part of a text that may hold a password."""
    with pytest.raises(ConfigurationError, match=r"database\.url") as caught:
        async with connected(Database(url=url)):
            pass

    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


async def test_an_embedded_server_runs_as_long_as_it_is_used(open_folder: Path) -> None:
    """`embedded:/path` starts a server in that folder, and stops it."""
    folder = open_folder / "connected"
    async with connected(Database(url=f"embedded:{folder}")) as dsn:
        pool = Pool(dsn, Database())
        answer = await pool.tenant().fetch(int, "select 1")
        await pool.close()

    assert answer == [1]
    assert gone(folder, 1.0)


@pytest.mark.parametrize("killed", ["server", "supervisor", "all"])
async def test_an_embedded_server_that_is_killed_comes_back(open_folder: Path, killed: str) -> None:
    """After `kill -9` of any of its processes, or all, the same pool is answered by itself."""
    # `server` is the folder of the server that all tests share.
    folder, start = open_folder / f"killed-{killed}", "select pg_postmaster_start_time()::text"
    async with connected(Database(url=f"embedded:{folder}")) as dsn:
        pool = Pool(dsn, Database())
        first = await pool.tenant().fetch(str, start)
        victims = {
            "server": [postmaster(Embedded(folder))],
            "supervisor": list(filter(is_supervisor, processes(folder))),
            "all": processes(folder),
        }
        for pid in victims[killed]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        now = first
        async with asyncio.timeout(60):
            while now == first:
                await asyncio.sleep(0.05)
                with suppress(DatabaseAway):
                    now = await pool.tenant().fetch(str, start)
        await pool.close()

    assert gone(folder, 60)


async def test_a_start_that_is_cancelled_stops_the_server(open_folder: Path) -> None:
    """A service that is stopped while its server starts leaves none behind."""
    folder = open_folder / "connected"
    with suppress(TimeoutError):
        async with asyncio.timeout(0.02), connected(Database(url=f"embedded:{folder}")):
            await asyncio.sleep(10)

    assert gone(folder, 1.0)
