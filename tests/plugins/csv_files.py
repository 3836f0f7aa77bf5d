"""Decoding files as the plugin `meter-csv` does."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from energia.convert import TEXT
from energia.metering.decoders import Problem, Reading
from energia.plugins import Plugins
from energia_plugins import meter_csv


def decoded(
    data: bytes | str, options: Mapping[str, str] | None = None, size: int = 1 << 20
) -> list[Reading | Problem]:
    """Decode a file with the options of a query."""
    decoder = Plugins.of(meter_csv=meter_csv).decoders()["csv"]
    structured: object = TEXT.structure(dict(options or {}), decoder.options)
    items = decoder.decode(chunks(data, size), structured)
    return [item for item in items if isinstance(item, Reading | Problem)]


def chunks(data: bytes | str, size: int) -> Iterator[bytes]:
    """Cut a file."""
    raw = data.encode() if isinstance(data, str) else data
    return (raw[begin : begin + size] for begin in range(0, len(raw), size))


def times(items: list[Reading | Problem]) -> list[str]:
    """Return the starts of readings as text, and the codes of problems."""
    return [
        item.code
        if isinstance(item, Problem)
        else datetime.fromtimestamp(item.start or item.end or 0, UTC).strftime("%m-%d %H:%M")
        for item in items
    ]
