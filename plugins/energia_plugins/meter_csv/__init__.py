"""Meter files as tables, CSV or sheets, under a declared mapping; nothing is guessed."""

from energia import Decoder, hookimpl
from energia_plugins.meter_csv.decoder import CsvDecoder
from energia_plugins.meter_csv.workbook import ExcelDecoder


@hookimpl
def register_decoders() -> list[Decoder]:
    """Return the decoders of the formats `csv` and `excel`."""
    return [CsvDecoder(), ExcelDecoder()]
