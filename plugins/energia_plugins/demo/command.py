"""`energia demo`: load the household, price it, print which tariff would have been cheapest."""

import asyncio
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from energia.cli.invocation import Invocation, allow_embedded, pass_invocation

if TYPE_CHECKING:
    from energia import Tenant
    from energia.costing.compare import Ranked
    from energia.plugins import Plugins
    from energia.settings import Settings


@click.command("demo", short_help="Load a real household's year and rank three tariffs.")
@allow_embedded
@pass_invocation
def demo(invocation: Invocation, allow_embedded: bool) -> None:
    """Load a real household's year and rank three tariffs by what it would have cost.

    The tariffs are illustrative: no supplier ever offered them. Running it again changes nothing.

    \b
    Example:
      energia demo && energia serve
    """
    settings = invocation.settings(allow_embedded=allow_embedded)
    ranking = asyncio.run(_demo(settings, invocation.plugins()))
    _print(ranking)


async def _demo(settings: "Settings", plugins: "Plugins") -> "tuple[Ranked, ...]":
    from energia.db.connect import connected
    from energia.db.migrate import CORE_MIGRATIONS, migrate
    from energia.db.pool import Pool

    async with connected(settings.database) as dsn:
        await migrate(dsn, {**CORE_MIGRATIONS, **plugins.migrations()})
        pool = Pool(dsn, settings.database)
        try:
            await _load(pool.tenant(), settings)
            return await _compare(pool.tenant(), plugins)
        finally:
            await pool.close()


async def _load(tenant: "Tenant", settings: "Settings") -> None:
    """Store the household; the bar counts readings."""
    from energia.time import SystemClock
    from energia_plugins.demo import household

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task("Readings of 2021", total=household.HOURS)
        await household.load(tenant, SystemClock(), settings, lambda: progress.advance(task))


async def _compare(tenant: "Tenant", plugins: "Plugins") -> "tuple[Ranked, ...]":
    from energia.costing.compare import compare
    from energia.metering import query, registry
    from energia_plugins.demo import household

    tariffs = await household.load_tariffs(tenant, plugins)
    (channel,) = await registry.channels(tenant, household.METER_ID)
    usage = await query.series(tenant, channel, household.START, household.END)
    return compare(tariffs, {"import": usage}, (household.START, household.END))


def _print(ranking: "tuple[Ranked, ...]") -> None:
    first = next(ranked.tariff for ranked in ranking if ranked.difference == "0.00")
    table = Table(
        title="A real household's 2021 under illustrative tariffs",
        caption=f"Differences are to {first}",
        min_width=60,
    )
    table.add_column("Rank", justify="right")
    table.add_column("Tariff")
    for name in ("Year, GBP", "Difference", "%"):
        table.add_column(name, justify="right")
    for place, ranked in enumerate(ranking, start=1):
        difference = ranked.difference, ranked.difference_percent or ""
        table.add_row(str(place), ranked.tariff, ranked.total, *difference)
    Console().print(table)
