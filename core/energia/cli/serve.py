"""`energia serve`: the service."""

import gc
import linecache
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import click

from energia.cli.invocation import Invocation, allow_embedded, pass_invocation

#: Objects that are made, while a service is put together, until it is looked which of them may go:
#: to look as often as Python does would be a seventh of the start. Those that were looked at once
#: are not looked at again: what attrs leaves of each class goes at the first look, all else stays.
_MADE: Final = (10_000, 1_000, 1_000)


@click.command("serve", short_help="Serve the API until SIGTERM or SIGINT.")
@click.option("--host", metavar="ADDRESS", help="Where to listen. [HOST]")
@click.option("--port", metavar="PORT", type=int, help="Where to listen. [PORT; default: 8080]")
@allow_embedded
@pass_invocation
def command(
    invocation: Invocation, host: str | None, port: int | None, allow_embedded: bool
) -> None:
    """Serve the API until SIGTERM or SIGINT.

    The database is migrated first; /health/ready tells when the service is ready. SIGTERM lets
    the proxy notice and finishes what was begun; SIGINT and a second signal stop at once.

    \b
    Examples:
      energia serve
      energia serve --port 9000
      DATABASE_URL=postgresql://energia@db/energia energia --profile production serve
    """
    run(invocation, {}, host, port, allow_embedded=allow_embedded, is_worker=False)


def run(
    invocation: Invocation,
    options: Mapping[str, tuple[str, object]],
    host: str | None,
    port: int | None,
    *,
    allow_embedded: bool,
    is_worker: bool,
) -> None:
    """Run a service or a worker by the settings, over which *options* and the address go."""
    address = {"server.host": ("--host", host), "server.port": ("--port", port)}
    given = {path: option for path, option in address.items() if option[1] is not None}
    with _seldom_collecting():
        configuration = invocation.configuration(
            {**given, **options}, allow_embedded=allow_embedded
        )
        settings = configuration.settings
        from energia import log

        log.configure(settings.log)
        log.warn(configuration.warnings)
        from energia.plugins import Plugins
        from energia.web.lifecycle import serve

        # For tracebacks attrs keeps the source of every method that it makes, a quarter of what it
        # makes: what is said of the error there is enough. The plugins take the room.
        linecache.clearcache()
        log.warn(Plugins.unmatched(settings.plugins))
        with configuration.locating():
            plugins = Plugins.installed(settings.plugins, serving=True)
        linecache.clearcache()
    serve(settings, plugins, is_worker=is_worker)


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Look less often for what may go while a service is put together: nearly all stays."""
    usual = gc.get_threshold()
    gc.set_threshold(*_MADE)
    try:
        yield
        # The usual thresholds would have all of it looked at at once, and again, for 50 ms.
        gc.collect(0)
        gc.freeze()
    finally:
        gc.set_threshold(*usual)
