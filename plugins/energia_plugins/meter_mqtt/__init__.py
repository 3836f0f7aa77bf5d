"""Readings that devices publish over MQTT: `[plugins.meter-mqtt]`."""

from energia import Source, hookimpl
from energia_plugins.meter_mqtt.settings import Settings


class MeterMqtt:
    """The plugin: a source, where a broker is set."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @hookimpl
    def register_sources(self) -> list[Source]:
        """Offer the source."""
        if self._settings.broker is None:
            return []
        # Few services have one.
        from energia_plugins.meter_mqtt.source import Mqtt

        return [Mqtt(self._settings)]
