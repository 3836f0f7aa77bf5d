"""The charge `energy.dynamic`: a price for each slot, from a price series."""

from energia import Charge, hookimpl
from energia_plugins.tariff_dynamic.charge import Dynamic


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [Dynamic]
