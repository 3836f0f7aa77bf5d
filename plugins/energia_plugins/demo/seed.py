"""Fills the database of a preview with the demo's data."""

import attrs

from energia import Core


@attrs.frozen
class DemoSeed:
    """A household, a year of its readings, and the tariffs."""

    name: str = "demo"

    async def sow(self, core: Core) -> None:
        """Store it; the tariffs need the plugins with their charges."""
        from energia_plugins.demo import loading

        tenant = core.pool.tenant()
        await loading.load(tenant, core.clock, core.settings)
        await loading.load_tariffs(tenant, core.plugins)
