"""The charge `energy.tiered`: the more is used, the more or the less each unit costs."""

from energia import hookimpl
from energia.pricing.charges import Charge
from energia_plugins.tariff_tiered.charge import Tiered

__all__ = ["Tiered", "register_charges"]


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [Tiered]
