"""`energia migrate`: bring the database up to the schema that this release needs."""

import asyncio
from typing import TYPE_CHECKING

import click

from energia.cli.invocation import FAILED, Invocation, allow_embedded, pass_invocation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

    from energia.db.migrate import Migrated
    from energia.settings import Database


@click.command("migrate", short_help="Apply the migrations that are pending.")
@click.option("--check", is_flag=True, help="Change nothing; exit 1 if something is pending.")
@allow_embedded
@pass_invocation
def command(invocation: Invocation, check: bool, allow_embedded: bool) -> None:
    """Apply the migrations that are pending: the core's, then those of plugins.

    `energia serve` does the same before it is ready. Migrations of a newer release are left as
    they are, and reported.

    \b
    Examples:
      energia migrate
      energia migrate --check
    """
    settings = invocation.settings(allow_embedded=allow_embedded)
    plugins = invocation.plugins("register_migrations")
    state = asyncio.run(_run(settings.database, check, plugins.migrations()))
    for name in state.unknown:
        click.echo(f"not known to this release: {name}")
    for name in state.pending:
        click.echo(f"pending: {name}")
    for name in state.applied:
        click.echo(f"applied: {name}")
    if not (state.pending or state.applied):
        click.echo("The database is up to date.")
    if state.pending:
        raise click.exceptions.Exit(FAILED)


async def _run(database: "Database", check: bool, more: "Mapping[str, Traversable]") -> "Migrated":
    from energia.db.connect import connected, exists
    from energia.db.migrate import CORE_MIGRATIONS, Migrated, migrate, pending, read

    folders = {**CORE_MIGRATIONS, **more}
    if check and not exists(database):
        return Migrated(pending=tuple(map(str, read(folders))))
    async with connected(database) as dsn:
        return await (pending(dsn, folders) if check else migrate(dsn, folders))
