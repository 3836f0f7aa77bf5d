"""`energia tariff`: tariffs in the formats of others."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from energia.cli.files import naming
from energia.cli.invocation import (
    Invocation,
    allow_embedded,
    format_named,
    pass_invocation,
)

if TYPE_CHECKING:
    from energia.convert import Converter
    from energia.pricing.importing import ImportedTariff, ImportOptions
    from energia.pricing.tariffs import Tariff
    from energia.settings import Settings


_SCOPES = ("pooled_prorated", "per_period", "pooled_chronological", "whole_band")


@click.group("tariff", short_help="Import tariffs in the formats of others.")
def command() -> None:
    """Import tariffs in the formats of others.

    \b
    Examples:
      energia tariff import rate.json --timezone America/New_York > tariff.json
    """


@command.command("import", short_help="Turn a file into a tariff document, or store it.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "format_", metavar="NAME", default="urdb", show_default=True)
@click.option("--timezone", metavar="ZONE", required=True, help="The zone of its dates and hours.")
@click.option("--currency", metavar="CODE", help="That of the source, or USD, by default.")
@click.option("--tier-scope", type=click.Choice(_SCOPES), help="Whose energy tiers count together.")
@click.option("--demand-interval", metavar="DURATION", help="Over what demand is averaged: PT30M.")
@click.option("--exports", type=click.Choice(["include", "leave_out"]), default="leave_out")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it there.")
@click.option("--save", metavar="ID", help="Store it, as PUT /v1/tariffs/ID does.")
@allow_embedded
@pass_invocation
def import_(
    invocation: Invocation,
    /,
    file: Path,
    format_: str,
    output: Path | None,
    save: str | None,
    allow_embedded: bool,
    **given: str | None,
) -> None:
    """Turn FILE into a tariff document, and print it; what is left out goes to standard error.

    \b
    Examples:
      energia tariff import rate.json --timezone America/New_York --output tariff.json
      energia tariff import plan.json --format ratebook --timezone America/Chicago --save plan
    """
    from energia.convert import parse
    from energia.pricing.importing import imported
    from energia.pricing.tariffs import tariff_converter

    settings = invocation.settings(allow_embedded=allow_embedded)
    converter = tariff_converter(invocation.plugins().charges())
    importer = format_named(invocation.plugins().tariff_importers(), format_)
    options = _options(given)
    with naming(file):
        result = imported(importer, parse(file.read_bytes()), options, converter)
    _warn(result)
    if save is not None:
        asyncio.run(_store(settings, converter, result.tariff, save))
        click.echo(f"stored as {save}", err=True)
    if output is not None:
        output.write_bytes(converter.dumps(result.tariff) + b"\n")
    elif save is None:
        click.echo(converter.dumps(result.tariff).decode())


def _options(given: "dict[str, str | None]") -> "ImportOptions":
    from energia.convert import TEXT
    from energia.errors import Invalid
    from energia.pricing.importing import ImportOptions

    stated = {name: value for name, value in given.items() if value is not None}
    try:
        return TEXT.structure(stated, ImportOptions)
    except Invalid as error:
        faults = [
            f"--{(fault.pointer or '')[1:].replace('_', '-')}: {fault.message}"
            for fault in error.faults
        ]
        raise click.UsageError("; ".join(faults)) from None


def _warn(result: "ImportedTariff") -> None:
    """Tell what was left out; what only describes the tariff is counted."""
    warnings = [warning for warning in result.warnings if warning.code != "informational"]
    for warning in warnings:
        click.echo(f"{warning.pointer}: {warning.message}", err=True)
    if number := len(result.warnings) - len(warnings):
        click.echo(f"{number} fields describe the tariff, and are left out", err=True)


async def _store(settings: "Settings", converter: "Converter", tariff: "Tariff", id_: str) -> None:
    import attrs

    from energia.billing.guards import put_tariff
    from energia.cli.database import opened
    from energia.convert import TEXT, Id

    TEXT.structure(id_, Id)
    async with opened(settings.database) as tenant:
        await put_tariff(tenant, converter, attrs.evolve(tariff, id=id_))
