"""`energia import`: meter files into the database."""

import asyncio
import tomllib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

from energia.cli.files import STDIN, Given, given, sniffed
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
    from energia.metering.imports import Intake
    from energia.metering.mappings import CsvMapping
    from energia.metering.outcome import Outcome
    from energia.settings import Settings
    from energia.units import GasHeat

#: The counts of an outcome, in the order in which they are shown.
_COUNTS = (
    *("received", "created", "unchanged", "corrected"),
    *("repeated", "superseded", "missing", "rejected"),
)


@attrs.frozen(kw_only=True)
class _Job:
    """What is imported, and how it is read.

    Attributes:
        paths: The files.
        decoders: The formats that there are, by name.
        format: One of them, or `auto`.
        options: Options of the format, KEY=VALUE.
        mapping: Options below them, or the name of a stored mapping.
        meter: The meter, where a file names none.
        channel: The channel, likewise.
        skip: Whether what is right of a file is stored, although something is wrong.
        dry_run: Whether nothing is stored.
        first: The line from which a file is read.
        site: Where meters are made that do not exist; without one they are refused.
        as_json: Whether outcomes are printed as JSON.
        gas: What makes kWh of cubic metres of gas.

    """

    paths: tuple[Path, ...]
    decoders: "Mapping[str, Decoder]"
    format: str
    options: tuple[str, ...]
    mapping: "CsvMapping | str | None"
    meter: str | None
    channel: str | None
    skip: bool
    dry_run: bool
    first: int
    site: str | None
    as_json: bool
    gas: "GasHeat | None"

    def structured(self, decoder: "Decoder", mapping: "CsvMapping | None") -> object:
        """Return the options of a decoder; raises `click.UsageError`."""
        return structured(decoder, self.options, self.meter, self.channel, mapping)

    def files(self) -> Iterator[Given]:
        """Yield the files, those of archives one by one."""
        known = self.decoders
        able = [known[self.format]] if self.format in known else list(known.values())
        for path in self.paths:
            yield from given(path, sniffed(able))


@click.command("import", short_help="Import the readings of files.")
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
)
@click.option("--meter", metavar="ID", help="The meter, where a file names none.")
@click.option("--channel", metavar="ID", help="The channel; the meter's only one by default.")
@click.option(
    "--format",
    "format_",
    metavar="NAME",
    default="csv",
    show_default=True,
    help="A format, or auto for the one that fits a file.",
)
@click.option(
    "--option",
    "options",
    metavar="KEY=VALUE",
    multiple=True,
    help="How to read a file, such as timezone=Europe/London. May be given several times.",
)
@click.option(
    "--mapping",
    metavar="NAME|FILE.toml",
    help="Options under a name, a preset such as be-fluvius or a stored one, or in a file.",
)
@click.option("--skip-problems", is_flag=True, help="Store what is right, report the rest.")
@click.option("--dry-run", is_flag=True, help="Check all against the database; store nothing.")
@click.option(
    "--from-line",
    metavar="LINE",
    type=click.IntRange(min=1),
    default=1,
    help="Go on with a file from this line on: the one after the last that was stored.",
)
@click.option(
    "--create-meters",
    "site",
    metavar="SITE",
    help="Make meters and channels that do not exist, at a site, as the file describes them.",
)
@click.option(
    "--gas",
    nargs=2,
    metavar="CALORIFIC CORRECTION",
    help="Store gas in m3 as kWh: MJ in a cubic metre, and the correction factor of the volume.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcomes as JSON, a line each.")
