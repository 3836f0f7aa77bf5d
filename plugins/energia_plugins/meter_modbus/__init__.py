"""Counters of devices that are polled over Modbus TCP: `[plugins.meter-modbus]`."""

from energia import Source, hookimpl
from energia_plugins.meter_modbus.settings import Settings


class MeterModbus:
    """The plugin: a source for each device."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @hookimpl
    def register_sources(self) -> list[Source]:
        """Offer the devices."""
        if not self._settings.devices:
            return []
        # Few services have any.
        from energia_plugins.meter_modbus.source import ModbusDevice

        organization = self._settings.organization
        devices = self._settings.devices.items()
        return [ModbusDevice(name, device, organization) for name, device in devices]
