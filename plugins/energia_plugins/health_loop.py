"""Health: whether the event loop keeps up: `[plugins.health-loop]`."""

from typing import Annotated

import attrs
from msgspec import Meta

from energia import ComponentType, Core, Criticality, Observed, Probe, hookimpl


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

    @hookimpl
    def register_probes(self) -> list[Probe]:
        """Offer the probe."""
        return [self]

    async def check(self, core: Core) -> Observed:
        """Return the lag in milliseconds, with a warning if it is long."""
        lag, limit = core.state.heartbeat.lag, self._settings.warn_above
        slow = f"the event loop was late by more than {limit:g} s" if lag > limit else None
        return Observed(round(1000 * lag, 3), "ms", slow)
