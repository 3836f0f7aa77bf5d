"""Files that are dropped into a folder, or into a bucket: `[plugins.meter-folder]`."""

from energia import Source, hookimpl
from energia_plugins.meter_folder.settings import Settings


class MeterFolder:
    """The plugin: a source for each folder."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @hookimpl
    def register_sources(self) -> list[Source]:
        """Offer the folders."""
        organization, folders = self._settings.organization, self._settings.folders
        if not folders:
            return []
        # Few services have any.
        from energia_plugins.meter_folder.source import FolderSource

        return [FolderSource(name, folder, organization) for name, folder in folders.items()]
