"""`energia serve`: the service."""

import linecache
from collections.abc import Mapping

import click

from energia.assembly import assembling
from energia.cli.invocation import Invocation, allow_embedded, pass_invocation


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
    with assembling():
        configuration = invocation.configuration(
            {**given, **options}, allow_embedded=allow_embedded
        )
        settings = configuration.settings
        from energia import log

        log.configure(settings.log)
        log.warn(configuration.warnings)
        from energia.plugins import Plugins
        from energia.web.lifecycle import serve

        linecache.clearcache()  # the plugins take the room
        log.warn(Plugins.unmatched(settings.plugins))
        with configuration.locating():
            plugins = Plugins.installed(settings.plugins, serving=True)
    serve(settings, plugins, is_worker=is_worker)
