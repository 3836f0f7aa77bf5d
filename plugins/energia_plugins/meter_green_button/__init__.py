"""The format `green_button`: what utilities in the US and Canada give their customers (ESPI)."""

from energia import Decoder, hookimpl
from energia_plugins.meter_green_button.decoder import GreenButtonDecoder


@hookimpl
def register_decoders() -> list[Decoder]:
    """Return the decoder of the format `green_button`."""
    return [GreenButtonDecoder()]
