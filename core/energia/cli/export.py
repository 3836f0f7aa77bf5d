"""`energia export`: stored readings as a file, which `energia import` reads back."""

import asyncio
import gzip
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, cast

import attrs
import click

from energia.cli.invocation import Invocation, allow_embedded, pass_invocation

if TYPE_CHECKING:
    from energia.cli.formats import Piece, Writer
    from energia.db.tenant import Queries
    from energia.metering.query import Span
    from energia.settings import Settings
    from energia.time import Zone

FORMATS: Final = ("csv", "ndjson", "parquet")
#: How many meters are looked up at a time.
_PAGE: Final = 100


@attrs.frozen(kw_only=True)
class _Wanted:
    """What is exported.

    Attributes:
        meters: The meters; all where none is named.
        channel: The channel of each; all of them without.
        start: A date in the zone of the site, or an instant; without it the first reading.
        end: The same; without it the last reading.
        known_at: When it was known; now without.

    """

    meters: tuple[str, ...]
    channel: str | None
    start: str | None
    end: str | None
    known_at: datetime | None


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
    wanted = _Wanted(meters=meters, channel=channel, start=start, end=end, known_at=instant)
    from energia.cli.formats import writer

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


async def _export(settings: "Settings", wanted: _Wanted, writer: "Writer") -> None:
    from energia.cli.database import opened

    async with opened(settings.database) as tenant, tenant.snapshot() as queries:
        async for piece in _pieces(queries, wanted):
            writer.write(piece)
    writer.close()


async def _pieces(queries: "Queries", wanted: _Wanted) -> "AsyncIterator[Piece]":
    """Yield what is wanted, channel by channel, in the order of time; raises `NotFound`."""
    from energia.cli.formats import Piece
    from energia.metering import query, registry
    from energia.time import Zone

    async for meter in _meters(queries, wanted):
        zone = Zone.named(await registry.zone_of(queries, meter))
        for channel in await registry.channels(queries, meter):
            if wanted.channel not in (None, channel.id):
                continue
            if channel.kind != "interval":
                told = f"{meter}/{channel.id}: a channel of kind {channel.kind} is not exported"
                click.echo(told, err=True)
                continue
            span = await query.stored_span(queries, channel)
            if span is None:
                continue
            part = _part(span, wanted, zone)
            async for series in query.pieces(queries, part, wanted.known_at):
                yield Piece(channel, zone, series)


async def _meters(queries: "Queries", wanted: _Wanted) -> AsyncIterator[str]:
    """Yield the meters that are wanted; raises `NotFound` where one is not there."""
    from energia.errors import NotFound
    from energia.metering import registry

    for meter in wanted.meters:
        known = [channel.id for channel in await registry.channels(queries, meter)]
        if wanted.channel not in (None, *known):
            raise NotFound(f"the meter {meter!r} has no channel {wanted.channel!r}")
        yield meter
    after = ""
    while not wanted.meters and (page := await registry.meters(queries, after, _PAGE)):
        for each in page:
            yield each.id
        after = page[-1].id


def _part(span: "Span", wanted: _Wanted, zone: "Zone") -> "Span":
    """Return the part of a channel's time that is wanted; it may be empty."""

    def at(text: str) -> int:
        return zone.boundary(_moment(text))

    start = span.start if wanted.start is None else max(span.start, at(wanted.start))
    end = span.end if wanted.end is None else min(span.end, at(wanted.end))
    return attrs.evolve(span, start=start, end=max(start, end))
