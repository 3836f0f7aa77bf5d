"""`energia healthcheck`: whether the service that runs here is ready."""

import click

from energia.cli.invocation import Invocation, pass_invocation


@click.command("healthcheck", short_help="Tell whether the service that runs here is ready.")
@click.option("--port", metavar="PORT", type=int, help="Of several services, the one on this port.")
@pass_invocation
def command(invocation: Invocation, port: int | None) -> None:
    """Tell whether the service that runs here is ready: exit code 0, else 1.

    It is the check of the image. The service is found by the name of its process, `energia:8080`;
    where the system does not tell names, on the port that is configured.

    \b
    Examples:
      energia healthcheck
      energia healthcheck --port 9000
    """
    from energia.health import healthcheck

    code = healthcheck.told(lambda: invocation.settings(allow_embedded=True).server.port, port)
    click.get_current_context().exit(code)
