"""What the metrics plugin asks the database in the background."""

import asyncio
import time
from collections.abc import Awaitable
from datetime import UTC, date, datetime
from typing import Any

from energia.db.connection import Result
from energia.db.migrate import migrate
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Database
from energia_plugins.metrics_prometheus.database import figures, operation
from tests.plugins.test_bill_webhook import CHANNEL, FLAT, SITE, TARIFF
from tests.plugins.test_metrics_prometheus import scrape
from tests.serving import Client, Serving, make_core


async def put(client: Client, path: str, body: object) -> None:
    """Store something."""
    async with client.put(path, json=body) as answer:
        assert answer.status == 201, await answer.text()


async def store(client: Client, meter: str, start: str, values: list[Any], interval: str) -> None:
    """Store a meter, and readings of it."""
    channel = {**CHANNEL, "interval": interval}
    await put(client, f"/v1/meters/{meter}", {"site": "home", "channels": [channel]})
    series = {"meter": meter, "start": start, "interval": interval, "values": values}
    async with client.post("/v1/readings", json={"series": [series]}) as answer:
        assert answer.status == 200, await answer.text()


async def test_the_newest_reading_of_each_class(pool: Pool, serving: Serving) -> None:
    """It is the end of the last slot that has a value, over all channels of a class."""
    core = make_core(plugins=Plugins.installed(), pool=pool)
    async with serving(core) as client:
        await put(client, "/v1/sites/home", SITE)
        await store(client, "a", "2026-03-01T00:00:00Z", [1] * 24, "PT1H")
        await store(client, "b", "2026-03-02T00:00:00Z", [1, 2, None], "PT1H")
        await store(client, "c", "2026-03-02T00:00:00Z", [1], "PT1H")
        await store(client, "d", "2026-02-01T00:00:00Z", [1, 1, 1], "PT15M")
        found = await figures(core)

    assert {(one.direction, one.interval): one.end for one in found.newest} == {
        ("import", 3600): datetime(2026, 3, 2, 2, tzinfo=UTC),
        ("import", 900): datetime(2026, 2, 1, 0, 45, tzinfo=UTC),
    }


async def test_the_price_horizon(pool: Pool, serving: Serving) -> None:
    """It is where the prices of a contract's tariff end; not those of one that nobody has."""
    core = make_core(plugins=Plugins.installed(), pool=pool)

    def until(day: str | None) -> dict[str, object]:
        version = {"valid_from": "2026-01-01", "valid_to": day, "charges": [FLAT]}
        return {**TARIFF, "versions": [version]}

    async with serving(core) as client:
        await put(client, "/v1/sites/home", SITE)
        for meter in ("m", "n"):
            await store(client, meter, "2026-03-01T00:00:00Z", [1], "PT1H")
        for tariff, day in (("never", None), ("later", "2027-06-01"), ("nobody", "2026-02-01")):
            await put(client, f"/v1/tariffs/{tariff}", until(day))
        contract = {"meter": "m", "tariff": "never", "start": "2026-01-01"}
        await put(client, "/v1/contracts/one", contract)
        assert (await figures(core)).priced_until is None
        await put(client, "/v1/contracts/two", {**contract, "meter": "n", "tariff": "later"})
        assert (await figures(core)).priced_until == date(2027, 6, 1)


async def test_migrations(empty_database: str) -> None:
    """The newest applied one is told; files of a plugin that are not applied are pending."""
    await migrate(empty_database)
    pool = Pool(empty_database, Database())
    with_plugins = make_core(plugins=Plugins.installed(), pool=pool)
    core_only = await figures(make_core(pool=pool))
    found = await figures(with_plugins)
    await pool.close()

    assert core_only.pending == 0
    assert [one.owner for one in core_only.migrations] == ["core", "procrastinate"]
    assert found.pending == len(
        [file for folder in with_plugins.plugins.migrations().values()
         for file in folder.iterdir() if file.name.endswith(".sql")]
    )  # fmt: skip


async def test_a_scrape_asks_the_database_nothing(pool: Pool, serving: Serving) -> None:
    """However often it is scraped, no statement is sent for it."""
    core = make_core(plugins=Plugins.installed(), pool=pool)
    async with serving(core) as client:
        await asyncio.sleep(0.5)
        began = time.monotonic()
        sent: list[str] = []

        def note(message: str, answer: Awaitable[Result]) -> Awaitable[Result]:
            sent.append(message)
            return answer

        core.pool.stats.statement_timers.append(note)
        for _ in range(50):
            await scrape(client)
        periods = (time.monotonic() - began) / core.settings.health.period

    probes = ("select 1", "from brazil_table", "from brazil_tariff")  # which go on
    asked = {probe: [one for one in sent if probe in one] for probe in probes}
    assert sum(map(len, asked.values())) == len(sent)
    assert all(len(statements) <= periods + 1 for statements in asked.values())


async def test_a_database_that_is_away(serving: Serving) -> None:
    """It is down, the figures are missing, and the scrape is answered."""
    async with serving(make_core(plugins=Plugins.installed())) as client:
        await asyncio.sleep(0.2)
        value = await scrape(client)

    assert value("db_up", missing=-1) == 0
    assert value("db_migrations_pending", missing=-1) == -1


def test_operations() -> None:
    """A statement is known by its first word, past what sets the organization; few words are."""
    prefix = "select set_config('energia.organization', '1', true); "

    assert operation(f"{prefix}insert into x values (%s)") == "insert"
    assert operation(f"begin; {prefix}\n  WITH a as (select 1) select 2") == "with"
    assert operation("commit") == "commit"
    assert operation("-- no word") == operation("vacuum x") == "other"
