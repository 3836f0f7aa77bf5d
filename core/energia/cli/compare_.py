"""`energia compare`: tariffs ranked by what the same usage costs under each."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from energia.cli.invocation import Invocation, allow_embedded, pass_invocation
from energia.cli.usage_options import UsageOptions, usage_options

if TYPE_CHECKING:
    from energia.pricing.compare import Ranked
    from energia.web.priced import Window


@click.command("compare", short_help="Rank tariffs by what the same usage costs.")
@click.argument("tariffs", nargs=-1, required=True)
@usage_options
@allow_embedded
@pass_invocation
def command(
    invocation: Invocation,
    tariffs: tuple[str, ...],
    options: UsageOptions,
    allow_embedded: bool,
) -> None:
    """Rank TARIFFS by what the same usage costs; differences are to the first one given.

    Each is a document (a .json or .toml file) or the id of a stored one.

    \b
    Examples:
      energia compare flat.toml night.toml --usage 2021.json
      energia compare flat night --meter UC-123 --start 2026-01-01 --end 2027-01-01
    """
    from energia.cli.costs import Question
    from energia.pricing.compare import compare
    from energia.pricing.tariffs import tariff_converter

    settings = invocation.settings(allow_embedded=allow_embedded)
    converter = tariff_converter(invocation.plugins().charges())
    question = Question(tariffs, options.subject(), options.usage)
    window, ranking = asyncio.run(question.answer(settings, converter, compare))
    if options.as_json:
        click.echo(converter.dumps({"ranking": ranking}).decode())
    else:
        _print(window, ranking)


def _print(window: "Window", ranking: "Sequence[Ranked]") -> None:
    from rich.table import Table

    from energia.cli.tables import console, title

    table = Table(title=title(window))
    table.add_column("tariff")
    for name in ("total", "difference", "%"):
        table.add_column(name, justify="right")
    for one in ranking:
        table.add_row(one.tariff, one.total, one.difference, one.difference_percent or "")
    console().print(table)
