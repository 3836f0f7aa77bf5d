"""The format `mscons`: interval readings of the German and Austrian market (EDIFACT MSCONS)."""

from energia import Decoder, hookimpl
from energia_plugins.meter_mscons.decoder import MsconsDecoder


@hookimpl
def register_decoders() -> list[Decoder]:
    """Return the decoder of the format `mscons`."""
    return [MsconsDecoder()]
