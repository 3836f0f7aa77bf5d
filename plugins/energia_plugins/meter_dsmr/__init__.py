"""The format `dsmr`: telegrams of the P1 port of meters (DSMR 4 and 5, and what follows it)."""

from energia import Decoder, hookimpl
from energia_plugins.meter_dsmr.decoder import DsmrDecoder


@hookimpl
def register_decoders() -> list[Decoder]:
    """Return the decoder of the format `dsmr`."""
    return [DsmrDecoder()]
