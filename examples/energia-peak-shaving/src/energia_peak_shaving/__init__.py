"""A bonus for shaving peaks: who stays below his own peaks of the last bills is paid for it."""

from energia import Charge, hookimpl

from energia_peak_shaving.bonus import PeakShavingBonus
from energia_peak_shaving.measure import PeakDemand

__all__ = ["PeakDemand", "PeakShavingBonus", "register_charges"]


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [PeakShavingBonus]
