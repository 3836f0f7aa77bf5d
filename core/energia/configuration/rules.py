"""What the settings must keep together, beyond the type of each."""

import re
from collections.abc import Iterator
from typing import Final

from energia.configuration.layers import DEFAULT
from energia.errors import Fault
from energia.settings import Settings

#: Stands for the number of a pull request; left as it is, it would name a database of its own.
_PULL_REQUEST: Final = re.compile(r"(\$|%24)(\{|%7B)?PR_NUMBER", re.IGNORECASE)


def broken_rules(settings: Settings, database_origin: str, allow_embedded: bool) -> list[Fault]:
    """Return the rules that *settings* break, each with the path it is about.

    *database_origin* says where the database URL comes from.
    """
    return [*_database(settings, database_origin, allow_embedded), *_stopping(settings)]


def _database(settings: Settings, database_origin: str, allow_embedded: bool) -> Iterator[Fault]:
    """Production never starts on an empty database of its own by mistake, nor any on a wrong one.

    A message has no part of the URL: there may be a password in it.
    """
    path, url = "database.url", settings.database.url
    if _PULL_REQUEST.search(url):
        message = "${PR_NUMBER} is not supported yet: name the database itself"
        yield Fault("not_supported", f"{path}: {message}", path)
    if settings.profile != "production" or allow_embedded:
        return
    if database_origin == DEFAULT:
        yield Fault("no_database", f"{path}: production needs DATABASE_URL", path)
    elif url.startswith("embedded:"):
        message = "production does not run on the embedded server without --allow-embedded"
        yield Fault("embedded_database", f"{path}: {message}", path)


def _stopping(settings: Settings) -> Iterator[Fault]:
    """All waits of a stop end before the platform kills the process.

    aiohttp may spend the shutdown time-out twice: waiting for requests, and cancelling them.
    """
    server = settings.server
    longest = server.drain_ready + server.drain + 2 * server.shutdown_timeout
    if longest > server.stop_grace:
        message = (
            f"server.drain_ready + server.drain + 2 * server.shutdown_timeout is {longest:g} s, "
            f"more than server.stop_grace, {server.stop_grace:g} s"
        )
        yield Fault("stop_too_slow", message, "server.stop_grace")
