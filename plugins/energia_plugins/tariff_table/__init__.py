"""The charge `table`: what a table of bands says, such as municipal street lighting.

`charge` is the charge, `rows` the rows of a table.
"""

from energia import hookimpl
from energia.pricing.charges import Charge
from energia_plugins.tariff_table.charge import TableCharge


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [TableCharge]
