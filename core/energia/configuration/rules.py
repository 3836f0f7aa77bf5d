"""What the settings must keep together, beyond the type of each."""

from collections.abc import Iterator

from energia.configuration import database
from energia.errors import Fault
from energia.settings import Settings


def broken_rules(settings: Settings, database_origin: str, allow_embedded: bool) -> list[Fault]:
    """Return the rules that *settings* break, each with the path it is about.

    *database_origin* says where the database URL comes from.
    """
    return [
        *_preview(settings),
        *_lease(settings),
        *database.broken_rules(settings, database_origin, allow_embedded),
        *_stopping(settings),
    ]


def _preview(settings: Settings) -> Iterator[Fault]:
    """Require a pull request of a preview."""
    if settings.profile == "preview" and settings.pull_request is None:
        message = "profile preview without a pull request: set PR_NUMBER"
        yield Fault("no_pull_request", message, "profile")


def _lease(settings: Settings) -> Iterator[Fault]:
    """Let a preview miss a sign of life, and still not be taken for dead."""
    preview = settings.preview
    if preview.ttl < 2 * preview.lease:
        message = (
            f"preview.ttl is {preview.ttl:g} s, less than twice preview.lease, {preview.lease:g} s"
        )
        yield Fault("ttl_too_short", message, "preview.ttl")


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
