"""The charge `tax`: taxes inside the price or on top of it.

`charge` is the charge, `taxes` the taxes with their rates, `formulas` what they make of an amount.
"""

from energia import hookimpl
from energia.pricing.charges import Charge
from energia_plugins.tariff_tax.charge import TaxCharge


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [TaxCharge]
