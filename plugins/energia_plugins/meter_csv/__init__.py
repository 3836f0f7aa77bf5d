"""Meter files with comma-separated values, under a declared mapping; nothing is guessed."""

from energia import Decoder, hookimpl
from energia_plugins.meter_csv.decoder import CsvDecoder


@hookimpl
def register_decoders() -> list[Decoder]:
    """Return the decoder of the format `csv`."""
    return [CsvDecoder()]