@click.option("--preview", is_flag=True, help="Propose a mapping for a file; store nothing.")
@allow_embedded
@pass_invocation
def command(
    invocation: Invocation,
    files: tuple[Path, ...],
    meter: str | None,
    channel: str | None,
    format_: str,
    options: tuple[str, ...],
    mapping: str | None,
    skip_problems: bool,
    dry_run: bool,
    from_line: int,
    site: str | None,
    gas: tuple[str, str] | None,
    as_json: bool,
    preview: bool,
    allow_embedded: bool,
) -> None:
    """Import the readings of FILEs; - is standard input, .gz and .zip are inflated.

    Each file is stored in parts of about a million readings, each of them whole or, if something is
    wrong in it, not at all. The last line that is stored is printed. The options of a format are
    those of POST /v1/imports. Importing a file again changes nothing.

    \b
    Examples:
      energia import 2021.csv --meter UC-123 --option timezone=America/Sao_Paulo
      energia import 2021.csv --meter UC-123 --option delimiter=';' --option decimal=,
      energia import fluvius.csv --meter UC-123 --mapping be-fluvius
      energia import unknown.csv --preview --option timezone=Europe/Vienna > ours.toml
      energia import history.csv.gz --mapping energia --dry-run
    """
    if from_line > 1 and (len(files) > 1 or dry_run):
        raise click.UsageError("--from-line goes on with one file, and not with --dry-run.")
    decoders = invocation.plugins().decoders()
    if preview:
        _preview(decoders, format_, files, pairs_of(options))
        return
    settings = invocation.settings(allow_embedded=allow_embedded)
    job = _Job(
        paths=files,
        decoders=decoders,
        format=format_,
        options=options,
        mapping=_in_file(mapping) if mapping is not None and mapping.endswith(".toml") else mapping,
        meter=meter,
        channel=channel,
        skip=skip_problems,
        dry_run=dry_run,
        first=from_line,
        site=site,
        as_json=as_json,
        gas=None if gas is None else _heat(*gas),
    )
    _refuse_misuse(job)
    asyncio.run(_import(settings, job))


def _preview(
    decoders: "Mapping[str, Decoder]", format_: str, files: tuple[Path, ...], said: dict[str, str]
) -> None:
    from energia.cli.proposal import shown

    if len(files) > 1 or STDIN in map(str, files):
        raise click.UsageError("--preview looks at one file.")
    click.echo(shown(decoders, format_, files[0], said))


def _refuse_misuse(job: _Job) -> None:
    """Tell what is wrong with options before anything is asked; raises `click.UsageError`."""
    from energia.metering.decoders import AUTO

    if job.format != AUTO:
        decoder = format_named(job.decoders, job.format)
        if not isinstance(job.mapping, str):
            job.structured(decoder, job.mapping)


def _heat(calorific: str, correction: str) -> "GasHeat":
    """Return what makes kWh of gas; raises `click.UsageError`."""
    from energia.units import BadNumber, GasHeat, decimal_of

    try:
        heat = GasHeat(decimal_of(calorific), decimal_of(correction))
    except BadNumber as error:
        raise click.UsageError(f"--gas: {error}") from None
    if heat.calorific_value <= 0 or heat.correction_factor <= 0:
        raise click.UsageError("--gas: both numbers are above 0.")
    return heat


def decoder_of(invocation: Invocation, name: str, file: Path) -> "Decoder":
    """Return the decoder of a format, or the one that recognizes a file for `auto`.

    Raises `click.UsageError`.
    """
    decoders = invocation.plugins().decoders()
    with file.open("rb") as opened:
        return _recognized(decoders, name, iter(partial(opened.read, 1024 * 1024), b""))[0]


def _recognized(
    decoders: "Mapping[str, Decoder]", name: str, chunks: Iterator[bytes]
) -> "tuple[Decoder, Iterator[bytes]]":
    """Return the decoder of a file, and all of the file; raises `click.UsageError`."""
    from energia.errors import Invalid
    from energia.metering.decoders import AUTO, recognized

    if name != AUTO:
        return format_named(decoders, name), chunks
    try:
        return recognized(decoders, chunks)
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


async def _mapping(tenant: "Tenant", job: _Job) -> "CsvMapping | None":
    """Return the mapping of a job, a stored one by its name; raises `click.UsageError`."""
    from energia.errors import Invalid
    from energia.metering.mappings import Mappings

    if not isinstance(job.mapping, str):
        return job.mapping
    try:
        return await Mappings(tenant, job.decoders).named(job.mapping)
    except Invalid as error:
        raise click.UsageError(f"--mapping: {error.detail}") from None


