"""A real household's year, priced under three illustrative tariffs: `energia demo`.

The same fills the database of a preview, with `preview.seed = "demo"`.
"""

import click

from energia import Seed, hookimpl
from energia_plugins.demo.household import DemoSeed


@hookimpl
def register_commands() -> list[click.Command]:
    """Offer `energia demo`."""
    from energia_plugins.demo.command import demo

    return [demo]


@hookimpl
def register_seeds() -> list[Seed]:
    """Offer the household and its tariffs."""
    return [DemoSeed()]
