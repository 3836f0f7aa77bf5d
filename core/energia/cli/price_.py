"""`energia price`: what usage costs under a tariff."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from energia.cli.invocation import Invocation, allow_embedded, pass_invocation
from energia.cli.usage_options import subject, usage_options

if TYPE_CHECKING:
    from energia.pricing.engine import Cost
    from energia.web.priced import Window


@click.command("price", short_help="Print what usage costs under a tariff.")
@click.argument("tariff")
@usage_options
@allow_embedded
@pass_invocation
def command(
    invocation: Invocation,
    tariff: str,
    usage: Path | None,
    meter: str | None,
    start: str | None,
    end: str | None,
    channels: tuple[str, ...],
    as_json: bool,
    allow_embedded: bool,
) -> None:
    """Print the lines of what usage costs under TARIFF.

    TARIFF is a document (a .json or .toml file) or the id of a stored one. Documents and usage
    from files need no database.

    \b
    Examples:
      energia price night.toml --usage 2021.json
      energia price night --meter UC-123 --start 2026-02-01 --end 2026-03-01
    """
    from energia.cli.costs import Question
    from energia.pricing.engine import price
    from energia.pricing.tariffs import tariff_converter

    settings = invocation.settings(allow_embedded=allow_embedded)
    converter = tariff_converter(invocation.plugins().charges())
    question = Question((tariff,), subject(meter, usage, start, end, channels), usage)
    window, cost = asyncio.run(
        question.answer(
            settings,
            converter,
            lambda tariffs, series, first, last: price(tariffs[0], series, first, last),
        )
    )
    if as_json:
        click.echo(converter.dumps(cost).decode())
    else:
        _print(window, cost)


def _print(window: "Window", cost: "Cost") -> None:
    from rich.table import Table

    from energia.cli.tables import console, title

    table = Table(title=title(window), show_footer=True)
    table.add_column("line", footer="total")
    for name in ("quantity", "unit", "rate"):
        table.add_column(name, justify="left" if name == "unit" else "right")
    table.add_column(cost.currency, footer=cost.total, justify="right")
    for line in cost.lines:
        rate = line.rate or ""
        table.add_row(line.description, line.quantity or "", line.unit or "", rate, line.amount)
    console().print(table)
    for assumption in cost.assumptions:
        click.echo(f"assumed: {assumption.message}")
