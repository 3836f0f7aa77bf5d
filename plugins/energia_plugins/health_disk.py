"""Health: whether the embedded server has room for its data: `[plugins.health-disk]`."""

import asyncio
import shutil
from pathlib import Path
from typing import Annotated, Final

import attrs
from msgspec import Meta

from energia import ComponentType, Core, Criticality, Observed, Probe, hookimpl
from energia.db.embedded import Embedded

_EMBEDDED: Final = "embedded:"


@attrs.frozen
class Settings:
    """Below how many free bytes there is a warning."""

    warn_below: Annotated[int, Meta(ge=1)] = 1_000_000_000


class DiskHealth:
    """The plugin, which is also its probe; it has nothing to do where the database is elsewhere."""

    name = "disk"
    criticality: Criticality = "degraded"
    measurement = "free"
    component_type: ComponentType = "system"
    period: float = 30.0

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @hookimpl
    def register_probes(self) -> list[Probe]:
        """Offer the probe."""
        return [self]

    def active(self, core: Core) -> bool:
        """Return whether the data is here."""
        return core.settings.database.url.startswith(_EMBEDDED)

    async def check(self, core: Core) -> Observed:
        """Return how many bytes are free, with a warning if they are few."""
        path = core.settings.database.url.removeprefix(_EMBEDDED)
        folder = Embedded(Path(path) if path else None).folder
        free = (await asyncio.to_thread(shutil.disk_usage, folder)).free
        few = f"under {self._settings.warn_below} bytes are free in {folder}"
        return Observed(free, "bytes", few if free < self._settings.warn_below else None)
