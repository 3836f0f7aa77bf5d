"""`energia holidays`: lists of holidays, for tariffs."""

import asyncio
from typing import TYPE_CHECKING

import click

from energia.cli.invocation import Invocation, allow_embedded, pass_invocation

if TYPE_CHECKING:
    from energia.pricing.holidays.lists import HolidayList
    from energia.settings import Settings


_year = click.IntRange(1900, 2200)


@click.group("holidays", short_help="Expand the holidays of countries, for tariffs.")
def command() -> None:
    """Expand the holidays of countries, for tariffs.

    \b
    Examples:
      energia holidays expand BR --from 2015 --to 2035
      energia holidays expand BR --from 2015 --to 2035 --store
    """


@command.command(short_help="Print the holidays of a country, or store them.")
@click.argument("country")
@click.option("--from", "first", type=_year, required=True, help="The first year.")
@click.option("--to", "last", type=_year, required=True, help="The last year.")
@click.option("--subdivision", metavar="CODE", help="A state or province of the country.")
@click.option("--observed", is_flag=True, help="With the days off for holidays at weekends.")
@click.option("--name", "id_", metavar="ID", help="The id of the list.")
@click.option("--store", is_flag=True, help="Store it, as PUT /v1/holiday-lists/ID does.")
@allow_embedded
@pass_invocation
def expand(
    invocation: Invocation,
    country: str,
    first: int,
    last: int,
    subdivision: str | None,
    observed: bool,
    id_: str | None,
    store: bool,
    allow_embedded: bool,
) -> None:
    """Print the holidays of COUNTRY (two letters), as a document that the API takes.

    For BR and ES without a subdivision these are the national holidays that tariffs use; all others
    are the public ones of the library `holidays`, which `pip install energia[holidays]` brings.

    \b
    Examples:
      energia holidays expand BR --from 2015 --to 2035 --store
      energia holidays expand US --from 2020 --to 2030 --observed --name us-federal
    """
    import attrs

    from energia.convert import dumps
    from energia.pricing.holidays.lists import expanded

    if last < first:
        raise click.UsageError("--to is before --from.")
    holidays = expanded(country, range(first, last + 1), subdivision, observed=observed)
    holidays = attrs.evolve(holidays, id=id_ or holidays.id)
    if store:
        settings = invocation.settings(allow_embedded=allow_embedded)
        stored = asyncio.run(_stored(settings, holidays))
        click.echo(f"{stored.id}@{stored.version}: {len(stored.dates)} dates")
    else:
        click.echo(dumps(holidays).decode())


async def _stored(settings: "Settings", holidays: "HolidayList") -> "HolidayList":
    from energia.cli.database import opened
    from energia.pricing.holidays.store import HolidayLists
    from energia.time import SystemClock

    async with opened(settings.database) as tenant, tenant.transaction() as queries:
        stored, _ = await HolidayLists(queries).put(holidays, SystemClock().now())
    return stored
