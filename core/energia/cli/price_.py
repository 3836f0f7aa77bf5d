"""`energia price`: what usage costs under a tariff."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from energia.cli.invocation import Invocation, allow_embedded, pass_invocation
from energia.cli.usage_options import subject, usage_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from energia.metering.series import Series
    from energia.pricing.engine import Cost
    from energia.pricing.explain import ExplainedLine
    from energia.pricing.tariffs import Tariff
    from energia.web.priced import Window


@click.command("price", short_help="Print what usage costs under a tariff.")
@click.argument("tariff")
@usage_options
@click.option("--explain", "explained", is_flag=True, help="Explain it, line by line.")
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
    explained: bool,
    allow_embedded: bool,
) -> None:
    """Print the lines of what usage costs under TARIFF.

    TARIFF is a document (a .json or .toml file) or the id of a stored one. Documents and usage
    from files need no database.

    \b
    Examples:
      energia price night.toml --usage 2021.json
      energia price night --meter UC-123 --start 2026-02-01 --end 2026-03-01 --explain
    """
    from energia.cli.costs import Question
    from energia.pricing.tariffs import tariff_converter

    settings = invocation.settings(allow_embedded=allow_embedded)
    converter = tariff_converter(invocation.plugins().charges())
    question = Question((tariff,), subject(meter, usage, start, end, channels), usage)
    window, (cost, lines) = asyncio.run(question.answer(settings, converter, _priced))
    if as_json:
        click.echo(converter.dumps(lines if explained else cost).decode())
    elif explained:
        from energia.cli.explanations import of_lines

        click.echo("\n".join(of_lines(lines, cost.currency)))
    else:
        _print(window, cost)


def _priced(
    tariffs: "Sequence[Tariff]", series: "Mapping[str, Series]", start: int, end: int
) -> "tuple[Cost, tuple[ExplainedLine, ...]]":
    """Return what it costs, and where the lines come from."""
    from energia.pricing.engine import price, slots_of
    from energia.pricing.explain import Charged, explain
    from energia.pricing.terms import Terms

    (tariff,) = tariffs
    cost = price(tariff, series, start, end)
    version, slots = slots_of(tariff, series, start, end, Terms())
    lines = explain(Charged.of(cost), version, cost.currency, slots, cost.measured)
    return cost, lines


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
