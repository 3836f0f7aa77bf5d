"""The charge `demand.contracted`: what was contracted is paid, used or not; more costs more."""

from energia import Charge, hookimpl
from energia_plugins.tariff_demand_contracted.charge import ContractedDemand


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [ContractedDemand]
