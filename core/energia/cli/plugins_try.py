"""`energia plugins try`: a tariff over a meter file, or over a stored meter."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from energia.cli.invocation import Invocation, allow_embedded, pass_invocation
from energia.cli.usage_options import UsageOptions, usage_options

if TYPE_CHECKING:
    from collections.abc import Mapping


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
    from energia.cli.costs import Question
    from energia.cli.price_ import answer

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
    from energia.cli.import_ import decoder_of, structured
    from energia.metering.filed import usage_of

    decoder = decoder_of(invocation, format_)
    options = structured(decoder, pairs)
    with file.open("rb") as chunks:
        return usage_of(decoder.decode(chunks, options), zone, interval)


def _zone(tariff: str) -> str:
    """Return the zone of a tariff document; UTC where it does not say."""
    from energia.cli.costs import content, is_file

    document: Any = content(Path(tariff)) if is_file(tariff) else {}
    found = document.get("timezone") if isinstance(document, dict) else None
    return found if isinstance(found, str) else "UTC"
