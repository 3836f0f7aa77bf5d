"""The demo: expected totals were computed apart, hour by hour with Decimal and zoneinfo."""

import asyncio

import pytest
from click.testing import CliRunner

from energia.cli.main import energia
from energia.db.pool import Pool, Tenant
from energia.errors import TooLarge
from energia.plugins import Plugins
from energia.settings import Limits, Settings
from energia.time import SystemClock
from energia_plugins.demo import household
from tests.serving import Serving, make_core

#: The imports that are kept, by what they created and left unchanged.
COUNTS = "select counts ->> 'created', counts ->> 'unchanged' from import order by id"


def demo(database: str) -> str:
    """Run `energia demo` on *database* and return what it printed."""
    runner = CliRunner(env={"DATABASE_URL": database, "COLUMNS": "100"})
    result = runner.invoke(energia, ["demo"])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(name="printed")
def _printed(database: str) -> str:
    """Give what the demo printed on a fresh database, in which its year is now."""
    return demo(database)


def test_ranks_the_year(printed: str) -> None:
    """The year costs what an independent calculation says, the cheapest tariff first."""
    rows = [line.split("│") for line in printed.splitlines() if "demo-" in line and "│" in line]
    assert [(row[2].strip(), row[3].strip(), row[4].strip()) for row in rows] == [
        ("demo-seasons", "492.59", "-15.45"),
        ("demo-flat", "508.04", "0.00"),
        ("demo-night", "544.47", "36.43"),
    ]


@pytest.fixture
def second_run(printed: str, database: str) -> None:
    """Run the demo again on its database."""
    demo(database)


@pytest.mark.usefixtures("second_run")
async def test_a_second_run_keeps_the_data(tenant: Tenant) -> None:
    """Running the demo again stores nothing anew."""
    imports = await tenant.fetch(lambda created, unchanged: (created, unchanged), COUNTS)
    assert imports == [("8760", "0"), ("0", "8760")]


async def test_fills_the_database_of_a_preview(pool: Pool) -> None:
    """Replicas may do so at once, and every start again: there is one household."""
    core = make_core(plugins=Plugins.installed(), pool=pool)
    seed = core.plugins.seeds()["demo"]

    await asyncio.gather(*(seed.sow(core) for _ in range(3)))
    await seed.sow(core)

    tenant = pool.tenant()
    assert await tenant.fetch(str, "select id from site") == ["demo-home"]
    assert await tenant.fetch(int, "select count(*) from tariff") == [3]
    assert await tenant.fetch(int, "select sum((counts ->> 'created')::int) from import") == [8760]


async def test_holds_to_the_limit_of_rows(tenant: Tenant) -> None:
    """A year of hours is over a limit of one reading, as it is for whoever else sends it."""
    settings = Settings(limits=Limits(rows=1))

    with pytest.raises(TooLarge, match=r"limits\.rows \(1\)"):
        await household.load(tenant, SystemClock(), settings)


@pytest.fixture
async def bills(printed: str, pool: Pool, tariff: str, serving: Serving) -> None:
    """Issue the bill of a month under a tariff of the demo."""
    contract = {"id": "c", "meter": "demo-meter", "tariff": tariff, "start": "2021-01-01"}
    run = {"start": "2021-03-01", "end": "2021-04-01", "issue": True}
    async with serving(make_core(plugins=Plugins.installed(), pool=pool)) as client:
        async with client.post("/v1/contracts", json=contract) as answer:
            assert answer.status == 201
        async with client.post("/v1/bills/run", json=run) as answer:
            assert (await answer.json())["issued"] == 1


@pytest.mark.parametrize("tariff", ["demo-flat", "demo-night", "demo-seasons"])
@pytest.mark.usefixtures("bills")
def test_a_second_run_keeps_what_is_billed(database: str) -> None:
    """Tariffs by which bills are issued are put again as they are: no conflict."""
    assert "demo-flat" in demo(database)
