"""`energia plugins check`: whether plugins keep to the contract."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from energia.testing.outcome import Outcome


@click.command("check", short_help="Check that a plugin keeps to the contract.")
@click.argument("package")
@click.option("--kind", metavar="NAME", help="Only this kind of charge, format, probe or route.")
@click.option("--without", metavar="CHECK", multiple=True, help="Leave a check out.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def check(package: str, kind: str | None, without: tuple[str, ...], as_json: bool) -> None:
    """Check everything that PACKAGE offers.

    PACKAGE is a distribution, a plugin (the name of an entry point), or a module, which may be in
    the current folder. It ends with status 1 if a check failed; nothing is stored.

    \b
    Examples:
      energia plugins check acme-levy
      energia plugins check acme_levy --without speed
    """
    from energia.testing.targets import checked, targets

    found = list(checked(targets(package), without))
    if kind is not None:
        found = [one for one in found if kind in (one.subject, one.subject.partition(" ")[2])]
        if not found:
            raise click.UsageError(f"{package} offers no {kind!r}.")
    if as_json:
        from energia.convert import dumps

        click.echo(dumps(found).decode())
    else:
        _print(found)
    if any(one.state == "failed" for one in found):
        raise click.exceptions.Exit(1)


def _print(found: "Sequence[Outcome]") -> None:
    from rich.table import Table
    from rich.text import Text

    from energia.cli.tables import console
    from energia.testing.outcome import counted

    colours = {"passed": "green", "failed": "bold red", "skipped": "yellow"}
    table = Table()
    for name in ("of", "check", "result", "why"):
        table.add_column(name, overflow="fold")
    for before, one in zip([None, *found], found, strict=False):
        new = before is None or before.subject != one.subject
        subject, why = one.subject if new else "", Text(one.detail)
        table.add_row(subject, one.check, Text(one.state, colours[one.state]), why)
    console().print(table)
    click.echo(counted(found))
