"""The charge `event`: energy, demand or a rebate in dated windows of time.

`windows` are the windows, `measures` what is measured in them, `baselines` what a rebate compares
it with, `charge` is the charge.
"""

from energia import hookimpl
from energia.pricing.charges import Charge
from energia_plugins.tariff_event.charge import EventCharge


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [EventCharge]
