"""A backup by PostgreSQL's own programs, as its guide says, and what is restored from it."""

import subprocess
from collections.abc import Callable, Coroutine
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from energia.db.embedded import ADMIN, ROLE, Embedded, installed
from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.metering import archive
from energia.metering.archive import Window
from energia.plugins import Plugins
from energia.settings import Database
from energia.time import day_number
from tests.e2e.test_billed_year import bills, call, issue_all, set_up
from tests.serving import Serving, make_core

Api = aiohttp.ClientSession
#: What a client reads back; bills and what they come from are asked for one by one.
PATHS = (
    "/v1/sites",
    "/v1/meters",
    "/v1/tariffs",
    "/v1/contracts",
    "/v1/imports",
    "/v1/bills?limit=1000",
    "/v1/bills?affected=true",
    "/v1/meters/demo-flat/readings?start=2021-01-01&end=2022-01-01",
    "/v1/meters/demo-flat/usage?start=2021-01-01&end=2022-01-01&window=P1M",
    "/v1/tariffs/demo-night/corrections",
)


def run(server: Embedded, database: str, program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL on a database, as its administrator."""
    name = URL(database).path.strip("/")
    command = [str(installed() / program), f"--dbname={server.dsn(ADMIN, name)}", *arguments]
    subprocess.run(command, check=True, capture_output=True, text=True)


@pytest.fixture(name="restored")
def _restored(
    server: Embedded, database: str, empty_database: str, serving: Serving, tmp_path: Path
) -> Callable[[], Coroutine[Any, Any, Pool]]:
    """Give what dumps the database, and restores it into another."""

    async def restored() -> Pool:
        file = str(tmp_path / "energia.dump")
        run(server, database, "pg_dump", "--format=custom", f"--file={file}")
        options = ("--exit-on-error", "--single-transaction", "--no-owner", f"--role={ROLE}")
        run(server, empty_database, "pg_restore", *options, file)
        return Pool(empty_database, Database(pool_size=5))

    return restored


async def corrected(api: Api) -> None:
    """Issue a household's year, correct a day that is billed, and a bill."""
    await set_up(api)
    await issue_all(api)
    series = {"meter": "demo-flat", "start": "2021-07-14T00:00:00Z", "interval": "PT1H"}
    await call(api, "POST", "/v1/readings", {"series": [{**series, "values": [1.5] * 24}]})
    (july,) = await bills(api, contract="demo-flat", start="2021-07-01", end="2021-08-01")
    correction = await call(api, "POST", "/v1/bills", {"corrects": july["id"]}, 201)
    await call(api, "POST", f"/v1/bills/{correction['id']}/issue")
    evening = {**series, "start": "2021-09-14T18:00:00Z", "values": [2.5] * 4}
    await call(api, "POST", "/v1/readings", {"series": [evening]})


async def answers(api: Api) -> dict[str, bytes]:
    """Return what the service says of everything that is stored, to the byte."""
    explained = [f"/v1/bills/{bill['id']}/explain" for bill in await bills(api)]
    found = {}
    for path in (*PATHS, *explained):
        async with api.get(path) as answer:
            found[path] = await answer.read()
            assert answer.status == 200, found[path]
    return found


async def test_bills_and_explanations_are_reproduced(
    api: Api, tenant: Tenant, restored: Callable[[], Coroutine[Any, Any, Pool]], serving: Serving
) -> None:
    """A restored database answers every question with the same bytes, corrections included.

    So does the database once most of the year is in the archive, of which the backup is.
    """
    await corrected(api)
    before = await answers(api)
    assert len(before) > len(PATHS) + 36
    assert b'"impact"' in before["/v1/bills?affected=true"]
    assert await archive.archive(tenant, Window(0, day_number(date(2021, 11, 1)))) > 600
    assert await answers(api) == before

    pool = await restored()
    try:
        core = make_core(plugins=Plugins.installed(), pool=pool)
        async with serving(core) as client, aiohttp.ClientSession(client.make_url("")) as other:
            after = await answers(other)
            # And it goes on: what was sent since the backup is sent again.
            again = await issue_all(other)
    finally:
        await pool.close()

    assert after == before
    assert [(run["created"], run["failed"]) for run in again] == [(0, [])] * 12
