"""The charge `minimum`: the least that a bill comes to, in money or in energy."""

from energia import hookimpl
from energia.pricing.charges import Charge
from energia_plugins.tariff_minimum.charge import Minimum

__all__ = ["Minimum", "register_charges"]


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [Minimum]
