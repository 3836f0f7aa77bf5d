"""The database that the settings name, running."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from energia.db.address import parsed
from energia.db.embedded import Embedded
from energia.settings import Database

_EMBEDDED = "embedded:"


def address(settings: Database) -> str:
    """Return the libpq URL that `connected` will give, before anything runs there.

    Raises:
        ConfigurationError: The URL does not parse.

    """
    if not settings.url.startswith(_EMBEDDED):
        parsed(settings.url)
        return settings.url
    return _embedded(settings).dsn()


def exists(settings: Database) -> bool:
    """Tell whether there is a database, or may be: `connected` makes that of an embedded server."""
    return not settings.url.startswith(_EMBEDDED) or _embedded(settings).exists()


@asynccontextmanager
async def connected(settings: Database) -> AsyncIterator[str]:
    """Give the libpq URL of the database; an embedded server runs at least for as long.

    `database.url` is `embedded:` (files in the user's state folder), `embedded:/path`, or a libpq
    URL, which need not be reachable yet.

    Raises:
        ConfigurationError: The URL does not parse, or the embedded server cannot run here.

    """
    if not settings.url.startswith(_EMBEDDED):
        parsed(settings.url)
        yield settings.url
        return
    server = _embedded(settings)
    start = asyncio.ensure_future(asyncio.to_thread(server.start))
    try:
        yield await asyncio.shield(start)
    finally:
        await asyncio.shield(_stopped(server, start))


def _embedded(settings: Database) -> Embedded:
    folder = settings.url.removeprefix(_EMBEDDED)
    return Embedded(Path(folder) if folder else None)


async def _stopped(server: Embedded, start: "asyncio.Future[str]") -> None:
    """Stop a server, which may be starting still."""
    await asyncio.wait([start])
    await asyncio.to_thread(server.stop)
