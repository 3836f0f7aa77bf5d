"""Health: whether the embedded server has room for its data: `[plugins.health-disk]`."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Final

import attrs
from msgspec import Meta

from energia import Core, Criticality, Observed, Probe, hookimpl
from energia.db.embedded import Embedded
from energia.health.probes import ComponentType

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
        self._folder: Path | None = None

    @property
    def active(self) -> bool:
        """Whether the data is here."""
        return self._folder is not None

    @hookimpl
    def register_probes(self) -> list[Probe]:
        """Return the probe."""
        return [self]

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, core: Core) -> AsyncIterator[None]:
        """Look at the folder of the embedded server, if it is used."""
        url = core.settings.database.url
        if url.startswith(_EMBEDDED):
            named = url.removeprefix(_EMBEDDED)
            self._folder = Embedded(Path(named) if named else None).folder
        yield
        self._folder = None

    async def check(self) -> Observed | None:
        """Return how many bytes are free, with a warning if they are few."""
        if self._folder is None:
            return None
        free = (await asyncio.to_thread(shutil.disk_usage, self._folder)).free
        few = f"under {self._settings.warn_below} bytes are free in {self._folder}"
        return Observed(free, "bytes", few if free < self._settings.warn_below else None)
