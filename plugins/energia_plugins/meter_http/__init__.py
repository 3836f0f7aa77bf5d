"""Readings that a web service has: fetched again and again, by `[plugins.meter-http]` alone."""

from energia import Source, hookimpl
from energia_plugins.meter_http.settings import Settings


class MeterHttp:
    """The plugin: a source for each table of its settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @hookimpl
    def register_sources(self) -> list[Source]:
        """Offer the sources."""
        organization, fetches = self._settings.organization, self._settings.fetches
        if not fetches:
            return []
        # Few services have any.
        from energia_plugins.meter_http.source import HttpSource

        return [HttpSource(name, fetch, organization) for name, fetch in fetches.items()]
