"""The format `nem12`: interval readings of Australia (AEMO's Meter Data File Format)."""

from energia import Decoder, hookimpl
from energia_plugins.meter_nem12.decoder import Nem12Decoder


@hookimpl
def register_decoders() -> list[Decoder]:
    """Return the decoder of the format `nem12`."""
    return [Nem12Decoder()]
