"""`energia plugins`: what the service is made of."""

from typing import TYPE_CHECKING

import click

from energia.cli.invocation import Invocation, pass_invocation
from energia.cli.plugins_check import check
from energia.cli.plugins_new import new
from energia.cli.plugins_try import try_

if TYPE_CHECKING:
    from collections.abc import Sequence

    from energia.plugins.discovery import PluginState


@click.group("plugins", short_help="List, write, check and try plugins.")
def command() -> None:
    """Look at the installed plugins, and write your own: new, check, try.

    \b
    Examples:
      energia plugins list
      energia plugins new acme-levy
      energia plugins check acme-levy
    """


command.add_command(new)
command.add_command(check)
command.add_command(try_)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@pass_invocation
def list_(invocation: Invocation, as_json: bool) -> None:
    """List the installed plugins: loaded, disabled, unavailable or failed, and why.

    It ends with status 1 if one has failed: the service would not start.

    \b
    Example:
      energia plugins list
    """
    from energia.plugins import Plugins

    selection = invocation.configuration(allow_embedded=True).settings.plugins
    states = Plugins.surveyed(selection)
    if as_json:
        from energia.convert import dumps
        from energia.plugins.listing import listed

        click.echo(dumps([listed(state) for state in states]).decode())
    else:
        _print(states)
    if any(state.state == "failed" for state in states):
        raise click.exceptions.Exit(1)


def _print(states: "Sequence[PluginState]") -> None:
    from rich.table import Table

    from energia.cli.tables import console

    table = Table()
    for name in ("plugin", "state", "from", "hooks"):
        table.add_column(name, overflow="fold")
    for one in states:
        origin = " ".join(part for part in (one.distribution, one.version) if part)
        state = f"{one.state}: {one.reason}" if one.reason else one.state
        table.add_row(one.name, state, origin, ", ".join(one.hooks))
    console().print(table)
