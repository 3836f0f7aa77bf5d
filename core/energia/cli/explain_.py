"""`energia explain`: where the lines of a bill come from."""

import asyncio
from typing import TYPE_CHECKING

import click

from energia.cli.invocation import Invocation, allow_embedded, pass_invocation

if TYPE_CHECKING:
    from energia.billing.explain import Explanation
    from energia.convert import Converter
    from energia.plugins import Plugins
    from energia.settings import Settings


@click.command("explain", short_help="Explain a bill, line by line.")
@click.argument("bill")
@click.option("--line", type=click.IntRange(min=0), help="Which line, counted from 0.")
@click.option("--all", "every", is_flag=True, help="Print every run of slots.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@allow_embedded
@pass_invocation
def command(
    invocation: Invocation,
    bill: str,
    line: int | None,
    every: bool,
    as_json: bool,
    allow_embedded: bool,
) -> None:
    """Explain the stored BILL: slots and rules, arithmetic, rounding, what it was made from.

    `energia price --explain` explains what is not billed.

    \b
    Examples:
      energia explain casa-2026-03
      energia explain casa-2026-03 --line 0 --all
    """
    from energia.cli.explanations import of_bill
    from energia.pricing.tariffs import tariff_converter

    settings = invocation.settings(allow_embedded=allow_embedded)
    plugins = invocation.plugins()
    converter = tariff_converter(plugins.charges())
    found = asyncio.run(_explained(settings, plugins, converter, bill, line))
    if as_json:
        click.echo(converter.dumps(found).decode())
    else:
        click.echo("\n".join(of_bill(found, every=every)))


async def _explained(
    settings: "Settings", plugins: "Plugins", converter: "Converter", bill: str, line: int | None
) -> "Explanation":
    from energia.billing.explain import explained
    from energia.billing.office import Office
    from energia.cli.database import opened
    from energia.clock import SystemClock

    limits = settings.limits
    async with opened(settings.database) as tenant:
        office = Office(tenant, converter, plugins, SystemClock(), limits.slots, limits.problems)
        return await explained(office, bill, line)
