"""`energia meter`: what is done to a meter for good, past the API."""

import asyncio
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from energia.cli.invocation import Invocation, allow_embedded, pass_invocation

if TYPE_CHECKING:
    from energia.metering.deletion import Deletion
    from energia.settings import Settings

_reason = click.option("--reason", metavar="TEXT", required=True, help="Why; it is kept.")
_sure = click.confirmation_option(prompt="Nothing brings back what is deleted. Go on?")


@click.group("meter", short_help="Delete readings, or a meter with all of them, for good.")
def command() -> None:
    """Delete readings, or a meter with all that is its own, as a law asks.

    Issued bills are kept, with their lines and measures. What is deleted is entered in the audit
    log, and readings of that time are not stored again.

    \b
    Examples:
      energia meter delete-readings UC-123 --before 2024-01-01 --reason "request 17" --yes
      energia meter delete UC-123 --reason "request 18"
    """


@command.command("delete-readings", short_help="Delete the readings before a day.")
@click.argument("meter")
@click.option(
    "--before",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="The first day that stays, by the site's zone.",
)
@_reason
@_sure
@allow_embedded
@pass_invocation
def delete_readings(
    invocation: Invocation, meter: str, before: datetime, reason: str, allow_embedded: bool
) -> None:
    """Delete the readings of METER before a day, with all their revisions."""
    settings = invocation.settings(allow_embedded=allow_embedded)
    _tell(asyncio.run(_delete(settings, meter, before.date(), reason)))


@command.command("delete", short_help="Delete a meter with all that is its own.")
@click.argument("meter")
@_reason
@_sure
@allow_embedded
@pass_invocation
def delete(invocation: Invocation, meter: str, reason: str, allow_embedded: bool) -> None:
    """Delete METER with its readings and contracts; one that is billed stays, without a name."""
    settings = invocation.settings(allow_embedded=allow_embedded)
    _tell(asyncio.run(_delete(settings, meter, None, reason)))


async def _delete(settings: "Settings", meter: str, before: date | None, reason: str) -> "Deletion":
    from energia.billing import deletion
    from energia.cli.database import opened
    from energia.time import instant_of

    now = instant_of(datetime.now(UTC))
    async with opened(settings.database) as tenant:
        if before is None:
            return await deletion.delete_meter(tenant, meter, reason, now)
        return await deletion.delete_readings(tenant, meter, before, reason, now)


def _tell(deletion: "Deletion") -> None:
    from energia.time import rfc3339

    before = rfc3339(deletion.before)
    click.echo(f"{deletion.readings} readings of {deletion.meter} before {before} are deleted")
