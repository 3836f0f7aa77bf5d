"""`energia audit`: who changed what."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, get_args

import click

from energia.audit.entries import Action, Resource
from energia.cli.invocation import Invocation, allow_embedded, pass_invocation

if TYPE_CHECKING:
    from energia.audit.entries import Entry, Filter
    from energia.settings import Settings

_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"])


@click.command("audit", short_help="List who changed what.")
@click.option("--resource", type=click.Choice(get_args(Resource)), help="Only of such things.")
@click.option("--id", "id_", metavar="ID", help="Only of things with this id.")
@click.option("--caller", metavar="ID", help="Only what this caller has changed.")
@click.option("--action", type=click.Choice(get_args(Action)), help="Only such changes.")
@click.option("--start", type=_MOMENT, help="Only at this time or later (UTC).")
@click.option("--end", type=_MOMENT, help="Only before this time (UTC).")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, before and after.")
@allow_embedded
@pass_invocation
def command(
    invocation: Invocation,
    resource: str | None,
    id_: str | None,
    caller: str | None,
    action: str | None,
    start: datetime | None,
    end: datetime | None,
    limit: int,
    as_json: bool,
    allow_embedded: bool,
) -> None:
    """List who changed what, the newest first.

    \b
    Examples:
      energia audit --resource tariff --id branca
      energia audit --action delete --start 2026-03-01 --json
    """
    from energia.audit.entries import Filter
    from energia.convert import dumps
    from energia.time import rfc3339

    settings = invocation.settings(allow_embedded=allow_embedded)
    wanted = Filter(resource, id_, caller, action, _utc(start), _utc(end))
    for entry in asyncio.run(_found(settings, wanted, limit)):
        if as_json:
            click.echo(dumps(entry).decode())
        else:
            what = f"{entry.action:<7} {entry.resource} {entry.resource_id}"
            click.echo(f"{rfc3339(entry.at)}  {entry.caller}  {what}")


def _utc(moment: datetime | None) -> datetime | None:
    """Return a moment; one without an offset is in UTC."""
    from datetime import UTC

    return moment.replace(tzinfo=moment.tzinfo or UTC) if moment else None


async def _found(settings: "Settings", wanted: "Filter", limit: int) -> "list[Entry]":
    from energia.audit.entries import entries
    from energia.cli.database import opened

    async with opened(settings.database) as tenant:
        return await entries(tenant, wanted, None, limit)
