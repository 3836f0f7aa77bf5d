"""`energia export`: stored readings as a file, which `energia import` reads back."""

import asyncio
import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, cast

import click

from energia.cli.invocation import Invocation, allow_embedded, pass_invocation

if TYPE_CHECKING:
    from energia.metering.models import Channel
    from energia.settings import Settings
    from energia.web.export_files import Export, Writer

FORMATS: Final = ("csv", "ndjson", "parquet")


@click.command("export", short_help="Write stored readings to a file.")
@click.option("--meter", "meters", metavar="ID", multiple=True, help="A meter; default all.")
@click.option("--channel", metavar="ID", help="A channel of each meter; default all of them.")
@click.option("--start", metavar="WHEN", help="A date in the zone of the site, or an instant.")
@click.option("--end", metavar="WHEN", help="The same; not included.")
@click.option("--known-at", metavar="INSTANT", help="Readings as they were known then.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to; standard output without. A name that ends in .gz is compressed.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    help="The format; default that of the name of the file, else csv.",
)
@allow_embedded
@pass_invocation
def command(
    invocation: Invocation,
    meters: tuple[str, ...],
    channel: str | None,
    start: str | None,
    end: str | None,
    known_at: str | None,
    output: Path | None,
    format_: str | None,
    allow_embedded: bool,
) -> None:
    """Write stored readings to a file: those that were sent, missing ones included.

    All of them are of one instant, whatever is stored meanwhile. Values are exact, in kWh, kvarh,
    kVAh or m3. `energia import` reads the file back as it is, a CSV file with --mapping energia.

    \b
    Examples:
      energia export --meter UC-123 --start 2026-01-01 --end 2027-01-01 > 2026.csv
      energia export -o everything.ndjson.gz
      energia import everything.ndjson.gz --format ndjson
    """
    settings = invocation.settings(allow_embedded=allow_embedded)
    instant = None if known_at is None else _instant(known_at)
    from energia.web.export_files import Export, writer

    wanted = Export(
        meters=meters or None,
        channel=channel,
        start=None if start is None else _moment(start),
        end=None if end is None else _moment(end),
        known_at=instant,
    )

    with _opened(output) as file:
        asyncio.run(_export(settings, wanted, writer(format_ or _format_of(output), file)))


def _instant(text: str) -> datetime:
    """Return an instant; raises `click.UsageError`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{text}: expected an instant such as 2026-01-01T00:00Z.") from None
    if moment.tzinfo is None:
        raise click.UsageError(f"{text}: the instant has no offset from UTC.")
    return moment


def _moment(text: str) -> datetime | date:
    """Return an instant, or a date; raises `click.UsageError`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return _instant(text)


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[bytes]]:
    """Give the file that is written; one with a name is there only once it is whole."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = output.with_name(f"{output.name}.part")
    try:
        with part.open("wb") as raw:
            if output.suffix == ".gz":
                with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
                    yield cast("IO[bytes]", packed)
            else:
                yield raw
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


def _format_of(output: Path | None) -> str:
    names = () if output is None else tuple(suffix[1:].lower() for suffix in output.suffixes)
    return next((name for name in FORMATS if name in names[-2:]), "csv")


async def _export(settings: "Settings", wanted: "Export", writer: "Writer") -> None:
    from energia.cli.database import opened
    from energia.web.export_files import pieces

    def leave_out(channel: "Channel") -> None:
        told = f"a channel of kind {channel.kind} is not exported"
        click.echo(f"{channel.meter}/{channel.id}: {told}", err=True)

    async with opened(settings.database) as tenant, tenant.snapshot() as queries:
        async for piece in pieces(queries, wanted, leave_out):
            writer.write(piece)
    writer.close()
