"""Health: whether the event loop keeps up: `[plugins.health-loop]`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import attrs
from msgspec import Meta

from energia import Core, Criticality, Observed, Probe, hookimpl
from energia.health.probes import ComponentType

if TYPE_CHECKING:
    from energia.health.heartbeat import Heartbeat


@attrs.frozen
class Settings:
    """From how many seconds of lag on there is a warning."""

    warn_above: Annotated[float, Meta(gt=0)] = 0.5


class LoopHealth:
    """The plugin, which is also its probe: the worst lag of the last ten seconds."""

    name = "event-loop"
    criticality: Criticality = "degraded"
    measurement = "lag"
    component_type: ComponentType = "system"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._heartbeat: Heartbeat | None = None

    @property
    def active(self) -> bool:
        """Whether there is a loop to look at: the service has started."""
        return self._heartbeat is not None

    @hookimpl
    def register_probes(self) -> list[Probe]:
        """Return the probe."""
        return [self]

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, core: Core) -> AsyncIterator[None]:
        """Look at the beat of the service's loop."""
        self._heartbeat = core.state.heartbeat
        yield
        self._heartbeat = None

    async def check(self) -> Observed | None:
        """Return the lag, with a warning if it is long."""
        if self._heartbeat is None:
            return None
        lag, limit = self._heartbeat.lag, self._settings.warn_above
        slow = f"the event loop was late by more than {limit:g} s" if lag > limit else None
        return Observed(round(1000 * lag, 3), "ms", slow)
