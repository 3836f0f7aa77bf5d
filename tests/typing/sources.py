"""The part of the plugin for the type checker that brings readings in by itself."""

from decimal import Decimal

from energia import Emit, Reading, Source, SourceFailed, hookimpl


class Thermometer:
    """A source of one reading, of the second organization."""

    name = "acme-thermometer"
    organization = 2

    async def run(self, emit: Emit) -> None:
        """Emit it, and end."""
        emit.connected()
        end = int(emit.now().timestamp())
        outcome = await emit([Reading(1, Decimal(1), end=end)], state={"end": end, **emit.state})
        raise SourceFailed(f"that was all: {outcome.created if outcome else 0}")


class Measuring:
    """A hook about sources."""

    @hookimpl
    def register_sources(self) -> list[Source]:
        """Offer a source."""
        return [Thermometer()]
