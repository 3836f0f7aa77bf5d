"""The database, for commands that work on it without a service."""

import getpass
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click

from energia.db.connect import connected
from energia.db.migrate import migrate, pending
from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.errors import MigrationError
from energia.settings import Database


@asynccontextmanager
async def opened(settings: Database) -> AsyncIterator[Tenant]:
    """Give the database of the implicit organization; raises as `pooled`."""
    async with pooled(settings) as pool:
        yield pool.tenant(caller=operator())


@asynccontextmanager
async def pooled(settings: Database, *, migrating: bool = False) -> AsyncIterator[Pool]:
    """Give the database; one that is migrated first is told of on the standard error stream.

    Raises:
        MigrationError: Migrations are pending, and it is not to be migrated first; `energia
            migrate` applies them.

    """
    async with connected(settings) as dsn:
        if migrating and (applied := (await migrate(dsn)).applied):
            said = f"energia: the database was migrated first, to {applied[-1]}"
            click.echo(f"{said} ({len(applied)} files)", err=True)
        elif not migrating and (await pending(dsn)).pending:
            raise MigrationError("the database is not up to date: run `energia migrate` first")
        pool = Pool(dsn, settings)
        try:
            yield pool
        finally:
            await pool.close()


def operator() -> str:
    """Return who runs the command, as the audit log names them: `command:<user>`."""
    try:
        return f"command:{getpass.getuser()}"
    except (KeyError, OSError):  # a container may run as a number that has no name
        return f"command:{os.getuid()}"
