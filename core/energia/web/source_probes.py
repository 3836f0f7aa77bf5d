"""The probes of the sources: sources are plugins, but the core keeps how each is doing."""

from datetime import datetime

import attrs

from energia.core import Core
from energia.health.probes import Criticality, Observed
from energia.metering.imports import SQL
from energia.metering.keeper import tenant_of
from energia.metering.sources import Source


@attrs.frozen
class _State:
    """How a source is doing, in the order of the columns of `source_get`."""

    is_held: bool
    is_connected: bool
    received_at: datetime | None
    error: str | None


@attrs.frozen(eq=False)
class SourceProbe:
    """Whether a source works, whichever replica runs it; in previews none does."""

    source: Source
    criticality: Criticality = "degraded"
    measurement: str = "age"

    @property
    def name(self) -> str:
        """The name of the source."""
        return f"source-{self.source.name}"

    def active(self, core: Core) -> bool:
        """Return whether sources are run at all."""
        return core.settings.profile != "preview"

    async def check(self, core: Core) -> Observed | None:
        """Return how old the last readings are, in seconds.

        Raises:
            RuntimeError: It has failed, has not reached its device yet, or no replica runs it.

        """
        row = {"name": self.source.name}
        states = await tenant_of(core, self.source).fetch(_State, SQL["source_get"], row)
        here = core.sources.get(self.source.name)
        if not states:
            if here is not None and here.error is not None:
                raise RuntimeError(here.error)
            return None
        (state,) = states
        if not state.is_held:
            raise RuntimeError("no replica runs it")
        if not state.is_connected:
            raise RuntimeError(state.error or "it has not reached its device yet")
        if state.received_at is None:
            return None
        return Observed((core.clock.now() - state.received_at).total_seconds(), "s")
