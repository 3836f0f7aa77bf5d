"""`energia archive`: days beyond an age take a few bytes a reading, and are read as before."""

import asyncio
import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from energia.cli.invocation import Invocation, allow_embedded, pass_invocation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from energia.db.pool import Pool
    from energia.db.tenant import Tenant
    from energia.metering.archive import Window
    from energia.settings import Settings


def _age(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    """Refuse an age that the setting `readings.archive` could not have."""
    from energia.settings import ARCHIVE_AGE, ARCHIVE_AGE_WORDS

    if text is not None and not re.fullmatch(ARCHIVE_AGE, text):
        raise click.BadParameter(f"{text!r} is not of {ARCHIVE_AGE_WORDS}")
    return text


@click.command("archive", short_help="Move old days of readings to the archive.")
@click.option(
    "--older-than",
    "age",
    metavar="AGE",
    callback=_age,
    help="Months or years, two months at least, such as P2Y. [default: readings.archive]",
)
@click.option("--organization", metavar="NAME", help="Only of this organization.")
@click.option("--meter", metavar="ID", help="Only of this meter, of the organization or the first.")
@click.option("--dry-run", is_flag=True, help="Move nothing; say how many days it would be.")
@click.option("--restore", is_flag=True, help="Bring back what is in the archive, all of it.")
@allow_embedded
@pass_invocation
def command(
    invocation: Invocation,
    age: str | None,
    organization: str | None,
    meter: str | None,
    dry_run: bool,
    restore: bool,
    allow_embedded: bool,
) -> None:
    """Move days of readings beyond an age to the archive, where they take a few bytes a reading.

    They are read, priced, explained and corrected as before: a correction brings its month back,
    until the next time. Whole months go, a channel at a time, beside a service that runs; who stops
    it has moved what is moved. Whatever serves this database must be of a release that knows the
    archive; before an older one does, bring all of it back (--restore).

    \b
    Examples:
      energia archive --older-than P2Y --dry-run
      energia archive --older-than P2Y
      energia archive --restore --meter UC-123
    """
    if dry_run and restore:
        raise click.UsageError("--dry-run says what would be moved: it does not go with --restore.")
    settings = invocation.settings(allow_embedded=allow_embedded)
    older_than = age or settings.readings.archive
    if older_than is None and not restore:
        raise click.UsageError("Say how old they are: --older-than P2Y, or readings.archive.")
    of = organization or ("default" if meter else None)
    days = asyncio.run(_work(settings, of, meter, None if restore else older_than, dry_run))
    done = "are restored" if restore else "would be archived" if dry_run else "are archived"
    click.echo(f"{days} days of readings {done}")


async def _work(
    settings: "Settings", organization: str | None, meter: str | None, age: str | None, dry: bool
) -> int:
    """Move days of an *age* to the archive, or bring all back without one; return how many."""
    from energia.cli.database import pooled
    from energia.metering import archive

    window: Window | None = None
    if age is not None:
        today = datetime.now(UTC).date()
        window = archive.Window.of(today, age, settings.readings.retention)
    days = 0
    async with pooled(settings.database) as pool:
        for tenant in await _tenants(pool, organization):
            if window is None:
                days += await archive.restore(tenant, meter)
            elif dry:
                days += await archive.count(tenant, window, meter)
            else:
                days += await _archive(tenant, window, meter)
    return days


async def _archive(tenant: "Tenant", window: "Window", meter: str | None) -> int:
    """Move what is due of an organization, and show on a terminal how far it has come."""
    from energia.cli.files import progress
    from energia.metering import archive

    # Who looks on waits until the days are counted; nobody else does.
    total, moved = await archive.count(tenant, window, meter) if sys.stderr.isatty() else 0, 0
    with progress("archive", total) as seen:

        def tell(days: int) -> None:
            nonlocal moved
            moved += days
            seen(moved)

        return await archive.archive(tenant, window, meter, tell=tell)


async def _tenants(pool: "Pool", organization: str | None) -> "Sequence[Tenant]":
    """Return one organization by its name, or all of them."""
    from energia.cli.database import operator
    from energia.db import organizations

    if organization is None:
        keys = await organizations.keys(pool)
    elif organization == "default":  # the first, whatever it is called by now
        keys = [organizations.DEFAULT]
    else:
        keys = [(await organizations.find(pool, organization)).key]
    return [pool.tenant(key, operator()) for key in keys]
