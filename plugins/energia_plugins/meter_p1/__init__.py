"""Telegrams of the P1 port of a meter, as a bridge sends them over TCP: `[plugins.meter-p1]`."""

from energia import Source, hookimpl
from energia_plugins.meter_p1.settings import Settings


class MeterP1:
    """The plugin: a source for each meter."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @hookimpl
    def register_sources(self) -> list[Source]:
        """Offer the meters."""
        if not self._settings.meters:
            return []
        # Few services have any.
        from energia_plugins.meter_p1.source import P1Source

        organization, meters = self._settings.organization, self._settings.meters
        return [P1Source(name, meter, organization) for name, meter in meters.items()]
