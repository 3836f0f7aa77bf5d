"""`energia worker`: a process that works jobs off, beside the service."""

import click

from energia.cli.invocation import Invocation, allow_embedded, pass_invocation
from energia.cli.serve import run


@click.command("worker", short_help="Work jobs off until SIGTERM or SIGINT.")
@click.option(
    "--concurrency",
    metavar="N",
    type=click.IntRange(1),
    default=4,
    show_default=True,
    help="How many at once.",
)
@click.option("--host", metavar="ADDRESS", help="Where health and metrics are. [HOST]")
@click.option("--port", metavar="PORT", type=int, help="Where they are. [PORT; default: 8080]")
@allow_embedded
@pass_invocation
def command(
    invocation: Invocation,
    concurrency: int,
    host: str | None,
    port: int | None,
    allow_embedded: bool,
) -> None:
    """Work jobs off until SIGTERM or SIGINT.

    What outlives a request waits in the database; a service does it itself, and any number of
    workers do it beside it, or instead of it where the service has `jobs.concurrency` 0. A worker
    answers /health and /metrics, and nothing of the API. SIGTERM lets it finish what it has begun,
    for `jobs.grace` seconds; what is left is begun again by another.

    \b
    Examples:
      energia worker
      energia worker --concurrency 8 --port 8081
    """
    options = {"jobs.concurrency": ("--concurrency", concurrency)}
    run(invocation, options, host, port, allow_embedded=allow_embedded, is_worker=True)
