"""Decoding meter files of any format, as the bundled plugins do."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

import attrs

from energia.convert import TEXT
from energia.metering.decoders import Item, MeterRead, Problem, Reading, Run
from energia.plugins import Plugins
from energia.time import utc_text
from tests.plugins.csv_files import chunks

DECODERS = Plugins.installed().decoders()


def decoded(
    name: str,
    data: bytes | str,
    options: Mapping[str, str] | None = None,
    size: int = 1 << 16,
) -> list[Reading | Problem]:
    """Decode a file that comes in pieces of a size; the readings of runs one by one."""
    return list(singly(runs_of(name, data, options, size)))


def runs_of(
    name: str,
    data: bytes | str,
    options: Mapping[str, str] | None = None,
    size: int = 1 << 16,
) -> list[Item]:
    """Decode a file, runs as they are."""
    decoder = DECODERS[name]
    structured: object = TEXT.structure(dict(options or {}), decoder.options)
    return list(decoder.decode(chunks(data, size), structured))


def singly(items: Iterable[Item]) -> Iterator[Reading | Problem]:
    """Yield the readings of runs one by one, reads of registers left out."""
    for item in items:
        if isinstance(item, Run):
            yield from item.readings()
        elif not isinstance(item, MeterRead):
            yield item


def readings(items: Iterable[Reading | Problem]) -> list[Reading]:
    """Return the readings alone."""
    return [item for item in items if isinstance(item, Reading)]


def problems(items: Iterable[Reading | Problem]) -> list[tuple[int, str]]:
    """Return the lines and codes of the problems alone."""
    return [(item.line, item.code) for item in items if isinstance(item, Problem)]


@attrs.frozen
class Total:
    """What a channel has in a file."""

    readings: int
    sum: Decimal
    first: str
    last_end: str
    qualities: Mapping[int, int]


def totals(items: Iterable[Reading | Problem]) -> dict[tuple[str | None, str | None], Total]:
    """Return what each channel of each meter has."""
    channels: dict[tuple[str | None, str | None], list[Reading]] = defaultdict(list)
    for item in readings(items):
        channels[item.meter, item.channel].append(item)
    return {names: _total(found) for names, found in channels.items()}


def _total(found: list[Reading]) -> Total:
    values = [one.value for one in found if one.value is not None]
    starts = [one.start for one in found if one.start is not None]
    ends = [one.end for one in found if one.end is not None]
    return Total(
        len(found),
        sum(values, Decimal(0)),
        utc_text(min(starts)),
        utc_text(max(ends)),
        Counter(one.quality for one in found),
    )
