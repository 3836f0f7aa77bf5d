"""A real household's year, priced under three illustrative tariffs: `energia demo`."""

import click

from energia import hookimpl
from energia_plugins.demo.command import demo


@hookimpl
def register_commands() -> list[click.Command]:
    """Offer `energia demo`."""
    return [demo]
