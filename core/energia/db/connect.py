"""The database that the settings name, running."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import structlog

from energia.db.address import parsed
from energia.db.embedded import Embedded
from energia.errors import ConfigurationError
from energia.settings import Database

_EMBEDDED: Final = "embedded:"
#: Seconds between two looks whether an embedded server still has a supervisor.
_LOOK: Final = 1.0
log = structlog.get_logger(__name__)


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
    """Give the libpq URL of the database; an embedded server runs for as long, killed or not.

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
    start, leaving = asyncio.ensure_future(asyncio.to_thread(server.start)), asyncio.Event()
    work: list[asyncio.Future[Any]] = [start]
    try:
        dsn = await asyncio.shield(start)
        work.append(asyncio.create_task(_reviving(server, leaving)))
        yield dsn
    finally:
        leaving.set()
        await asyncio.shield(_stopped(server, work))


async def _reviving(server: Embedded, leaving: asyncio.Event) -> None:
    """Start a server again that is no longer there, again and again until it works."""
    while not leaving.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(leaving.wait(), _LOOK)
            return
        try:
            if await asyncio.to_thread(server.revive):
                log.warning("embedded_server_revived")
        except ConfigurationError as error:
            log.error("embedded_server_away", detail=error.detail)


def _embedded(settings: Database) -> Embedded:
    folder = settings.url.removeprefix(_EMBEDDED)
    return Embedded(Path(folder) if folder else None)


async def _stopped(server: Embedded, work: Iterable["asyncio.Future[Any]"]) -> None:
    """Stop a server, which may be starting still."""
    await asyncio.wait(work)
    await asyncio.to_thread(server.stop)
