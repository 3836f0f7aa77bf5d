"""The format `home_assistant`: long-term statistics that were exported from Home Assistant."""

from energia import Decoder, hookimpl
from energia_plugins.meter_home_assistant.decoder import HomeAssistantDecoder


@hookimpl
def register_decoders() -> list[Decoder]:
    """Return the decoder of the format `home_assistant`."""
    return [HomeAssistantDecoder()]
