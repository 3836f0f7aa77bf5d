"""The charge `demand`: the highest power, by period, with tiers, ratchets and minimums."""

from energia import Charge, hookimpl
from energia_plugins.tariff_demand.charge import Demand


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [Demand]
