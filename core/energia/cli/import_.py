"""`energia import`: a meter file into the database."""

import asyncio
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from energia.cli.invocation import (
    Invocation,
    allow_embedded,
    format_named,
    pass_invocation,
)

if TYPE_CHECKING:
    from energia.db.pool import Tenant
    from energia.errors import Invalid
    from energia.metering.decoders import Decoder
    from energia.metering.mappings import CsvMapping
    from energia.metering.outcome import Outcome
    from energia.settings import Settings

_CHUNK = 1024 * 1024


@attrs.frozen
class _File:
    """What is imported, and how it is read.

    Attributes:
        path: The file.
        decoder: Reads it.
        options: Gives the options of the decoder, with those of a mapping below them.
        mapping: That mapping, or the name of a stored one.
        decoders: All that there are, to find a mapping.
        meter: The meter, where the file names none.
        channel: The channel, likewise.
        skip: Whether what is right of it is stored.

    """

    path: Path
    decoder: "Decoder"
    options: "Callable[[CsvMapping | None], object]"
    mapping: "CsvMapping | str | None"
    decoders: "Mapping[str, Decoder]"
    meter: str | None
    channel: str | None
    skip: bool


@click.command("import", short_help="Import the readings of a file, all or none.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--meter", metavar="ID", help="The meter, where the file names none.")
@click.option("--channel", metavar="ID", help="The channel; the meter's only one by default.")
@click.option(
    "--format",
    "format_",
    metavar="NAME",
    default="csv",
    show_default=True,
    help="A format, or auto for the one that fits the file.",
)
@click.option(
    "--option",
    "options",
    metavar="KEY=VALUE",
    multiple=True,
    help="How to read the file, such as timezone=Europe/London. May be given several times.",
)
@click.option(
    "--mapping",
    metavar="NAME|FILE.toml",
    help="Options under a name, a preset such as be-fluvius or a stored one, or in a file.",
)
@click.option("--skip-problems", is_flag=True, help="Store what is right, report the rest.")
@click.option("--preview", is_flag=True, help="Propose a mapping for the file; store nothing.")
@allow_embedded
@pass_invocation
def command(
    invocation: Invocation,
    file: Path,
    meter: str | None,
    channel: str | None,
    format_: str,
    options: tuple[str, ...],
    mapping: str | None,
    skip_problems: bool,
    preview: bool,
    allow_embedded: bool,
) -> None:
    """Import the readings of FILE: all of them, or none if something is wrong.

    The options of a format are those of POST /v1/imports. Importing a file again changes nothing.

    \b
    Examples:
      energia import 2021.csv --meter UC-123 --option timezone=America/Sao_Paulo
      energia import 2021.csv --meter UC-123 --option delimiter=';' --option decimal=,
      energia import fluvius.csv --meter UC-123 --mapping be-fluvius
      energia import unknown.csv --preview --option timezone=Europe/Vienna > ours.toml
    """
    if preview:
        from energia.cli.proposal import shown

        click.echo(shown(invocation.plugins().decoders(), format_, file, pairs_of(options)))
        return
    settings = invocation.settings(allow_embedded=allow_embedded)
    decoder = decoder_of(invocation, format_, file)
    read = partial(structured, decoder, options, meter, channel)
    chosen = _in_file(mapping) if mapping is not None and mapping.endswith(".toml") else mapping
    if not isinstance(chosen, str):  # what is wrong with options is told before anything is asked
        read(chosen)
    decoders = invocation.plugins().decoders()
    upload = _File(file, decoder, read, chosen, decoders, meter, channel, skip_problems)
    outcome = asyncio.run(_import(settings, upload))
    _report(outcome)


def decoder_of(invocation: Invocation, name: str, file: Path) -> "Decoder":
    """Return the decoder of a format, or the one that recognizes a file for `auto`.

    Raises `click.UsageError`.
    """
    from energia.errors import Invalid
    from energia.metering.decoders import AUTO, recognized

    decoders = invocation.plugins().decoders()
    if name != AUTO:
        return format_named(decoders, name)
    try:
        with file.open("rb") as chunks:
            return recognized(decoders, _chunks(chunks))[0]
    except Invalid as error:
        raise click.UsageError(f"--format auto: {error.detail}") from None


def pairs_of(options: Iterable[str]) -> dict[str, str]:
    """Return options given as KEY=VALUE; raises `click.UsageError`."""
    texts: dict[str, str] = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or key in texts:
            raise click.UsageError(f"--option {option}: expected KEY=VALUE, each key once.")
        texts[key] = value
    return texts


def structured(
    decoder: "Decoder",
    options: Iterable[str],
    meter: str | None = None,
    channel: str | None = None,
    mapping: "CsvMapping | None" = None,
) -> object:
    """Return the options of a decoder, given as KEY=VALUE; raises `click.UsageError`.

    They go before those of a *mapping*. A decoder whose options have a `meter` or a `channel` is
    given those of the import.
    """
    from energia.convert import TEXT
    from energia.errors import Invalid

    texts = pairs_of(options)
    fields = {field.name for field in attrs.fields(decoder.options)}
    own = {"meter": meter, "channel": channel}
    texts |= {key: value for key, value in own.items() if value is not None and key in fields}
    try:
        if mapping is not None:
            mapping.refuse_other(decoder.name)
            texts = mapping.under(texts)
        return TEXT.structure(texts, decoder.options)
    except Invalid as error:
        raise click.UsageError(f"--option {_told(error)}") from None


def _told(error: "Invalid") -> str:
    """Return what is wrong with which options."""
    return "; ".join(f"{(fault.pointer or '')[1:]}: {fault.message}" for fault in error.faults)


def _in_file(path: str) -> "CsvMapping":
    """Return the mapping in a TOML file; raises `click.UsageError`."""
    from energia.errors import Invalid
    from energia.metering.mappings import document

    try:
        return document(tomllib.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise click.UsageError(f"--mapping {path}: {error}") from None
    except Invalid as error:
        raise click.UsageError(f"--mapping {path}: {_told(error)}") from None


async def _options(tenant: "Tenant", file: _File) -> object:
    """Return the options of a file, those of a stored mapping included."""
    from energia.errors import Invalid
    from energia.metering.mappings import Mappings

    if not isinstance(file.mapping, str):
        return file.options(file.mapping)
    try:
        found = await Mappings(tenant, file.decoders).named(file.mapping)
    except Invalid as error:
        raise click.UsageError(f"--mapping: {error.detail}") from None
    return file.options(found)


async def _import(settings: "Settings", file: _File) -> "Outcome":
    from rich.progress import wrap_file

    from energia.cli.database import opened
    from energia.metering.decoders import Defaults
    from energia.metering.imports import Intake
    from energia.time import SystemClock

    async with opened(settings.database) as tenant:
        intake, options = Intake.of(settings, SystemClock(), tenant), await _options(tenant, file)
        with (
            file.path.open("rb") as raw,
            wrap_file(raw, file.path.stat().st_size, description=file.path.name) as bar,
        ):
            chunks = _chunks(bar)
            defaults = Defaults(file.meter, file.channel)
            return await intake.file(chunks, file.decoder, options, defaults, skip=file.skip)


def _chunks(file: Any) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _report(outcome: "Outcome") -> None:
    for problem in outcome.problems:
        click.echo(f"line {problem.line}: {problem.message}", err=True)
    names = ("received", "created", "unchanged", "corrected", "repeated", "superseded")
    counts = [f"{getattr(outcome, name)} {name}" for name in (*names, "missing", "rejected")]
    click.echo(f"{outcome.import_}: {', '.join(counts)}")
