"""`energia config`: what is configured."""

from collections.abc import Iterable

import click

from energia.cli.invocation import Invocation, allow_embedded, pass_invocation


@click.group("config", short_help="Show or check the configuration.")
def command() -> None:
    """Show or check the configuration.

    \b
    Examples:
      energia config show
      energia --profile production config check
    """


@command.command()
@allow_embedded
@pass_invocation
def show(invocation: Invocation, allow_embedded: bool) -> None:
    """Print every value and where it comes from; secrets are masked."""
    from energia.configuration.display import shown
    from energia.errors import PluginError
    from energia.plugins import Plugins

    configuration = invocation.configuration(allow_embedded=allow_embedded)
    refused: PluginError | None = None
    classes: dict[str, type | None] = {}
    try:
        with configuration.locating():
            plugins = Plugins.installed(configuration.settings.plugins)
        classes = {state.name: state.settings for state in plugins.states}
    except PluginError as error:
        refused = error
    for row in shown(configuration, classes):
        click.echo(f"{f'{row.path} = {row.value}':<58} # {row.origin}")
    _warn(configuration.warnings)
    if refused:
        raise refused


@command.command()
@allow_embedded
@pass_invocation
def check(invocation: Invocation, allow_embedded: bool) -> None:
    """Say whether the configuration fits, plugins included; nothing is started."""
    from energia.plugins import Plugins
    from energia.previews.own import seed_of
    from energia.web import app

    configuration = invocation.configuration(allow_embedded=allow_embedded)
    with configuration.locating():
        plugins = Plugins.installed(configuration.settings.plugins)
    app.check(plugins)
    seed_of(configuration.settings, plugins)
    _warn([*configuration.warnings, *Plugins.unmatched(configuration.settings.plugins)])
    profile = configuration.settings.profile
    click.echo(f"The configuration fits: profile {profile}, {len(plugins.names)} plugins.")


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        click.echo(f"energia: {warning}", err=True)
