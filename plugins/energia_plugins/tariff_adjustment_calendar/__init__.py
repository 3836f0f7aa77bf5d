"""The charge `adjustment.calendar`: so much for each unit, by a table of months or dates.

`charge` is the charge, `energy` its measure. Brazil's bandeira tarifaria and the fuel adjustments
of other countries are such tables.
"""

from energia import hookimpl
from energia.pricing.charges import Charge
from energia_plugins.tariff_adjustment_calendar.charge import AdjustmentCalendar


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [AdjustmentCalendar]