async def _import(settings: "Settings", job: _Job) -> None:
    """Import the files one after another; what is stored of them is told, however it ends."""
    from energia.cli.database import opened
    from energia.metering.imports import Intake
    from energia.time import SystemClock

    report = _Report(job)
    async with opened(settings.database) as tenant:
        intake = Intake.of(settings, SystemClock(), tenant)
        mapping = await _mapping(tenant, job)
        try:
            for file in job.files():
                await _store(intake, job, mapping, file, report.of(file.name))
        finally:
            report.summary()


async def _store(
    intake: "Intake",
    job: _Job,
    mapping: "CsvMapping | None",
    file: Given,
    tell: "Callable[[Outcome, int | None], None]",
) -> None:
    """Store a file, and *tell* the outcome of each of its parts with the last line of it."""
    stored = 0
    try:
        with file.opened() as chunks:
            async for outcome, line in _outcomes(intake, job, mapping, chunks):
                tell(outcome, line)
                stored = line or 0
    except Exception as error:
        if len(job.paths) > 1 or file.name != str(job.paths[0]):
            error.add_note(f"in {file.name}")
        if stored:
            error.add_note(f"what is up to line {stored} is stored: --from-line {stored + 1}")
        raise


async def _outcomes(
    intake: "Intake", job: _Job, mapping: "CsvMapping | None", chunks: Iterator[bytes]
) -> "AsyncIterator[tuple[Outcome, int | None]]":
    from energia.metering import imports
    from energia.metering.decoders import Defaults

    decoder, chunks = _recognized(job.decoders, job.format, chunks)
    options, defaults = job.structured(decoder, mapping), Defaults(job.meter, job.channel, job.gas)
    if job.dry_run:
        outcome = await intake.file(
            chunks, decoder, options, defaults, skip=job.skip, dry_run=True, site=job.site
        )
        yield outcome, None
        return
    parts = intake.parts(
        *(chunks, decoder, options, defaults),
        skip=job.skip,
        first=job.first,
        size=imports.PART,
        site=job.site,
    )
    async for part in parts:
        yield part.outcome, part.line


@attrs.define
class _Report:
    """What is printed: the outcome of each part as it is stored, and in the end the sums."""

    job: _Job
    sums: dict[str, dict[str, int]] = attrs.Factory(dict)

    def of(self, name: str) -> "Callable[[Outcome, int | None], None]":
        """Return what tells the outcome of a part of a file."""
        return partial(self._part, name)

    def _part(self, name: str, outcome: "Outcome", line: int | None) -> None:
        counts = {count: getattr(outcome, count) for count in _COUNTS}
        sums = self.sums.setdefault(name, dict.fromkeys(_COUNTS, 0))
        for count, number in counts.items():
            sums[count] += number
        for problem in outcome.problems:
            place = "" if problem.line is None else f"line {problem.line}: "
            click.echo(f"{place}{problem.message}", err=True)
        if self.job.as_json:
            from energia.convert import dumps

            told = {"file": name, "import": outcome.id, "line": line, **counts}
            click.echo(dumps(told).decode())
        elif outcome.id is not None:
            upto = "" if line is None else f" up to line {line}"
            click.echo(f"{name}: stored{upto} ({outcome.id})")

    def summary(self) -> None:
        """Print the sums of each file as a table."""
        if self.job.as_json or not self.sums:
            return
        from rich.table import Table

        from energia.cli.tables import console

        table = Table(title="Dry run: nothing is stored" if self.job.dry_run else None)
        table.add_column("file", overflow="fold")
        for count in _COUNTS:
            table.add_column(count, justify="right")
        for name, sums in self.sums.items():
            table.add_row(name, *map(str, sums.values()))
        console().print(table)
