"""Health: whether all stored tariffs can be read by the plugins that are loaded."""

from energia import ComponentType, Core, Criticality, Observed, Probe, hookimpl
from energia.pricing.needs import needed_kinds


class TariffsHealth:
    """The plugin, which is also its probe.

    A tariff with a charge of a plugin that was switched off, or is gone, cannot be priced, and its
    contracts are not billed: all others work, so that is a warning.
    """

    name = "tariffs"
    criticality: Criticality = "degraded"
    measurement = "missingKinds"
    component_type: ComponentType = "component"
    #: It looks at every version of every tariff, and what is loaded changes with a start only.
    period: float = 300.0
    timeout: float = 20.0

    @hookimpl
    def register_probes(self) -> list[Probe]:
        """Offer the probe."""
        return [self]

    async def check(self, core: Core) -> Observed:
        """Return how many kinds of charge are missing, with a warning that names each."""
        needed = await needed_kinds(core.pool.everywhere(), core.plugins)
        complaint = "; ".join(map(str, needed))
        return Observed(len(needed), "kinds", complaint or None)
