"""The command `energia`: its options and its subcommands, those of plugins included."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, cast

import click

from energia import __version__, signals
from energia.cli.invocation import Invocation, failure
from energia.errors import EnergiaError

#: The commands of the core, and where each is: its module is imported when it is asked for.
COMMANDS: Final = {
    "serve": "serve:command",
    "healthcheck": "healthcheck:command",
    "worker": "worker:command",
    "migrate": "migrate:command",
    "import": "import_:command",
    "export": "export:command",
    "meter": "meter:command",
    "archive": "archive:command",
    "price": "price:price_command",
    "compare": "price:compare_command",
    "explain": "explain:command",
    "tariff": "tariff:command",
    "holidays": "holidays:command",
    "token": "token:command",
    "organization": "organization:command",
    "preview": "preview:command",
    "jobs": "jobs:command",
    "audit": "audit:command",
    "plugins": "plugins:command",
    "config": "config:command",
    "openapi": "openapi:command",
}


class Commands(click.Group):
    """The subcommands of the core and of the plugins."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the core's commands, then those of the plugins."""
        try:
            own = list(_of_plugins(ctx))
        except EnergiaError as error:
            click.echo(f"energia: the plugins' commands are not listed: {error}", err=True)
            own = []
        return [*COMMANDS, *own]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; plugins are loaded only for what the core does not know."""
        if cmd_name in COMMANDS:
            module, _, command = COMMANDS[cmd_name].partition(":")
            return cast("click.Command", getattr(import_module(f"energia.cli.{module}"), command))
        try:
            return _of_plugins(ctx).get(cmd_name) or _of_plugins(ctx, every=True).get(cmd_name)
        except EnergiaError as error:
            raise failure(error, ctx.params.get("debug", False)) from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error is one line, not a traceback."""
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            if any(error.option_name in option.opts for option in self.params):
                message = f"{error.message} It goes before the command (see energia --help)."
                raise click.NoSuchOption(error.option_name, message, ctx=error.ctx) from error
            raise
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except SystemExit as error:
            if ctx.invoked_subcommand not in COMMANDS:  # a plugin's own command may end as it likes
                raise
            told = RuntimeError(f"something calls sys.exit({error.code!r})")
            raise failure(told.with_traceback(error.__traceback__), ctx.params["debug"]) from error
        except Exception as error:
            if ctx.obj:
                ctx.obj.name_origin(error)
            raise failure(error, ctx.params["debug"]) from error


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--profile",
    metavar="NAME",
    help="development, production or preview. [ENERGIA_PROFILE; default: development]",
)
@click.option(
    "--config",
    "files",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A TOML file over all other files. May be given several times.",
)
@click.option("--debug", is_flag=True, help="Show where an error came from.")
@click.version_option(__version__, prog_name="energia")
@click.pass_context
def energia(ctx: click.Context, profile: str | None, files: tuple[Path, ...], debug: bool) -> None:
    """Meter readings in, exact and explained costs out.

    \b
    Examples:
      energia demo                     load a household year and compare tariffs
      energia serve                    serve the API on port 8080
      energia config show              what is configured, and where it comes from
    """
    ctx.obj = Invocation(profile, files, debug)
    if ctx.invoked_subcommand not in ("serve", "worker"):
        signals.restore()


def _of_plugins(ctx: click.Context, every: bool = False) -> Mapping[str, click.Command]:
    """Return the commands of plugins: of those that say so in their source, or of every one.

    Importing every plugin takes most of a second, which is too long for `energia --help`.
    """
    params = ctx.params
    given = ctx.obj or Invocation(params.get("profile"), tuple(params.get("files") or ()))
    return cast("Invocation", given).plugins(None if every else "register_commands").commands()
