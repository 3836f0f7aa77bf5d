"""`energia plugins`: what the service is made of."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from energia.cli.invocation import Invocation, allow_embedded, pass_invocation
from energia.cli.usage_options import UsageOptions, usage_options

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from energia.plugins.discovery import PluginState
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
    from energia.plugins.containment import contained
    from energia.testing.targets import checked, targets

    with contained(package, package):
        outcomes = list(checked(targets(package), without))
    if kind is not None:
        outcomes = [
            outcome
            for outcome in outcomes
            if kind in (outcome.subject, outcome.subject.partition(" ")[2])
        ]
        if not outcomes:
            raise click.UsageError(f"{package} offers no {kind!r}.")
    if as_json:
        from energia.convert import dumps

        click.echo(dumps(outcomes).decode())
    else:
        _print_checks(outcomes)
    if any(outcome.state == "failed" for outcome in outcomes):
        raise click.exceptions.Exit(1)


def _print_checks(outcomes: "Sequence[Outcome]") -> None:
    from rich.table import Table
    from rich.text import Text

    from energia.cli.tables import console
    from energia.testing.outcome import counted

    colours = {"passed": "green", "failed": "bold red", "skipped": "yellow"}
    table = Table()
    for name in ("of", "check", "result", "why"):
        table.add_column(name, overflow="fold")
    for before, outcome in zip([None, *outcomes], outcomes, strict=False):
        new = before is None or before.subject != outcome.subject
        subject, why = outcome.subject if new else "", Text(outcome.detail)
        table.add_row(subject, outcome.check, Text(outcome.state, colours[outcome.state]), why)
    console().print(table)
    click.echo(counted(outcomes))


# `energia plugins new`: the first files of a plugin.


@click.command("new", short_help="Write a plugin that works, to begin with.")
@click.argument("name")
@click.option(
    "--directory",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Where it is written; by default a folder of its name. It must not exist.",
)
@click.option(
    "--with",
    "parts",
    metavar="PARTS",
    default="charge",
    show_default=True,
    help="What it offers, between commas: charge, importer, decoder, source, probe, metric, "
    "route, panel.",
)
def new(name: str, directory: Path | None, parts: str) -> None:
    """Write a distribution that works, tested and typed, to change into yours.

    NAME says who makes it and what it is, such as acme-levy: the distribution acme-levy, the
    package acme_levy, the kind acme.levy, the format acme_levy. It has at most 40 characters.

    \b
    Examples:
      energia plugins new acme-levy
      energia plugins new acme-logger --with decoder,source,probe
      energia plugins new acme-bridge --with importer,metric,route
      energia plugins new acme-levy --directory plugins/levy
    """
    from energia.testing.scaffold import first_steps, written

    folder = directory or Path(name)
    for path in written(name, folder, [part.strip() for part in parts.split(",")]):
        click.echo(path)
    click.echo("\nNext:")
    for step in first_steps(name, folder):
        click.echo(f"  {step}")


# `energia plugins try`: a tariff over a meter file, or over a stored meter.


@click.command("try", short_help="Price a meter file under a tariff, and show how.")
@click.argument("tariff")
@click.option(
    "--file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Readings in a format that a plugin reads, such as CSV.",
)
@click.option("--format", "format_", metavar="NAME", default="csv", show_default=True)
@click.option(
    "--option",
    "pairs",
    metavar="KEY=VALUE",
    multiple=True,
    help="How to read the file, such as timezone=Europe/London. May be given several times.",
)
@click.option("--interval", metavar="PT15M", help="The length of a slot; the file tells it else.")
@click.option("--zone", metavar="ZONE", help="The zone of --start and --end; else the tariff's.")
@usage_options
@click.option("--explain", "explained", is_flag=True, help="Explain it, line by line.")
@allow_embedded
@pass_invocation
def try_(
    invocation: Invocation,
    tariff: str,
    file: Path | None,
    format_: str,
    pairs: tuple[str, ...],
    interval: str | None,
    zone: str | None,
    options: UsageOptions,
    explained: bool,
    allow_embedded: bool,
) -> None:
    """Print what FILE, or a stored meter, costs under TARIFF: each line, and what was assumed.

    TARIFF is a document (a .json or .toml file) or the id of a stored one; documents and files need
    no database. Channels of the file are roles, such as import; a file without channels has import.

    \b
    Examples:
      energia plugins try tariff.json --file readings.csv
      energia plugins try tariff.json --file readings.csv --option delimiter=';' --explain
      energia plugins try tariff.json --meter UC-123 --start 2026-02-01 --end 2026-03-01
    """
    from energia.cli.price import answer
    from energia.cli.question import Question

    if file is None and options.usage is None and options.meter is None:
        raise click.UsageError("Give --file, a meter file; or --meter, a stored meter.")
    usage: Path | Mapping[str, object] | None = options.usage
    if file is not None:
        if options.usage is not None:
            raise click.UsageError("Give either --file or --usage.")
        usage = _usage(invocation, file, format_, pairs, interval, zone or _zone(tariff))
        # That there are readings is all that the options need to know.
        options = attrs.evolve(options, usage=file)
    question = Question((tariff,), options.subject(), usage)
    answer(invocation, question, options, explained, allow_embedded)


def _usage(
    invocation: Invocation,
    file: Path,
    format_: str,
    pairs: tuple[str, ...],
    interval: str | None,
    zone: str,
) -> "Mapping[str, object]":
    from energia.cli.files import naming
    from energia.cli.import_ import decoder_of, structured
    from energia.metering.decoders import reading_by
    from energia.metering.files import usage_of

    decoder = decoder_of(invocation, format_, file)
    options = structured(decoder, pairs)
    with naming(file), reading_by(format_), file.open("rb") as chunks:
        return usage_of(decoder.decode(chunks, options), zone, interval)


def _zone(tariff: str) -> str:
    """Return the zone of a tariff document; UTC where it does not say."""
    from energia.cli.question import content, is_file

    document: Any = content(Path(tariff)) if is_file(tariff) else {}
    zone = document.get("timezone") if isinstance(document, dict) else None
    return zone if isinstance(zone, str) else "UTC"


@click.group("plugins", short_help="List, write, check and try plugins.")
def command() -> None:
    """Look at the installed plugins, and write your own: new, check, try.

    \b
    Examples:
      energia plugins list
      energia plugins new acme-levy
      energia plugins check acme-levy
    """


command.add_command(new)
command.add_command(check)
command.add_command(try_)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@pass_invocation
def list_(invocation: Invocation, as_json: bool) -> None:
    """List the installed plugins: loaded, disabled, unavailable or failed, and why.

    It ends with status 1 if one has failed: the service would not start.

    \b
    Example:
      energia plugins list
    """
    from energia.plugins import Plugins

    selection = invocation.configuration(allow_embedded=True).settings.plugins
    states = Plugins.surveyed(selection)
    if as_json:
        from energia.convert import dumps
        from energia.plugins.discovery import listed

        click.echo(dumps([listed(state) for state in states]).decode())
    else:
        _print_plugins(states)
    if any(state.state == "failed" for state in states):
        raise click.exceptions.Exit(1)


def _print_plugins(states: "Sequence[PluginState]") -> None:
    from rich.table import Table

    from energia.cli.tables import console

    table = Table()
    for name in ("plugin", "state", "from", "hooks"):
        table.add_column(name, overflow="fold")
    for plugin in states:
        origin = " ".join(part for part in (plugin.distribution, plugin.version) if part)
        state = f"{plugin.state}: {plugin.reason}" if plugin.reason else plugin.state
        table.add_row(plugin.name, state, origin, ", ".join(plugin.hooks))
    console().print(table)
