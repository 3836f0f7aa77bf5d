"""The database, for commands that work on it without a service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from energia.db.connect import connected
from energia.db.migrate import pending
from energia.db.pool import Pool
from energia.db.tenant import Tenant
from energia.errors import MigrationError
from energia.settings import Database


@asynccontextmanager
async def opened(settings: Database) -> AsyncIterator[Tenant]:
    """Give the database of the implicit organization; raises as `pooled`."""
    async with pooled(settings) as pool:
        yield pool.tenant()


@asynccontextmanager
async def pooled(settings: Database) -> AsyncIterator[Pool]:
    """Give the database.

    Raises:
        MigrationError: Migrations are pending; `energia migrate` applies them.

    """
    async with connected(settings) as dsn:
        if (await pending(dsn)).pending:
            raise MigrationError("the database is not up to date: run `energia migrate` first")
        pool = Pool(dsn, settings)
        try:
            yield pool
        finally:
            await pool.close()
