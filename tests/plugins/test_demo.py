"""The demo: expected totals were computed apart, hour by hour with Decimal and zoneinfo."""

import asyncio
import sys

import pytest

from energia.db.pool import Pool, Tenant
from energia.plugins import Plugins
from tests.e2e.service import environment
from tests.serving import make_core, serving

#: The imports that are kept, by what they created and left unchanged.
COUNTS = "select counts ->> 'created', counts ->> 'unchanged' from import order by id"


async def demo(database: str) -> str:
    """Run `energia demo` on *database* and return what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "energia", "demo"),
        env=environment(DATABASE_URL=database, COLUMNS="100"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def test_ranks_the_year(database: str) -> None:
    """The year costs what an independent calculation says, the cheapest tariff first."""
    printed = await demo(database)

    rows = [line.split("│") for line in printed.splitlines() if "demo-" in line and "│" in line]
    assert [(row[2].strip(), row[3].strip(), row[4].strip()) for row in rows] == [
        ("demo-seasons", "492.59", "-15.45"),
        ("demo-flat", "508.04", "0.00"),
        ("demo-night", "544.47", "36.43"),
    ]


async def test_a_second_run_keeps_the_data(database: str, tenant: Tenant) -> None:
    """Running the demo again stores nothing anew."""
    await demo(database)
    await demo(database)

    imports = await tenant.fetch(lambda created, unchanged: (created, unchanged), COUNTS)
    assert imports == [("8760", "0"), ("0", "8760")]


@pytest.mark.parametrize("tariff", ["demo-flat", "demo-night", "demo-seasons"])
async def test_a_second_run_keeps_what_is_billed(pool: Pool, database: str, tariff: str) -> None:
    """Tariffs by which bills are issued are put again as they are: no conflict."""
    await demo(database)
    contract = {"id": "c", "meter": "demo-meter", "tariff": tariff, "start": "2021-01-01"}
    run = {"start": "2021-03-01", "end": "2021-04-01", "issue": True}
    async with serving(make_core(plugins=Plugins.installed(), pool=pool)) as client:
        async with client.post("/v1/contracts", json=contract) as answer:
            assert answer.status == 201
        async with client.post("/v1/bills/run", json=run) as answer:
            done = await answer.json()

    assert done["issued"] == 1
    assert "demo-flat" in await demo(database)
