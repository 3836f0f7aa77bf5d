"""`energia price` and `energia compare`: what usage costs under tariffs."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import click

from energia.cli.invocation import Invocation, allow_embedded, pass_invocation
from energia.cli.usage_options import UsageOptions, usage_options

if TYPE_CHECKING:
    from energia.cli.question import Question
    from energia.convert import Converter
    from energia.costing.compare import Ranked
    from energia.costing.groups import Group
    from energia.costing.request import Costing
    from energia.pricing.engine import Cost
    from energia.pricing.slots import Assumption

#: What is shown of a cost as JSON.
_SHOWN: Final = ("currency", "total", "lines", "assumptions", "state", "details", "parts")


@click.command("price", short_help="Print what usage costs under a tariff.")
@click.argument("tariff")
@usage_options
@click.option("--explain", "explained", is_flag=True, help="Explain it, line by line.")
@allow_embedded
@pass_invocation
def price_command(
    invocation: Invocation,
    tariff: str,
    options: UsageOptions,
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
    from energia.cli.question import Question

    question = Question((tariff,), options.subject(), options.usage)
    answer(invocation, question, options, explained, allow_embedded)


def answer(
    invocation: Invocation,
    question: "Question",
    options: UsageOptions,
    explained: bool,
    allow_embedded: bool,
) -> None:
    """Price what is asked for, and print it."""
    from energia.costing.groups import together
    from energia.plugins.containment import heard
    from energia.pricing.tariffs import tariff_converter

    grouped = options.group not in (None, "whole")
    if explained and grouped:
        raise click.UsageError("--explain is about one period: leave --group away.")
    settings = invocation.settings(allow_embedded=allow_embedded)
    converter = tariff_converter(invocation.plugins().charges())
    costing = asyncio.run(question.costing(settings, converter))
    if explained:
        _print_explained(costing, converter, options.as_json)
        return
    with heard():
        groups = costing.price()
    cost = together(groups)
    if options.as_json:
        shown = {name: getattr(cost, name) for name in _SHOWN}
        click.echo(converter.dumps(shown).decode())
        return
    _print_cost(costing, cost)
    if grouped:
        _print_groups(costing, groups)


def _print_explained(costing: "Costing", converter: "Converter", as_json: bool) -> None:
    from energia.cli.explain import of_lines
    from energia.plugins.containment import heard

    with heard():
        (group,), lines = costing.explain()
    if as_json:
        click.echo(converter.dumps(lines).decode())
    else:
        click.echo("\n".join(of_lines(lines, group.cost.currency)))


def _print_cost(costing: "Costing", cost: "Cost") -> None:
    from rich.table import Table

    from energia.cli.tables import console, title

    table = Table(title=title(costing), show_footer=True)
    table.add_column("line", footer="total")
    for name in ("quantity", "unit", "rate"):
        table.add_column(name, justify="left" if name == "unit" else "right")
    table.add_column(cost.currency, footer=cost.total, justify="right")
    for line in cost.lines:
        rate = line.rate or ""
        table.add_row(line.title, line.quantity or "", line.unit or "", rate, line.amount)
    console().print(table)
    for assumption in cost.assumptions:
        click.echo(f"assumed: {assumption.message}")


def _print_groups(costing: "Costing", groups: "Sequence[Group]") -> None:
    from rich.table import Table

    from energia.cli.tables import console

    table = Table()
    table.add_column("from")
    table.add_column("to")
    table.add_column(groups[0].cost.currency, justify="right")
    for group in groups:
        start, end = (costing.zone.text(instant) for instant in (group.start, group.end))
        table.add_row(start, end, group.cost.total)
    console().print(table)


# `energia compare`: tariffs ranked by what the same usage costs under each.


@click.command("compare", short_help="Rank tariffs by what the same usage costs.")
@click.argument("tariffs", nargs=-1, required=True)
@usage_options
@allow_embedded
@pass_invocation
def compare_command(
    invocation: Invocation,
    tariffs: tuple[str, ...],
    options: UsageOptions,
    allow_embedded: bool,
) -> None:
    """Rank TARIFFS by what the same usage costs; differences are to the first one given.

    Each is a document (a .json or .toml file) or the id of a stored one. More than 45 days are
    priced by calendar months, each as a bill of its own, unless --group says otherwise.

    \b
    Examples:
      energia compare flat.toml night.toml --usage 2021.json
      energia compare flat night --meter UC-123 --start 2026-01-01 --end 2027-01-01
    """
    from energia.cli.question import Question
    from energia.plugins.containment import heard
    from energia.pricing.tariffs import tariff_converter

    settings = invocation.settings(allow_embedded=allow_embedded)
    converter = tariff_converter(invocation.plugins().charges())
    question = Question(tariffs, options.subject(), options.usage)
    costing = asyncio.run(question.costing(settings, converter))
    with heard():
        ranking = costing.compare()
    if options.as_json:
        shown = {"group": costing.comparison_group, "ranking": ranking}
        click.echo(converter.dumps(shown).decode())
    else:
        _print_ranking(costing, ranking)


def _print_ranking(costing: "Costing", ranking: "Sequence[Ranked]") -> None:
    from rich.table import Table

    from energia.cli.tables import console, title

    table = Table(title=title(costing))
    table.add_column("tariff")
    for name in ("total", "difference", "%"):
        table.add_column(name, justify="right")
    for ranked in ranking:
        table.add_row(
            ranked.tariff, ranked.total, ranked.difference, ranked.difference_percent or ""
        )
    console().print(table)
    _print_assumptions(ranking)


def _print_assumptions(ranking: "Sequence[Ranked]") -> None:
    """Print what was taken for granted, and under which tariffs if not under all of them."""
    tariffs: dict[Assumption, list[str]] = {}
    for ranked in ranking:
        for assumption in dict.fromkeys(ranked.assumptions):
            tariffs.setdefault(assumption, []).append(ranked.tariff)
    for assumption, names in tariffs.items():
        under = "" if len(names) == len(ranking) else f" under {', '.join(names)}"
        click.echo(f"assumed{under}: {assumption.message}")
